"""The Python of each step of a job: looked up, or built, and overlaid for each attempt."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from brinery.actions.job_providers import Interpreter
from brinery.records.plan import Software, Step
from brinery.specs import job_settings
from brinery.store.job_environments import JobEnvironments, imports, overlay
from brinery.store.workspace import Workspace

# What Python, or what may start it, is called.
_PYTHON: Final = re.compile(r"py|pip|conda|\buv|env|sh\b|exec|eval|source|xargs|make|\./|`|\$\(")
_OVERLAY: Final = "environment"

# A registered environment's name and version or label, to what it is; None where there is none.
Registered = Callable[[str], Software | None]


class StepSoftware:
    """Finds the Python that a step declares; see `job_providers.SoftwareProvider`.

    Args:
        environments: of the workspace.
        path: the `PATH` that steps find programs on, beside those of their environment.
        registered: looks up an environment that is declared by name.
    """

    def __init__(
        self,
        environments: JobEnvironments,
        *,
        path: str,
        registered: Registered = lambda _: None,
    ) -> None:
        self._environments = environments
        self._path = path
        self._registered = registered

    def key(self, step: Step, /) -> str:
        """Return the digest of what is declared; nothing is built for it."""
        return self._environments.definition(self._known(step))

    def ready(self, step: Step, folder: Path, /) -> Interpreter:
        """Return the interpreter of an attempt, whose environment is built where it was not yet.

        Args:
            step: as it was planned.
            folder: of the attempt; what it installs itself goes into a folder there.

        Raises:
            EnvironmentUnavailable: it cannot be built here.
            SettingsError: what declares it cannot be read.
        """
        software = self._known(step)
        imported = imports(step.code, step.command)
        prepared = self._environments.prepare(software, imported=imported)
        if not prepared.packages and _is_shell(step):
            # Plain tools: an overlay takes longer than what they do.
            return Interpreter(
                python=prepared.program,
                variables={**prepared.variables, "PATH": self._path},
                notes=prepared.changes,
            )
        place = _free(folder / _OVERLAY)
        variables = overlay(prepared, place, path=self._path)
        return Interpreter(
            python=str(place / "bin" / "python"),
            variables=dict(variables),
            notes=prepared.changes,
            overlay=str(place),
            software=software,
            imported=imported,
        )

    def _known(self, step: Step) -> Software:
        """Return what a step declares, with what its name is registered as."""
        software = step.software
        if not software.reference or software.image or software.conda or software.dockerfile:
            return software
        found = self._registered(software.reference)
        return replace(found, reference=software.reference) if found else software


def step_software(
    workspace: Workspace,
    *,
    environ: Mapping[str, str],
    current: bool = False,
    registered: Registered = lambda _: None,
) -> StepSoftware:
    """Return what finds the Python of each step in a workspace.

    Args:
        workspace: whose environments and settings count.
        environ: variables of this process, of which steps have the `PATH`.
        current: whether every step runs in the Python that runs Brinery.
        registered: looks up an environment that is declared by name.

    Raises:
        SettingsError: `[environments.map]` is wrong.
    """
    table = job_settings.read(workspace.settings_file).environment_map
    return StepSoftware(
        JobEnvironments(workspace.environments, table=table, current=current),
        path=_path(environ, keep_ours=current),
        registered=registered,
    )


def _path(environ: Mapping[str, str], *, keep_ours: bool) -> str:
    """Return a `PATH` without the programs of the virtual environment that Brinery is in."""
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    ours = Path(sys.prefix, "bin")
    return os.pathsep.join(each for each in folders if keep_ours or Path(each) != ours)


def _is_shell(step: Step) -> bool:
    """Return whether nothing in a step that runs no code of its own would be Python."""
    return not (step.code or step.includes or _PYTHON.search(step.command))


def _free(place: Path) -> Path:
    """Return a path that nothing lies at: an earlier attempt may have left its own."""
    found, number = place, 1
    while found.exists():
        number += 1
        found = place.with_name(f"{place.name}-{number}")
    return found
