"""A turn as it goes: what is kept of it after each stage, so that a crash resumes at the next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from brinery.actions import history, training
from brinery.actions.rooms import Rooms
from brinery.errors import BrineryError
from brinery.records.turn import Ending, Phase, StageRun, State, Turn
from brinery.records.version import Alias


class Turning:
    """Holds a turn that goes on, and keeps every change of it.

    Args:
        rooms: of the workspace.
        turn: as it is kept.
    """

    def __init__(self, rooms: Rooms, turn: Turn) -> None:
        self._rooms = rooms
        self.turn = turn

    def is_done(self, phase: Phase) -> bool:
        """Return whether a stage was done, by this process or by one before it."""
        return self.turn.stage(phase).state is State.DONE

    def enter(self, phase: Phase) -> None:
        """Keep that a stage has begun."""
        self._stage(StageRun(phase=phase, state=State.RUNNING, started=_now()))

    def leave(self, phase: Phase, note: str, **changes: Any) -> None:
        """Keep that a stage is done, and what it made, in one step."""
        self._settle(phase, State.DONE, note, **changes)

    def skip(self, phase: Phase, why: str) -> None:
        """Keep that a stage was not needed."""
        self._stage(StageRun(phase=phase, state=State.SKIPPED, note=why))

    def note(self, **changes: Any) -> None:
        """Keep more of what is known of the turn."""
        self._keep(**changes)

    def end(self, ending: Ending, **changes: Any) -> Turn:
        """Return the turn, ended; the stages that it did not come to are skipped."""
        stages = tuple(
            replace(stage, state=State.SKIPPED, note=stage.note or ending.value)
            if stage.state is State.WAITING
            else stage
            for stage in map(self.turn.stage, Phase)
        )
        self._keep(
            stages=stages,
            ended=_now(),
            ending=ending,
            champion=self._champion(),
            **changes,
        )
        training.discard(self._rooms, self.turn)
        return self.turn

    def fail(self, error: BrineryError) -> Turn:
        """Return the turn, ended by an error; the champion stays."""
        running = [stage for stage in self.turn.stages if stage.state is State.RUNNING]
        for stage in running:
            self._settle(stage.phase, State.FAILED, error.message)
        hint = f"; {error.hint}" if error.hint else ""
        return self.end(Ending.FAILED, error=f"{error.code}: {error.message}{hint}")

    def postpone(self) -> None:
        """Keep that the turn goes on another time: being told to stop is no attempt that failed."""
        self._keep(attempts=self.turn.attempts - 1)

    def _champion(self) -> int | None:
        versions = self._rooms.registry.versions(self.turn.model)
        found = history.holder(versions, Alias.CHAMPION)
        return None if found is None else found.number

    def _settle(self, phase: Phase, state: State, note: str, **changes: Any) -> None:
        stage = replace(self.turn.stage(phase), state=state, ended=_now(), note=note)
        self._keep(stages=self.turn.with_stage(stage).stages, **changes)

    def _stage(self, stage: StageRun) -> None:
        self._keep(stages=self.turn.with_stage(stage).stages)

    def _keep(self, **changes: Any) -> None:
        self.turn = replace(self.turn, **changes)
        self._rooms.turns.keep(self.turn)


def _now() -> datetime:
    return datetime.now(UTC)
