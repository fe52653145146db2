"""Experiments and runs as a project's owner keeps them: listed, renamed, restored, cleaned up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from brinery.errors import NotFound, RegistryFault
from brinery.registry import mlflow_client
from brinery.registry.artifacts import Artifacts
from brinery.registry.mlflow_client import foreign_errors, view_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

_PAGE: Final = 1000
_GC: Final = (sys.executable, "-m", "mlflow", "gc")


class MlflowExperiments:
    """The experiments of any store that MLflow reaches.

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

    def experiments(self, view: str = "ACTIVE_ONLY", *, most: int = _PAGE) -> list[dict[str, Any]]:
        """Return experiments as MLflow's REST API has them, the one that was changed last first.

        Args:
            view: `ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
            most: of them.

        Raises:
            ValueError: there is no such view.
        """
        with foreign_errors():
            found = mlflow_client.experiments(self._client, view=view, most=most)
            return [_experiment(one) for one in found]

    def is_ours(self, one: Mapping[str, Any]) -> bool:
        """Return whether Brinery made an experiment, for a model's imports or a job's runs.

        Args:
            one: as `experiments` returns it.
        """
        return bool(one["artifact_location"] == self._artifacts.under(one["name"]))

    def rename(self, experiment_id: str, name: str) -> None:
        """Give an experiment another name.

        Raises:
            NotFound: there is none of that id.
        """
        with foreign_errors():
            self._known(experiment_id)
            self._client.rename_experiment(experiment_id, name)

    def restore_experiment(self, experiment_id: str) -> None:
        """Bring a deleted experiment back.

        Raises:
            NotFound: there is none of that id.
        """
        with foreign_errors():
            self._known(experiment_id)
            self._client.restore_experiment(experiment_id)

    def restore_run(self, run_id: str) -> None:
        """Bring a deleted run back.

        Raises:
            NotFound: there is none of that id.
        """
        with foreign_errors():
            self._run(run_id)
            self._client.restore_run(run_id)

    def delete(self, experiment_id: str) -> None:
        """Mark an experiment as deleted."""
        with foreign_errors():
            self._client.delete_experiment(experiment_id)

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Tag a run.

        Raises:
            NotFound: there is none of that id.
        """
        with foreign_errors():
            self._run(run_id)
            for key, value in tags.items():
                self._client.set_tag(run_id, key, value)

    def runs(
        self,
        experiments: Sequence[str] = (),
        *,
        view: str = "ACTIVE_ONLY",
        filters: str = "",
        order: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Return runs with their parameters, metrics and tags.

        Args:
            experiments: ids; of all where there are none.
            view: `ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
            filters: in MLflow's language; empty for none.
            order: in MLflow's language; by start when there is none.

        Raises:
            ValueError: there is no such view.
            RegistryFault: MLflow does not take the filter or the order.
        """
        ids = list(experiments) or [one["experiment_id"] for one in self.experiments("ALL")]
        found: list[dict[str, Any]] = []
        page: str | None = None
        with foreign_errors():
            while True:
                answer = self._client.search_runs(
                    ids,
                    filter_string=filters,
                    run_view_type=view_of(view),
                    max_results=_PAGE,
                    order_by=list(order) or ["attributes.start_time ASC"],
                    page_token=page,
                )
                found += [_described(one) for one in answer]
                page = answer.token
                if not page:
                    return found

    def collect_garbage(self) -> None:
        """Remove for good what was deleted, with its files.

        Raises:
            RegistryFault: MLflow could not.
        """
        with foreign_errors():
            self._client.search_experiments(max_results=1)
        # A password in the address is not for the list of processes.
        variables = {
            **os.environ,
            "MLFLOW_BACKEND_STORE_URI": self._uri,
            "MLFLOW_TRACKING_URI": self._uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        done = subprocess.run(_GC, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise RegistryFault(
                f"what was deleted could not be removed: {said}",
                hint="check that the files of the experiments can be written",
            )

    def _known(self, experiment_id: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.get_experiment(experiment_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise NotFound(
                f"there is no experiment {experiment_id}", hint="list_experiments has the ids"
            ) from None

    def _run(self, run_id: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            raise NotFound(f"there is no run {run_id}", hint="brinery up shows the runs") from None


def _experiment(one: Experiment) -> dict[str, Any]:
    return {
        "experiment_id": str(one.experiment_id),
        "name": one.name,
        "artifact_location": one.artifact_location,
        "lifecycle_stage": one.lifecycle_stage,
        "last_update_time": one.last_update_time,
        "creation_time": one.creation_time,
        "tags": [{"key": key, "value": value} for key, value in one.tags.items()],
    }


def _described(one: Run) -> dict[str, Any]:
    info = one.info
    return {
        "run_id": info.run_id,
        "run_name": info.run_name,
        "experiment_id": str(info.experiment_id),
        "status": info.status,
        "start_time": info.start_time,
        "end_time": info.end_time,
        "lifecycle_stage": info.lifecycle_stage,
        "artifact_uri": info.artifact_uri,
        "params": dict(one.data.params),
        "metrics": dict(one.data.metrics),
        "tags": dict(one.data.tags),
    }
