"""The client: where scripts ask for projects."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from brinery_shims.gateway import call
from brinery_shims.unsupported import Partial

from dataikuapi.dss.project import DSSProject


class _Session:
    """Stands for the connection that scripts set options of; nothing is sent over it."""

    def __init__(self) -> None:
        self.verify = True
        self.headers: Dict[str, str] = {}
        self.auth: Any = None
        self.proxies: Dict[str, str] = {}


class DSSClient(Partial):
    """A client of the workspace that the script runs in; hosts and keys mean nothing here.

    Args:
        host: is not asked.
        api_key: is not needed.
        internal_ticket: is not needed.
        extra_headers: are not sent.
        no_check_certificate: is kept in `_session`.
        client_certificate: is not sent.
        jwt_bearer_token: is not needed.
        **kwargs: are not used.
    """

    def __init__(
        self,
        host: str,
        api_key: Optional[str] = None,
        internal_ticket: Optional[str] = None,
        extra_headers: Optional[Dict[str, str]] = None,
        no_check_certificate: bool = False,
        client_certificate: Any = None,
        jwt_bearer_token: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        del internal_ticket, extra_headers, client_certificate, jwt_bearer_token, kwargs
        self.host = host
        self.api_key = api_key
        self._session = _Session()
        self._session.verify = not no_check_certificate

    def __repr__(self) -> str:
        """Return how it is called."""
        return "<dataikuapi.DSSClient of Brinery>"

    def list_project_keys(self) -> List[str]:
        """Return the keys of the projects of the workspace."""
        found: List[str] = call("projects.keys")
        return found

    def list_projects(self, include_location: bool = False) -> List[Dict[str, Any]]:
        """Return the projects of the workspace."""
        del include_location
        return [{"projectKey": key, "name": key} for key in self.list_project_keys()]

    def get_project(self, project_key: str) -> DSSProject:
        """Return a handle of a project; it is not looked up yet."""
        return DSSProject(self, project_key)

    def get_default_project(self) -> DSSProject:
        """Return a handle of the project that is meant where none is named."""
        import dataiku

        return DSSProject(self, dataiku.default_project_key())

    def list_connections_names(self, connection_type: str) -> List[str]:
        """Return the names of the connections; folders and datasets lie on the file system."""
        return (
            ["filesystem_managed", "filesystem_folders"]
            if connection_type in ("all", "Filesystem")
            else []
        )

    def get_instance_info(self) -> Any:
        """Return what is told of this installation."""
        raise NotImplementedError("there is no instance: brinery doctor tells of this machine")
