"""Evaluation stores of models."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from dataikuapi.dss.drift import (
    ColumnSettings,
    DataDriftParams,
    DataDriftResult,
    DriftModelAccuracy,
    DriftModelResult,
    DriftParams,
    DriftResult,
    PerColumnDriftParamBuilder,
    PredictionDriftResult,
    UnivariateDriftResult,
)
from dataikuapi.dss.evaluationstore import (
    DSSEvaluation,
    DSSEvaluationFullInfo,
    DSSEvaluationStore,
    DSSEvaluationStoreSettings,
)

__all__ = [
    "ColumnSettings",
    "DSSModelEvaluation",
    "DSSModelEvaluationFullInfo",
    "DSSModelEvaluationStore",
    "DSSModelEvaluationStoreSettings",
    "DataDriftParams",
    "DataDriftResult",
    "DriftModelAccuracy",
    "DriftModelResult",
    "DriftParams",
    "DriftResult",
    "PerColumnDriftParamBuilder",
    "PredictionDriftResult",
    "UnivariateDriftResult",
]


class DSSModelEvaluationStore(DSSEvaluationStore):
    """A handle of an evaluation store of models; it is not looked up yet.

    Args:
        client: of the workspace.
        project_key: of the project.
        mes_id: of the store.
    """

    def __init__(self, client: Any, project_key: str, mes_id: str) -> None:
        super().__init__(client, project_key, mes_id)

    @property
    def mes_id(self) -> str:
        """Return the id."""
        return self.id

    def get_settings(self) -> DSSModelEvaluationStoreSettings:
        """Return the settings."""
        return DSSModelEvaluationStoreSettings(self, self.ask("settings"))

    def list_model_evaluations(self) -> List[DSSModelEvaluation]:
        """Return the evaluations, the oldest first."""
        return [DSSModelEvaluation(self, one["ref"]["evaluationId"]) for one in self.ask("list")]

    def get_model_evaluation(self, evaluation_id: str) -> DSSModelEvaluation:
        """Return a handle of an evaluation; it is not looked up yet."""
        return DSSModelEvaluation(self, evaluation_id)

    def get_latest_model_evaluation(self) -> Optional[DSSModelEvaluation]:
        """Return the newest evaluation; None where there is none."""
        return next(iter(self.list_model_evaluations()[::-1]), None)

    def delete_model_evaluations(self, evaluations: List[Any]) -> None:
        """Delete evaluations, given as ids, dicts or handles."""
        self.delete_evaluations(evaluations)

    MetricDefinition = DSSEvaluationStore.MetricDefinition
    LabelDefinition = DSSEvaluationStore.LabelDefinition

    def add_custom_model_evaluation(
        self,
        metrics: List[Dict[str, Any]],
        evaluation_id: Optional[str] = None,
        name: Optional[str] = None,
        labels: Optional[List[Dict[str, str]]] = None,
        model: Any = None,
    ) -> None:
        """Add figures that were computed elsewhere."""
        self.add_custom_evaluation(metrics, evaluation_id, name, labels, model)


class DSSModelEvaluationStoreSettings(DSSEvaluationStoreSettings):
    """The settings of a store of models.

    Args:
        model_evaluation_store: whose they are.
        settings: as a dict.
    """

    def __init__(
        self, model_evaluation_store: DSSModelEvaluationStore, settings: Dict[str, Any]
    ) -> None:
        super().__init__(model_evaluation_store, settings)

    @property
    def model_evaluation_store(self) -> DSSEvaluationStore:
        """Return whose they are."""
        return self.evaluation_store


class DSSModelEvaluation(DSSEvaluation):
    """A handle of an evaluation of a model.

    Args:
        model_evaluation_store: whose evaluation it is.
        evaluation_id: of the evaluation.
    """

    def __init__(self, model_evaluation_store: DSSEvaluationStore, evaluation_id: str) -> None:
        super().__init__(model_evaluation_store, evaluation_id)

    @property
    def mes_id(self) -> str:
        """Return the id of the store."""
        return self.evaluation_store.id

    def get_full_info(self) -> DSSModelEvaluationFullInfo:
        """Return what is known of it."""
        return DSSModelEvaluationFullInfo(self, self.ask("show"))


class DSSModelEvaluationFullInfo(DSSEvaluationFullInfo):
    """What is known of an evaluation of a model.

    Args:
        model_evaluation: which.
        full_info: as a dict.
    """

    def __init__(self, model_evaluation: DSSModelEvaluation, full_info: Dict[str, Any]) -> None:
        super().__init__(model_evaluation, full_info)

    @property
    def model_evaluation(self) -> DSSEvaluation:
        """Return which."""
        return self.evaluation
