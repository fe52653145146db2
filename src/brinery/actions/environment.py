"""Which environment a model is loaded in: this one, or one that is built for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from brinery.flavors import compatibility
from brinery.records.difference import Difference, Level
from brinery.records.requirements import Requirements
from brinery.records.scan import ScanReport
from brinery.records.version import Environment
from brinery.store import requirements
from brinery.store.environments import Environments

AUTO = "auto"
CURRENT = "current"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A model whose environment is asked for.

    Attributes:
        report: its scan.
        file: its name, for the messages.
        stated: what lies beside it says that it needs; None where nothing does.
        own: top-level modules that the user brings along.
    """

    report: ScanReport
    file: str
    stated: Requirements | None = None
    own: Collection[str] = ()

    def differences(self, environment: Environment | None = None) -> tuple[Difference, ...]:
        """Return how an environment, the current one when None, differs from the model's."""
        return compatibility.differences(
            self.report, stated=self.stated, environment=environment, own=self.own
        )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Where a model is to be loaded.

    Attributes:
        differences: of the current environment, worst first; those that are errors are why
            another one is needed.
        needed: what an environment must be built of; None where the current one will do.
    """

    differences: tuple[Difference, ...]
    needed: Requirements | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """A built environment.

    Attributes:
        environment: its record, without the packages that the model uses.
        python: the program to start the model's process with.
        differences: between it and what the model was written with, worst first; none is an
            error.
    """

    environment: Environment
    python: Path | None
    differences: tuple[Difference, ...]


def choose(word: str, question: Question) -> Choice:
    """Return whether the current environment will do, and else what to build.

    Args:
        word: `auto`, `current`, or the path of a file that states the environment.
        question: of which model.

    Raises:
        NotAModel, ClassNotImportable: no environment can load it.
        LibraryMissing, LibraryMismatch: the current one cannot, and no other was asked for or
            would help.
        SettingsError: the file cannot be read.
    """
    compatibility.check_contents(question.report, question.file)
    if word not in {AUTO, CURRENT}:
        return Choice(differences=(), needed=requirements.read(Path(word)))
    found = question.differences()
    if word == AUTO:
        if question.stated is None or not question.stated.packages:
            beyond = [one for one in found if not compatibility.buildable(one)]
            compatibility.refuse(beyond, question.file)
        if any(difference.level is Level.ERROR for difference in found):
            needed = compatibility.wanted(question.report, question.stated)
            return Choice(differences=found, needed=needed)
    compatibility.refuse(found, question.file)
    return Choice(differences=found)


def settle(planned: Environment, question: Question, *, environments: Environments) -> Place:
    """Return an environment for a model, built where it is not there yet.

    Args:
        planned: what `Environments.plan` returned for `Choice.needed`.
        question: of which model.
        environments: of the workspace; their `has` tells whether anything will be built.

    Raises:
        EnvironmentUnavailable: it cannot be built here.
        LibraryMissing, LibraryMismatch: the file that the user named states another one than the
            model can be loaded in.
    """
    python = environments.ensure(planned)
    found = question.differences(planned)
    compatibility.refuse(found, question.file)
    return Place(environment=planned, python=python, differences=found)


def outline(needed: Requirements) -> str:
    """Return requirements in a few words, such as `Python 3.10, scikit-learn==1.0.2`."""
    exact = [line for line in needed.packages if "==" in line] or list(needed.packages)
    python = [f"Python {needed.python}"] if needed.python else []
    return ", ".join([*python, *exact])
