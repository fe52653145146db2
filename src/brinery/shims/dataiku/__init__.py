"""The `dataiku` of a script that Brinery runs: datasets, folders and models of its workspace.

It asks Brinery's gateway (`brinery_shims`); what is not asked for is not imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Optional

from brinery_shims.gateway import wake

if TYPE_CHECKING:
    from dataiku.core.dataset import Dataset
    from dataiku.core.managed_folder import Folder
    from dataiku.core.model_evaluation_store import ModelEvaluationStore
    from dataiku.core.project import Project
    from dataiku.core.saved_model import Model

__all__ = [
    "Dataset",
    "Folder",
    "Model",
    "ModelEvaluationStore",
    "Project",
    "api_client",
    "default_project_key",
    "get_custom_variables",
    "pandasutils",
    "recipe",
    "set_default_project_key",
]

_HOMES = {
    "Dataset": "dataiku.core.dataset",
    "Folder": "dataiku.core.managed_folder",
    "Model": "dataiku.core.saved_model",
    "ModelEvaluationStore": "dataiku.core.model_evaluation_store",
    "Project": "dataiku.core.project",
}
_MODULES = (
    "customrecipe",
    "customwebapp",
    "insights",
    "pandasutils",
    "recipe",
    "scenario",
    "spark",
)

# Names that there are in the original, and what does the same here.
_INSTEAD = {
    "SQLExecutor2": "SQLAlchemy, or brinery dataset create NAME --table TABLE",
    "HiveExecutor": "SQLAlchemy",
    "ImpalaExecutor": "SQLAlchemy",
    "Knowledgebank": "a library of its own",
    "StreamingEndpoint": "a dataset",
    "get_flow_variables": "get_custom_variables",
    "get_connection": "[datastores] in brinery.toml",
    "SQLExecutor": "SQLAlchemy",
    "dku_flow_variables": "get_custom_variables",
    "set_remote_dss": "brinery --workspace PATH run SCRIPT, or brinery.shims(workspace=PATH)",
    "clear_remote_dss": "brinery run SCRIPT, which asks the workspace and no other server",
    "use_plugin_libs": "modules in lib/python of the workspace, which can be imported as they are",
    "import_plugin_lib": "modules in lib/python of the workspace, imported as they are",
}


def api_client() -> Any:
    """Return a client of Brinery's workspace, a `dataikuapi.DSSClient`."""
    from dataikuapi.dssclient import DSSClient

    return DSSClient("brinery", internal_ticket="brinery")


def default_project_key() -> str:
    """Return the key of the project that is meant where none is named."""
    from brinery_shims import projects

    return projects.default()


def set_default_project_key(project_key: str) -> None:
    """Have another project meant where none is named, in this process."""
    from brinery_shims import projects

    projects.choose(project_key)


def get_custom_variables(project_key: Optional[str] = None, typed: bool = False) -> Dict[str, Any]:
    """Return the variables of a project, those of this installation before its standard ones.

    The project's key is one, `projectKey`, unless there is another of that name.

    Args:
        project_key: of the project; the default one when None.
        typed: whether values are what they are; texts otherwise.
    """
    from brinery_shims import projects
    from brinery_shims.gateway import call

    key = project_key or projects.default()
    kinds = call("projects.variables", project=key)
    found = {"projectKey": key, **kinds["standard"], **kinds["local"]}
    return found if typed else {name: _text(value) for name, value in found.items()}


def _text(value: Any) -> str:
    """Return a variable as a text; what is no text as JSON has it."""
    import json

    return value if isinstance(value, str) else json.dumps(value)


def __getattr__(name: str) -> Any:
    """Return a public name, importing its module at its first use."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _MODULES:
        return import_module("dataiku." + name)
    if name in _INSTEAD:
        from brinery_shims.unsupported import refusal

        raise refusal(f"dataiku.{name} is not supported by Brinery; use {_INSTEAD[name]}")
    raise AttributeError(f"module 'dataiku' has no attribute '{name}'")


wake()
