"""Experiments and runs, searched in MLflow's own filter language, a part at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Final

from brinery.errors import InvalidFilter, NotFound
from brinery.records.run import Experiment, FoundRun
from brinery.registry import mlflow_client
from brinery.registry.artifacts import Artifacts
from brinery.registry.mlflow_client import foreign_errors, page_token, quoted

if TYPE_CHECKING:
    from mlflow import MlflowClient, entities

_EPOCH_MS: Final = 1000
_COMPARES: Final = re.compile(r"[=<>]|\b(like|ilike|in)\b", re.IGNORECASE)
_EXAMPLE: Final = "metrics.accuracy > 0.9 and params.depth = '3'"
_USER: Final = "mlflow.user"


class MlflowSearch:
    """What any store that MLflow reaches holds of experiments and runs.

    Args:
        tracking_uri: of runs.
        artifacts: the folder, or the `s3://…` or `file://…` URI, that their files go to.
    """

    def __init__(self, tracking_uri: str, artifacts: Path | str) -> None:
        self._uri = tracking_uri
        self._artifacts = Artifacts(artifacts, cache=None)

    @cached_property
    def _client(self) -> MlflowClient:
        return mlflow_client.connect(self._uri, self._artifacts)

    def experiments(
        self,
        text: str = "",
        *,
        order: str = mlflow_client.CHANGED_LAST,
        offset: int = 0,
        most: int,
    ) -> list[Experiment]:
        """Return experiments.

        Args:
            text: that is in their names.
            order: a clause of MLflow.
            offset: how many are left out.
            most: of them.
        """
        with foreign_errors():
            found = mlflow_client.experiments(
                self._client, text=text, order=order, offset=offset, most=most
            )
            return [_experiment(one) for one in found]

    def experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment.

        Raises:
            NotFound: there is none of that id.
        """
        from mlflow.exceptions import MlflowException

        with foreign_errors():
            try:
                return _experiment(self._client.get_experiment(experiment_id))
            except MlflowException as error:
                if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise
        raise NotFound(f"there is no experiment {experiment_id}", hint="see /experiments")

    def runs(
        self,
        experiment_ids: Sequence[str],
        *,
        text: str = "",
        order: str = "attributes.start_time DESC",
        offset: int = 0,
        most: int,
    ) -> list[FoundRun]:
        """Return runs.

        Args:
            experiment_ids: of the experiments that they are in.
            text: a filter of MLflow, such as `metrics.accuracy > 0.9`; what compares nothing is
                looked for in their names.
            order: a clause of MLflow.
            offset: how many are left out.
            most: of them.

        Raises:
            InvalidFilter: MLflow does not take the filter.
        """
        from mlflow.exceptions import MlflowException

        with foreign_errors():
            try:
                found = self._client.search_runs(
                    list(experiment_ids),
                    filter_string=_filter(text),
                    order_by=[order],
                    max_results=most,
                    page_token=page_token(offset),
                )
            except MlflowException as error:
                if error.error_code != "INVALID_PARAMETER_VALUE" or not text:
                    raise
                raise InvalidFilter(
                    f"MLflow does not take this filter: {' '.join(error.message.split())[:300]}",
                    hint=f"such as {_EXAMPLE}",
                ) from None
            return [_run(one) for one in found]

    def run(self, run_id: str) -> FoundRun:
        """Return a run.

        Raises:
            NotFound: there is none of that id.
        """
        from mlflow.exceptions import MlflowException

        with foreign_errors():
            try:
                return _run(self._client.get_run(run_id))
            except MlflowException as error:
                if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise
        raise NotFound(f"there is no run {run_id} in MLflow", hint="see /experiments")

    def models(self, run_id: str) -> dict[str, str]:
        """Return name to URI of the models that a run logged, the first one first."""
        with foreign_errors():
            return mlflow_client.models_of(self._client, self._client.get_run(run_id))

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """Return step and value of each time that a metric was logged; finite ones, in order."""
        with foreign_errors():
            found = self._client.get_metric_history(run_id, metric)
        return [(one.step, one.value) for one in found if isfinite(one.value)]


def _filter(text: str) -> str:
    if not text or _COMPARES.search(text):
        return text
    return f"attributes.run_name ILIKE '%{quoted(text)}%'"


def _experiment(found: entities.Experiment) -> Experiment:
    changed = found.last_update_time
    return Experiment(
        id=str(found.experiment_id),
        name=found.name,
        updated=None if changed is None else _time(changed),
        tags=dict(found.tags),
    )


def _run(found: entities.Run) -> FoundRun:
    inputs = found.inputs.dataset_inputs if found.inputs else []
    ended = found.info.end_time
    return FoundRun(
        id=found.info.run_id,
        name=found.info.run_name or "",
        experiment_id=str(found.info.experiment_id),
        status=found.info.status,
        started=_time(found.info.start_time or 0),
        ended=None if not ended else _time(ended),
        user=found.data.tags.get(_USER, ""),
        metrics={name: value for name, value in found.data.metrics.items() if isfinite(value)},
        params=dict(found.data.params),
        tags=dict(found.data.tags),
        data=inputs[-1].dataset.name if inputs else "",
        model=mlflow_client.logged_model(found),
    )


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / _EPOCH_MS, tz=UTC)
