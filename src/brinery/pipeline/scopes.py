"""What the steps of one pipeline may name: its inputs, its outputs, and each other.

A `Scope` is one pipeline: the job itself, or a pipeline component within it. Expressions of its
steps' inputs are filled in here; what another step leaves stays a reference, `Produced`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from brinery.pipeline.catalog import Catalog, name_of, named
from brinery.records.plan import Data, DataType, Joined, Produced, Text, Value
from brinery.specs.expressions import Reference, references
from brinery.specs.job_parts import DataInput, DataOutput, Scalar, Valued
from brinery.specs.job_source import Source, Spot
from brinery.specs.names import nearest
from brinery.specs.yaml_file import Place

_PARENT: Final = "parent"
_DATASTORE: Final = re.compile(r"azureml://(?:.*/)?datastores/([^/]+)/paths/")
_BOUND_TO: Final = "parent.inputs.NAME, parent.jobs.STEP.outputs.NAME or parent.outputs.NAME"
# Filled in where a place is known: when the step starts.
LATE: Final = frozenset({"name", "default_datastore", "output_name"})

Given = Scalar | DataInput | Valued


class Fed(Struct):
    """What an input stands for.

    Attributes:
        value: None where it has none.
        type: of data; a parameter's, or empty for one that nothing is known of.
        optional: whether it may be without a value.
        missing: why it has no value though it must; told where it is used.
        used: whether something names it.
    """

    value: Value | None
    type: str = ""
    optional: bool = False
    missing: str = ""
    used: bool = False

    @property
    def data(self) -> bool:
        """Return whether it is files."""
        return isinstance(self.value, (Data, Produced, Joined))


class Promise(Struct):
    """An output of a pipeline, which one of its steps leaves.

    Attributes:
        type: that is declared; empty where the step's own decides.
        settings: what else is declared of it.
        top: whether it is the job's own.
        by: the step and its output, once they are known.
    """

    type: str = ""
    settings: DataOutput = field(default_factory=DataOutput)
    top: bool = False
    by: tuple[str, str] | None = None


class Node(Struct):
    """What other steps may ask of a step.

    Attributes:
        name: in the plan.
        outputs: name to type; None where faults leave them unknown.
        inputs: as they are declared, for `parent.jobs.STEP.inputs.NAME`.
        place: where it stands.
    """

    name: str
    outputs: dict[str, str] | None
    inputs: dict[str, Given]
    place: Place


class Scope(Struct):
    """One pipeline.

    Attributes:
        source: the file that its steps stand in.
        catalog: of what was registered.
        prefix: what the names of its steps begin with.
        inputs: by name.
        outputs: by name.
        nodes: its steps by name.
    """

    source: Source
    catalog: Catalog
    prefix: str = ""
    inputs: dict[str, Fed] = field(default_factory=dict)
    outputs: dict[str, Promise] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    _asked: set[tuple[str, str]] = field(default_factory=set)

    def fed(self, given: Given, place: Place, *, of: str = "") -> Fed:
        """Return what an input of a step stands for; faults are told, and stand for nothing.

        Args:
            given: as it is declared.
            place: where it stands.
            of: name of the step, which cannot take what it leaves itself.
        """
        if isinstance(given, DataInput):
            path = given.path
            if path is not None and references(path):
                inner = self.text(path, (*place, "path"), of=of)
                if isinstance(inner.value, Text):
                    told = given.but(path=inner.value.text)
                    return self.files(told, place)
                value = inner.value
                if isinstance(value, Data) and given.mode:
                    value = replace(value, mode=given.mode)
                return Fed(value, given.type or inner.type, inner.optional, inner.missing)
            return self.files(given, place)
        if isinstance(given, Valued):
            return literal(given.value) if given.value is not None else Fed(None)
        if isinstance(given, str):
            return self.text(given, place, of=of)
        return literal(given)

    def files(self, given: DataInput, place: Place) -> Fed:
        """Return files that were there before the job; what is not there is told."""
        # Only a table is read by an eval_ mode.
        evaluated = given.mode in ("eval_mount", "eval_download")
        kind = given.type or ("mltable" if evaluated else "uri_folder")
        if evaluated and kind != "mltable":
            said = f"{given.mode} is for mltable, and this is {kind}"
            self.source.fault((*place, "mode"), said)
        if given.path is None:
            key = ".".join(str(one) for one in place)
            return Fed(None, kind, missing=f"has no path: --set {key}.path=… gives it one")
        uri = located(given.path, self.source)
        found = Data(
            uri=uri,
            type=DataType(kind),
            mode=given.mode or "ro_mount",
            declared=given.path,
        )
        if not uri.startswith("/"):
            self._registered(uri, kind, (*place, "path"))
        elif not references(uri):
            return Fed(_there(found, given, Spot(self.source, (*place, "path"))), kind)
        return Fed(found, kind)

    def _registered(self, uri: str, kind: str, place: Place) -> None:
        """Tell what is not registered, where that is known."""
        noun = "model" if kind.endswith("model") else "data"
        reference = named(uri)
        store = _DATASTORE.match(uri)
        if said := outside(uri):
            self.source.fault(place, said)
            return
        if store:
            noun, reference = "datastore", store[1]
        if (
            reference is None
            or references(uri)
            or self.catalog.exists(noun, reference) is not False
        ):
            return
        said = near(name_of(reference), self.catalog.names(noun))
        made = f"brinery {noun} create -f FILE"
        self.source.fault(place, f"there is no {noun} {reference}{said}: {made}")

    def text(self, given: str, place: Place, *, of: str = "") -> Fed:
        """Return what a text stands for, its expressions filled in."""
        found = references(given)
        if not found or all(one.path[0] in LATE and len(one.path) == 1 for one in found):
            return literal(given)
        if found[0].text == given.strip():
            return self._bound(found[0], place, of)
        parts: list[Value] = []
        end = 0
        for one in found:
            inner = self._bound(one, place, of)
            if inner.value is None:
                return inner
            parts += [Text(text=given[end : one.at]), inner.value]
            end = one.at + len(one.text)
        return Fed(joined([*parts, Text(text=given[end:])]))

    def plain(self, given: str, place: Place) -> str:
        """Return a text whose expressions are parameters; empty where they are not known."""
        found = self.text(given, place)
        if isinstance(found.value, Text):
            return found.value.text
        # A component that is looked at by itself is given nothing.
        opaque = isinstance(found.value, Produced) and not found.value.step
        if found.value is not None and not opaque:
            self.source.fault(place, f"{given} is no text that is known before the job runs")
        return ""

    def promised(self, text: str, place: Place) -> Promise | None:
        """Return the output of the pipeline that a step's is; None where a fault is told."""
        found = references(text)
        path = found[0].path if found and found[0].text == text.strip() else ()
        if path[:2] != (_PARENT, "outputs") or len(path) != 3:  # noqa: PLR2004
            self.source.fault(place, f"{text} is no output of the pipeline: {_outputs_hint(path)}")
            return None
        promise = self.outputs.get(path[2])
        if promise is None:
            self.source.fault(
                place, f"the pipeline has no output {path[2]}{near(path[2], self.outputs)}"
            )
        return promise

    def _bound(self, one: Reference, place: Place, of: str) -> Fed:
        match one.path:
            case ("parent", "inputs", name):
                return self._input(name, place)
            case ("parent", "jobs", step, ("outputs" | "inputs") as group, name):
                return self._of_step(step, group, name, place=place, of=of)
            case ("inputs" | "outputs" | "jobs", *_):
                said = ".".join(one.path)
                self.source.fault(
                    place, f"{one.text} names nothing here: write ${{{{parent.{said}}}}}"
                )
            case _:
                said = _mended(one.path)
                self.source.fault(place, f"{one.text} names nothing: {said}")
        return Fed(None, missing="told")

    def _input(self, name: str, place: Place) -> Fed:
        found = self.inputs.get(name)
        if found is None:
            self.source.fault(place, f"the pipeline has no input {name}{near(name, self.inputs)}")
            return Fed(None, missing="told")
        found.used = True
        if found.missing and found.missing != "told":
            self.source.fault(place, found.missing)
            return Fed(None, missing="told")
        return found

    def _of_step(self, step: str, group: str, name: str, *, place: Place, of: str) -> Fed:
        node = self.nodes.get(step)
        if node is None:
            self.source.fault(place, f"there is no step {step}{near(step, self.nodes)}")
            return Fed(None, missing="told")
        if step == of and group == "outputs":
            self.source.fault(place, "a step cannot take what it leaves itself")
            return Fed(None, missing="told")
        if group == "inputs":
            return self._input_of(node, step, name, place=place)
        if node.outputs is None:
            return Fed(None, missing="told")
        if name not in node.outputs:
            self.source.fault(
                place, f"the step {step} has no output {name}{near(name, node.outputs)}"
            )
            return Fed(None, missing="told")
        return Fed(Produced(step=node.name, output=name), node.outputs[name])

    def _input_of(self, node: Node, step: str, name: str, *, place: Place) -> Fed:
        if name not in node.inputs:
            self.source.fault(
                place, f"the step {step} has no input {name}{near(name, node.inputs)}"
            )
            return Fed(None, missing="told")
        if (step, name) in self._asked:
            self.source.fault(place, f"the input {name} of {step} is made of itself")
            return Fed(None, missing="told")
        self._asked.add((step, name))
        try:
            return self.fed(node.inputs[name], (*node.place, "inputs", name), of=step)
        finally:
            self._asked.discard((step, name))


def literal(given: Scalar) -> Fed:
    """Return a value that is told as it is."""
    return Fed(Text(text=str(given)))


def joined(parts: list[Value]) -> Value:
    """Return values one after the other, as simply as can be said."""
    flat: list[Text | Data | Produced] = []
    for part in parts:
        for one in part.parts if isinstance(part, Joined) else (part,):
            last = flat[-1] if flat else None
            if isinstance(one, Text) and isinstance(last, Text):
                flat[-1] = Text(text=last.text + one.text)
            elif not isinstance(one, Text) or one.text:
                flat.append(one)
    if not flat:
        return Text(text="")
    return flat[0] if len(flat) == 1 else Joined(parts=tuple(flat))


def located(path: str, source: Source) -> str:
    """Return a path of a file as it is absolutely, or an address unchanged."""
    scheme, colon, _ = path.partition(":")
    if colon and scheme.isalnum() and len(scheme) > 1 and scheme != "file":
        return path
    plain = path.removeprefix("file://") if path.startswith("file://") else path
    told = source.folder / plain.removeprefix("file:")
    found = os.path.realpath(told)
    if found != os.path.normpath(told):
        # Where a link leads is of the plan, too.
        source.found.files.append(told)
    return found


def _there(found: Data, given: DataInput, spot: Spot) -> Data:
    """Return files on this machine, their type seen to; what is not there is told."""
    # A name that is too long is nowhere, and no error of the system.
    exists = os.path.exists(found.uri)  # noqa: PTH110 - as above
    path = Path(found.uri)
    if any(mark in found.uri for mark in "*?["):
        if not exists and not _matched(found.uri.removeprefix("/")):
            spot.fault(f"no file matches {found.declared}")
        return found
    if not exists:
        spot.fault(f"there is nothing at {found.declared}")
    elif found.type is DataType.FILE and path.is_dir():
        spot.fault(f"{found.declared} is a folder, and uri_file is a file")
    elif found.type in (DataType.FOLDER, DataType.TABLE) and path.is_file():
        if given.type is None:
            return Data(uri=found.uri, type=DataType.FILE, mode=found.mode, declared=found.declared)
        spot.fault(f"{found.declared} is a file, and {given.type} is a folder")
    elif not (path.is_dir() or path.is_file()):
        spot.fault(f"{found.declared} is neither a file nor a folder")
    return found


def _matched(pattern: str) -> bool:
    """Return whether there is a file of an absolute pattern, without its first slash."""
    try:
        return any(Path("/").glob(pattern))
    except (ValueError, OSError):  # `**x`, which is no pattern; a name that is too long
        return False


def outside(uri: str) -> str:
    """Return what is told of an address that leads out of its datastore; empty for others."""
    if _DATASTORE.match(uri) and ".." in uri.split("/"):
        return f"{uri} has .., which leads out of its datastore"
    return ""


def near(name: str, known: Iterable[str]) -> str:
    """Return what is added to a message about an unknown name: the nearest known one."""
    found = nearest(name, known)
    return f" (did you mean {found}?)" if found else ""


def _mended(path: tuple[str, ...]) -> str:
    """Return what was probably meant by an expression, or what may be written."""
    groups = ("inputs", "outputs", "jobs")
    if len(path) > 1 and path[0] == _PARENT and path[1] not in groups:
        meant = nearest(path[1], groups)
        if meant:
            return f"did you mean ${{{{{'.'.join((_PARENT, meant, *path[2:]))}}}}}?"
    return f"there are {_BOUND_TO}"


def _outputs_hint(path: tuple[str, ...]) -> str:
    if path[:1] == ("outputs",):
        return f"write ${{{{parent.{'.'.join(path)}}}}}"
    return "${{parent.outputs.NAME}} is"
