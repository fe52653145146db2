"""A project: where scripts ask for datasets, folders, saved models and experiments."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial


class DSSProject(Partial):
    """A handle of a project; it is not looked up yet.

    Args:
        client: of the workspace.
        project_key: of the project.
    """

    def __init__(self, client: Any, project_key: str) -> None:
        self.client = client
        self.project_key = project_key

    def get_summary(self) -> Dict[str, Any]:
        """Return what is told of the project."""
        return {"projectKey": self.project_key, "name": self.project_key}

    # Variables

    def get_variables(self) -> Dict[str, Any]:
        """Return the variables: `standard` and `local`."""
        found: Dict[str, Any] = call("projects.variables", project=self.project_key)
        return found

    def set_variables(self, obj: Dict[str, Any]) -> None:
        """Give all variables other values.

        Raises:
            ValueError: there is no `standard` in them.
        """
        if "standard" not in obj:
            raise ValueError("Missing 'standard' key in argument")
        for kind in ("standard", "local"):
            if kind in obj:
                self._set(obj[kind], kind, whole=True)

    def update_variables(self, variables: Dict[str, Any], type: str = "standard") -> None:
        """Give some variables other values."""
        self._set(variables, type, whole=False)

    def _set(self, values: Dict[str, Any], kind: str, whole: bool) -> None:
        call(
            "projects.set_variables",
            project=self.project_key,
            values=values,
            kind=kind,
            whole=whole,
        )

    # Datasets

    def list_datasets(
        self,
        as_type: str = "listitems",
        include_shared: bool = False,
        tags: Optional[List[str]] = None,
    ) -> List[Any]:
        """Return the datasets, as items, which are dicts, or with `objects` as handles."""
        from dataikuapi.dss.dataset import DSSDatasetListItem

        del include_shared, tags
        found = call("datasets.list", project=self.project_key)
        if as_type in ("objects", "object"):
            return [self.get_dataset(one["name"]) for one in found]
        return [
            DSSDatasetListItem(self.client, {**one, "projectKey": self.project_key})
            for one in found
        ]

    def get_dataset(self, dataset_name: str) -> Any:
        """Return a handle of a dataset; it is not looked up yet."""
        from dataikuapi.dss.dataset import DSSDataset

        return DSSDataset(self.client, self.project_key, dataset_name)

    def create_dataset(
        self,
        dataset_name: str,
        type: str,
        params: Optional[Dict[str, Any]] = None,
        formatType: Optional[str] = None,
        formatParams: Optional[Dict[str, Any]] = None,
    ) -> Any:
        """Return a handle of a new, empty dataset, kept as Parquet whatever the type is."""
        del type, params, formatType, formatParams
        call("datasets.create", name=dataset_name, project=self.project_key)
        return self.get_dataset(dataset_name)

    # Managed folders

    def list_managed_folders(self) -> List[Dict[str, Any]]:
        """Return the managed folders, as dicts with `id` and `name`."""
        from dataikuapi.dss.utils import DSSTaggableObjectListItem

        return [
            DSSTaggableObjectListItem({**one, "projectKey": self.project_key})
            for one in call("folders.list", project=self.project_key)
        ]

    def get_managed_folder(self, odb_id: str) -> Any:
        """Return a handle of a managed folder; it is not looked up yet."""
        from dataikuapi.dss.managedfolder import DSSManagedFolder

        return DSSManagedFolder(self.client, self.project_key, odb_id)

    def create_managed_folder(
        self,
        name: str,
        folder_type: Optional[str] = None,
        connection_name: str = "filesystem_folders",
    ) -> Any:
        """Return a handle of a new managed folder, in the workspace."""
        del folder_type, connection_name
        made = call("folders.create", name=name, project=self.project_key)
        return self.get_managed_folder(made["id"])

    # Saved models

    def list_saved_models(self, include_shared: bool = False) -> List[Dict[str, Any]]:
        """Return the saved models, as dicts with `id` and `name`."""
        from dataikuapi.dss.utils import DSSTaggableObjectListItem

        del include_shared
        found = call("models.list", project=self.project_key)
        return [DSSTaggableObjectListItem(one) for one in found]

    def get_saved_model(self, sm_id: str) -> Any:
        """Return a handle of a saved model; it is not looked up yet."""
        from dataikuapi.dss.savedmodel import DSSSavedModel

        return DSSSavedModel(self.client, self.project_key, sm_id)

    def create_mlflow_pyfunc_model(self, name: str, prediction_type: Optional[str] = None) -> Any:
        """Return a handle of a new saved model.

        Args:
            name: of it.
            prediction_type: BINARY_CLASSIFICATION, MULTICLASS or REGRESSION; None for any other,
                which is scored and not evaluated.

        Raises:
            ValueError: there is no such type.
        """
        made = call("models.create", name=name, type=prediction_type, project=self.project_key)
        return self.get_saved_model(made["id"])

    # Experiments

    def setup_mlflow(self, managed_folder: Any, host: Optional[str] = None) -> Any:
        """Return a handle of MLflow, which is set up to log into a managed folder."""
        from dataikuapi.dss_plugin_mlflow import MLflowHandle

        return MLflowHandle(
            client=self.client, project=self, managed_folder=managed_folder, host=host
        )

    def get_mlflow_extension(self) -> Any:
        """Return what can be asked of MLflow beside its own API."""
        from dataikuapi.dss.mlflow import DSSMLflowExtension

        return DSSMLflowExtension(client=self.client, project_key=self.project_key)

    # Evaluation stores

    def list_model_evaluation_stores(self) -> List[Any]:
        """Return handles of the evaluation stores."""
        found = call("evaluations.stores", project=self.project_key)
        return [self.get_model_evaluation_store(one["id"]) for one in found]

    def get_model_evaluation_store(self, mes_id: str) -> Any:
        """Return a handle of an evaluation store; it is not looked up yet."""
        from dataikuapi.dss.modelevaluationstore import DSSModelEvaluationStore

        return DSSModelEvaluationStore(self.client, self.project_key, mes_id)

    def create_model_evaluation_store(self, name: str) -> Any:
        """Return a handle of a new evaluation store."""
        made = call("evaluations.create_store", name=name, project=self.project_key)
        return self.get_model_evaluation_store(made["id"])

    # Comparisons

    def list_model_comparisons(self) -> List[Any]:
        """Return handles of the comparisons."""
        found = call("evaluations.comparisons", project=self.project_key)
        return [self.get_model_comparison(one["id"]) for one in found]

    def get_model_comparison(self, mec_id: str) -> Any:
        """Return a handle of a comparison; it is not looked up yet."""
        from dataikuapi.dss.modelcomparison import DSSModelComparison

        return DSSModelComparison(self.client, self.project_key, mec_id)

    def create_model_comparison(self, name: str, prediction_type: str) -> Any:
        """Return a handle of a new comparison."""
        made = call(
            "evaluations.create_comparison",
            name=name,
            type=prediction_type,
            project=self.project_key,
        )
        return self.get_model_comparison(made["id"])

    # API services

    def list_api_services(self, as_type: str = "listitems") -> List[Any]:
        """Return the API services, as items, or with `objects` as handles."""
        from dataikuapi.dss.apiservice import DSSAPIServiceListItem

        found = call("services.list", project=self.project_key)
        if as_type in ("objects", "object"):
            return [self.get_api_service(one["id"]) for one in found]
        return [
            DSSAPIServiceListItem(self.client, {**one, "projectKey": self.project_key})
            for one in found
        ]

    def create_api_service(self, service_id: str) -> Any:
        """Return a handle of a new API service."""
        call("services.create", service=service_id, project=self.project_key)
        return self.get_api_service(service_id)

    def get_api_service(self, service_id: str) -> Any:
        """Return a handle of an API service; it is not looked up yet."""
        from dataikuapi.dss.apiservice import DSSAPIService

        return DSSAPIService(self.client, self.project_key, service_id)
