"""A loop: what trains a model again, what it is evaluated on, which gate it passes, and when.

    name: bank-weekly
    train:
      command: python train.py --data {data}
      model: model.pkl
      inputs: {data: ./incoming}
    evaluate: {data: ./holdout.csv, target: y}
    gate: default
    trigger: {cron: "0 6 * * 1", new_data: ./incoming/*.csv}
    on_failure: keep

Paths are those of the file's own folder. Nothing is run here.
"""

from __future__ import annotations

import glob
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from brinery.errors import BrineryError, InvalidLoop
from brinery.specs import yaml_model
from brinery.specs.names import check_name, nearest
from brinery.specs.schedule import Schedule, check_cron, check_timezone
from brinery.specs.yaml_file import Refusal

OUTPUT: Final = "output"

_REFUSAL: Final = Refusal(InvalidLoop, "docs/how-to/loop.md shows how a loop is written")
_PLACE: Final = re.compile(r"\$\{\{inputs\.(\w+)\}\}|\{([A-Za-z_]\w*)\}")
_SPACED: Final = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")
_SHELL: Final = frozenset({"&&", "||", "|", ";", ">", ">>", "<", "&", "2>", "2>&1"})
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


class OnFailure(StrEnum):
    """What a loop does after a turn that failed; the champion stays in either case."""

    KEEP = "keep"
    STOP = "stop"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Training(_Part):
    """What trains: a command that leaves a model file, or a run in MLflow; or a job."""

    command: tuple[str, ...] = Field((), description="the program and its arguments, no shell")
    job: str = Field("", description="a job file, in place of a command")
    model: str = Field(
        "", description="what it leaves: a path or a pattern, of a job an output; a run when empty"
    )
    inputs: dict[str, str] = Field({}, description="names to paths, for {NAME} in the command")
    timeout_s: float = Field(86_400.0, gt=0, allow_inf_nan=False, description="seconds it may take")

    @field_validator("command", mode="before")
    @classmethod
    def _is_a_command(cls, given: object) -> object:
        return _words(given)

    @field_validator("inputs", mode="before")
    @classmethod
    def _are_paths(cls, given: object) -> object:
        return _paths(given)

    @model_validator(mode="after")
    def _has_one_program(self) -> Training:
        if bool(self.command) == bool(self.job):
            told = "both" if self.job else "none of them"
            raise ValueError(f"needs one of command and job, and has {told}")
        _check_places(self)
        return self


class Evaluating(_Part):
    """What a model is evaluated on, and judged by the gate."""

    data: str = Field(min_length=1, description="csv, Parquet or JSON lines, with the target")
    target: str = Field(min_length=1, description="the column with the truth")
    sep: str | None = Field(None, description="the separator of a csv file; found when absent")


class Importing(_Part):
    """On what terms a model is imported, as `brinery import` has them."""

    trust: tuple[str, ...] = Field((), description="names it may ask for")
    code: str = Field("", description="the folder of your own modules that it needs")
    environment: str = Field("current", description="current, auto, or a requirements file")


class Triggering(_Part):
    """What begins a turn."""

    cron: str = Field("", description="when a turn is due")
    timezone: str = Field("UTC", description="of the expression")
    new_data: str = Field("", description="a pattern of files; no new one, no training")

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, cron: str) -> str:
        return check_cron(cron)

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        return check_timezone(name)

    @model_validator(mode="after")
    def _has_one(self) -> Triggering:
        if not self.cron and not self.new_data:
            raise ValueError("has neither cron nor new_data")
        return self

    @property
    def schedule(self) -> Schedule | None:
        """Return when turns are due; None where only new data begins them."""
        return Schedule(self.cron, self.timezone) if self.cron else None


class Loop(_Part):
    """What `loop.yml` declares."""

    name: str = Field(description="of the loop")
    model: str = Field("", description="name of the registered model; that of the loop when empty")
    train: Training
    evaluate: Evaluating
    importing: Importing = Field(Importing(), alias="import")
    gate: str = Field("default", min_length=1, description="a gate of brinery.toml, or a file")
    trigger: Triggering | None = Field(None, description="by hand alone when absent")
    on_failure: OnFailure = OnFailure.KEEP

    @field_validator("name", "model")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        try:
            return check_name(name) if name else name
        except BrineryError as error:
            raise ValueError(error.message) from None

    @property
    def registers(self) -> str:
        """Return the name of the registered model."""
        return self.model or self.name


@dataclass(frozen=True)
class Task:
    """What is run to train, every path absolute.

    Attributes:
        command: program and arguments, with `{NAME}` where inputs are filled in; none of a job.
        folder: that it runs in; that of the file of a job.
        inputs: name to path.
        model: the path or pattern of the model it leaves, the output of a job; empty where it
            leaves a run, or where a job has one model among its outputs.
        timeout_s: seconds it may take.
        job: file of the job; None of a command.
    """

    command: tuple[str, ...]
    folder: Path
    inputs: Mapping[str, Path]
    model: str
    timeout_s: float
    job: Path | None = None

    @property
    def sets(self) -> list[str]:
        """Return what is set in the file of a job: each `inputs.NAME.path=PATH`."""
        return [f"inputs.{name}.path={path}" for name, path in self.inputs.items()]

    def filled(self, output: Path) -> list[str]:
        """Return the program and its arguments, with paths in the places of inputs.

        Args:
            output: the turn's own folder, for `{output}`.
        """
        if self.job is not None:
            sets = [word for each in self.sets for word in ("--set", each)]
            return ["brinery", "job", "create", "-f", str(self.job), *sets]
        values = {**self.inputs, OUTPUT: output}
        return [
            _PLACE.sub(lambda found: str(values[found[1] or found[2]]), part)
            for part in self.command
        ]

    def left(self, output: Path) -> list[Path]:
        """Return what lies where the model is to be left; none where it is a run, or a job's."""
        if not self.model or self.job is not None:
            return []
        pattern = self.model.replace(f"{{{OUTPUT}}}", glob.escape(str(output)))
        return sorted(Path(path) for path in glob.glob(str(self.folder / pattern)))  # noqa: PTH207 - the pattern may be absolute


@dataclass(frozen=True)
class LoopFile:
    """A loop, and the file that declares it.

    Attributes:
        file: absolute.
        loop: what it declares.
        task: what trains.
    """

    file: Path
    loop: Loop
    task: Task

    @property
    def folder(self) -> Path:
        """Return the folder that its paths begin in."""
        return self.file.parent

    @cached_property
    def data(self) -> Path:
        """Return what models are evaluated on."""
        return self.folder / self.loop.evaluate.data

    @property
    def gate(self) -> str:
        """Return the name of the gate, or the path of its file."""
        gate = self.loop.gate
        named = "/" not in gate and ".toml" not in gate
        return gate if named else str(self.folder / gate)

    @property
    def code(self) -> Path | None:
        """Return the folder of the user's own modules."""
        code = self.loop.importing.code
        return self.folder / code if code else None

    @property
    def environment(self) -> str:
        """Return the environment that the model is loaded in."""
        named = self.loop.importing.environment
        return named if named in ("current", "auto") else str(self.folder / named)

    def watched(self) -> list[Path]:
        """Return the files that the trigger's pattern names, sorted."""
        trigger = self.loop.trigger
        if trigger is None or not trigger.new_data:
            return []
        found = glob.glob(str(self.folder / trigger.new_data), recursive=True)  # noqa: PTH207 - the pattern may be absolute
        return sorted(path for each in found if (path := Path(each)).is_file())

    def check_paths(self) -> None:
        """Return only where everything that a turn reads is there.

        Raises:
            InvalidLoop: something is not; every such path is named.
        """
        missing = [
            f"{self.file}: {key}: {path} does not exist"
            for key, path in self._needed()
            if not path.exists()
        ]
        if missing:
            raise InvalidLoop("; ".join(missing), hint=f"paths begin in {self.folder}")

    def _needed(self) -> Iterator[tuple[str, Path]]:
        yield "evaluate.data", self.data
        yield ("train", self.task.folder) if self.task.job is None else ("train.job", self.task.job)
        for name, path in self.task.inputs.items():
            yield f"train.inputs.{name}", path
        if self.code is not None:
            yield "import.code", self.code


def read(file: Path) -> LoopFile:
    """Return the loop that a YAML file declares.

    Raises:
        InvalidLoop: every fault at once, each with its line and path.
    """
    loop = yaml_model.read(file, Loop, refusal=_REFUSAL)
    return LoopFile(file.absolute(), loop, _task(loop.train, file.absolute()))


def _task(train: Training, file: Path) -> Task:
    job = file.parent / train.job if train.job else None
    return Task(
        command=train.command,
        folder=file.parent if job is None else job.parent,
        inputs={name: file.parent / path for name, path in train.inputs.items()},
        model=train.model,
        timeout_s=train.timeout_s,
        job=job,
    )


def _words(given: object) -> object:
    """Return the words of a command, which is a text or a list of them."""
    if isinstance(given, str):
        try:
            words = shlex.split(_SPACED.sub(r"${{\1}}", given))
        except ValueError as error:
            raise ValueError(f"is not read as a shell would: {str(error).lower()}") from None
        if found := next((word for word in words if word in _SHELL), None):
            raise ValueError(
                f"has '{found}', and no shell runs it; write: [sh, -c, {shlex.quote(given)}]"
            )
    elif isinstance(given, list | tuple):
        words = [str(word) for word in given]
    else:
        raise ValueError("is a text, or a list of words")  # noqa: TRY004 - Pydantic takes no other
    if not words:
        raise ValueError("is empty")
    return tuple(words)


def _paths(given: object) -> object:
    """Return inputs as names and paths; a mapping with `path` is one, as job files have it."""
    if not isinstance(given, dict):
        return given
    for name in given:
        if not _NAME.fullmatch(str(name)) or name == OUTPUT:
            raise ValueError(f"'{name}' is not a name for an input")
    return {
        name: each["path"] if isinstance(each, dict) and "path" in each else each
        for name, each in given.items()
    }


def _check_places(training: Training) -> None:
    for fault in _unknown_places(training.command, {*training.inputs, OUTPUT}):
        raise ValueError(f"command {fault}")


def _unknown_places(command: tuple[str, ...], known: set[str]) -> Iterator[str]:
    """Yield a fault for each `{NAME}` of a command that no input has."""
    for found in _PLACE.finditer(" ".join(command)):
        name = found[1] or found[2]
        if name not in known:
            near = nearest(name, sorted(known))
            told = f": did you mean {{{near}}}?" if near else ""
            yield f"names {found[0]}, which is no input{told}"
