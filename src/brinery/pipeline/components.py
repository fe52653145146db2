"""The component that a step names: a file, a registered one, or one written in place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from brinery.errors import InvalidJob
from brinery.pipeline import ports
from brinery.pipeline.catalog import Catalog, name_of, named
from brinery.specs import job_source, job_yaml
from brinery.specs.components import ComponentPart
from brinery.specs.job_source import Source, Spot
from brinery.specs.job_yaml import Declared, Noun
from brinery.specs.names import nearest


class Component(Struct, frozen=True):
    """A component, and the file that it stands in.

    Attributes:
        type: `command`, `parallel` or `pipeline`.
        model: what it declares.
        source: where it stands.
        name: `name:version`, or as much of it as there is; empty where it has none.
    """

    type: str
    model: ComponentPart
    source: Source
    name: str

    @property
    def told(self) -> str:
        """Return it as it is told in messages."""
        return self.name.partition(":")[0] or Path(self.source.name).name


class Components(Struct):
    """Reads components, each once.

    Attributes:
        catalog: of registered ones.
    """

    catalog: Catalog
    _read: dict[str, Component | None] = field(default_factory=dict)

    def of(self, stated: str | dict[str, Any], spot: Spot) -> Component | None:
        """Return the component that a step names or has; None where a fault is told instead."""
        if isinstance(stated, dict):
            return self._made(spot.source.within(spot.place, stated))
        reference = named(stated)
        if reference is not None:
            return self._registered(reference, spot)
        if stated.startswith("azureml:"):
            spot.fault(f"{stated!r} names no component: azureml:NAME:VERSION does")
            return None
        return self._of_file(stated.removeprefix("file:"), spot)

    def _of_file(self, path: str, spot: Spot) -> Component | None:
        source = spot.source
        file = source.folder / path
        key = os.path.realpath(file)
        if key in self._read:
            return self._read[key]
        if os.path.isdir(file):  # noqa: PTH112 - a name that is too long is no error of the system
            spot.fault(f"{path} is a folder, and a component is a file")
            return None
        if not os.path.isfile(file):  # noqa: PTH113 - as above
            near = nearest(file.name, _siblings(file))
            said = f" (did you mean {near}?)" if near else ""
            hint = "" if "/" in path or "." in path else f"; a registered one is azureml:{path}"
            spot.fault(f"there is no file {path}{said}{hint}")
            return None
        shown = os.path.normpath(Path(source.name).parent / path)
        try:
            read = job_source.read(file, found=source.found, name=shown)
            found = self._made(read)
        except InvalidJob as error:
            spot.fault(error.message)
            found = None
        self._read[key] = found
        return found

    def _registered(self, reference: str, spot: Spot) -> Component | None:
        key = f"azureml:{reference}"
        if key in self._read:
            return self._read[key]
        held = self.catalog.component(reference)
        if held is None:
            near = nearest(name_of(reference), self.catalog.names("component"))
            said = f" (did you mean {near}?)" if near else ""
            spot.fault(
                f"no component {reference} is registered{said}: brinery component create -f FILE",
            )
            found = None
        else:
            read = Source(held.file, held.folder, dict(held.declared), {}, spot.source.found)
            found = self._made(read, version=held.version)
        self._read[key] = found
        return found

    @staticmethod
    def _made(source: Source, *, version: str = "") -> Component | None:
        return Components.declared(job_yaml.declared(source, noun=Noun.COMPONENT), version=version)

    @staticmethod
    def declared(declared: Declared, *, version: str = "") -> Component | None:
        """Return a component that was read; the faults of its ports are told."""
        model, source = declared.model, declared.source
        if not isinstance(model, ComponentPart):
            return None
        ports.check(model, source)
        name, which = model.name or "", version or model.version or ""
        shown = f"{name}:{which}" if name and which else name
        return Component(declared.type, model, source, shown)


def _siblings(file: Path) -> list[str]:
    try:
        return [one.name for one in file.parent.iterdir()]
    except OSError:
        return []
