"""The attempts that a cluster runs, as the job sees them: what each machine said, and how it ended.

An attempt may be on several machines, each with a log of its own; lines are put into the one log
here in the order in which each machine wrote them. It imports nothing of Ray.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from brinery.records.job import Usage
from brinery.runners.interface import Attempt, Ended, Line
from brinery.runners.ray_wire import Chunk

ENDED_BY_US: Final = 143
NOTHING: Final = Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)


class Share(Struct, frozen=True, kw_only=True):
    """What one machine runs of an attempt.

    Attributes:
        attempt: with the processes of that machine only.
        ticket: of the try.
        number: of the machine.
        of: how many there are.
    """

    attempt: Attempt
    ticket: str
    number: int
    of: int


class Answer(Struct, frozen=True, kw_only=True):
    """What a machine says at the end.

    Attributes:
        ended: of its processes; None where it could not begin.
        apart: what of our folders it does not see; empty where it does.
        offset: of the first byte of its log that was not said before.
        rest: of its log.
        package: what brings back what was made; empty where that lies in our folders.
    """

    ended: Ended | None = None
    apart: str = ""
    offset: int = 0
    rest: bytes = b""
    package: bytes = b""


@dataclass
class Try:
    """One try of an attempt.

    Attributes:
        attempt: whole.
        ticket: unique.
        refs: Ray's, of the tasks that go on, by the number of the machine.
        group: Ray's, of the places that are kept for them; None for one machine.
        carried: whether what it needs was put where machines that see none of our folders find it.
        stopped: whether its end was asked for.
        ending: whether its tasks were told to end, for whatever reason.
    """

    attempt: Attempt
    ticket: str
    refs: dict[int, Any] = field(default_factory=dict)
    group: Any = None
    carried: bool = False
    stopped: bool = False
    ending: bool = False
    begun: set[int] = field(default_factory=set)
    answers: dict[int, Answer] = field(default_factory=dict)
    _order: list[int] = field(default_factory=list)
    _written: dict[int, int] = field(default_factory=dict)
    _early: list[Chunk] = field(default_factory=list)

    def shares(self) -> Iterator[Share]:
        """Yield what each machine runs."""
        first, of = 0, len(self.attempt.machines)
        for number, count in enumerate(self.attempt.machines):
            processes = self.attempt.processes[first : first + count]
            first += count
            # Among several machines, what only serves has one of its own.
            serving = self.attempt.serving if of == 1 else 0
            own = replace(self.attempt, processes=processes, machines=(count,), serving=serving)
            yield Share(attempt=own, ticket=self.ticket, number=number, of=of)

    def hear(self, chunk: Chunk) -> list[Line]:
        """Write lines of a machine to the log; return them where they are to be told."""
        if not self.begun:
            self._append(b"")
        self.begun.add(chunk.machine)
        self._early.append(chunk)
        lines = []
        moved = True
        while moved:
            moved = False
            for each in [*self._early]:
                known = self._written.get(each.machine, 0)
                if each.offset <= known:
                    self._early.remove(each)
                    content = each.content[known - each.offset :]
                    self._written[each.machine] = known + len(content)
                    lines += self._write(content)
                    moved = True
        return lines

    def answer(self, number: int, answer: Answer) -> None:
        """Take what a machine said at its end."""
        self.refs.pop(number, None)
        self._order.append(number)
        self.answers[number] = answer
        if answer.rest or answer.offset:
            self._early.append(Chunk(self.ticket, number, answer.offset, answer.rest))

    @property
    def heard(self) -> bool:
        """Return whether all lines of the machines that have ended were heard."""
        return not any(chunk.machine in self.answers for chunk in self._early)

    @property
    def to_be_ended(self) -> bool:
        """Return whether those that go on have nothing left to go on for."""
        if any(_failed(answer) for answer in self.answers.values()):
            return True
        serving = self.attempt.serving > 0 and len(self.attempt.machines) > 1
        return serving and bool(self.answers) and {*self.refs} <= {len(self.attempt.machines) - 1}

    def end(self) -> Ended:
        """Return how the whole ended."""
        ends = [self.answers[number].ended for number in self._order]
        known = [each for each in ends if each is not None]
        if self.attempt.serving and len(self.attempt.machines) > 1:
            last = self.answers.get(len(self.attempt.machines) - 1)
            counted = [each for each in known if last is None or each is not last.ended] or known
        else:
            counted = known
        lost = next((each.lost for each in counted if each.lost), "")
        status = next((each.exit_status for each in counted if each.exit_status), 0)
        return Ended(
            name=self.attempt.name,
            exit_status=status,
            usage=Usage(
                wall_s=max((each.usage.wall_s for each in known), default=0.0),
                cpu_s=sum(each.usage.cpu_s for each in known),
                peak_bytes=max((each.usage.peak_bytes for each in known), default=0),
            ),
            late=any(each.late for each in counted),
            stopped=self.stopped and any(each.stopped or each.lost for each in known),
            lost="" if self.stopped else lost,
        )

    def say(self, text: str) -> list[Line]:
        """Write a line of our own to the log; return it where lines are to be told."""
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        return self._write(f"{now}Z {text}\n".encode())

    def _write(self, content: bytes) -> list[Line]:
        if not content:
            return []
        self._append(content)
        if not self.attempt.told:
            return []
        texts = content.decode("utf-8", "replace").removesuffix("\n").split("\n")
        # Each line stands behind its time.
        return [Line(name=self.attempt.name, text=text.partition(" ")[2]) for text in texts]

    def _append(self, content: bytes) -> None:
        log = Path(self.attempt.log)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab", buffering=0) as stream:
            stream.write(content)


def _failed(answer: Answer) -> bool:
    ended = answer.ended
    return bool(answer.apart) or ended is None or ended.exit_status != 0 or bool(ended.lost)
