"""The rooms of the flow: those of projects and of jobs, in which items of the flow are data.

To the engine of jobs an item is a file that holds its version. What a recipe left is put in place
again by having the dataset be that version; what cannot be had again is made again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from brinery.actions.asset_rooms import Folder
from brinery.actions.flow_items import kept, restored, version_now
from brinery.actions.job_providers import DataProvider, Interpreter, SoftwareProvider
from brinery.actions.job_rooms import CURRENT, JobRooms, open_job_rooms
from brinery.actions.project_rooms import ProjectRooms, open_project_rooms
from brinery.errors import NotFound
from brinery.pipeline.recipes import SCHEME, item_at
from brinery.records.job import Made
from brinery.records.plan import Data, DataType, Software, Step
from brinery.store.fingerprints import hash_text


@dataclass(frozen=True)
class FlowRooms:
    """A workspace as the flow sees it.

    Attributes:
        projects: datasets, folders, and what recipes did with them.
        jobs: what runs recipes.
    """

    projects: ProjectRooms
    jobs: JobRooms


def open_flow_rooms(
    workspace: Folder | None = None,
    *,
    maps: Sequence[str] = (),
    note: Callable[[str], None] = lambda _: None,
) -> FlowRooms:
    """Return the rooms of a workspace that the flow needs.

    Args:
        workspace: its folder; when None, `BRINERY_WORKSPACE`, or the nearest `brinery.toml`
            upwards, or the current folder.
        maps: each `URL=PATH`: what stands for an address.
        note: told what a user should know of data, a line each.

    Raises:
        SettingsError: it is not a folder, cannot be written, or its settings are wrong.
    """
    projects = open_project_rooms(workspace, maps=maps, note=note)
    root = projects.workspace.root
    declared = open_job_rooms(root, maps=maps, note=note)
    current = open_job_rooms(root, environment=CURRENT, maps=maps, note=note)
    jobs = replace(
        declared,
        software=_RecipeSoftware(declared.software, current.software),
        data=_FlowData(declared.data, projects),
    )
    return FlowRooms(projects, jobs)


class _RecipeSoftware:
    """The Python of each recipe: the one it declares, or else our own.

    Args:
        declared: of those that declare one.
        current: of the others.
    """

    def __init__(self, declared: SoftwareProvider, current: SoftwareProvider) -> None:
        self._declared = declared
        self._current = current

    def key(self, step: Step, /) -> str:
        """Return the text that a step's key has of its environment."""
        return self._of(step).key(step)

    def ready(self, step: Step, folder: Path, /) -> Interpreter:
        """Return the interpreter of an attempt."""
        return self._of(step).ready(step, folder)

    def _of(self, step: Step) -> SoftwareProvider:
        return self._current if step.software == Software() else self._declared


class _FlowData:
    """Where data lies, items of the flow among them. Called by several threads.

    Args:
        others: what is no item of the flow.
        projects: that the items are of.
    """

    def __init__(self, others: DataProvider, projects: ProjectRooms) -> None:
        self._others = others
        self._projects = projects

    def resolve(self, data: Data, /) -> str:
        """Return the path of a file with the version of an item, or of what is none."""
        if not data.uri.startswith(SCHEME):
            return self._others.resolve(data)
        version = version_now(self._projects, item_at(data.uri))
        if version is None:
            raise NotFound(
                f"{data.declared} is gone", hint="brinery flow shows the recipe that writes it"
            )
        place = Path(self.destination(data.uri))
        place.parent.mkdir(parents=True, exist_ok=True)
        staged = place.with_name(f".{place.name}.{os.urandom(4).hex()}")
        staged.write_text(version, encoding="utf-8")
        staged.replace(place)
        return str(place)

    def destination(self, uri: str, /) -> str:
        """Return the path of the file that stands for an item, or of an output."""
        if not uri.startswith(SCHEME):
            return self._others.destination(uri)
        return str(self._projects.workspace.cache / "flow" / hash_text(uri))

    def stored(self, uri: str, path: str, /) -> None:
        """Have a dataset be the version that a recipe left, where it is another."""
        if not uri.startswith(SCHEME):
            self._others.stored(uri, path)
            return
        restored(self._projects, item_at(uri), version=Path(path).read_text("utf-8"))

    def lost(self, uri: str, made: Made, /) -> bool:
        """Return whether what a recipe left is gone and was not kept."""
        if not uri.startswith(SCHEME):
            return self._others.lost(uri, made)
        return not kept(self._projects, item_at(uri), version=Path(made.path).read_text("utf-8"))

    def register_data(
        self, name: str, version: str, /, *, made: Made, kind: DataType, job: str
    ) -> str:
        """Return the version under which an output was registered as a data asset."""
        return self._others.register_data(name, version, made=made, kind=kind, job=job)
