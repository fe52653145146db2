"""Where MLflow logs to: a managed folder, for as long as something is active that says so.

MLflow is told by the variables that any version of it reads, and forgets what it was told by calls;
its child processes are told the same.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Dict, List, Optional

from brinery_shims import notes, setup
from brinery_shims.gateway import call

_URI = "MLFLOW_TRACKING_URI"
_CONTEXT = "MLFLOW_RUN_CONTEXT"
# What would have a run be another than a new one in an experiment that the script names.
_FORGOTTEN = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_REGISTRY_URI")
_OURS = (_URI, _CONTEXT, "MLFLOW_EXPERIMENT_NAME", *_FORGOTTEN)
# Of MLflow's module of functions: the id that `set_experiment` chose.
_EXPERIMENT = "_active_experiment_id"

_ACTIVE: List[Active] = []
# What was so before the first was active.
_BEFORE: List[_Told] = []


class _Told:
    """What MLflow is told at this moment, to be told again.

    A script's `set_experiment` counts for the folder that it was called in, and once another folder
    is active no more.
    """

    def __init__(self) -> None:
        self.variables: Dict[str, Optional[str]] = {name: os.environ.get(name) for name in _OURS}
        self._experiment: Optional[str] = getattr(_fluent(), _EXPERIMENT, None)

    def again(self, mlflow: Any) -> None:
        """Have MLflow be told it."""
        _forget(mlflow)
        _set(self.variables)
        if self._experiment is not None:
            setattr(_fluent(), _EXPERIMENT, self._experiment)


class Active:
    """A folder that MLflow logs into, until it is cleared.

    Args:
        folder: its id, or `PROJECT.id`; empty for the default one.
        project: key of the project that the id is of.
        host: address of another MLflow; the workspace's when None.

    Raises:
        DataikuException: there is no such folder.
    """

    def __init__(self, folder: str, project: str, host: Optional[str]) -> None:
        found = call("mlflow.set_up", folder=folder, project="" if "." in folder else project)
        uri = host or setup.told()["tracking_uri"].rstrip("/") + found["path"]
        self.variables: Dict[str, Optional[str]] = {
            _URI: uri,
            "MLFLOW_EXPERIMENT_NAME": found["experiment"],
            **dict.fromkeys(_FORGOTTEN),
        }
        self.tags: Dict[str, str] = found["tags"]
        # What it was when another became active.
        self.told: Optional[_Told] = None
        import mlflow

        if _ACTIVE:
            _ACTIVE[-1].told = _Told()
        else:
            _BEFORE.append(_Told())
        # A run of another place cannot go on in this one.
        mlflow.end_run()
        _ACTIVE.append(self)
        _forget(mlflow)
        _set(self.variables)
        refresh()

    def clear(self) -> None:
        """Have MLflow log to where it did before."""
        if self not in _ACTIVE:
            return
        last = _ACTIVE[-1] is self
        _ACTIVE.remove(self)
        if not last:
            return
        import mlflow

        mlflow.end_run()
        told = _ACTIVE[-1].told if _ACTIVE else _BEFORE.pop()
        if told is not None:
            told.again(mlflow)
        refresh()


def clear_all() -> None:
    """Have MLflow log to where it did before anything was active."""
    while _ACTIVE:
        _ACTIVE[-1].clear()


def folder_id(given: Any) -> str:
    """Return the id of the folder that a script means, with its project's key where it is known.

    Raises:
        TypeError: it is no folder.
    """
    if isinstance(given, str):
        return given
    kind = type(given)
    where = f"{kind.__module__}.{kind.__name__}"
    if where == "dataiku.core.managed_folder.Folder":
        name: str = given.name
        return name
    if where == "dataikuapi.dss.managedfolder.DSSManagedFolder":
        return f"{given.project.project_key}.{given.id}" if given.id else ""
    raise TypeError('Type of managed_folder must be "str", "DSSManagedFolder" or "dataiku.Folder".')


def refresh() -> None:
    """Have runs that begin from now on be tagged with what was said by now."""
    if not _ACTIVE:
        return
    before = _BEFORE[0].variables[_CONTEXT]
    known = json.loads(before) if before else {}
    os.environ[_CONTEXT] = json.dumps({**known, **_ACTIVE[-1].tags, **notes.tags()})


def tag_active_run() -> None:
    """Tag the run that goes on with what was said by now."""
    mlflow = sys.modules.get("mlflow")
    if mlflow is None or not _ACTIVE:
        return
    run = mlflow.active_run()
    if run is not None:
        for key, value in notes.tags().items():
            if run.data.tags.get(key) != value:
                mlflow.set_tag(key, value)


def _forget(mlflow: Any) -> None:
    """Have MLflow forget what it was told by calls, so that it reads its variables."""
    mlflow.set_tracking_uri(None)
    if hasattr(_fluent(), _EXPERIMENT):
        setattr(_fluent(), _EXPERIMENT, None)


def _fluent() -> Any:
    """Return MLflow's module of functions; None while it is not imported."""
    return sys.modules.get("mlflow.tracking.fluent")


def _set(variables: Dict[str, Optional[str]]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
