"""What can be asked of MLflow beside its own API."""

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
    """The experiments of a project.

    Args:
        client: of the workspace.
        project_key: of the project.
    """

    def __init__(self, client: Any, project_key: str) -> None:
        self.client = client
        self.project = client.get_project(project_key)
        self.project_key = project_key

    def list_models(self, run_id: str) -> Any:
        """Return the models that a run logged."""
        return self._ask("list_models", run=run_id)

    def list_experiments(
        self, view_type: str = "ACTIVE_ONLY", max_results: int = 1000
    ) -> Dict[str, Any]:
        """Return `experiments`, a list."""
        found: Dict[str, Any] = self._ask(
            "list_experiments", view=view_type, most=max_results
        )
        return found

    def rename_experiment(self, experiment_id: str, new_name: str) -> Any:
        """Give an experiment another name."""
        return self._ask("rename_experiment", experiment=experiment_id, name=new_name)

    def restore_experiment(self, experiment_id: str) -> Any:
        """Bring back an experiment that was deleted."""
        return self._ask("restore_experiment", experiment=experiment_id)

    def restore_run(self, run_id: str) -> Any:
        """Bring back a run that was deleted."""
        return self._ask("restore_run", run=run_id)

    def garbage_collect(self) -> None:
        """Delete for ever what was marked as deleted, with its files."""
        self._ask("garbage_collect")

    def create_experiment_tracking_dataset(
        self,
        dataset_name: str,
        experiment_ids: List[str] = [],  # noqa: B006 - the original's signature
        view_type: str = "ACTIVE_ONLY",
        filter_expr: str = "",
        order_by: List[str] = [],  # noqa: B006 - likewise
        format: str = "LONG",  # noqa: A002 - likewise
    ) -> None:
        """Make a dataset of the runs."""
        self._ask(
            "create_dataset",
            name=dataset_name,
            experiments=list(experiment_ids),
            view=view_type,
            filter=filter_expr,
            order=list(order_by),
            format=format,
        )

    def clean_experiment_tracking_db(self) -> None:
        """Delete all experiments and runs of the project."""
        self._ask("clean")

    def set_run_inference_info(
        self,
        run_id: str,
        prediction_type: str,
        classes: Optional[List[Any]] = None,
        code_env_name: Optional[str] = None,
        target: Optional[str] = None,
    ) -> None:
        """State what the model of a run predicts.

        Args:
            run_id: of the run.
            prediction_type: REGRESSION, BINARY_CLASSIFICATION, MULTICLASS or OTHER.
            classes: of a classifier, in the model's order.
            code_env_name: is kept on record.
            target: the column with the truth.

        Raises:
            ValueError: there is no such type, or the classes do not fit it.
        """
        if prediction_type not in _TYPES:
            raise ValueError(f"Invalid prediction type: {prediction_type}")
        classifies = prediction_type in _CLASSIFIERS
        if classes and not classifies:
            raise ValueError("only BINARY_CLASSIFICATION and MULTICLASS have classes")
        if classifies:
            if not classes:
                raise ValueError(f"Classes must be stated for {prediction_type}")
            if not isinstance(classes, list):
                raise ValueError(f"Wrong type for classes: {type(classes)}")  # noqa: TRY004 - the original's kind
            if any(one is None for one in classes):
                raise ValueError("class cannot be None")
        if code_env_name and not isinstance(code_env_name, str):
            raise ValueError("code_env_name must be a string")
        if target and not isinstance(target, str):
            raise ValueError("target must be a string")
        self._ask(
            "set_inference",
            run=run_id,
            type=prediction_type,
            classes=labels_of(classes) if classes else None,
            environment=code_env_name or None,
            target=target or None,
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

    def import_analyses_models_into_experiment(
        self, model_ids: List[str], experiment_id: str
    ) -> None:
        """Raise: there are no visual analyses.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "there are no visual analyses in Brinery; the nearest is: mlflow.<flavor>.log_model "
            "within setup_mlflow"
        )

    def _ask(self, verb: str, **arguments: Any) -> Any:
        return call("mlflow." + verb, project=self.project_key, **arguments)
