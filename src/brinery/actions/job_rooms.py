"""The rooms of jobs, opened without what models need: small steps have no time for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final

from msgspec import Struct, field

from brinery.actions.asset_rooms import open_asset_rooms
from brinery.actions.job_gateway import JobGateway
from brinery.actions.job_later import LaterTracking, Tracked
from brinery.actions.job_providers import DataProvider, OwnPython, SoftwareProvider
from brinery.actions.job_software import step_software
from brinery.pipeline.catalog import Catalog
from brinery.store.fingerprints import Fingerprints
from brinery.store.jobs import Jobs
from brinery.store.outputs import Outputs
from brinery.store.plans import Plans
from brinery.store.reuse import Reuse
from brinery.store.snapshots import Snapshots
from brinery.store.trash import Trash
from brinery.store.workspace import Workspace

CURRENT: Final = "current"


class JobRooms(Struct, frozen=True):
    """A workspace, as the engine of jobs sees it.

    Attributes:
        workspace: where its state lies.
        jobs: their folders.
        outputs: what steps left.
        reuse: what is remembered of steps.
        fingerprints: of inputs.
        snapshots: of code.
        data: where data lies.
        catalog: what was registered.
        tracking: the MLflow runs of a job.
        gateway: answers what a script asks by `dataiku`.
        plans: that were made before.
        trash: what steps no longer need.
        software: the interpreters of steps.
        variables: of our own environment, which steps have too.
        current: whether every step runs in the Python that runs us.
    """

    workspace: Workspace
    jobs: Jobs
    outputs: Outputs
    reuse: Reuse
    fingerprints: Fingerprints
    snapshots: Snapshots
    data: DataProvider
    catalog: Catalog
    tracking: LaterTracking
    gateway: JobGateway
    plans: Plans
    trash: Trash
    software: SoftwareProvider = field(default_factory=OwnPython)
    variables: Mapping[str, str] = field(default_factory=dict)
    current: bool = False

    def __repr__(self) -> str:
        """Return whose rooms they are; among the variables may be secrets."""
        return f"{type(self).__name__}({self.workspace.root})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return the same for who prints it at length."""
        return [("workspace", self.workspace.root)]


def open_job_rooms(
    workspace: str | os.PathLike[str] | None = None,
    *,
    environment: str = "",
    maps: Sequence[str] = (),
    note: Callable[[str], None] = lambda _: None,
) -> JobRooms:
    """Return the rooms of jobs of a workspace, which is made where it was never written to.

    Args:
        workspace: its folder; when None, `BRINERY_WORKSPACE`, or the nearest `brinery.toml`
            upwards, or the current folder.
        environment: `current` for our own Python in each step; empty for what steps declare.
        maps: each `URL=PATH`: what stands for an address.
        note: told what a user should know of data, a line each.

    Raises:
        SettingsError: it is not a folder, cannot be written, or its settings are wrong.
    """
    assets = open_asset_rooms(workspace, maps=maps, note=note)
    found = assets.workspace
    found.prepare()
    fingerprints = Fingerprints(found.cache / "fingerprints")
    catalog = assets.catalog
    return JobRooms(
        workspace=found,
        jobs=assets.jobs,
        outputs=Outputs(found.state / "store", fingerprints),
        reuse=Reuse(found.cache),
        fingerprints=fingerprints,
        snapshots=Snapshots(fingerprints),
        data=assets.job_data,
        catalog=catalog,
        tracking=LaterTracking(partial(_tracking, found), spool=found.untold_runs),
        gateway=JobGateway(found),
        plans=Plans(found.cache / "plans"),
        trash=Trash(found.state / "trash"),
        software=step_software(
            found,
            environ=os.environ,
            current=environment == CURRENT,
            registered=catalog.environment,
        ),
        variables=dict(os.environ),
        current=environment == CURRENT,
    )


def _tracking(workspace: Workspace, cluster: str) -> Tracked:
    room: Any = import_module("brinery.actions.job_tracking")
    made: Tracked = room.job_tracking(workspace, cluster=cluster)
    return made
