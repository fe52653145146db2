"""What the modules `dataiku` and `dataikuapi` ask: tables of methods, one module for each noun.

A user's script runs in a process of its own, in which nothing of ours can be imported. What it asks
comes here as `noun.verb` and a dict, by way of `web.gateway`; what is answered goes back as JSON.
To add a noun: write `actions/shim_NOUN.py` with `METHODS`, and name it in `NOUNS`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, Final

from msgspec import Struct

from brinery.actions.given_paths import GivenPaths
from brinery.actions.project_rooms import ProjectRooms, open_project_rooms
from brinery.actions.projects import project_key
from brinery.actions.recording import Recorder
from brinery.actions.rooms import Rooms, open_rooms
from brinery.errors import BrineryError
from brinery.records.flow import RecipeCall, Use

# Noun to the module that has a table METHODS: verb to a function of a desk and the arguments.
NOUNS: Final = {
    "datasets": "brinery.actions.shim_datasets",
    "folders": "brinery.actions.shim_folders",
    "details": "brinery.actions.shim_details",
    "evaluations": "brinery.actions.shim_evaluations",
    "models": "brinery.actions.shim_models",
    "mlflow": "brinery.actions.shim_mlflow",
    "notes": "brinery.actions.shim_notes",
    "predictions": "brinery.actions.shim_predictions",
    "projects": "brinery.actions.shim_projects",
    "services": "brinery.actions.shim_services",
    "runs": "brinery.actions.shim_runs",
}

# Errors of Python that are told as what they are, because a script may wait for them.
PYTHON_ERRORS: Final = (TypeError, ValueError, KeyError, NotImplementedError, FileNotFoundError)


class Note(Struct, frozen=True, kw_only=True):
    """What a user is told beside an answer, in one line.

    Attributes:
        step: the compatibility step that was taken, such as `default-folder`; empty for none.
        message: one line.
    """

    step: str = ""
    message: str


class GatewayTask(Struct, frozen=True, kw_only=True):
    """What a gateway is told when it is started.

    Attributes:
        workspace: its folder, absolute.
        fd: the socket that it listens on, which it was given open.
        notes: path of the file that what users were told is appended to, a line of JSON each;
            empty for none.
        project: key of the default project; the workspace's own when empty.
        job: name of the job that the script runs as; empty in a notebook.
        script: absolute path of the script; empty in a notebook.
        without: names of compatibility steps that are switched off; `all` for every one.
        inputs: what the recipe is said to read.
        outputs: likewise, to write.
        run_id: of the job's MLflow run; empty for none.
        tracking_uri: address of the MLflow that the script knows; empty for none.
        store: database of the models and records; as the settings say when None.
        artifacts: bucket or folder of the models' files; as the settings say when None.
        call: how the script was called, where what it reads and writes is recorded; None in a
            notebook.
    """

    workspace: str
    fd: int = -1
    notes: str = ""
    project: str = ""
    job: str = ""
    script: str = ""
    without: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    run_id: str = ""
    tracking_uri: str = ""
    store: str | None = None
    artifacts: str | None = None
    call: RecipeCall | None = None


@dataclass
class Office:
    """What the questions of one gateway have in common.

    Attributes:
        task: whose gateway it is.
    """

    task: GatewayTask

    @cached_property
    def rooms(self) -> Rooms:
        """Return the rooms of the workspace, opened when they are first asked for."""
        return open_rooms(self.task.workspace, store=self.task.store, artifacts=self.task.artifacts)

    @cached_property
    def data(self) -> ProjectRooms:
        """Return the rooms of projects, datasets and folders, likewise."""
        return open_project_rooms(self.task.workspace)

    @cached_property
    def given(self) -> GivenPaths:
        """Return the folders whose paths the script was given."""
        return GivenPaths()

    @cached_property
    def recorder(self) -> Recorder | None:
        """Return the record of what the script reads and writes; None where there is none."""
        if self.task.call is None:
            return None
        key = self.task.project
        return Recorder(self.data, self.task.call, job=self.task.job, project_key=key)

    def record(self, uses: Sequence[Use]) -> None:
        """Have uses on record soon, in their order: a script does not wait for the disk for it."""
        recorder = self.recorder
        if recorder is not None and uses:
            self._recorded.append(self._recording.submit(_recorded, recorder, tuple(uses)))

    def settle(self) -> None:
        """Return once all uses are on record.

        Raises:
            StoreFault: one could not be written.
        """
        while self._recorded:
            self._recorded.pop(0).result()

    @cached_property
    def _recording(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="recording")

    @cached_property
    def _recorded(self) -> list[Future[None]]:
        return []


@dataclass
class Desk:
    """Where one question is answered: whose it is, the rooms, and what is to be told beside.

    Attributes:
        office: of the gateway that was asked.
        notes: what the user is to be told; add to it by `note`.
        uses: of datasets, folders and models; add to them by `used`.
    """

    office: Office
    notes: list[Note] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)

    @property
    def task(self) -> GatewayTask:
        """Return whose gateway this is."""
        return self.office.task

    @property
    def rooms(self) -> Rooms:
        """Return the rooms of the workspace, opened when they are first asked for."""
        return self.office.rooms

    @property
    def data(self) -> ProjectRooms:
        """Return the rooms of projects, datasets and folders, likewise."""
        return self.office.data

    @property
    def without(self) -> Container[str]:
        """Return the compatibility steps that are switched off."""
        return _Any() if "all" in self.task.without else self.task.without

    def project(self, key: str) -> str:
        """Return the key of a project that is there; of the default one where it is empty."""
        return project_key(self.data, key or self.task.project)

    def used(self, use: Use) -> None:
        """Have the run known to have used a dataset, a folder or a model."""
        self.uses.append(use)

    def note(self, message: str, *, step: str = "") -> None:
        """Have the user told something in one line, and recorded on the run where it is a step."""
        self.notes.append(Note(step=step, message=message))


def _recorded(recorder: Recorder, uses: Sequence[Use]) -> None:
    for use in uses:
        recorder.used(use)


class _Any:
    """Holds everything."""

    def __contains__(self, name: object) -> bool:
        return True


Method = Callable[[Desk, Mapping[str, Any]], Any]


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is answered.

    Attributes:
        answer: what the method returned; JSON-able.
        error: `kind`, `code`, `message` and `hint` of what it raised; None where it returned.
        notes: what the user is to be told.
    """

    answer: Any = None
    error: dict[str, str] | None = None
    notes: tuple[Note, ...] = ()


def answer(office: Office, method: str, *, arguments: Mapping[str, Any]) -> Answer:
    """Return what a method answers, or how it failed; nothing that users may cause is raised.

    Args:
        office: of the gateway that is asked.
        method: `noun.verb`.
        arguments: of the method.
    """
    desk = Desk(office)
    try:
        found = method_of(method)(desk, arguments)
        office.record(desk.uses)
    except BrineryError as error:
        said = {"kind": _kind(error), "code": error.code, "message": error.message}
        return Answer(error={**said, "hint": error.hint}, notes=tuple(desk.notes))
    except PYTHON_ERRORS as error:
        kind = next(each for each in PYTHON_ERRORS if isinstance(error, each))
        message = str(error.args[0]) if error.args else ""
        return Answer(error={"kind": kind.__name__, "message": message}, notes=tuple(desk.notes))
    return Answer(answer=found, notes=tuple(desk.notes))


def prepare(office: Office) -> None:
    """Have what most scripts ask first at hand: the default project, and what data is read by."""
    answer(office, "projects.default", arguments={})
    for noun in ("datasets", "folders"):
        import_module(NOUNS[noun])


def method_of(name: str) -> Method:
    """Return the method of a name.

    Raises:
        NotImplementedError: there is none.
    """
    noun, _, verb = name.partition(".")
    methods: Mapping[str, Method] = import_module(NOUNS[noun]).METHODS if noun in NOUNS else {}
    if verb not in methods:
        raise NotImplementedError(f"Brinery answers nothing to {name}")
    return methods[verb]


def _kind(error: BrineryError) -> str:
    """Return what a script finds in the text of an error, as the genuine client has it."""
    return "NotFoundException" if error.code.endswith(("not-found", "missing")) else _named(error)


def _named(error: BrineryError) -> str:
    return f"{type(error).__name__}Exception"
