"""A bench in a plain folder, and a loop that runs a driver's attempts here: no engine, no store."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path

from brinery.records.job import Usage
from brinery.records.plan import DataType, Step
from brinery.runners.interface import Attempt, Bench, Carrier, Drive, Ended, Line, Outcome
from brinery.runners.local import LocalRunner
from brinery.specs import expressions


class PlainBench:
    """Attempts in folders of `steps/`, each a copy of the step's code."""

    def __init__(
        self, step: Step, folder: Path, *, inputs: Mapping[str, str], told: str = "", cores: int = 2
    ) -> None:
        self._step = step
        self._folder = folder
        self._inputs = inputs
        self._told = told
        self._cores = cores
        folder.mkdir(exist_ok=True)

    @property
    def step(self) -> Step:
        return self._step

    @property
    def folder(self) -> str:
        return str(self._folder)

    @property
    def key(self) -> str:
        return "key"

    @property
    def inputs(self) -> Mapping[str, str]:
        return self._inputs

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.outputs_of("")

    @property
    def python(self) -> str:
        return sys.executable

    @property
    def cores(self) -> int:
        return self._cores

    def attempt(
        self, label: str = "", *, searched: Mapping[str, str] | None = None, command: str = ""
    ) -> Attempt:
        own = self._folder / label
        work = own / "work"
        shutil.rmtree(work, ignore_errors=True)
        if self._step.code:
            shutil.copytree(self._step.code, work)
        work.mkdir(parents=True, exist_ok=True)
        for name, place in self.outputs_of(label).items():
            is_file = self._step.outputs[name].type is DataType.FILE
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            if not is_file:
                Path(place).mkdir(exist_ok=True)
        scope = {
            "inputs": {**self._inputs, **(searched or {})},
            "outputs": self.outputs_of(label),
            "search_space": dict(searched or {}),
        }
        return Attempt(
            name="/".join(filter(None, [self._step.name, label])),
            command=expressions.render(command or self._step.command, scope),
            folder=str(work),
            variables={"PATH": "/usr/bin:/bin", "RUN": self.run_of(label), "TOLD": self._told},
            log=str(own / "log.txt"),
            place=str(own),
            reads=tuple(each for each in self._inputs.values() if each.startswith("/")),
            timeout_s=self._step.timeout_s,
        )

    def outputs_of(self, label: str) -> Mapping[str, str]:
        return {name: str(self._folder / label / "making" / name) for name in self._step.outputs}

    def run_of(self, label: str) -> str:
        return str(self._folder / label / "run")


class Elsewhere:
    """Runs attempts as a machine does that sees none of their folders.

    Args:
        carrier: that brings them there.
        lose: so many are lost with their machine, the first ones.
    """

    def __init__(self, carrier: Carrier, *, lose: int = 0) -> None:
        self._runner = LocalRunner()
        self._carrier = carrier
        self._lose = lose
        self._lost: list[Ended | Line] = []
        self._there: dict[str, tuple[Carrier, Attempt]] = {}

    def start(self, attempt: Attempt, /) -> None:
        """Begin an attempt there."""
        package = self._carrier.send(attempt)
        if self._lose:
            self._lose -= 1
            usage = Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)
            self._lost.append(Ended(name=attempt.name, exit_status=1, usage=usage, lost="no power"))
            return
        there = deepcopy(self._carrier)
        here = there.receive(package)
        self._there[attempt.name] = there, here
        self._runner.start(here)

    def stop(self, name: str, /) -> None:
        """End an attempt."""
        self._runner.stop(name)

    def wait(self, timeout_s: float, /) -> list[Ended | Line]:
        """Return what happened, once what was made there is here."""
        told, self._lost = self._lost, []
        found = told or self._runner.wait(timeout_s)
        for each in found:
            if isinstance(each, Ended) and not each.lost:
                there, here = self._there.pop(each.name)
                self._carrier.take_back(there.send_back(here))
        return found

    def close(self) -> None:
        """End everything that still runs."""
        self._runner.close()


def run(
    driver: Callable[[Bench], Drive], bench: Bench, runner: LocalRunner | Elsewhere | None = None
) -> Outcome:
    """Return what became of a step whose attempts are run on this machine, or by a runner."""
    runner = runner or LocalRunner()
    running = driver(bench)
    begun: set[str] = set()
    try:
        ask = next(running)
        while True:
            for attempt in ask.start:
                assert attempt.name not in begun
                begun.add(attempt.name)
                runner.start(attempt)
            for name in ask.stop:
                runner.stop(name)
            wait_s = 60.0 if ask.wake_s is None else ask.wake_s
            ended = [each for each in runner.wait(wait_s) if isinstance(each, Ended)]
            begun -= {each.name for each in ended}
            ask = running.send(ended)
    except StopIteration as stop:
        outcome = stop.value
        assert isinstance(outcome, Outcome)
        return outcome
    finally:
        runner.close()
