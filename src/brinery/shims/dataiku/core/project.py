"""A project, as scripts ask about it."""

from __future__ import annotations

from typing import Any, Dict, Optional

from brinery_shims import projects
from brinery_shims.gateway import call


class Project:
    """A project of the workspace.

    Args:
        project_key: the default one when None.
    """

    def __init__(self, project_key: Optional[str] = None) -> None:
        self.project_key = project_key or projects.default()

    def get_last_metric_values(self) -> Any:
        """Refuse: metrics of a project are not kept."""
        raise NotImplementedError(
            "metrics of a project are not supported by Brinery; use Dataset.get_last_metric_values"
        )

    def get_metric_history(self, metric_lookup: Any) -> Any:
        """Refuse: metrics of a project are not kept."""
        return self.get_last_metric_values()

    def get_variables(self) -> Dict[str, Any]:
        """Return the variables, `standard` and `local`."""
        found: Dict[str, Any] = call("projects.variables", project=self.project_key)
        return found

    def set_variables(self, variables: Dict[str, Any]) -> None:
        """Give the variables other values, `standard` and `local`."""
        for kind in ("standard", "local"):
            values = variables.get(kind, {})
            call(
                "projects.set_variables",
                project=self.project_key,
                values=values,
                kind=kind,
                whole=True,
            )
