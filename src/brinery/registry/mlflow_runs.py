"""Runs whose ids were chosen before MLflow heard of them, told in one transaction.

MLflow draws the id of a run itself, so its tables are written to through its own classes, as its
store does: the minor release is pinned.

Source: mlflow/store/tracking/sqlalchemy_store.py of MLflow 3.17.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from brinery.errors import NotFound
from brinery.records.ready import decoded
from brinery.records.run import LoggedRun
from brinery.records.tracked_run import RUNNING, Measured, TrackedRun
from brinery.registry import mlflow_client
from brinery.registry.artifacts import Artifacts
from brinery.registry.mlflow_client import foreign_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from sqlalchemy.orm import Session

_PARENT = "mlflow.parentRunId"
_SUFFIX = ".jsonl"


class MlflowRuns:
    """The runs of jobs, in any store that MLflow reaches.

    Args:
        tracking_uri: of runs.
        artifacts: the folder, or the `s3://…` or `file://…` URI, that their files go to.
        spool: folder of what MLflow is yet to be told.
    """

    def __init__(self, tracking_uri: str, artifacts: Path | str, *, spool: Path) -> None:
        self._uri = tracking_uri
        self._artifacts = Artifacts(artifacts, cache=None)
        self._spool = spool

    @cached_property
    def _client(self) -> MlflowClient:
        return mlflow_client.connect(self._uri, self._artifacts)

    def tell(self, runs: Sequence[TrackedRun]) -> None:
        """Have MLflow know these runs as they are: made, or brought up to date.

        Raises:
            RegistryFault: it cannot be told.
        """
        with foreign_errors():
            tell(self._client, runs, artifacts=self._artifacts)

    def catch_up(self) -> int:
        """Return how many jobs MLflow was told the runs of; those that go on are left alone.

        MLflow is not imported where there is nothing to tell.

        Raises:
            RegistryFault: it cannot be told.
        """
        if not any(_spooled(self._spool)):
            return 0
        with foreign_errors():
            return catch_up(self._client, self._spool, artifacts=self._artifacts)

    def metrics(self, run_id: str) -> dict[str, float]:
        """Return the last value of each metric of a run.

        Raises:
            NotFound: there is no such run.
        """
        self.catch_up()
        with foreign_errors():
            return dict(self._known(run_id).data.metrics)

    def params(self, run_id: str) -> dict[str, str]:
        """Return the parameters of a run.

        Raises:
            NotFound: there is no such run.
        """
        self.catch_up()
        with foreign_errors():
            return dict(self._known(run_id).data.params)

    def logged(self, run_id: str) -> LoggedRun:
        """Return what a run says of itself and of the models that it logged.

        They are found in the run's tag, where a client of MLflow 2 wrote them, and among the
        models of the experiment, where MLflow 3 keeps them.

        Raises:
            NotFound: there is no such run.
        """
        self.catch_up()
        with foreign_errors():
            run = self._known(run_id)
            return LoggedRun(
                id=run_id,
                name=run.info.run_name or "",
                experiment_id=str(run.info.experiment_id),
                tags=dict(run.data.tags),
                models=mlflow_client.models_of(self._client, run),
            )

    def history(self, run_id: str, metric: str) -> tuple[Measured, ...]:
        """Return every value of a metric of a run, in the order that they were logged."""
        self.catch_up()
        with foreign_errors():
            found = self._client.get_metric_history(run_id, metric)
        return tuple(
            Measured(value=each.value, step=each.step, at_ms=each.timestamp) for each in found
        )

    def fetch(self, run_id: str, into: Path, *, path: str = "") -> Path | None:
        """Return a copy of what a run left in MLflow, or of a part; None where it left nothing.

        A model that a client of MLflow 3 logged lies elsewhere, and is found by its name all the
        same.

        Args:
            run_id: of the run.
            into: folder that the copy is made in.
            path: of the part; empty for everything.

        Raises:
            NotFound: there is no such run.
        """
        self.catch_up()
        with foreign_errors():
            run = self._known(run_id)
            into.mkdir(parents=True, exist_ok=True)
            if path:
                return mlflow_client.download(
                    f"runs:/{run_id}/{path}", into, tracking_uri=self._uri
                )
            found = bool(self._client.list_artifacts(run_id))
            if found:
                mlflow_client.download(f"runs:/{run_id}/", into, tracking_uri=self._uri)
            for output in run.outputs.model_outputs if run.outputs else ():
                model = self._client.get_logged_model(output.model_id)
                place = into / model.name
                if not place.exists():
                    place.mkdir()
                    uri = f"models:/{output.model_id}"
                    found = bool(mlflow_client.download(uri, place, tracking_uri=self._uri))
            return into if found else None

    def _known(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            NotFound: there is none of that id.
        """
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        raise NotFound(
            f"there is no run {run_id} in MLflow", hint="brinery job show JOB names its runs"
        )


def tell(client: MlflowClient, runs: Sequence[TrackedRun], *, artifacts: Artifacts) -> None:
    """Have MLflow know these runs as they are, within one transaction."""
    if not runs:
        return
    experiments = {
        name: mlflow_client.experiment(client, name, artifacts=artifacts)
        for name in sorted({run.experiment for run in runs})
    }
    places = {
        name: str(client.get_experiment(number).artifact_location)
        for name, number in experiments.items()
    }
    store = client._tracking_client.store  # noqa: SLF001 - what a chosen id takes
    with store.ManagedSessionMaker(read_only=False) as session:
        for run in runs:
            _tell_one(
                session, run, experiment=experiments[run.experiment], place=places[run.experiment]
            )
        ended = [run for run in runs if run.status != RUNNING]
        _settle_nested(session, ended, known={run.id for run in runs})


def catch_up(client: MlflowClient, spool: Path, *, artifacts: Artifacts) -> int:
    """Return how many jobs MLflow was told the runs of, from what they left written down."""
    told = 0
    for path in _spooled(spool):
        try:
            with path.open("rb") as stream:
                # Held by a job that goes on: it tells of its runs itself, or leaves them to others.
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                tell(client, _read(stream), artifacts=artifacts)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue
        told += 1
    return told


def _spooled(spool: Path) -> list[Path]:
    try:
        return sorted(path for path in spool.iterdir() if path.suffix == _SUFFIX)
    except FileNotFoundError:
        return []


def _read(lines: Iterable[bytes]) -> list[TrackedRun]:
    """Return each run as its last whole line has it; the very last may be torn."""
    found: dict[str, TrackedRun] = {}
    for line in lines:
        try:
            run = decoded(line, TrackedRun)
        except msgspec.MsgspecError:
            continue
        found[run.id] = run
    return list(found.values())


def _tell_one(session: Session, run: TrackedRun, *, experiment: str, place: str) -> None:
    from mlflow.store.tracking.dbmodels.models import SqlParam, SqlRun, SqlTag

    known = session.get(SqlRun, run.id)
    if known is not None:
        _settle(known, run)
        for key, value in run.tags.items():
            session.merge(SqlTag(key=key, value=value, run_uuid=run.id))
        return
    tags = {
        "mlflow.runName": run.name,
        "mlflow.user": run.user,
        "mlflow.source.type": "JOB",
        "mlflow.source.name": "brinery job",
        **({_PARENT: run.parent} if run.parent else {}),
        **run.tags,
    }
    made = SqlRun(
        run_uuid=run.id,
        name=run.name,
        artifact_uri=f"{place.rstrip('/')}/{run.id}/artifacts",
        experiment_id=int(experiment),
        source_type="JOB",
        source_name="",
        entry_point_name="",
        user_id=run.user,
        status=run.status,
        start_time=run.started_ms,
        end_time=run.ended_ms,
        deleted_time=None,
        source_version="",
        lifecycle_stage="active",
    )
    made.tags = [SqlTag(key=key, value=value) for key, value in tags.items()]
    made.params = [SqlParam(key=key, value=value) for key, value in run.params.items()]
    session.add(made)


def _settle_nested(session: Session, ended: Sequence[TrackedRun], *, known: set[str]) -> None:
    """End what runs had begun within themselves and did not end."""
    from mlflow.store.tracking.dbmodels.models import SqlRun, SqlTag

    session.flush()
    for run in ended:
        nested = session.query(SqlRun).join(SqlTag, SqlTag.run_uuid == SqlRun.run_uuid)
        for child in nested.filter(
            SqlTag.key == _PARENT, SqlTag.value == run.id, SqlRun.status == RUNNING
        ):
            if child.run_uuid not in known:
                _settle(child, run)


def _settle(row: Any, run: TrackedRun) -> None:
    """Give a row of MLflow's the state of a run."""
    row.status, row.end_time = run.status, run.ended_ms
