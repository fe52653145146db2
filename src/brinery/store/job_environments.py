"""The environments of jobs: found in no time where they are there, built by a process where not.

What a step declares is looked up by the digest of its own words, so that a warm one costs the
reading of one small file. The shared environment is never written to by a step: each attempt has
an overlay, a virtual environment of a few links that sees the shared one and takes what the job
installs itself. Nothing heavy is imported here: this is on the way of every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brinery.records.plan import Software

CURRENT = "current"

# Names, labels and images to requirements, or to `current`.
Table = Mapping[str, list[str] | str]


@dataclass(frozen=True)
class Prepared:
    """An environment that a step can be started in.

    Attributes:
        python: its interpreter.
        key: digest of what is in it: the lock, the minor version of Python, the platform.
        changes: what is otherwise than declared, a line each; to be printed once for each job.
        packages: the `site-packages` that steps share; None of a bare one.
        lock: every distribution in it, such as `numpy==1.23.5`.
    """

    python: Path
    key: str
    changes: tuple[str, ...] = ()
    packages: Path | None = None
    lock: tuple[str, ...] = field(default=(), repr=False)


class JobEnvironments:
    """The environments of a workspace's jobs.

    Args:
        folder: where they lie; `workspace.environments`.
        table: `[environments.map]` of the settings.
        current: whether every step runs in the Python that runs Brinery.
    """

    def __init__(self, folder: Path, *, table: Table, current: bool = False) -> None:
        self._folder = folder
        self._table = table
        self._current = current

    def definition(self, software: Software) -> str:
        """Return the digest of what is declared, and of what the table says of it.

        Nothing is built or resolved for it, so that it can be part of a step's key.
        """
        return ""

    def find(self, software: Software, *, logs: bool = False) -> Prepared | None:
        """Return the environment of a step where it is there; None where it is to be built."""
        return None

    def prepare(self, software: Software, *, logs: bool = False) -> Prepared:
        """Return the environment of a step, built where it is not there.

        Args:
            software: that the step declares; a registered one is to be looked up before.
            logs: whether the step imports MLflow, so that it is added where it is not named.

        Raises:
            EnvironmentUnavailable: it cannot be built; the message names the requirement, the hint
                the table to write.
            SettingsError: its conda file or its requirements cannot be read.
        """
        return Prepared(Path(), "")


def imports_mlflow(code: Path | None, command: str) -> bool:
    """Return whether a step's command, or a Python file of its code, imports MLflow."""
    return False


def overlay(prepared: Prepared, folder: Path, *, path: str) -> Mapping[str, str]:
    """Return the variables of a step that runs in an overlay, which is made.

    `python`, `pip`, `python -m pip` and the programs of the environment are the overlay's: what the
    step installs lands there, hides what is shared, and goes with the folder.

    Args:
        prepared: the environment.
        folder: of the overlay; made, one for each attempt of a step.
        path: the `PATH` that the overlay's programs come before.
    """
    return {}
