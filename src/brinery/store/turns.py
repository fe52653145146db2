"""The turns of loops: begun when meant, kept as they go, and whole when they ended."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Protocol, cast
from uuid import uuid4

from msgspec.structs import replace

from brinery.errors import LockLost
from brinery.records.turn import Ending, Turn


class Turns(Protocol):
    """Where the turns of loops are kept."""

    def begin(self, turn: Turn) -> Turn:
        """Return a turn that is kept from now on, with the next number of its loop."""
        ...

    def resume(self, turn: Turn) -> Turn:
        """Return a turn with one attempt more; who had it before keeps nothing of it any more."""
        ...

    def keep(self, turn: Turn) -> None:
        """Keep how far a turn is, in place of what was kept of it.

        Raises:
            LockLost: another resumed it since.
        """
        ...

    def open(self, loop: str) -> Turn | None:
        """Return the newest turn of a loop if it has not ended; None where it has."""
        ...

    def of(self, loop: str) -> list[Turn]:
        """Return the turns of a loop, oldest first."""
        ...

    def loops(self) -> list[str]:
        """Return the names of the loops that ever had a turn, sorted."""
        ...

    def failed(self) -> list[Turn]:
        """Return the newest turn of each loop where it failed, those that began last first."""
        ...


def held(turn: Turn) -> Turn:
    """Return a turn with a holder that no other has."""
    return replace(turn, holder=uuid4().hex)


def resumed(turn: Turn) -> Turn:
    """Return a turn as its next holder has it."""
    return held(replace(turn, attempts=turn.attempts + 1))


def check_held(turn: Turn, kept: Turn) -> None:
    """Return where what is kept of a turn is its holder's own.

    Raises:
        LockLost: another resumed it since.
    """
    if turn.holder != kept.holder:
        raise LockLost(
            f"another process goes on with {turn.name}: this one lost its claim of the loop",
            hint=f"brinery loop history {turn.loop} shows it",
        )


class MemoryTurns:
    """Turns that last as long as the object."""

    def __init__(self) -> None:
        self._turns: dict[str, list[Turn]] = {}

    def begin(self, turn: Turn) -> Turn:
        """Return a turn that is kept from now on."""
        turns = self._turns.setdefault(turn.loop, [])
        turns.append(held(replace(turn, number=len(turns) + 1)))
        return turns[-1]

    def resume(self, turn: Turn) -> Turn:
        """Return a turn with one attempt more, ours from now on."""
        kept = self._turns[turn.loop]
        kept[turn.number - 1] = resumed(kept[turn.number - 1])
        return kept[turn.number - 1]

    def keep(self, turn: Turn) -> None:
        """Keep how far a turn is."""
        check_held(turn, self._turns[turn.loop][turn.number - 1])
        self._turns[turn.loop][turn.number - 1] = turn

    def open(self, loop: str) -> Turn | None:
        """Return the newest turn of a loop if it has not ended."""
        turns = self._turns.get(loop, [])
        return turns[-1] if turns and turns[-1].ended is None else None

    def of(self, loop: str) -> list[Turn]:
        """Return the turns of a loop, oldest first."""
        return list(self._turns.get(loop, []))

    def loops(self) -> list[str]:
        """Return the names of the loops that ever had a turn, sorted."""
        return sorted(self._turns)

    def failed(self) -> list[Turn]:
        """Return the newest turn of each loop where it failed, those that began last first."""
        newest = [turns[-1] for turns in self._turns.values()]
        found = [turn for turn in newest if turn.ending is Ending.FAILED]
        return sorted(found, key=lambda turn: turn.started, reverse=True)


class StoredTurns:
    """Turns in a database, which is opened when it is first needed.

    Args:
        uri: an SQLAlchemy URI.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @cached_property
    def _kept(self) -> Turns:
        return cast("Turns", import_module("brinery.store.turns_database").SqlTurns(self._uri))

    def begin(self, turn: Turn) -> Turn:
        """Return a turn that is kept from now on."""
        return self._kept.begin(turn)

    def resume(self, turn: Turn) -> Turn:
        """Return a turn with one attempt more, ours from now on."""
        return self._kept.resume(turn)

    def keep(self, turn: Turn) -> None:
        """Keep how far a turn is."""
        self._kept.keep(turn)

    def open(self, loop: str) -> Turn | None:
        """Return the newest turn of a loop if it has not ended."""
        return self._kept.open(loop)

    def of(self, loop: str) -> list[Turn]:
        """Return the turns of a loop, oldest first."""
        return self._kept.of(loop)

    def loops(self) -> list[str]:
        """Return the names of the loops that ever had a turn, sorted."""
        return self._kept.loops()

    def failed(self) -> list[Turn]:
        """Return the newest turn of each loop where it failed, those that began last first."""
        return self._kept.failed()
