"""API services: which saved models are asked under which paths."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial, not_implemented


class DSSAPIServiceListItem(Dict[str, Any]):
    """An API service in a list.

    Args:
        client: of the workspace.
        data: as a dict.
    """

    def __init__(self, client: Any, data: Dict[str, Any]) -> None:
        super().__init__(data)
        self.client = client

    def to_api_service(self) -> DSSAPIService:
        """Return a handle of it."""
        return DSSAPIService(self.client, self["projectKey"], self["id"])

    @property
    def name(self) -> str:
        """Return the name, which is the id."""
        return str(self["id"])

    @property
    def id(self) -> str:
        """Return the id."""
        return str(self["id"])

    @property
    def auth_method(self) -> str:
        """Return who may ask: PUBLIC, or API_KEYS for who sends a key of the service."""
        return str(self["authMethod"])

    @property
    def endpoints(self) -> List[Dict[str, Any]]:
        """Return the endpoints."""
        found: List[Dict[str, Any]] = self["endpoints"]
        return found


class DSSAPIServiceSettings:
    """The settings of an API service.

    Args:
        client: of the workspace.
        project_key: of the project.
        service_id: of the service.
        settings: as a dict, which may be changed and saved.
    """

    def __init__(
        self, client: Any, project_key: str, service_id: str, settings: Dict[str, Any]
    ) -> None:
        self.client = client
        self.project_key = project_key
        self.service_id = service_id
        self.settings = settings

    def get_raw(self) -> Dict[str, Any]:
        """Return the settings themselves."""
        return self.settings

    @property
    def auth_method(self) -> str:
        """Return who may ask: PUBLIC, or API_KEYS for who sends a key of the service."""
        return str(self.settings["authMethod"])

    @property
    def endpoints(self) -> List[Dict[str, Any]]:
        """Return the endpoints."""
        found: List[Dict[str, Any]] = self.settings["endpoints"]
        return found

    def add_prediction_endpoint(self, endpoint_id: str, saved_model_id: str) -> None:
        """Have a saved model asked under an endpoint; call `save` afterwards."""
        self.endpoints.append(
            {"id": endpoint_id, "type": "STD_PREDICTION", "modelRef": saved_model_id}
        )

    def add_multitarget_prediction_endpoint(self, endpoint_id: str, saved_model_id: str) -> None:
        """Raise: only models of one target are served so."""
        raise not_implemented("DSSAPIServiceSettings.add_multitarget_prediction_endpoint")

    def add_clustering_endpoint(self, endpoint_id: str, saved_model_id: str) -> None:
        """Raise: only models that predict are served so."""
        raise not_implemented("DSSAPIServiceSettings.add_clustering_endpoint")

    def add_forecasting_endpoint(self, endpoint_id: str, saved_model_id: str) -> None:
        """Raise: only models that predict are served so."""
        raise not_implemented("DSSAPIServiceSettings.add_forecasting_endpoint")

    def add_causal_prediction_endpoint(
        self, endpoint_id: str, saved_model_id: str, compute_propensity: bool = False
    ) -> None:
        """Raise: only models that predict are served so."""
        raise not_implemented("DSSAPIServiceSettings.add_causal_prediction_endpoint")

    def save(self) -> None:
        """Keep the settings as they are now."""
        call(
            "services.save",
            project=self.project_key,
            service=self.service_id,
            settings=self.settings,
        )


class DSSAPIService(Partial):
    """A handle of an API service; it is not looked up yet.

    Args:
        client: of the workspace.
        project_key: of the project.
        service_id: of the service.
    """

    def __init__(self, client: Any, project_key: str, service_id: str) -> None:
        self.client = client
        self.project_key = project_key
        self.service_id = service_id

    @property
    def id(self) -> str:
        """Return the id."""
        return self.service_id

    def get_settings(self) -> DSSAPIServiceSettings:
        """Return the settings."""
        return DSSAPIServiceSettings(
            self.client, self.project_key, self.service_id, self._ask("settings")
        )

    def list_packages(self) -> List[Dict[str, Any]]:
        """Return the packages, the oldest first."""
        found: List[Dict[str, Any]] = self._ask("packages")
        return found

    def get_package_summary(self, package_id: str) -> Dict[str, Any]:
        """Return what a package froze: a version for each endpoint."""
        found: Dict[str, Any] = self._ask("package", package=package_id)
        return found

    def create_package(self, package_id: str, release_notes: Optional[str] = None) -> None:
        """Freeze the endpoints with the versions that are active now."""
        self._ask("create_package", package=package_id, notes=release_notes or "")

    def delete_package(self, package_id: str) -> None:
        """Delete a package."""
        self._ask("delete_package", package=package_id)

    def publish_package(self, package_id: str, published_service_id: Optional[str] = None) -> None:
        """Have `brinery serve` and `brinery up` answer for a package.

        Raises:
            NotImplementedError: it is to be published under another id.
        """
        if published_service_id not in (None, self.service_id):
            raise NotImplementedError(
                "a service is published under its own id; the nearest is: "
                "project.create_api_service(published_service_id)"
            )
        self._ask("publish", package=package_id)

    def download_package_stream(self, package_id: str) -> Any:
        """Raise: there is nothing to download."""
        raise not_implemented("DSSAPIService.download_package_stream")

    def download_package_to_file(self, package_id: str, path: str) -> None:
        """Raise: there is nothing to download."""
        raise not_implemented("DSSAPIService.download_package_to_file")

    def _ask(self, verb: str, **arguments: Any) -> Any:
        return call(
            "services." + verb, project=self.project_key, service=self.service_id, **arguments
        )
