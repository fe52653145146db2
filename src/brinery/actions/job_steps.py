"""What becomes of one step: looked at, reused or run, and what it left taken in.

Nothing here waits for a step's process; it is called by threads beside the loop of the engine.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from brinery.actions.job_bench import ARTIFACTS, KEPT_FOLDERS, PASSING, StepBench
from brinery.actions.job_inputs import Inputs
from brinery.actions.job_protection import altered
from brinery.actions.job_providers import DataProvider
from brinery.actions.job_rooms import JobRooms
from brinery.actions.job_trees import Trees
from brinery.errors import NotFound
from brinery.pipeline.keys import key_of, parts_of
from brinery.records.job import JobRun, Made, Part, Status, StepRun
from brinery.records.plan import Output, Plan, Step, StepKind
from brinery.runners.interface import Discovered, Outcome
from brinery.specs.expressions import render
from brinery.store.outputs import link, put
from brinery.store.reuse import Earlier
from brinery.store.snapshots import place_of

_HISTORY: Final = 5


class Options(NamedTuple):
    """How a job is run.

    Attributes:
        limit: attempts at once.
        ignore_comments: whether a change of comments in Python files is none.
        told: whether lines that steps write are wanted as they come.
        cancel: is set, by whichever thread or signal, to have the job end.
        earlier: the job and the run that a step is compared with, by its name, where it is not
            that of the job before this one.
    """

    limit: int
    ignore_comments: bool
    told: bool
    cancel: threading.Event
    earlier: Mapping[str, tuple[str, StepRun]] = MappingProxyType({})


class Looked(msgspec.Struct, frozen=True):
    """A step that was looked at.

    Attributes:
        run: what it is now: completed where an earlier run stands for it.
        bench: where it is to be run; None where it is not.
    """

    run: StepRun
    bench: StepBench | None


class History(msgspec.Struct):
    """The jobs of the same file before this one, read when something is to be told of them.

    Args:
        rooms: of the workspace.
        last: name of the newest; empty where there is none.
    """

    rooms: JobRooms
    last: str
    _read: list[JobRun] = msgspec.field(default_factory=list)
    _lock: threading.Lock = msgspec.field(default_factory=threading.Lock)

    def step(self, name: str) -> tuple[str, StepRun] | None:
        """Return the newest run of a step that was looked at, and its job; None for none."""
        with self._lock:
            for number in range(_HISTORY):
                while len(self._read) <= number and self.last:
                    self._next()
                if number >= len(self._read):
                    return None
                for run in self._read[number].steps:
                    if run.name == name and run.parts:
                        return self._read[number].name, run
        return None

    def _next(self) -> None:
        name, self.last = self.last, ""
        # A job that was deleted, or is of a version that wrote otherwise, tells nothing.
        with suppress(NotFound, OSError, msgspec.MsgspecError):
            job, self.last = self.rooms.jobs.read_with_previous(name)
            self._read.append(job)


class Steps:
    """The steps of one job.

    Args:
        rooms: of the workspace.
        plan: of the job.
        name: of the job.
        options: how it is run.
        history: jobs before it.
    """

    def __init__(
        self, rooms: JobRooms, plan: Plan, *, name: str, options: Options, history: History
    ) -> None:
        self._rooms = rooms
        self._plan = plan
        self._name = name
        self._options = options
        self._history = history
        self._folder = rooms.jobs.path(name)
        self._trees = Trees(rooms)
        self._inputs = Inputs(rooms, plan, name=name, trees=self._trees)

    def look(self, step: Step, made: Mapping[str, Mapping[str, Made]], *, attempts: int) -> Looked:
        """Return whether a step is to be run, and what stands for it where it is not.

        Args:
            step: whose inputs are all there.
            made: what other steps left, by their names.
            attempts: how often it was begun.

        Raises:
            UserError: an input is not there, or the environment is not known.
            OSError: an input or the code cannot be read.
        """
        told: dict[str, str] = {}
        compared: dict[str, str] = {}
        for name, value in step.inputs.items():
            found = self._inputs.of(name, value, step=step, made=made)
            if found is not None:
                told[name], compared[name] = found
        environment = self._rooms.software.key(step)
        code = self._trees.code_of(step)
        parts = parts_of(step, code=code, inputs=compared, environment=environment)
        key = key_of(parts)
        run = StepRun(
            name=step.name, status=Status.RUNNING, key=key, parts=parts, attempts=attempts + 1
        )
        why = self._must_run(step)
        if not why:
            earlier, why = self._find(step, key, parts)
            if earlier is not None:
                return Looked(self._reused(step, run, earlier, why=why), None)
        self._trees.remember(parts)
        folder = f"{self._folder}/steps/{step.name}"
        if os.path.islink(folder):  # noqa: PTH114 - a text
            # It stood for another job's step, whose folder is none of ours.
            os.unlink(folder)  # noqa: PTH108 - as above
        bench = StepBench(
            job=self._name,
            plan=self._plan,
            step=step,
            rooms=self._rooms,
            folder=folder,
            inputs=told,
            cores=self._options.limit,
            told=self._options.told,
            key=key,
        )
        run_id = bench.run_of("")
        run = msgspec.structs.replace(run, why=why, run_id=run_id, started=datetime.now(UTC))
        return Looked(run, bench)

    def take(self, run: StepRun, bench: StepBench, *, outcome: Outcome) -> StepRun:
        """Return a step that ended, what it left taken in.

        Raises:
            UserError: an output cannot be put where it was to be.
            OSError: likewise.
        """
        step = bench.step
        outputs: dict[str, Made] = {}
        places = bench.outputs_of(outcome.label)
        _gather(bench.work_of(outcome.label), places[ARTIFACTS])
        complete = outcome.exit_status == 0 and not outcome.error
        known, found = step, outcome.found
        if found is not None and complete:
            known, places = found.step, {**places, **found.outputs}
            run = _known(run, found)
        wanted = [*known.outputs, ARTIFACTS] if complete else [ARTIFACTS]
        for name in dict.fromkeys(wanted):
            if _is_there(places[name], needed=name in known.outputs):
                outputs[name] = self._rooms.outputs.keep(places[name])
        run = msgspec.structs.replace(
            run,
            status=Status.COMPLETED if complete else Status.FAILED,
            ended=datetime.now(UTC),
            exit_status=outcome.exit_status,
            why=run.why if complete else outcome.error,
            outputs=outputs,
            usage=outcome.usage,
        )
        if complete and outputs:
            _turned(bench.folder)
        self._hand_out(step, run)
        # As root they were read-only, and a tree of many files takes a while to look at again.
        if os.geteuid() and (
            said := altered(self._rooms, step, told=bench.inputs, before=_contents(run))
        ):
            bench.notes.append(said)
            self.forget_contents()
        if complete:
            self._clear(bench.folder)
        return run

    def forget_contents(self) -> None:
        """Look at data again that a step may have written to."""
        self._inputs.forget()

    def _clear(self, folder: str) -> None:
        """Put aside what a step needed while it ran; what each of its attempts made stays."""
        for name in os.listdir(folder):  # noqa: PTH208 - names
            if name in PASSING:
                self._rooms.trash.put(f"{folder}/{name}")
            elif name not in ("logs", "outputs"):
                for below in ("run", "work"):
                    self._rooms.trash.put(f"{folder}/{name}/{below}")

    def _must_run(self, step: Step) -> str:
        if not self._plan.pipeline:
            return "a job of one command is never reused"
        if self._plan.force_rerun:
            return "force_rerun is set"
        if not step.deterministic:
            return "is_deterministic is false"
        return ""

    def _find(self, step: Step, key: str, parts: tuple[Part, ...]) -> tuple[Earlier | None, str]:
        """Return a run that stands for a step, and why; or none, and why not."""
        earlier = self._rooms.reuse.find(key)
        if earlier is not None:
            gone = next(
                (
                    name
                    for name, made in earlier.run.outputs.items()
                    if not self._holds(made) or _lost(self._rooms.data, _place_of(step, name), made)
                ),
                None,
            )
            if gone is None:
                return earlier, f"nothing changed since {earlier.job}"
            return None, f"its output {gone} of {earlier.job} is gone or was altered"
        before = self._options.earlier.get(step.name) or self._history.step(step.name)
        self._trees.remember(parts)
        if before is None:
            return None, "it never ran before"
        job, run = before
        if self._options.ignore_comments:
            stands = self._but_comments(step, run, parts)
            if stands is not None:
                return stands, f"only comments changed since {stands.job}"
        if run.key == key:
            said = "failed" if run.status is Status.FAILED else "did not finish"
            if run.status is Status.COMPLETED:
                said = "was stood for by an earlier run" if run.reused else "was not kept"
            return None, f"it {said} in {job}"
        # What a recipe reads is told by its version, which is no tree.
        trees = self._rooms.reuse.tree if step.kind is StepKind.RECIPE else self._trees.find
        return None, f"since {job}: {'; '.join(self._changes(run.parts, parts, trees=trees))}"

    def _changes(
        self,
        before: tuple[Part, ...],
        now: tuple[Part, ...],
        *,
        trees: Callable[[str], Mapping[str, str] | None],
    ) -> list[str]:
        # Comparing texts takes an import that a job in which nothing changed does not need.
        explain: Any = import_module("brinery.pipeline.explain")
        found: list[str] = explain.differences(
            before, now, trees=trees, files=self._rooms.reuse.file
        )
        return found

    def _but_comments(self, step: Step, run: StepRun, parts: tuple[Part, ...]) -> Earlier | None:
        """Return an earlier run of a step from which this one differs in comments only."""
        then = {part.name: part.value for part in run.parts}
        now = {part.name: part.value for part in parts}
        old = self._rooms.reuse.tree(then.get("code", ""))
        if old is None or {**then, "code": ""} != {**now, "code": ""}:
            return None
        explain: Any = import_module("brinery.pipeline.explain")
        _, files = self._rooms.snapshots.look(step.code, step.includes)
        same = explain.same_but_comments(
            old,
            files,
            old=self._rooms.reuse.file,
            new=lambda name: Path(place_of(step.code, step.includes, name=name)).read_bytes(),
        )
        earlier = self._rooms.reuse.find(run.key) if same else None
        if earlier is None or not all(self._holds(made) for made in earlier.run.outputs.values()):
            return None
        return earlier

    def _holds(self, made: Made) -> bool:
        return self._rooms.outputs.holds(made)

    def _reused(self, step: Step, run: StepRun, earlier: Earlier, *, why: str) -> StepRun:
        now = datetime.now(UTC)
        run = msgspec.structs.replace(
            run,
            status=Status.COMPLETED,
            started=now,
            ended=now,
            exit_status=earlier.run.exit_status,
            reused=earlier.job,
            why=why,
            run_id=earlier.run.run_id,
            outputs=earlier.run.outputs,
            attempts=run.attempts - 1,
        )
        made = f"{self._rooms.jobs.path(earlier.job)}/steps/{earlier.run.name}"
        to = f"../../{earlier.job}/steps/{earlier.run.name}"
        linked = _linked(f"{self._folder}/steps/{step.name}", made=made, to=to)
        self._hand_out(step, run, linked=linked)
        return run

    def _hand_out(self, step: Step, run: StepRun, *, linked: bool = False) -> None:
        """Put what a step left where people and later jobs look for it."""
        for name, made in run.outputs.items():
            if not linked:
                link(made.path, f"{self._folder}/steps/{step.name}/outputs/{name}")
            if name in step.outputs:
                self._put(made, step.outputs[name], name=name)
        if run.status is not Status.COMPLETED:
            return
        for name, kept in self._plan.outputs.items():
            found = run.outputs.get(kept.output) if kept.step == step.name else None
            if found is not None:
                link(found.path, f"{self._folder}/named-outputs/{name}")
                if kept.settings != step.outputs.get(kept.output):
                    self._put(found, kept.settings, name=name)

    def _put(self, made: Made, output: Output, *, name: str) -> None:
        if output.path:
            scope = {
                "name": self._name,
                "default_datastore": self._plan.datastore,
                "output_name": name,
            }
            uri = render(output.path, scope)
            place = self._rooms.data.destination(uri)
            put(made, place)
            self._rooms.data.stored(uri, place)
        if output.asset:
            self._rooms.data.register_data(
                output.asset, output.version, made=made, kind=output.type, job=self._name
            )


def _contents(run: StepRun) -> dict[str, str]:
    """Return what each input was, by its name."""
    return {
        part.name.removeprefix("input "): part.value
        for part in run.parts
        if part.name.startswith("input ")
    }


def _linked(folder: str, *, made: str, to: str) -> bool:
    """Have a reused step the folder of the run that stands for it; return whether both allow it."""
    if os.path.exists(folder) or not os.path.isdir(made):  # noqa: PTH110, PTH112 - texts
        return False
    link(to, folder)
    return True


def _turned(folder: str) -> None:
    """Make the folder that a step made its outputs in the one of links to them, where it is empty.

    Another one would be made, and this one removed: file systems take longer for it than for all
    else of a small step. One that is there already, of an attempt before, stays.
    """
    making = f"{folder}/making"
    # A step may have changed who can write to it, or not have made it at all.
    with suppress(OSError):
        # Not where a link would lead.
        same = os.lstat(making).st_mode == os.lstat(folder).st_mode
        if same and not os.listdir(making):  # noqa: PTH208 - a text
            os.rename(making, f"{folder}/outputs")  # noqa: PTH104 - as above


def _gather(work: str, artifacts: str) -> None:
    """Move what a step left in `./outputs` and `./logs` to its artifacts."""
    for name in KEPT_FOLDERS:
        source = f"{work}/{name}"
        if os.path.isdir(source) and not os.path.islink(source) and os.listdir(source):  # noqa: PTH112, PTH114, PTH208 - texts
            target = f"{artifacts}/{name}"
            os.makedirs(artifacts, exist_ok=True)  # noqa: PTH103 - as above
            if not os.path.exists(target):  # noqa: PTH110 - as above
                os.rename(source, target)  # noqa: PTH104 - as above


def _is_there(place: str, *, needed: bool) -> bool:
    """Return whether there is an output; artifacts that nobody declared count if they are some."""
    if not os.path.lexists(place):
        return False
    return needed or bool(os.listdir(place))  # noqa: PTH208 - a text


def _known(run: StepRun, found: Discovered) -> StepRun:
    """Return a step whose key is made of what it turned out to read and write."""
    before = {part.name: part.value for part in run.parts}
    # What the recipe was given beside: a parameter, or a file that its notebook reads.
    given = {
        name: before.get(f"input {name}", before.get(f"parameter {name}", ""))
        for name in found.step.inputs
    }
    parts = parts_of(
        found.step,
        code=before.get("code", ""),
        inputs={**given, **found.inputs},
        environment=before.get("environment", ""),
    )
    return msgspec.structs.replace(run, key=key_of(parts), parts=parts)


def _place_of(step: Step, name: str) -> str:
    """Return the address that an output is put at; empty for none."""
    return step.outputs[name].path if name in step.outputs else ""


def _lost(data: DataProvider, place: str, made: Made) -> bool:
    """Return whether an output is gone from the place that only its owner can put it to."""
    return bool(place) and data.lost(place, made)
