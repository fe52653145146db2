"""`dataiku` and `dataikuapi` in a notebook: on the path, and answered, while a block runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from brinery.actions.job_gateway import MODULES, VARIABLE, Told, listening, said
from brinery.actions.job_tracking import shared_tracking
from brinery.actions.run_script import shims_of
from brinery.store.workspace import Workspace

_NAMES: Final = ("dataiku", "dataikuapi", "brinery_shims")
_NO_PROXY: Final = ("NO_PROXY", "no_proxy")
_HOST: Final = "127.0.0.1"


@contextmanager
def shims(
    *,
    workspace: str | os.PathLike[str] | None = None,
    project: str = "",
    without: Sequence[str] = (),
    mirrors: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Have `import dataiku` and `import dataikuapi` find Brinery's while the block runs.

    They answer for the workspace, as in a script that `brinery run` runs; compatibility steps are
    taken likewise. Afterwards this process is as it was: path, variables, modules and MLflow. What
    was imported in the block answers nothing after it.

    Args:
        workspace: its folder; when None, `BRINERY_WORKSPACE`, or the nearest `brinery.toml`
            upwards, or the current folder.
        project: key of what is taken for the default project.
        without: names of compatibility steps that are switched off; `all` for every one.
        mirrors: addresses, or beginnings of addresses, to the paths that stand for them.

    Raises:
        SettingsError: the workspace, a compatibility step or a mirror is wrong.
    """
    chosen = workspace or os.environ.get("BRINERY_WORKSPACE")
    found = Workspace.find(Path(chosen) if chosen else None)
    found.prepare()
    asked = shims_of(found, project=project, without=without, mirrors=mirrors or {})
    with ExitStack() as stack:
        tracking = stack.enter_context(shared_tracking(found))
        told = Told(
            workspace=str(found.root),
            project=asked.project,
            without=asked.without,
            tracking_uri=tracking.uri,
        )
        gateway = stack.enter_context(listening(told))
        spared = {name: _with_host(os.environ.get(name, "")) for name in _NO_PROXY}
        variables = {
            **spared,
            VARIABLE: said(gateway.place, told, mirrors=asked.mirrors, libraries=asked.libraries),
            # The address is that of this block alone.
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        }
        stack.enter_context(_variables(variables))
        stack.enter_context(_modules([*asked.libraries, str(MODULES)]))
        hooks = import_module("brinery_shims.hooks").install()
        stack.callback(hooks.remove)
        yield
        _clear_handles()


@contextmanager
def _variables(changed: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process while the block runs."""
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _modules(folders: Sequence[str]) -> Iterator[None]:
    """Have folders first on the path while the block runs, and forget what came from them."""
    before = _taken()
    sys.path[0:0] = folders
    try:
        yield
    finally:
        for folder in folders:
            if folder in sys.path:
                sys.path.remove(folder)
        _taken()
        sys.modules.update(before)


def _taken() -> dict[str, ModuleType]:
    """Take the modules of these names away, and return them."""
    found = [name for name in sys.modules if name.partition(".")[0] in _NAMES]
    return {name: sys.modules.pop(name) for name in found}


def _clear_handles() -> None:
    """Have MLflow be what it was, where the block left it set up."""
    tracking = sys.modules.get("brinery_shims.tracking")
    if tracking is not None:
        tracking.clear_all()


def _with_host(names: str) -> str:
    return names if _HOST in names.split(",") else ",".join([*filter(None, [names]), _HOST])
