"""The experiments of a project, beside what MLflow's own client does with them."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import Any, Dict, List, Optional

from brinery_shims.gateway import call

from dataikuapi.dss.dataset import name_of
from dataikuapi.dss.savedmodel import ExternalModelVersionHandler, labels_of
from dataikuapi.dss.utils import selection_of

_TYPES = ("REGRESSION", "BINARY_CLASSIFICATION", "MULTICLASS", "OTHER")
_CLASSIFIERS = ("BINARY_CLASSIFICATION", "MULTICLASS")


class DSSMLflowExtension:
    """The experiments of a project; made by `DSSProject.get_mlflow_extension`.

    Args:
        client: a `DSSClient`.
        project_key: of the project.
    """

    def __init__(self, client: Any, project_key: str) -> None:
        self.client = client
        self.project_key = project_key

    @property
    def project(self) -> Any:
        """Return the project, a `DSSProject`."""
        return self.client.get_project(self.project_key)

    def list_models(self, run_id: str) -> Any:
        """Return the models that a run logged, each with its `name`."""
        return call("mlflow.models", run_id=run_id)

    def list_experiments(
        self, view_type: str = "ACTIVE_ONLY", max_results: int = 1000
    ) -> Dict[str, Any]:
        """Return `{"experiments": […]}`.

        Args:
            view_type: `ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
            max_results: of them.
        """
        found: Dict[str, Any] = call(
            "mlflow.experiments",
            project=self.project_key,
            view_type=view_type,
            max_results=max_results,
        )
        return found

    def rename_experiment(self, experiment_id: str, new_name: str) -> Any:
        """Give an experiment another name."""
        return call(
            "mlflow.rename",
            project=self.project_key,
            experiment_id=experiment_id,
            new_name=new_name,
        )

    def restore_experiment(self, experiment_id: str) -> Any:
        """Bring a deleted experiment back."""
        return call("mlflow.restore_experiment", experiment_id=experiment_id)

    def restore_run(self, run_id: str) -> Any:
        """Bring a deleted run back."""
        return call("mlflow.restore_run", run_id=run_id)

    def garbage_collect(self) -> None:
        """Remove for good what was deleted, with its files."""
        call("mlflow.collect_garbage")

    def clean_experiment_tracking_db(self) -> None:
        """Remove every experiment that lies in a managed folder of the project."""
        call("mlflow.clean", project=self.project_key)

    def create_experiment_tracking_dataset(
        self,
        dataset_name: str,
        experiment_ids: Any = [],
        view_type: str = "ACTIVE_ONLY",
        filter_expr: str = "",
        order_by: Any = [],
        format: str = "LONG",
    ) -> None:
        """Make a dataset of runs.

        Args:
            dataset_name: which is new.
            experiment_ids: of those that are meant; all where there are none.
            view_type: `ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
            filter_expr: in MLflow's language.
            order_by: in MLflow's language.
            format: `LONG`, a row for each parameter, metric and tag; or `JSON`, a row for each run.
        """
        call(
            "mlflow.dataset",
            project=self.project_key,
            dataset_name=dataset_name,
            experiment_ids=[*experiment_ids],
            view_type=view_type,
            filter_expr=filter_expr,
            order_by=[*order_by],
            format=format,
        )

    def set_run_inference_info(
        self,
        run_id: str,
        prediction_type: str,
        classes: Optional[List[Any]] = None,
        code_env_name: Optional[str] = None,
        target: Optional[str] = None,
    ) -> None:
        """Say what the model of a run predicts.

        Args:
            run_id: of the run.
            prediction_type: `REGRESSION`, `BINARY_CLASSIFICATION`, `MULTICLASS` or `OTHER`.
            classes: of a classifier, in the order that the model learned them; texts are made of
                them.
            code_env_name: of the environment; of no effect but that it is told.
            target: name of the column.

        Raises:
            ValueError: one of them is not what it should be.
        """
        told = classes_of(prediction_type, classes)
        if code_env_name and not isinstance(code_env_name, str):
            raise ValueError("code_env_name must be a string")
        if target and not isinstance(target, str):
            raise ValueError("target must be a string")
        call(
            "mlflow.inference_info",
            run_id=run_id,
            prediction_type=prediction_type,
            classes=told,
            code_env_name=code_env_name,
            target=target,
        )

    def deploy_run_model(
        self,
        run_id: str,
        sm_id: str,
        version_id: Optional[str] = None,
        use_inference_info: bool = True,
        code_env_name: Optional[str] = None,
        evaluation_dataset: Any = None,
        target_column_name: Optional[str] = None,
        class_labels: Optional[List[str]] = None,
        model_sub_folder: Optional[str] = None,
        model_name: Optional[str] = None,
        selection: Any = None,
        activate: bool = True,
        binary_classification_threshold: float = 0.5,
        use_optimal_threshold: bool = True,
        skip_expensive_reports: bool = False,
    ) -> ExternalModelVersionHandler:
        """Return a handler of a version made of a model that a run logged.

        The model is looked up in Brinery's own store, whatever MLflow of this process points at.

        Args:
            run_id: of the run.
            sm_id: of the saved model.
            version_id: the time when None; one that is there is taken over.
            use_inference_info: whether what `set_run_inference_info` stated counts.
            code_env_name: is kept on record.
            evaluation_dataset: to evaluate it on; without one it waits for data.
            target_column_name: the column with the truth.
            class_labels: in the model's order.
            model_sub_folder: the same as `model_name`; deprecated.
            model_name: where the run logged more than one.
            selection: of the dataset's rows; the first 10,000 when None.
            activate: whether it is to be the active version.
            binary_classification_threshold: from which probability on a row is positive.
            use_optimal_threshold: whether the best threshold takes its place.
            skip_expensive_reports: whether it is left out why the model answers so.
        """
        if model_sub_folder is not None:
            warnings.warn(
                "The 'model_sub_folder' parameter is deprecated. Use 'model_name' instead.",
                DeprecationWarning,
                stacklevel=2,
            )
        model = self.project.get_saved_model(getattr(sm_id, "sm_id", sm_id))
        chosen = version_id or datetime.now().strftime("%Y_%m_%dT%H_%M_%S")  # noqa: DTZ005 - as clocks show it
        call(
            "models.deploy",
            project=self.project_key,
            id=model.sm_id,
            run=run_id,
            version=chosen,
            inference=use_inference_info,
            environment=code_env_name or None,
            dataset=name_of(evaluation_dataset),
            target=target_column_name or None,
            classes=labels_of(class_labels) or None,
            name=model_name or model_sub_folder,
            selection=selection_of(selection),
            active=activate,
            threshold=binary_classification_threshold,
            optimal=use_optimal_threshold,
            cheap=skip_expensive_reports,
        )
        return ExternalModelVersionHandler(model, chosen)

    def import_analyses_models_into_experiment(self, model_ids: Any, experiment_id: str) -> None:
        """Refuse: there are no models of a visual analysis."""
        raise NotImplementedError(
            "models of a visual analysis are not supported by Brinery; brinery import MODEL, or "
            "mlflow.log_model in a run of the experiment"
        )


def classes_of(prediction_type: str, classes: Optional[List[Any]]) -> List[str]:
    """Return the classes that a run's model is said to have, as texts.

    Raises:
        ValueError: the type is none, or it does not go with the classes.
    """
    if prediction_type not in _TYPES:
        raise ValueError(f"Invalid prediction type: {prediction_type}")
    given = classes is not None and len(classes) > 0
    if prediction_type not in _CLASSIFIERS:
        if given:
            raise ValueError(
                "Classes can be specified only for BINARY_CLASSIFICATION or MULTICLASS"
            )
        return []
    if not given or classes is None:
        raise ValueError(f"Classes must be specified for {prediction_type} prediction type")
    if not isinstance(classes, list):
        raise ValueError(f"Wrong type for classes: {type(classes)}")
    if any(each is None for each in classes):
        raise ValueError("class cannot be None")
    return [str(each) for each in classes]
