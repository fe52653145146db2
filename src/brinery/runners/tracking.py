"""MLflow for the steps of a job: a port that listens at once, and a server behind it once asked.

Importing MLflow takes longer than most steps, so nothing of it runs before somebody connects. Then
MLflow's own server is started as a process, told of the runs that were begun, and what the steps
and the server say to each other is passed on byte for byte. The runs of a job whose steps never
connect are only written down, for whoever opens the registry next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from brinery.records.tracked_run import Measured, TrackedRun


class Tracking:
    """The tracking of one job, while the block runs.

    Args:
        server: the program that becomes the server, and its arguments.
        told: the first line that it reads on standard input; `{socket}` in it becomes the path of
            the Unix socket that it is to listen on.
        spool: file that the runs are written down in; it is gone once MLflow knows them.
    """

    def __init__(self, server: Sequence[str], *, told: str, spool: Path) -> None:
        self._server = list(server)
        self._told = told
        self._spool = spool

    def __enter__(self) -> Self:
        """Listen."""
        return self

    def __exit__(self, *_: object) -> None:
        """Have MLflow told what it is not told yet, if it was ever asked, and end its server."""

    @property
    def uri(self) -> str:
        """Return the address that steps know MLflow under."""
        return ""

    def begin(self, run: TrackedRun) -> Mapping[str, str]:
        """Return the variables of the process that logs to a run.

        They are `MLFLOW_TRACKING_URI`, `MLFLOW_RUN_ID`, `MLFLOW_EXPERIMENT_NAME` and a few that
        keep MLflow from waiting or talking. Begin a parent before its children.
        """
        return {"MLFLOW_TRACKING_URI": self.uri, "MLFLOW_RUN_ID": run.id}

    def end(self, run_id: str, *, status: str, ended_ms: int) -> None:
        """Say how a run ended.

        Args:
            run_id: of a run that was begun.
            status: `FINISHED`, `FAILED` or `KILLED`.
            ended_ms: since 1970.
        """

    @property
    def asked(self) -> bool:
        """Return whether anybody has connected."""
        return False

    def metrics(self, run_id: str) -> Mapping[str, float]:
        """Return the last value of each metric of a run; none where nobody ever connected."""
        return {}

    def history(self, run_id: str, metric: str) -> tuple[Measured, ...]:
        """Return every value of a metric of a run, in the order that they were logged."""
        return ()
