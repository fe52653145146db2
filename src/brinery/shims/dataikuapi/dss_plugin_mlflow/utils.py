"""MLflow, set up to log into a managed folder while a handle is active."""

from __future__ import annotations

from typing import Any, Optional

from brinery_shims import tracking


class MLflowHandle:
    """MLflow that logs into a managed folder, from when it is made until `clear` or a block's end.

    Handles nest: the last one that is active counts; when all are cleared MLflow is what it was.

    Args:
        client: a `DSSClient`.
        project: a `DSSProject`.
        managed_folder: an id or `PROJECT.id`, a `DSSManagedFolder`, or a `dataiku.Folder`; an empty
            id means the default folder.
        host: address of another MLflow, which is asked instead of the workspace's.

    Raises:
        TypeError: the folder is none of these.
        DataikuException: there is no such folder.
    """

    def __init__(
        self, client: Any, project: Any, managed_folder: Any, host: Optional[str] = None
    ) -> None:
        self.client = client
        self.project = project
        self.project_key = project.project_key
        self._active = tracking.Active(tracking.folder_id(managed_folder), self.project_key, host)
        self.mlflow_env = self._active.variables

    def __enter__(self) -> Any:
        """Return the module `mlflow`."""
        return self.import_mlflow()

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        """Have MLflow be what it was before."""
        self.clear()

    def clear(self) -> None:
        """Have MLflow be what it was before; once is enough."""
        self._active.clear()

    def import_mlflow(self) -> Any:
        """Return the module `mlflow`."""
        import mlflow

        return mlflow
