"""Parts of a job that are made when a step must run: one in which nothing changed does without."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from brinery.actions.job_providers import TrackingProvider
from brinery.actions.job_runs import write_down
from brinery.errors import LibraryMissing
from brinery.records.job import JobRun, Status
from brinery.records.plan import Step, StepKind
from brinery.records.tracked_run import Measured
from brinery.runners.interface import Bench, Carrier, Drive, Driver, Runner

if TYPE_CHECKING:
    from brinery.runners.local import LocalRunner


class Tracked(TrackingProvider, Protocol):
    """The MLflow runs of a job, with what was logged to them."""

    def metrics(self, run_id: str, /) -> Mapping[str, float]:
        """Return the last value of each metric of a run."""
        ...

    def history(self, run_id: str, metric: str, /) -> Sequence[Measured]:
        """Return every value of a metric of a run, in order."""
        ...


class LaterTracking:
    """The MLflow runs of a job, of which nothing is there before a step asks.

    Args:
        make: makes what knows them, given the address of the cluster that steps run on, or "".
        spool: folder of what MLflow is yet to be told.
    """

    def __init__(self, make: Callable[[str], Tracked], *, spool: Path) -> None:
        self._make = make
        self._spool = spool
        self._cluster = ""
        self._made: Tracked | None = None
        self._job: JobRun | None = None
        self._lock = threading.Lock()

    def open(self, job: JobRun, /) -> None:
        """Remember whose runs they are."""
        self._job = job

    def spread(self, cluster: str) -> None:
        """Be reached by the machines of a cluster with an address, once something is there."""
        self._cluster = cluster

    def run_id(self, step: Step, label: str, /) -> str:
        """Return the id of the run of a step, or of one of its attempts."""
        return self._now().run_id(step, label)

    def variables(self, step: Step, label: str, /) -> Mapping[str, str]:
        """Return the variables that MLflow needs."""
        with self._lock:
            made = self._opened()
            return made.variables(step, label)

    def ended(self, run_id: str, status: Status, /) -> None:
        """Tell that a run is over."""
        if self._made is not None:
            self._made.ended(run_id, status)

    def tag(self, run_id: str, tags: Mapping[str, str], /) -> None:
        """Tell more of a run that was begun."""
        if self._made is not None:
            self._made.tag(run_id, tags)

    def close(self, job: JobRun, /) -> None:
        """Write down what MLflow is yet to be told: of a job in which nothing ran, its own run."""
        if self._made is not None:
            self._made.close(job)
        elif any(step.reused for step in job.steps):
            write_down(job, self._spool)

    def metrics(self, run_id: str, /) -> Mapping[str, float]:
        """Return the last value of each metric of a run."""
        return self._now().metrics(run_id)

    def history(self, run_id: str, metric: str, /) -> Sequence[Measured]:
        """Return every value of a metric of a run, in order."""
        return self._now().history(run_id, metric)

    def _now(self) -> Tracked:
        with self._lock:
            return self._opened()

    def _opened(self) -> Tracked:
        if self._made is None:
            assert self._job is not None  # noqa: S101 - a job is opened before its steps
            made = self._make(self._cluster)
            made.open(self._job)
            self._made = made
        return self._made


def all_drivers(commands: Driver, tracking: LaterTracking) -> dict[StepKind, Driver]:
    """Return the drivers of all kinds of steps; those of few jobs are imported when met."""

    def sweep(bench: Bench, /) -> Drive:
        driver: Driver = import_module("brinery.runners.sweep").Sweeper(tracking)
        return driver(bench)

    def parallel(bench: Bench, /) -> Drive:
        drive: Drive = import_module("brinery.runners.parallel").drive(bench)
        return drive

    def recipe(bench: Bench, /) -> Drive:
        drive: Drive = import_module("brinery.actions.job_recipe").run_recipe(bench)
        return drive

    return {
        StepKind.COMMAND: commands,
        StepKind.SWEEP: sweep,
        StepKind.PARALLEL: parallel,
        StepKind.RECIPE: recipe,
    }


def ray_runner(
    protected: Sequence[str], *, address: str, carrier: Callable[[], Carrier | None] = lambda: None
) -> Runner:
    """Return what runs steps as tasks of a Ray cluster.

    Args:
        protected: folders that no step may write to.
        address: of the cluster; empty for one of this machine's own.
        carrier: makes what brings steps to machines that do not see the workspace, if anything.

    Raises:
        LibraryMissing: Ray is not installed.
        EndpointUnreachable: no cluster answers there.
    """
    try:
        room = import_module("brinery.runners.ray")
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise LibraryMissing(
            "--runner ray needs Ray, which is not installed", hint="pip install 'brinery[ray]'"
        ) from None
    made: Runner = room.RayRunner(address, protected, carrier=carrier())
    return made


def local_runner(protected: Sequence[str] = ()) -> LocalRunner:
    """Return what runs steps as processes of this machine."""
    made: LocalRunner = import_module("brinery.runners.local").LocalRunner(protected)
    return made


class EarlyRunner:
    """What runs steps here, started while a plan is made: its steps are likely to run."""

    def __init__(self) -> None:
        self._runner: LocalRunner | None = None

    def start(self) -> None:
        """Have it get ready beside us."""
        self._runner = local_runner()
        self._runner.warm()

    def made(self, protected: Sequence[str]) -> Runner:
        """Return it, for somebody to close; it is made now where it was not started.

        Args:
            protected: absolute files and folders that no step may write to.
        """
        made, self._runner = self._runner or local_runner(), None
        made.protect(protected)
        return made

    def close(self) -> None:
        """End it where nobody asked for it."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None
