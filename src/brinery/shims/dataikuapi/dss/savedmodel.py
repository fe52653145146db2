"""Saved models: what scripts do with their versions."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional

from brinery_shims import tracking
from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial

from dataikuapi.dss.dataset import name_of
from dataikuapi.dss.utils import selection_of

_OWN = ("LOCAL-CODE-ENV", "INHERIT")
_TWO = 2


class DSSSavedModel(Partial):
    """A handle of a saved model; it is not looked up yet.

    Args:
        client: of the workspace.
        project_key: of the project.
        sm_id: of the saved model.
    """

    def __init__(self, client: Any, project_key: str, sm_id: str) -> None:
        self.client = client
        self.project = client.get_project(project_key)
        self.project_key = project_key
        self.sm_id = sm_id

    @property
    def id(self) -> str:
        """Return the id."""
        return self.sm_id

    def get_settings(self) -> DSSSavedModelSettings:
        """Return the settings."""
        return DSSSavedModelSettings(self, self._ask("settings"))

    def list_versions(self) -> List[Dict[str, Any]]:
        """Return the versions, as dicts with `id` and `active`."""
        found: List[Dict[str, Any]] = self._ask("versions")
        return found

    def get_active_version(self) -> Optional[Dict[str, Any]]:
        """Return the active version; None where there is none."""
        return next((one for one in self.list_versions() if one["active"]), None)

    def get_version_details(self, version_id: str) -> Any:
        """Return what is known of a version, once it was evaluated."""
        from dataikuapi.dss.ml import DSSTrainedPredictionModelDetails

        told = call("details.show", project=self.project_key, id=self.sm_id, version=version_id)
        return DSSTrainedPredictionModelDetails(
            told["details"], told["snippet"], saved_model=self, saved_model_version=version_id
        )

    def set_active_version(self, version_id: str) -> None:
        """Make a version the active one."""
        self._ask("activate", version=version_id)

    def delete_versions(self, versions: Any, remove_intermediate: bool = True) -> None:
        """Delete a version, or several, for ever."""
        del remove_intermediate
        wanted = versions if isinstance(versions, list) else [versions]
        self._ask("delete_versions", versions=wanted)

    def get_origin_ml_task(self) -> None:
        """Return that no visual analysis made it."""

    def import_mlflow_version_from_path(
        self,
        version_id: str,
        path: str,
        code_env_name: str = "LOCAL-CODE-ENV",
        container_exec_config_name: str = "LOCAL-CONFIG",
        set_active: bool = True,
        binary_classification_threshold: float = 0.5,
    ) -> ExternalModelVersionHandler:
        """Return a handler of a version made of a model directory, which may be deleted at once.

        Args:
            version_id: of the version; one that is there is taken over.
            path: of the directory.
            code_env_name: is kept on record; Brinery loads the model in an environment that fits.
            container_exec_config_name: means nothing here.
            set_active: whether it is to be the active version.
            binary_classification_threshold: from which probability on a row is positive.
        """
        del container_exec_config_name
        return self._imported(
            version_id,
            code_env_name,
            path=os.path.abspath(path),  # noqa: PTH100 - of any kind of path
            active=set_active,
            threshold=binary_classification_threshold,
        )

    def import_mlflow_version_from_managed_folder(
        self,
        version_id: str,
        managed_folder: Any,
        path: str,
        code_env_name: str = "LOCAL-CODE-ENV",
        container_exec_config_name: str = "LOCAL-CONFIG",
        set_active: bool = True,
        binary_classification_threshold: float = 0.5,
    ) -> ExternalModelVersionHandler:
        """Return a handler of a version made of a model directory in a managed folder.

        Raises:
            Exception: the folder is neither an id nor a handle.
        """
        del container_exec_config_name
        try:
            folder = tracking.folder_id(managed_folder)
        except TypeError:
            raise Exception(
                "managed_folder is the id of a managed folder, or a DSSManagedFolder, and not "
                + type(managed_folder).__name__
            ) from None
        return self._imported(
            version_id,
            code_env_name,
            folder=folder,
            path=path,
            active=set_active,
            threshold=binary_classification_threshold,
        )

    def _imported(
        self, version_id: str, code_env_name: str, **said: Any
    ) -> ExternalModelVersionHandler:
        environment = None if code_env_name in _OWN else code_env_name
        self._ask("import", version=version_id, environment=environment, **said)
        return self.get_external_model_version_handler(version_id)

    def import_mlflow_version_from_databricks(
        self,
        version_id: str,
        connection_name: str,
        use_unity_catalog: bool,
        model_name: str,
        model_version: str,
        code_env_name: str = "LOCAL-CODE-ENV",
        container_exec_config_name: str = "LOCAL-CONFIG",
        set_active: bool = True,
        binary_classification_threshold: float = 0.5,
    ) -> ExternalModelVersionHandler:
        """Raise: there is no connection of that kind.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "a model of Databricks is not fetched by Brinery; the nearest is: "
            "mlflow.artifacts.download_artifacts, then import_mlflow_version_from_path"
        )

    def get_external_model_version_handler(self, version_id: str) -> ExternalModelVersionHandler:
        """Return a handler of a version."""
        return ExternalModelVersionHandler(self, version_id)

    def get_metric_values(self, version_id: str) -> Any:
        """Return the figures of a version."""
        from dataikuapi.dss.metrics import ComputedMetrics

        return ComputedMetrics(
            call("details.metrics", project=self.project_key, id=self.sm_id, version=version_id)
        )

    def get_usages(self) -> List[Dict[str, Any]]:
        """Return which scripts use it."""
        found: List[Dict[str, Any]] = self._ask("usages")
        return found

    def delete(self) -> None:
        """Delete the saved model and all of its versions, for ever."""
        self._ask("delete")

    def _ask(self, verb: str, **arguments: Any) -> Any:
        return call("models." + verb, project=self.project_key, id=self.sm_id, **arguments)


class DSSSavedModelSettings(Partial):
    """The settings of a saved model.

    Args:
        saved_model: whose they are.
        settings: as a dict, which may be changed and saved.
    """

    def __init__(self, saved_model: DSSSavedModel, settings: Dict[str, Any]) -> None:
        self.saved_model = saved_model
        self.settings = settings

    def get_raw(self) -> Dict[str, Any]:
        """Return the settings themselves."""
        return self.settings

    @property
    def prediction_metrics_settings(self) -> Dict[str, Any]:
        """Return which figure thresholds are chosen for."""
        found: Dict[str, Any] = self.settings["miniTask"]["modeling"]["metrics"]
        return found

    @property
    def prediction_type(self) -> Optional[str]:
        """Return what it predicts; None where nothing is stated."""
        found: Optional[str] = self.settings["miniTask"].get("predictionType")
        return found

    def save(self) -> None:
        """Keep the settings as they are now."""
        model = self.saved_model
        call(
            "models.save_settings",
            project=model.project_key,
            id=model.sm_id,
            settings=self.settings,
        )


class MLFlowVersionSettings:
    """What is stated of a version.

    Args:
        version_handler: of the version.
        data: as a dict, which may be changed and saved.
    """

    def __init__(self, version_handler: ExternalModelVersionHandler, data: Dict[str, Any]) -> None:
        self._version_handler = version_handler
        self._data = data

    @property
    def raw(self) -> Dict[str, Any]:
        """Return the settings themselves."""
        return self._data

    def save(self) -> None:
        """Keep what is stated now."""
        data = self._data
        self._version_handler.keep(
            target=data.get("targetColumnName"),
            classes=[one["label"] for one in data.get("classLabels") or []] or None,
            features=data.get("features") or None,
            threshold=data.get("binaryClassificationThreshold", 0.5),
        )


class ExternalModelVersionHandler:
    """A handler of a version that was imported.

    Args:
        saved_model: whose version it is.
        version_id: of the version.
    """

    def __init__(self, saved_model: DSSSavedModel, version_id: str) -> None:
        self.saved_model = saved_model
        self.version_id = version_id

    def get_settings(self) -> MLFlowVersionSettings:
        """Return what is stated of the version."""
        return MLFlowVersionSettings(self, self._ask("metadata"))

    def set_core_metadata(
        self,
        target_column_name: str,
        class_labels: Optional[List[str]] = None,
        get_features_from_dataset: Optional[str] = None,
        features_list: Optional[List[Dict[str, str]]] = None,
        container_exec_config_name: str = "LOCAL-CONFIG",
        get_features_from_dataset_sampling: Optional[Dict[str, Any]] = None,
    ) -> None:
        """State what the version predicts, and what of.

        Args:
            target_column_name: the column with the truth.
            class_labels: in the model's order.
            get_features_from_dataset: the dataset whose columns the model takes.
            features_list: name and type of each, instead.
            container_exec_config_name: means nothing here.
            get_features_from_dataset_sampling: its first 500 rows when None.

        Raises:
            Exception: both or neither of the features' sources are given, or the classes are not
                those of the model's type.
        """
        del container_exec_config_name
        if features_list is not None and get_features_from_dataset is not None:
            raise Exception(
                "features come from features_list or from get_features_from_dataset, not from both"
            )
        for feature in features_list or ():
            if not ("name" in feature and "type" in feature):
                raise Exception(
                    "features_list is a list of {'name': 'feature_name', 'type': 'feature_type'}"
                )
        kind = self.saved_model.get_settings().prediction_type
        if kind == "MULTICLASS" and not isinstance(class_labels, list):
            raise Exception("MULTICLASS needs class_labels: a list")
        if kind == "BINARY_CLASSIFICATION" and (
            not isinstance(class_labels, list) or len(class_labels) != _TWO
        ):
            raise Exception("BINARY_CLASSIFICATION needs class_labels: a list of exactly 2")
        if kind == "REGRESSION" and class_labels not in (None, []):
            raise Exception("REGRESSION has no class_labels")
        self.keep(
            target=target_column_name,
            classes=labels_of(class_labels),
            features=features_list,
            dataset=name_of(get_features_from_dataset),
            sampling=get_features_from_dataset_sampling,
        )

    def evaluate(
        self,
        dataset_ref: Any,
        container_exec_config_name: str = "LOCAL-CONFIG",
        selection: Any = None,
        use_optimal_threshold: bool = True,
        skip_expensive_reports: bool = True,
    ) -> None:
        """Evaluate the version on a dataset, with Brinery's own figures.

        Args:
            dataset_ref: a name, a `DSSDataset` or a `dataiku.Dataset`.
            container_exec_config_name: means nothing here.
            selection: of its rows; all when None.
            use_optimal_threshold: whether the best threshold is the version's own from now on.
            skip_expensive_reports: whether it is left out why the model answers so.
        """
        del container_exec_config_name
        self._ask(
            "evaluate",
            dataset=name_of(dataset_ref),
            selection=selection_of(selection),
            optimal=use_optimal_threshold,
            cheap=skip_expensive_reports,
        )

    def keep(self, **said: Any) -> None:
        """Have it known what is stated of the version."""
        self._ask("set_metadata", **said)

    def _ask(self, verb: str, **arguments: Any) -> Any:
        model = self.saved_model
        return call(
            "models." + verb,
            project=model.project_key,
            id=model.sm_id,
            version=self.version_id,
            **arguments,
        )


def labels_of(classes: Any) -> Optional[List[str]]:
    """Return labels as texts; numpy's and Python's own alike."""
    return None if classes is None else [str(one) for one in classes]
