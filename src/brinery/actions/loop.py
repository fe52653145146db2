"""Loop: train again, import, evaluate, compare, pass the gate or not, promote or keep.

Each turn is a record that is kept after each stage. One that was killed is resumed at the stage
that was not done; two turns of a loop never overlap; whatever fails, the champion stays.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from brinery.actions import training, training_job
from brinery.actions.evaluate import evaluated_whole
from brinery.actions.evaluation_data import read_data
from brinery.actions.import_model import import_steps
from brinery.actions.progress import Clock, result_of
from brinery.actions.promote import PromoteAsked, promote_steps
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.actions.submission import Submission
from brinery.actions.turning import Turning
from brinery.errors import (
    BrineryError,
    ChampionChanged,
    Fault,
    LockLost,
    LoopBusy,
    TrainingFailed,
)
from brinery.records.decision import Decision
from brinery.records.event import Event, Step
from brinery.records.turn import Ending, Phase, Trigger, Turn
from brinery.records.version import Promotion, Version
from brinery.registry.interface import resolve
from brinery.specs import gates
from brinery.specs.loop import LoopFile, read
from brinery.specs.reference import Reference
from brinery.specs.settings import EvaluateSettings
from brinery.store.claims import claimed

Steps = Generator[Event, None, Turn]

_MOST_ATTEMPTS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Why a turn begins.

    Attributes:
        trigger: what began it.
        due: when the schedule meant it to; None where it did not.
        if_new: whether it ends at once where the trigger watches files and none is new.
        again: whether files that only a failed turn had are new.
    """

    trigger: Trigger = Trigger.BY_HAND
    due: datetime | None = None
    if_new: bool = False
    again: bool = True


def run_loop(loop: Folder, *, if_new: bool = False, workspace: Folder | None = None) -> Turn:
    """Return a turn of a loop, once it has ended; one that was killed before is resumed.

    A turn that failed is returned too: its `ending` is `failed` and its `error` says why.

    Args:
        loop: a loop.yml.
        if_new: whether nothing is trained where the trigger watches files and none is new.
        workspace: its folder; the nearest upwards when None.

    Raises:
        InvalidLoop: the file is wrong, or names what is not there.
        LoopBusy: a turn of it goes on.
    """
    begun = Beginning(if_new=if_new)
    return result_of(run_turn(open_rooms(workspace), read(Path(loop)), begun=begun))


def run_turn(
    rooms: Rooms,
    file: LoopFile,
    *,
    begun: Beginning = Beginning(),
    stop: threading.Event | None = None,
) -> Steps:
    """Yield an event as each step is done; return the turn, which has ended.

    Args:
        rooms: of the workspace.
        file: the loop.
        begun: why a turn begins; one that was killed before is resumed instead.
        stop: ends the training when set; the turn has not ended then, and is resumed another time.

    Raises:
        UserError: the file names what is not there; as `check_ready` has it.
        LoopBusy: a turn of it goes on.
        LockLost: the claim of the loop was lost, and another process goes on with the turn.
    """
    check_ready(rooms, file)
    rooms.workspace.prepare()
    loop = file.loop.name
    lock = rooms.workspace.state / "loops" / f"{loop}.lock"
    with claimed(f"loop {loop}", file=lock, database=rooms.database) as ours:
        if not ours:
            raise _busy(rooms, loop)
        turning = _begun(rooms, file, begun)
        at = _Site(rooms, file, turning, Clock(), stop)
        try:
            return (yield from _turned(at, begun))
        except LockLost:
            raise
        except BrineryError as error:
            yield at.said(Step.TURN, f"{turning.turn.name} failed: {error.message}", warning=True)
            return turning.fail(error)
        except training.Stopped:
            turning.postpone()
            yield at.said(Step.TURN, f"{turning.turn.name} goes on another time", warning=True)
            return turning.turn
        except Exception as error:
            turning.fail(Fault(f"{type(error).__name__}: {error}"))
            raise


def check_ready(rooms: Rooms, file: LoopFile) -> None:
    """Return only where a turn would find everything that can be known before it trains.

    Raises:
        InvalidLoop: a path is not there, or the job has no such input or output.
        InvalidJob: the job that trains is wrong.
        InvalidGate: the gate is not declared as it must be.
        NotFound: there is no such gate.
        DataError: the rows cannot be read, or the target is not one of their columns.
    """
    file.check_paths()
    gates.chosen(file.gate, rooms.settings.gates)
    wanted = file.loop.evaluate
    read_data(file.data, target=wanted.target, separator=wanted.sep)
    if file.task.job is not None:
        training_job.plan_of(rooms.workspace.root, file.task)


@dataclass(frozen=True)
class _Site:
    """A turn, and where it goes on."""

    rooms: Rooms
    file: LoopFile
    turning: Turning
    clock: Clock
    stop: threading.Event | None

    @property
    def turn(self) -> Turn:
        """Return the turn as it is now."""
        return self.turning.turn

    def said(self, step: Step, message: str, *, warning: bool = False) -> Event:
        """Return an event."""
        return self.clock.event(step, message, warning=warning)


def _busy(rooms: Rooms, loop: str) -> LoopBusy:
    going = rooms.turns.open(loop)
    told = f" since {going.started:%Y-%m-%d %H:%M} UTC" if going else ""
    return LoopBusy(f"a turn of {loop} goes on{told}", hint=f"brinery loop history {loop} shows it")


def _begun(rooms: Rooms, file: LoopFile, begun: Beginning) -> Turning:
    """Return the turn that was killed, or a new one."""
    going = rooms.turns.open(file.loop.name)
    if going is None:
        turn = Turn(
            loop=file.loop.name,
            model=file.loop.registers,
            trigger=begun.trigger,
            due=begun.due,
            started=datetime.now(UTC),
        )
        return Turning(rooms, rooms.turns.begin(turn))
    return Turning(rooms, rooms.turns.resume(going))


def _turned(at: _Site, begun: Beginning) -> Steps:
    """Go through the stages that are not done yet."""
    turn = at.turn
    if turn.attempts > 1:
        yield at.said(Step.TURN, f"{turn.name} is resumed, attempt {turn.attempts}", warning=True)
    if turn.attempts > _MOST_ATTEMPTS:
        raise TrainingFailed(
            f"{turn.name} was begun {_MOST_ATTEMPTS} times and never ended",
            hint=f"its log is {turn.log or 'not there'}; another turn begins anew",
        )
    if not at.turning.is_done(Phase.TRAIN) and not (yield from _trained(at, begun)):
        return at.turning.end(Ending.NOTHING_NEW)
    if not at.turning.is_done(Phase.IMPORT):
        yield from _imported(at)
    version = resolve(at.rooms.registry, Reference(at.turn.model, version=at.turn.version))
    if not at.turning.is_done(Phase.EVALUATE):
        yield from _evaluated(at, version)
    return (yield from _judged(at, version))


def _trained(at: _Site, begun: Beginning) -> Generator[Event, None, bool]:
    """Train; return whether there was something to train on."""
    rooms, file, turning = at.rooms, at.file, at.turning
    earlier = [
        turn
        for turn in rooms.turns.of(at.turn.loop)
        if turn.ended is not None and not (begun.again and turn.ending is Ending.FAILED)
    ]
    new = training.unmet(file, earlier)
    watches = file.loop.trigger is not None and bool(file.loop.trigger.new_data)
    if begun.if_new and watches and not new:
        yield at.said(Step.TURN, "no file is new: nothing is trained")
        return False
    turning.enter(Phase.TRAIN)
    folder = training.turn_folder(rooms, at.turn)
    turning.note(
        lineage=training.lineage(at.rooms, file, new_files=new, output=folder / training.OUTPUT),
        log=str(folder / training.LOG),
    )
    yield at.said(Step.TRAIN, at.turn.lineage.command)
    left = training.train(rooms, file, turn=at.turn, stop=at.stop)
    lineage = msgspec.structs.replace(at.turn.lineage, run_id=left.run_id, model_sha256=left.sha256)
    name = Path(left.model).name if left.run_id is None else left.model
    turning.leave(
        Phase.TRAIN, f"{name} in {left.seconds:.1f} s", trained=left.model, lineage=lineage
    )
    yield at.said(Step.TRAIN, f"left {name}")
    return True


def _imported(at: _Site) -> Generator[Event, None, None]:
    """Import what was trained; it is evaluated whole in a stage of its own."""
    file, loop, turning = at.file, at.file.loop, at.turning
    turning.enter(Phase.IMPORT)
    asked = Submission(
        model=at.turn.trained,
        name=loop.registers,
        data=file.data,
        target=loop.evaluate.target,
        separator=loop.evaluate.sep,
        trust=loop.importing.trust,
        code=file.code,
        environment=file.environment,
        tracking_uri=at.rooms.places.tracking_uri if at.turn.lineage.run_id else None,
    )
    quick = at.rooms.settings.model_copy(update={"evaluate": EvaluateSettings(at_import=False)})
    known = {version.number for version in at.rooms.registry.versions(loop.registers)}
    version = yield from import_steps(replace(at.rooms, settings=quick), asked)
    said = " already" if version.number in known else ""
    turning.leave(
        Phase.IMPORT,
        f"{version.reference}{said}",
        version=version.number,
        lineage=msgspec.structs.replace(
            at.turn.lineage,
            evaluation=version.candidate.data if version.candidate else None,
        ),
    )


def _evaluated(at: _Site, version: Version) -> Generator[Event, None, None]:
    """Find out of a version what an import does, where the settings ask for it."""
    if not at.rooms.settings.evaluate.at_import:
        at.turning.skip(Phase.EVALUATE, "evaluate.at_import is off: the figures are the import's")
        return
    at.turning.enter(Phase.EVALUATE)
    wanted = at.file.loop.evaluate
    data = read_data(at.file.data, target=wanted.target, separator=wanted.sep)
    yield from evaluated_whole(at.rooms, version, data=data, clock=at.clock)
    at.turning.leave(Phase.EVALUATE, f"{version.reference} on {data.fingerprint.name}")


def _judged(at: _Site, version: Version) -> Steps:
    """Compare a version with the champion, ask the gate, and promote it or keep the champion."""
    turning = at.turning
    turning.enter(Phase.COMPARE)
    asked = PromoteAsked(
        reference=version.reference,
        gate=at.file.gate,
        data=at.file.data,
        target=at.file.loop.evaluate.target,
        separator=at.file.loop.evaluate.sep,
        why=f"{at.turn.name}, begun {at.turn.trigger}",
    )
    done = yield from _staged(at, _promoted(at, asked))
    # One that was killed after the alias moved finds it there; what was decided is kept.
    decision = done.decision or _decided(at, version)
    promoted = done.changed or (decision is not None and decision.passes and not done.refused)
    if decision is None:
        said = f"{version.reference} is the champion already"
    else:
        said = f"{version.reference} {decision.verdict}"
    turning.leave(Phase.GATE, said, decision=decision)
    if not promoted:
        turning.skip(Phase.PROMOTE, "the champion is kept")
        yield at.said(Step.TURN, f"kept: {said}")
        return turning.end(Ending.KEPT)
    turning.enter(Phase.PROMOTE)
    turning.leave(Phase.PROMOTE, f"{version.reference} is the champion")
    yield at.said(Step.PROMOTE, f"{said}: it is the champion now")
    return turning.end(Ending.PROMOTED)


def _staged(
    at: _Site, steps: Generator[Event, None, Promotion]
) -> Generator[Event, None, Promotion]:
    """Pass on what a promotion tells: what it measures is the comparison, then the gate decides."""
    turning, told = at.turning, list[str]()
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            done: Promotion = end.value
            break
        if event.step is Step.COMPARE:
            told.append(event.message)
        elif event.step is Step.GATE and not turning.is_done(Phase.COMPARE):
            turning.leave(Phase.COMPARE, "; ".join(told) or "no rule compares")
            turning.enter(Phase.GATE)
        yield event
    if not turning.is_done(Phase.COMPARE):
        turning.skip(Phase.COMPARE, "it was compared before")
    return done


def _promoted(at: _Site, asked: PromoteAsked) -> Generator[Event, None, Promotion]:
    """Ask the gate; once more where another champion came meanwhile."""
    try:
        return (yield from promote_steps(at.rooms, asked))
    except ChampionChanged as error:
        yield at.said(Step.PROMOTE, f"{error.message}; it is judged again", warning=True)
        return (yield from promote_steps(at.rooms, asked))


def _decided(at: _Site, version: Version) -> Decision | None:
    """Return what the gate decided of a version in this turn; None where it was not asked."""
    decisions = at.rooms.decisions.of(version.name)
    return next(
        (
            decision
            for decision in reversed(decisions)
            if decision.reference == version.reference and decision.created >= at.turn.started
        ),
        None,
    )
