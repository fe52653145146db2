"""Where a model is loaded: in which Python, and with how much to use."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from brinery.actions.rooms import Rooms
from brinery.flavors.model_process import ModelProcess, start_process
from brinery.pickles.child import ChildProcess
from brinery.pickles.limits import Limits
from brinery.records.artifact import Artifact
from brinery.records.version import Environment, Version
from brinery.registry.interface import imported
from brinery.store.environments import Environments

_log = logging.getLogger("brinery")


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A Python, and what a model's process may use in it.

    Attributes:
        environment: the one that was built for the model; None for the current one.
        python: its interpreter; None for this one.
        limits: of the process.
        timeout_s: for each answer.
    """

    environment: Environment | None
    python: Path | None
    limits: Limits
    timeout_s: float

    def start(self, modules: tuple[str, ...]) -> ChildProcess:
        """Return a process that a model can be loaded in later, and that imports meanwhile."""
        return start_process(
            timeout_s=self.timeout_s, modules=modules, limits=self.limits, python=self.python
        )

    def process(self, path: Path, *, artifact: Artifact, code: Path | None) -> ModelProcess:
        """Return a model, loaded."""
        return ModelProcess(
            path,
            artifact=artifact,
            code=code,
            timeout_s=self.timeout_s,
            limits=self.limits,
            python=self.python,
        )


def seat_of(rooms: Rooms, version: Version) -> Seat:
    """Return where a registered version is loaded, its environment built again where it is gone.

    Raises:
        NotServable: it was not imported by Brinery.
        EnvironmentUnavailable: its environment cannot be built here and now.
    """
    environment = imported(version).environment
    environments = Environments(rooms.workspace.environments)
    if not environments.has(environment):
        _log.warning("the environment of %s is gone: it is built again", version.reference)
    return Seat(
        environment=environment if environment.built else None,
        python=environments.ensure(environment),
        limits=limits(rooms),
        timeout_s=rooms.settings.model.timeout_s,
    )


def process_of(rooms: Rooms, version: Version) -> ModelProcess:
    """Return a registered version, loaded as it was when it was imported.

    Raises:
        NotServable: it was not imported by Brinery.
        EnvironmentUnavailable: its environment cannot be built here and now.
        ModelFileError: its file is not the one that was registered.
    """
    return seat_of(rooms, version).process(
        rooms.registry.model_file(version),
        artifact=imported(version).artifact,
        code=rooms.registry.code_folder(version),
    )


def limits(rooms: Rooms, *, cpu_s: float | None = None) -> Limits:
    """Return what a model's process may use, by the settings of the workspace."""
    sandbox = rooms.settings.sandbox
    return Limits(
        memory_gb=sandbox.memory_gb,
        scratch_gb=sandbox.scratch_gb,
        cpu_s=cpu_s,
        require=sandbox.require_sandbox,
    )
