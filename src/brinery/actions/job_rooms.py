"""The rooms of jobs, opened without what models need: small steps have no time for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brinery.actions.job_providers import (
    DataProvider,
    LocalData,
    NoTracking,
    OwnPython,
    SoftwareProvider,
    TrackingProvider,
)
from brinery.store.fingerprints import Fingerprints
from brinery.store.jobs import Jobs
from brinery.store.outputs import Outputs
from brinery.store.reuse import Reuse
from brinery.store.snapshots import Snapshots
from brinery.store.workspace import Workspace


@dataclass(frozen=True)
class JobRooms:
    """A workspace, as the engine of jobs sees it.

    Attributes:
        workspace: where its state lies.
        jobs: their folders.
        outputs: what steps left.
        reuse: what is remembered of steps.
        fingerprints: of inputs.
        snapshots: of code.
        data: where data lies.
        software: the interpreters of steps.
        tracking: the MLflow runs of a job.
        variables: of our own environment, which steps have too.
    """

    workspace: Workspace
    jobs: Jobs
    outputs: Outputs
    reuse: Reuse
    fingerprints: Fingerprints
    snapshots: Snapshots
    data: DataProvider
    software: SoftwareProvider = field(default_factory=OwnPython)
    tracking: TrackingProvider = field(default_factory=NoTracking)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


def open_job_rooms(
    workspace: str | os.PathLike[str] | None = None,
    *,
    data: DataProvider | None = None,
    software: SoftwareProvider | None = None,
    tracking: TrackingProvider | None = None,
) -> JobRooms:
    """Return the rooms of jobs of a workspace, which is made where it was never written to.

    Args:
        workspace: its folder; when None, `BRINERY_WORKSPACE`, or the nearest `brinery.toml`
            upwards, or the current folder.
        data: where data lies; on this machine when None.
        software: the interpreters of steps; our own when None.
        tracking: the MLflow runs of a job; none when None.

    Raises:
        SettingsError: it is not a folder, or cannot be written.
    """
    chosen = workspace or os.environ.get("BRINERY_WORKSPACE")
    found = Workspace.find(Path(chosen) if chosen else None)
    found.prepare()
    fingerprints = Fingerprints(found.cache / "fingerprints")
    return JobRooms(
        workspace=found,
        jobs=Jobs(found.state / "jobs"),
        outputs=Outputs(found.state / "store", fingerprints),
        reuse=Reuse(found.cache),
        fingerprints=fingerprints,
        snapshots=Snapshots(fingerprints),
        data=data or LocalData(found.state / "datastores"),
        software=software or OwnPython(),
        tracking=tracking or NoTracking(),
        variables=dict(os.environ),
    )
