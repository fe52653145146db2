"""Evaluation stores and what they hold."""

from __future__ import annotations

import warnings
from typing import Any, Dict, List, Optional

from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial

from dataikuapi.dss.drift import DataDriftResult, DriftResult
from dataikuapi.dss.future import DSSFuture
from dataikuapi.dss.metrics import ComputedMetrics


class DSSEvaluationStore(Partial):
    """A handle of an evaluation store; it is not looked up yet.

    Args:
        client: of the workspace.
        project_key: of the project.
        evaluation_store_id: of the store.
    """

    def __init__(self, client: Any, project_key: str, evaluation_store_id: str) -> None:
        self.client = client
        self.project = client.get_project(project_key)
        self.project_key = project_key
        self.evaluation_store_id = evaluation_store_id

    @property
    def id(self) -> str:
        """Return the id."""
        return self.evaluation_store_id

    def get_settings(self) -> DSSEvaluationStoreSettings:
        """Return the settings."""
        return DSSEvaluationStoreSettings(self, self.ask("settings"))

    def list_evaluations(self) -> List[DSSEvaluation]:
        """Return the evaluations, the oldest first."""
        return [DSSEvaluation(self, one["ref"]["evaluationId"]) for one in self.ask("list")]

    def get_evaluation(self, evaluation_id: str) -> DSSEvaluation:
        """Return a handle of an evaluation; it is not looked up yet."""
        return DSSEvaluation(self, evaluation_id)

    def get_latest_evaluation(self) -> Optional[DSSEvaluation]:
        """Return the newest evaluation; None where there is none."""
        return next(iter(self.list_evaluations()[::-1]), None)

    def delete_evaluations(self, evaluations: List[Any]) -> None:
        """Delete evaluations, given as ids, dicts or handles."""
        ids = []
        for one in evaluations:
            if isinstance(one, DSSEvaluation):
                ids.append(one.evaluation_id)
            elif isinstance(one, dict):
                ids.append(one["evaluation_id"])
            else:
                ids.append(one)
        self.ask("delete", evaluations=ids)

    def build(
        self,
        job_type: str = "NON_RECURSIVE_FORCED_BUILD",
        wait: bool = True,
        no_fail: bool = False,
    ) -> Any:
        """Evaluate what the settings name: `savedModelId` on `datasetName`.

        Raises:
            ValueError: they name neither.
        """
        del job_type
        try:
            found = self.ask("build")
        except Exception:
            if no_fail:
                return None
            raise
        return found if wait else DSSFuture(self.client, "", found)

    def get_usages(self) -> List[Any]:
        """Return that no recipe uses it."""
        return []

    def delete(self) -> None:
        """Delete the store and its evaluations."""
        self.ask("delete_store")

    class MetricDefinition(Dict[str, Any]):
        """A figure that was computed elsewhere."""

        def __init__(
            self,
            code: str,
            value: float,
            name: Optional[str] = None,
            description: Optional[str] = None,
        ) -> None:
            super().__init__(metricCode=code, value=value, name=name, description=description)

    class LabelDefinition(Dict[str, Any]):
        """A label."""

        def __init__(self, key: str, value: str) -> None:
            super().__init__(key=key, value=value)

    def get_last_metric_values(self) -> ComputedMetrics:
        """Return the figures of the newest evaluation."""
        return ComputedMetrics(self.ask("last_metrics"))

    def get_metric_history(self, metric: Any) -> Dict[str, Any]:
        """Return the values of a figure over time."""
        name = metric if isinstance(metric, str) else metric["id"]
        found: Dict[str, Any] = self.ask("history", metric=name)
        return found

    def compute_metrics(self, metric_ids: Any = None, probes: Any = None) -> Dict[str, Any]:
        """Return the figures: each evaluation has them when it is made."""
        del metric_ids, probes
        found: Dict[str, Any] = self.ask("last_metrics")
        return found

    def run_checks(self, evaluation_id: str = "", checks: Any = None) -> Dict[str, Any]:
        """Return what the checks of the settings say, of the newest evaluation or another."""
        del checks
        found: Dict[str, Any] = self.ask("checks", evaluation=evaluation_id or None)
        return found

    def add_custom_evaluation(
        self,
        metrics: List[Dict[str, Any]],
        evaluation_id: Optional[str] = None,
        name: Optional[str] = None,
        labels: Optional[List[Dict[str, str]]] = None,
        model: Any = None,
    ) -> Dict[str, Any]:
        """Add figures that were computed elsewhere."""
        found: Dict[str, Any] = self.ask(
            "add",
            metrics=metrics,
            evaluation=evaluation_id,
            name=name,
            labels=labels,
            model=getattr(model, "full_id", model),
        )
        return found

    def ask(self, verb: str, **arguments: Any) -> Any:
        """Return what the gateway answers of this store."""
        return call("evaluations." + verb, project=self.project_key, store=self.id, **arguments)


class DSSEvaluationStoreSettings:
    """The settings of a store.

    Args:
        evaluation_store: whose they are.
        settings: as a dict, which may be changed and saved.
    """

    def __init__(self, evaluation_store: DSSEvaluationStore, settings: Dict[str, Any]) -> None:
        self.evaluation_store = evaluation_store
        self.settings = settings

    def get_raw(self) -> Dict[str, Any]:
        """Return the settings themselves."""
        return self.settings

    def save(self) -> None:
        """Keep the settings as they are now."""
        self.evaluation_store.ask("save_settings", settings=self.settings)


class DSSEvaluation:
    """A handle of an evaluation; it is not looked up yet.

    Args:
        evaluation_store: whose evaluation it is.
        evaluation_id: of the evaluation.
    """

    def __init__(self, evaluation_store: DSSEvaluationStore, evaluation_id: str) -> None:
        self.evaluation_store = evaluation_store
        self.client = evaluation_store.client
        self.evaluation_id = evaluation_id
        self.project_key = evaluation_store.project_key
        self.evaluation_store_id = evaluation_store.id

    def get_full_id(self) -> str:
        """Return how it is named among all projects."""
        return self.full_id

    @property
    def full_id(self) -> str:
        """Return how it is named among all projects."""
        return f"ME-{self.project_key}-{self.evaluation_store_id}-{self.evaluation_id}"

    def delete(self) -> None:
        """Delete the evaluation."""
        self.evaluation_store.ask("delete", evaluations=[self.evaluation_id])

    def get_metrics(self) -> Dict[str, Any]:
        """Return the figures: `metrics`, a list, each with its last value."""
        found: Dict[str, Any] = self.ask("metrics")
        return found

    def get_full_info(self) -> DSSEvaluationFullInfo:
        """Return what is known of it."""
        return DSSEvaluationFullInfo(self, self.ask("show"))

    def compute_drift(
        self, reference: Any = None, drift_params: Any = None, wait: bool = True
    ) -> Any:
        """Return how far its rows are from a reference.

        Args:
            reference: full id of a version or an evaluation, or a handle of one; the rows that the
                model itself was evaluated on when None.
            drift_params: `DriftParams`.
            wait: whether the result is returned, and not work that is done.
        """
        return self._drift(reference, drift_params, DriftResult, wait)

    def compute_data_drift(
        self, reference: Any = None, data_drift_params: Any = None, wait: bool = True
    ) -> Any:
        """Return the same, as it was called before; deprecated."""
        warnings.warn(
            "This method is deprecated. Use compute_drift instead", DeprecationWarning, stacklevel=2
        )
        return self._drift(reference, data_drift_params, DataDriftResult, wait)

    def get_sample_df(self) -> Any:
        """Return its first rows, 20,000 at most, as a data frame."""
        import pandas as pd

        return pd.read_csv(self.ask("sample"))

    def ask(self, verb: str, **arguments: Any) -> Any:
        """Return what the gateway answers of this evaluation."""
        return self.evaluation_store.ask(verb, evaluation=self.evaluation_id, **arguments)

    def _drift(self, reference: Any, params: Any, kind: Any, wait: bool) -> Any:
        found = self.ask(
            "drift",
            reference=getattr(reference, "full_id", reference),
            params=params.data if params else None,
        )
        future = DSSFuture(self.client, "", found, result_wrapper=kind)
        return future.wait_for_result() if wait else future


class DSSEvaluationFullInfo:
    """What is known of an evaluation.

    Args:
        evaluation: which.
        full_info: as a dict.
    """

    def __init__(self, evaluation: DSSEvaluation, full_info: Dict[str, Any]) -> None:
        self.evaluation = evaluation
        self.full_info = full_info
        told = full_info["evaluation"]
        self.metrics = full_info["metrics"]
        self.creation_date = told["created"]
        self.full_id = told["ref"]["fullId"]
        self.model_full_id = told["modelRef"]["fullId"] if "modelRef" in told else None
        self.prediction_type = told.get("predictionType")
        self.prediction_variable = told.get("predictionVariable")
        self.target_variable = told.get("targetVariable")
        self.has_model = told.get("hasModel")
        self.user_meta = told["userMeta"]

    def get_raw(self) -> Dict[str, Any]:
        """Return it as a dict."""
        return self.full_info

    def save_user_meta(self) -> None:
        """Keep what is said of it."""
        self.evaluation.ask("save_user_meta", meta=self.user_meta)
