"""The MLflow runs of a job: the job's own, a child for each step, and for each trial of a step."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from brinery.actions.job_runs import RUN_DIGITS, ending, job_run_id, ms, own_run
from brinery.errors import RegistryFault
from brinery.records.job import JobRun, Status
from brinery.records.plan import Step
from brinery.records.tracked_run import Measured, TrackedRun
from brinery.runners.addresses import LOOPBACK, own_address
from brinery.runners.tracking import Tracking
from brinery.store.workspace import Workspace

# A front door of its own, which reads a `Task` of `actions.companion` as a line of JSON.
_SERVER: Final = (sys.executable, "-m", "brinery.web.job_tracking")


class Where(Struct, frozen=True, kw_only=True):
    """Whose MLflow it is: the fields of `actions.companion.Task`, which takes long to import.

    Attributes:
        workspace: its folder, absolute.
        socket: a place for the path of the server's socket.
        store: database of the models and records; as the settings say when None.
        artifacts: bucket or folder of the models' files; as the settings say when None.
    """

    workspace: str
    socket: str = "{socket}"
    store: str | None = None
    artifacts: str | None = None


class JobTracking:
    """Knows the runs of one job; see `job_providers.TrackingProvider`.

    Args:
        where: whose MLflow it is.
        spool: folder of what MLflow is told later; `workspace.untold_runs`.
        host: address of this machine that steps reach it under.
    """

    def __init__(self, where: Where, *, spool: Path, host: str = LOOPBACK) -> None:
        self._where = where
        self._host = host
        self._spool = spool
        self._job: JobRun | None = None
        self._own = ""
        self._tracking: Tracking | None = None
        self._begun: set[str] = set()

    def open(self, job: JobRun, /) -> None:
        """Listen; nothing is started before a step connects."""
        self._job = job
        self._own = job_run_id(job)
        self._begun = set()
        self._tracking = Tracking(
            _SERVER,
            told=msgspec.json.encode(self._where).decode(),
            spool=self._spool / f"{job.name}.jsonl",
            host=self._host,
        ).__enter__()

    def run_id(self, step: Step, label: str, /) -> str:
        """Return the id of a step's run, or of one of its attempts: the same however often asked.

        A job of one step has one run.
        """
        job = self._opened()
        if not label and not job.plan.pipeline:
            return self._own
        told = f"{self._own}/{step.name}/{label}"
        return sha256(told.encode()).hexdigest()[:RUN_DIGITS]

    def variables(self, step: Step, label: str, /) -> Mapping[str, str]:
        """Return the variables of a step, whose run begins with it, or of one of its attempts."""
        job = self._opened()
        if not self._begun:
            self._begin(own_run(job))
        name = step.display_name or step.name.rpartition(".")[2]
        run_id = self.run_id(step, label)
        if label:
            self._begin(self._described(self.run_id(step, ""), name, parent=self._own))
        if run_id == self._own:
            return self._begin(self._described(run_id, job.plan.display_name or job.name))
        parent = self.run_id(step, "") if label else self._own
        tags = {"brinery.step": step.name}
        return self._begin(
            self._described(run_id, label.rpartition("/")[2] or name, parent=parent, tags=tags)
        )

    def ended(self, run_id: str, status: Status, /) -> None:
        """Tell that a run is over."""
        if run_id in self._begun and self._tracking is not None:
            self._tracking.end(run_id, status=ending(status), ended_ms=ms(time.time()))

    def tag(self, run_id: str, tags: Mapping[str, str], /) -> None:
        """Tell more of a run that was begun."""
        if run_id in self._begun and self._tracking is not None:
            self._tracking.tag(run_id, tags)

    def close(self, job: JobRun, /) -> None:
        """Have MLflow told, or write down what it is yet to be told, and end its server."""
        if self._begun and self._tracking is not None and any(step.reused for step in job.steps):
            self._tracking.begin(own_run(job))
        self.ended(self._own, job.status)
        if self._tracking is not None:
            self._tracking.__exit__(None, None, None)
            self._tracking = None

    def metrics(self, run_id: str) -> Mapping[str, float]:
        """Return the last value of each metric of a run; none where nothing was logged.

        Raises:
            RegistryFault: MLflow's server does not answer.
        """
        return self._tracking.metrics(run_id) if self._tracking is not None else {}

    def history(self, run_id: str, metric: str) -> tuple[Measured, ...]:
        """Return every value of a metric of a run, in the order that they were logged.

        Raises:
            RegistryFault: MLflow's server does not answer.
        """
        return self._tracking.history(run_id, metric) if self._tracking is not None else ()

    def _opened(self) -> JobRun:
        if self._job is None:
            raise RegistryFault("the job was not begun", hint="brinery job create -f FILE")
        return self._job

    def _described(
        self, run_id: str, name: str, *, parent: str = "", tags: Mapping[str, str] | None = None
    ) -> TrackedRun:
        job = self._opened()
        return TrackedRun(
            id=run_id,
            name=name,
            experiment=job.plan.experiment or "Default",
            parent=parent,
            started_ms=ms(time.time()),
            user=job.who,
            tags={"brinery.job": job.name, **(tags or {}), **({} if parent else job.plan.tags)},
        )

    def _begin(self, run: TrackedRun) -> Mapping[str, str]:
        """Return the variables of a run, begun where it was not; one that was goes on."""
        if self._tracking is None:
            raise RegistryFault("the job is over", hint="brinery job create -f FILE")
        if run.id in self._begun:
            return self._tracking.variables(run.id)
        self._begun.add(run.id)
        return self._tracking.begin(run)


def job_tracking(
    workspace: Workspace,
    *,
    store: str | None = None,
    artifacts: str | None = None,
    cluster: str = "",
) -> JobTracking:
    """Return what knows the runs of a job in a workspace.

    Args:
        workspace: whose MLflow is told.
        store: database of the models and records; as the settings say when None.
        artifacts: bucket or folder of the models' files; as the settings say when None.
        cluster: address of the one that steps run on; empty where all run on this machine.
    """
    where = Where(workspace=str(workspace.root), store=store, artifacts=artifacts)
    return JobTracking(where, spool=workspace.untold_runs, host=own_address(cluster))


def shared_tracking(workspace: Workspace) -> Tracking:
    """Return the tracking of a workspace for whoever begins runs by themselves, such as a notebook.

    Nothing is started before somebody connects; it is left like a block.
    """
    where = Where(workspace=str(workspace.root))
    spool = workspace.untold_runs / f"notebook-{os.getpid()}.jsonl"
    return Tracking(_SERVER, told=msgspec.json.encode(where).decode(), spool=spool)
