"""What the engine of jobs asks of others: an interpreter, MLflow runs, where data lies.

Each is one small protocol. They are met by `job_software`, `job_tracking` and `store.job_data`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from brinery.records.job import JobRun, Made, Status
from brinery.records.plan import Data, DataType, Software, Step


class Interpreter(Struct, frozen=True, kw_only=True):
    """An environment that is ready.

    Attributes:
        python: absolute path of its interpreter; its folder is put first on PATH.
        variables: of the step, beside its own.
        notes: what was changed of what was declared, a line each.
        overlay: absolute folder of what is the attempt's own of it; empty where nothing is.
        software: what is declared, and what that is registered as.
        imported: names that the step's code imports, and that it was made to have.
    """

    python: str
    variables: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    overlay: str = ""
    software: Software = Software()
    imported: tuple[str, ...] = ()


class SoftwareProvider(Protocol):
    """Finds the Python that a step declares. Called by several threads."""

    def key(self, step: Step, /) -> str:
        """Return the text that a step's key has of its environment: its definition, not its place.

        Nothing is built for it, and it is asked of every step.
        """
        ...

    def ready(self, step: Step, folder: Path, /) -> Interpreter:
        """Return the interpreter of an attempt, built where it was not yet.

        Args:
            step: as it was planned.
            folder: of the attempt; what it installs itself may go below it.

        Raises:
            EnvironmentUnavailable: it cannot be set up here.
        """
        ...


class TrackingProvider(Protocol):
    """Knows the MLflow runs of a job."""

    def open(self, job: JobRun, /) -> None:
        """Begin to listen; nothing is started before a step connects."""
        ...

    def run_id(self, step: Step, label: str, /) -> str:
        """Return the id that the run of a step, or of one of its attempts, has; "" for none."""
        ...

    def variables(self, step: Step, label: str, /) -> Mapping[str, str]:
        """Return the variables that MLflow needs in a step, or in one of its attempts."""
        ...

    def ended(self, run_id: str, status: Status, /) -> None:
        """Tell that a run is over."""
        ...

    def tag(self, run_id: str, tags: Mapping[str, str], /) -> None:
        """Tell more of a run that was begun."""
        ...

    def close(self, job: JobRun, /) -> None:
        """Write down what MLflow is yet to be told, and end the server where one was started."""
        ...


class DataProvider(Protocol):
    """Knows where data lies, and what it is registered as."""

    def resolve(self, data: Data, /) -> str:
        """Return the absolute path at which data can be read, when the step starts.

        Raises:
            UserError: there is none.
        """
        ...

    def destination(self, uri: str, /) -> str:
        """Return the absolute path that an output with an address is put at.

        Args:
            uri: absolute path or `azureml://datastores/D/paths/P`, filled in.

        Raises:
            UserError: nothing can be written there.
        """
        ...

    def stored(self, uri: str, path: str, /) -> None:
        """Take what now lies at a destination to where the address says, if that is elsewhere."""
        ...

    def lost(self, uri: str, made: Made, /) -> bool:
        """Return whether what was put at an address is gone for good, and cannot be put again."""
        ...

    def register_data(
        self, name: str, version: str, /, *, made: Made, kind: DataType, job: str
    ) -> str:
        """Return the version under which an output was registered as a data asset."""
        ...


class OwnPython:
    """The interpreter that runs us, whatever a step declares: `--environment current`."""

    def key(self, step: Step, /) -> str:
        """Return what is declared: the interpreter is another on the next machine."""
        del step
        return f"current {sys.version_info.major}.{sys.version_info.minor}"

    def ready(self, step: Step, folder: Path, /) -> Interpreter:
        """Return our own interpreter."""
        del step, folder
        return Interpreter(python=sys.executable)
