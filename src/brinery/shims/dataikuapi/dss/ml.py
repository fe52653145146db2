"""What is known of a version of a saved model, once it was evaluated."""

from __future__ import annotations

import copy
from typing import Any, Dict, List, Optional

from brinery_shims import notes
from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial

from dataikuapi.dss.findings import (
    DSSGlobalExplanations,
    DSSMLAssertionMetrics,
    DSSMLAssertionsMetrics,
    DSSMLDiagnostic,
    DSSPartialDependence,
    DSSPartialDependencies,
    DSSSubpopulationAnalyses,
    DSSSubpopulationAnalysis,
    DSSSubpopulationGlobal,
    DSSSubpopulationModality,
)
from dataikuapi.dss.future import DSSFuture

__all__ = [
    "DSSGlobalExplanations",
    "DSSMLAssertionMetrics",
    "DSSMLAssertionsMetrics",
    "DSSMLDiagnostic",
    "DSSPartialDependence",
    "DSSPartialDependencies",
    "DSSPredictionMLTaskSettings",
    "DSSSubpopulationAnalyses",
    "DSSSubpopulationAnalysis",
    "DSSSubpopulationGlobal",
    "DSSSubpopulationModality",
    "DSSTrainedModelDetails",
    "DSSTrainedPredictionModelDetails",
]

_NO_FIGURES = (
    "trainDate",
    "backendType",
    "userMeta",
    "trainInfo",
    "fullModelId",
    "algorithm",
    "predictionType",
    "assertionsMetrics",
)


class DSSPredictionMLTaskSettings(Partial):
    """What a model may predict; there are no visual analyses here."""

    class PredictionTypes:
        """The types."""

        BINARY = "BINARY_CLASSIFICATION"
        REGRESSION = "REGRESSION"
        MULTICLASS = "MULTICLASS"
        OTHER = "OTHER"


class DSSTrainedModelDetails(Partial):
    """What is known of a version.

    Args:
        details: the long form.
        snippet: the short form.
        saved_model: whose version it is.
        saved_model_version: its id.
        mltask: None.
        mltask_model_id: None.
    """

    def __init__(
        self,
        details: Dict[str, Any],
        snippet: Dict[str, Any],
        saved_model: Any = None,
        saved_model_version: Optional[str] = None,
        mltask: Any = None,
        mltask_model_id: Optional[str] = None,
    ) -> None:
        self.details = details
        self.snippet = snippet
        self.saved_model = saved_model
        self.saved_model_version = saved_model_version
        self.mltask = mltask
        self.mltask_model_id = mltask_model_id

    def get_raw(self) -> Dict[str, Any]:
        """Return the long form."""
        return self.details

    @property
    def full_id(self) -> str:
        """Return how the version is named among all projects."""
        found: str = self.details["fullModelId"]
        return found

    def get_raw_snippet(self) -> Dict[str, Any]:
        """Return the short form."""
        return self.snippet

    def get_train_info(self) -> Dict[str, Any]:
        """Return how many rows it was evaluated on, when, and how long that took."""
        found: Dict[str, Any] = self.details["trainInfo"]
        return found

    def get_user_meta(self) -> Dict[str, Any]:
        """Return what is said of the version; change it, and call `save_user_meta`."""
        found: Dict[str, Any] = self.details["userMeta"]
        return found

    def save_user_meta(self) -> None:
        """Keep what is said of the version, its threshold included."""
        self._ask("save_user_meta", meta=self.details["userMeta"])

    def get_origin_analysis_trained_model(self) -> None:
        """Return that no visual analysis made it."""

    def get_diagnostics(self) -> List[DSSMLDiagnostic]:
        """Return what is doubtful of the data and the figures."""
        return [DSSMLDiagnostic(one) for one in self.details["mlDiagnostics"]["diagnostics"]]

    def generate_documentation(
        self, folder_id: Optional[str] = None, path: Optional[str] = None
    ) -> DSSFuture:
        """Return Brinery's report as work that is done; its result names the export.

        Raises:
            ValueError: one of both arguments is missing.
            NotImplementedError: a template is given.
        """
        if bool(folder_id) != bool(path):
            raise ValueError("a template in a folder needs both the folder's id and the path")
        if folder_id:
            raise NotImplementedError(
                "templates are not read by Brinery; the nearest is: generate_documentation() "
                "without arguments, which is brinery report"
            )
        export = self._ask("report")
        return DSSFuture(None, export, {"exportId": export, "data": {"exportId": export}})

    def download_documentation_to_file(self, export_id: str, path: str) -> None:
        """Write the report, one HTML file, to a path."""
        import shutil

        shutil.copyfile(export_id, path)

    def download_documentation_stream(self, export_id: str) -> Any:
        """Return the report as a stream of bytes."""
        return open(export_id, "rb")

    def _ask(self, verb: str, **arguments: Any) -> Any:
        model = self.saved_model
        return call(
            "details." + verb,
            project=model.project_key,
            id=model.sm_id,
            version=self.saved_model_version,
            **arguments,
        )


class DSSTrainedPredictionModelDetails(DSSTrainedModelDetails):
    """What is known of a version that predicts."""

    def __init__(
        self,
        details: Dict[str, Any],
        snippet: Dict[str, Any],
        saved_model: Any = None,
        saved_model_version: Optional[str] = None,
        mltask: Any = None,
        mltask_model_id: Optional[str] = None,
    ) -> None:
        super().__init__(
            details, snippet, saved_model, saved_model_version, mltask, mltask_model_id
        )

    def get_roc_curve_data(self) -> Any:
        """Return the points of the ROC curve of each class, each with its threshold.

        Raises:
            ValueError: there is none, because the model gives no probabilities.
        """
        roc = self.details.get("perf", {}).get("rocVizData")
        if roc is None:
            raise ValueError("This model does not have ROC visualization data")
        return roc

    def get_performance_metrics(self) -> Dict[str, Any]:
        """Return the figures; a binary model's at its threshold."""
        found = copy.deepcopy(self.snippet)
        for name in _NO_FIGURES:
            found.pop(name, None)
        return found

    def get_assertions_metrics(self) -> DSSMLAssertionsMetrics:
        """Return what became of the assertions."""
        return DSSMLAssertionsMetrics(self.snippet["assertionsMetrics"])

    def get_preprocessing_settings(self) -> Dict[str, Any]:
        """Return what each column is to the model, under `per_feature`."""
        found: Dict[str, Any] = self.details["preprocessing"]
        return found

    def get_modeling_settings(self) -> Dict[str, Any]:
        """Return which figure thresholds are chosen for."""
        found: Dict[str, Any] = self.details["modeling"]
        return found

    def get_actual_modeling_params(self) -> Dict[str, Any]:
        """Return which model it is, of which framework."""
        found: Dict[str, Any] = self.details["actualParams"]
        return found

    def get_hyperparameter_search_points(self) -> Any:
        """Raise: an imported model has none.

        Raises:
            ValueError: always.
        """
        raise ValueError("No hyperparameter search result: the model was imported")

    def get_scoring_mlflow_stream(self, use_original_model: bool = False) -> Any:
        """Return a zip file of the MLflow model directory, as a stream of bytes."""
        del use_original_model
        return open(self._ask("archive"), "rb")

    def get_scoring_mlflow(self, filename: str, use_original_model: bool = False) -> None:
        """Write a zip file of the MLflow model directory."""
        import shutil

        del use_original_model
        shutil.move(self._ask("archive"), filename)

    def compute_shapley_feature_importance(
        self,
        n_explanations: Optional[int] = None,
        mc_steps: Optional[int] = None,
        num_samples: Optional[int] = None,
    ) -> DSSFuture:
        """Return the importance of the columns as work that is done.

        Args:
            n_explanations: is not asked, which is told.
            mc_steps: is not asked, likewise.
            num_samples: is not asked, likewise.
        """
        named = {
            "n_explanations": n_explanations,
            "mc_steps": mc_steps,
            "num_samples": num_samples,
        }
        unasked = [name for name, value in named.items() if value is not None]
        if unasked:
            notes.tell(
                "",
                f"compute_shapley_feature_importance does without {' and '.join(unasked)}: how "
                "many rows are explained, and how exactly, is as in brinery evaluate; "
                "get_global_explanations() tells it",
            )
        return DSSFuture(None, "", self._ask("explain"))

    def get_global_explanations(self) -> DSSGlobalExplanations:
        """Return the importance of the columns.

        Raises:
            ValueError: it was not computed.
        """
        found = self._ask("explanations")
        if not found:
            raise ValueError(
                "Global explanations have not been computed for this model; "
                "call compute_shapley_feature_importance() first"
            )
        return DSSGlobalExplanations(self, found)

    def compute_subpopulation_analyses(
        self,
        split_by: Any,
        wait: bool = True,
        sample_size: int = 1000,
        random_state: int = 1337,
        n_jobs: int = 1,
        debug_mode: bool = False,
    ) -> Any:
        """Return the figure in the groups of columns, on all rows of the evaluation."""
        del sample_size, random_state, n_jobs, debug_mode
        found = self._ask("subpopulations", split_by=_listed(split_by))
        done = DSSSubpopulationAnalyses(found, found["predictionType"])
        return done if wait else DSSFuture(None, "", done)

    def get_subpopulation_analyses(self) -> DSSSubpopulationAnalyses:
        """Return the figure in the groups of all columns that can be cut."""
        found = self._ask("subpopulations")
        return DSSSubpopulationAnalyses(found, found["predictionType"])

    def compute_partial_dependencies(
        self,
        features: Any,
        wait: bool = True,
        sample_size: int = 1000,
        random_state: int = 1337,
        n_jobs: int = 1,
        debug_mode: bool = False,
    ) -> Any:
        """Return what the model answers on average, were a column to have one value everywhere."""
        del sample_size, random_state, n_jobs, debug_mode
        done = DSSPartialDependencies(self._ask("compute_dependencies", features=_listed(features)))
        return done if wait else DSSFuture(None, "", done)

    def get_partial_dependencies(self) -> DSSPartialDependencies:
        """Return the same of all columns that it was computed of."""
        return DSSPartialDependencies(self._ask("dependencies"))


def _listed(names: Any) -> List[str]:
    return [names] if isinstance(names, str) else list(names)
