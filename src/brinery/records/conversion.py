"""What a notebook became: a script, a job file, a list of packages, and what was left out."""

from __future__ import annotations

from msgspec import Struct

from brinery.records.plan import DataType
from brinery.records.text_enum import TextEnum


class DropRule(TextEnum):
    """Why a piece of a notebook is no part of the job."""

    MAGIC = "magic"
    PLOT = "plot"
    EXPLORE = "explore"
    TRACKING = "tracking"
    IMPORT = "import"


class Dropped(Struct, frozen=True, kw_only=True):
    """A piece that stands in the script as a comment.

    Attributes:
        rule: why.
        cell: number of its cell, from 1.
        text: as it stood in the notebook.
    """

    rule: DropRule
    cell: int
    text: str


class Port(Struct, frozen=True, kw_only=True):
    """A path of the notebook that became an argument.

    Attributes:
        name: of the argument, and of the job's input or output.
        type: what lies there.
        path: as the notebook has it, relative to its folder.
        there: whether it was found; true of what is written.
    """

    name: str
    type: DataType
    path: str
    there: bool = True


class Parameter(Struct, frozen=True, kw_only=True):
    """A value at the top of the notebook that became an argument.

    Attributes:
        name: of the variable, the argument and the job's input.
        type: `int`, `float`, `str` or `bool`.
        value: as it stands in the notebook; a bare text for `str`.
    """

    name: str
    type: str
    value: str


class Metric(Struct, frozen=True, kw_only=True):
    """A figure that the notebook showed, and that the script logs too.

    Attributes:
        name: as MLflow is told.
        expression: of Python.
        cell: number of its cell, from 1.
    """

    name: str
    expression: str
    cell: int


class Package(Struct, frozen=True, kw_only=True):
    """A distribution that the script imports from.

    Attributes:
        requirement: as pip reads it, with the version that was found, or without.
        modules: that the script imports of it.
        source: where the version is from; empty where there is none.
    """

    requirement: str
    modules: tuple[str, ...]
    source: str = ""


class Conversion(Struct, frozen=True, kw_only=True):
    """A whole notebook as a job.

    Attributes:
        script: text of the Python file.
        job: text of the job YAML.
        conda: text of the conda file.
        dropped: in order.
        inputs: that the job reads.
        outputs: folders that the job writes.
        parameters: that may be set.
        metrics: that are logged.
        packages: that the script needs.
        removed: packages of the data scientist's list that it does not, each with the reason.
        modules: of the notebook's own folder that the script imports.
        notes: what a reader should look at; a line each.
        files: that were written, in order: the script, the job file, the list of packages, modules.
    """

    script: str
    job: str
    conda: str
    dropped: tuple[Dropped, ...] = ()
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    metrics: tuple[Metric, ...] = ()
    packages: tuple[Package, ...] = ()
    removed: dict[str, str] = {}
    modules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
