"""The flow: which recipes read and wrote which datasets, folders and models, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from msgspec import Struct

from brinery.records.text_enum import TextEnum


class ItemKind(TextEnum):
    """What a recipe reads or writes."""

    DATASET = "dataset"
    FOLDER = "folder"
    MODEL = "model"
    VARIABLES = "variables"


class UseKind(TextEnum):
    """How a recipe used an item.

    `tracked` is an experiment that logs into a folder: it is told, and is no output that others
    wait for.
    """

    READ = "read"
    WRITTEN = "written"
    TRACKED = "tracked"


class Use(Struct, frozen=True, kw_only=True):
    """One use of an item by a recipe.

    Attributes:
        kind: how.
        item: what it is.
        project: its key.
        name: of a dataset or a model; of a folder its id; of a project's variables its key.
        label: as people call it, where that is not the name.
        path: within a folder, `/pipeline.pkl`; empty for all of it.
        version: of the content: of a dataset its version, of a file its BLAKE3, of a model the
            version's name, of variables the BLAKE3 of their values; empty where it cannot be told.
        at: with time zone.
    """

    kind: UseKind
    item: ItemKind
    project: str
    name: str
    label: str = ""
    path: str = ""
    version: str = ""
    at: Optional[datetime] = None


class RecipeCall(Struct, frozen=True, kw_only=True):
    """How a recipe is run, so that it can be run again.

    Attributes:
        script: absolute path.
        values: that were set, by name.
        arguments: that it was given.
        environment: as it was asked for; empty for the default.
        project: key of the project that `dataiku` takes for the default one; empty for the
            workspace's own.
        experiment: MLflow's; empty for the script's name.
        without: names of compatibility steps that are switched off.
        mirrors: addresses, or beginnings of addresses, to the paths that stand for them.
        inputs: what `dataiku.recipe` says that it reads; what its last run did where empty.
        outputs: likewise, what it writes.
    """

    script: str
    values: dict[str, str] = {}
    arguments: tuple[str, ...] = ()
    environment: str = ""
    project: str = ""
    experiment: str = ""
    without: tuple[str, ...] = ()
    mirrors: dict[str, str] = {}
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class Activity(Struct, frozen=True, kw_only=True):
    """One run of a recipe, and all it read and wrote.

    Attributes:
        project: its key.
        recipe: its name in the flow: the script's path, relative to the workspace where it is in
            it.
        call: how it was run.
        job: that it was a step of.
        started: with time zone.
        ended: None while it goes on, and where its process was killed.
        completed: whether it came to its end.
        uses: in the order in which they happened; each item once for each kind, path and version.
    """

    project: str
    recipe: str
    call: RecipeCall
    job: str
    started: datetime
    ended: Optional[datetime] = None
    completed: bool = False
    uses: tuple[Use, ...] = ()


class NodeKind(TextEnum):
    """What a node of the flow is."""

    DATASET = "dataset"
    FOLDER = "folder"
    RECIPE = "recipe"
    MODEL = "model"
    VARIABLES = "variables"


class NodeState(TextEnum):
    """Whether a node is as its recipe would make it now."""

    SOURCE = "source"
    CURRENT = "current"
    OUTDATED = "outdated"
    MISSING = "missing"


class FlowNode(Struct, frozen=True, kw_only=True):
    """A node of the flow.

    Attributes:
        id: `dataset:PROJECT.bank`, `recipe:step2.py`; unique.
        kind: what it is.
        name: as people call it.
        version: of its content now; of a recipe the job that ran it last.
        at: when it was written, or run.
        state: whether it is up to date.
        why: it is not, in words; empty where it is.
        detail: rows and size, or what a recipe came to, in words.
    """

    id: str
    kind: NodeKind
    name: str
    version: str = ""
    at: Optional[datetime] = None
    state: NodeState = NodeState.CURRENT
    why: str = ""
    detail: str = ""


class FlowEdge(Struct, frozen=True, kw_only=True):
    """An edge of the flow: from what is read to the recipe, or from it to what it writes.

    Attributes:
        source: id of a node.
        target: id of a node.
        version: of the content that went along it last.
        at: when it did.
    """

    source: str
    target: str
    version: str = ""
    at: Optional[datetime] = None


class Flow(Struct, frozen=True, kw_only=True):
    """The graph of a project.

    Attributes:
        project: its key.
        nodes: each after all that feed it.
        edges: between them; there is no way back to where one came from.
    """

    project: str
    nodes: tuple[FlowNode, ...] = ()
    edges: tuple[FlowEdge, ...] = ()
