"""A share of an attempt on the machine that it was sent to: begun, watched, told of, ended.

It is run as `local` runs attempts, with a log of its own that is sent on line by line. It imports
nothing of Ray: what is asked of that is a `Link`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from msgspec.structs import replace

from brinery.runners.interface import Attempt, Ended
from brinery.runners.local import LocalRunner
from brinery.runners.ranks import Machine, filled, free_ports, ports_wanted
from brinery.runners.ray_tries import ENDED_BY_US, NOTHING, Answer, Share
from brinery.runners.ray_wire import Chunk

_POLL_S: Final = 0.2
_AT_ONCE: Final = 1 << 20
# Runners of this process that run nothing, by what they protect.
_KEPT: Final[dict[tuple[str, ...], LocalRunner]] = {}


class Link(Protocol):
    """What a task asks of the cluster."""

    @property
    def address(self) -> str:
        """Return that of this machine."""
        ...

    @property
    def cluster(self) -> str:
        """Return the address of the cluster."""
        ...

    @property
    def gpus(self) -> list[str]:
        """Return the graphics processors that this task has to itself."""
        ...

    def say(self, chunk: Chunk) -> None:
        """Send lines, once there is room for them."""
        ...

    def stopped(self) -> bool:
        """Return whether the try is to end."""
        ...

    def meet(self, machine: Machine) -> list[Machine] | None:
        """Return the machines of the try, once all are there; None where it is to end."""
        ...


class Task:
    """A share of an attempt, on the machine that runs it.

    Args:
        share: as it was sent.
        attempt: with this machine's paths.
        link: to the job.
        log: file of this machine's own.
    """

    def __init__(self, share: Share, attempt: Attempt, *, link: Link, log: Path) -> None:
        self._share = share
        self._attempt = attempt
        self._link = link
        self._log = log
        self._sent = 0

    def run(self, protected: Sequence[str]) -> Answer:
        """Return what came of it."""
        self._link.say(self._chunk(b""))
        attempt = self._ready()
        if attempt is None:
            end = Ended(
                name=self._attempt.name, exit_status=ENDED_BY_US, usage=NOTHING, stopped=True
            )
            return Answer(ended=end)
        runner = _KEPT.pop(tuple(protected), None) or LocalRunner(protected, adopted=True)
        try:
            runner.start(replace(attempt, log=str(self._log), told=False))
            end = self._watch(runner)
        except BaseException:
            runner.close()
            raise
        # Ray has one task of a process follow the other: the next need not start a nursery.
        _KEPT[tuple(protected)] = runner
        while len(content := self._written()) >= _AT_ONCE:
            self._say(content)
        rest = self._log.read_bytes()[self._sent :] if self._log.exists() else b""
        return Answer(ended=end, offset=self._sent, rest=rest)

    def _ready(self) -> Attempt | None:
        """Return the attempt with what depends on where it runs; None where it is to end."""
        attempt, share = self._attempt, self._share
        variables = dict(attempt.variables)
        if attempt.needs.gpus:
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(self._link.gpus)
        processes = attempt.processes
        marked = any("<" in text for each in processes for text in each.values())
        if marked or share.of > 1:
            machines = self._met(processes)
            if machines is None:
                return None
            processes = filled(processes, machines, cluster=self._link.cluster)
        return replace(attempt, variables=variables, processes=processes)

    def _met(self, processes: Sequence[dict[str, str]]) -> Sequence[Machine] | None:
        """Return the machines of the try, once all are there; None where it is to end."""
        share = self._share
        ports = free_ports(ports_wanted(processes, share.number))
        here = Machine(self._link.address, ports)
        return [here] if share.of == 1 else self._link.meet(here)

    def _watch(self, runner: LocalRunner) -> Ended:
        stopping = False
        while True:
            try:
                for each in runner.wait(_POLL_S):
                    if isinstance(each, Ended):
                        return each
                if content := self._written():
                    self._say(content)
                if not stopping and self._link.stopped():
                    stopping = True
                    runner.stop(self._attempt.name)
            except KeyboardInterrupt:
                stopping = True
                runner.stop(self._attempt.name)

    def _written(self) -> bytes:
        """Return whole lines that were written and not said."""
        if not self._log.exists():
            return b""
        with self._log.open("rb") as stream:
            stream.seek(self._sent)
            content = stream.read(_AT_ONCE)
        whole, end, _ = content.rpartition(b"\n")
        return whole + end

    def _say(self, content: bytes) -> None:
        self._link.say(self._chunk(content))
        self._sent += len(content)

    def _chunk(self, content: bytes) -> Chunk:
        return Chunk(self._share.ticket, self._share.number, self._sent, content)
