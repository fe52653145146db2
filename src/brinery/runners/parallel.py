"""A parallel step: mini-batches that workers take from a folder, and their rows put together.

A driver of attempts, as `interface` has them. A worker is a command, `PYTHON parallel_entry.py
FOLDER NUMBER`, that shares the step's copy of the code. Where the folder is not seen, a worker is
given a share of the mini-batches in one of its own, which is brought back when it ends.
What a mini-batch came to lies in the folder, so that a step that is begun again repeats none that
is done.
"""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from brinery.errors import BrineryError, InvalidTable
from brinery.pipeline import mini_batches, parallel_options
from brinery.pipeline.mini_batches import MiniBatch
from brinery.records.job import Usage
from brinery.records.mini_batch import Batches, Done
from brinery.records.plan import Data, DataType, Parallel, Step
from brinery.runners import parallel_entry, table_files
from brinery.runners.batch_folder import BatchFolder, Claim
from brinery.runners.interface import Ask, Attempt, Bench, Drive, Ended, Outcome, Shared
from brinery.runners.table_files import Found
from brinery.specs import expressions

FOLDER: Final = "mini-batches"
FILE: Final = "mini-batches.json"
ROWS: Final = "parallel_run_step.txt"

_POLL_S: Final = 0.1
_DEATHS: Final = 3
# A status beyond it is that of a signal.
_SIGNALS: Final = 128
_TOLD: Final = 20
_NOTHING: Final = Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)


def drive(bench: Bench, /) -> Drive:
    """Return what asks for workers until all mini-batches are done, or too many have failed."""
    parallel = bench.step.parallel
    if parallel is None:
        raise ValueError(f"{bench.step.name} is no parallel step")
    try:
        running = _Running(parallel, bench)
    except (BrineryError, ValueError, OSError) as error:
        return Outcome(exit_status=1, usage=_NOTHING, error=str(error))
    return (yield from running.drive())


class _Running:
    """One parallel step while it runs."""

    def __init__(self, parallel: Parallel, bench: Bench) -> None:
        """Find the data and cut it.

        Raises:
            InvalidTable: the data is not there, or not as its `MLTable` says.
            InvalidExpression: an argument has no value.
            ValueError: an argument of ours has no number.
        """
        self._parallel = parallel
        self._bench = bench
        scope = {"inputs": bench.inputs, "outputs": bench.outputs}
        arguments = shlex.split(expressions.render(parallel.arguments, scope))
        self._limits = parallel_options.limits(parallel, arguments)
        found = _found(bench.step, parallel, inputs=bench.inputs)
        self._batches = _cut(found, parallel)
        self._folder = BatchFolder(Path(bench.folder) / FOLDER)
        self._attempt = bench.attempt(command=self._command(0))
        task = {
            "entry": parallel.entry,
            "arguments": arguments,
            "logging_level": parallel.logging_level.upper(),
            "table": found.table,
        }
        self._folder.fill(self._batches, task=task, retries=parallel.retries, stamp=bench.key)
        self._workers: dict[str, int] = {}
        self._numbers = 0
        self._unbegun = 0
        self._killed: dict[int, str] = {}
        self._over = False
        self._usage = _NOTHING
        self._began = time.monotonic()

    def drive(self) -> Drive:
        """Ask for workers and hear of their ends until there is nothing left to do."""
        began = moved = self._began
        count, error = 0, ""
        while True:
            done = len(self._folder.done())
            if done != count:
                count, moved = done, time.monotonic()
            error = error or self._exceeded() or self._late(began, moved=moved, done=done)
            if error:
                start: tuple[Attempt, ...] = ()
                stop = tuple(self._workers)
                self._over = True
            else:
                start, stop = tuple(self._more()), tuple(self._overdue())
            if not start and not self._workers:
                return self._outcome(error)
            for each in (yield Ask(start=start, stop=stop, wake_s=_POLL_S)):
                error = self._end(each) or error

    def _command(self, number: int) -> str:
        script = Path(parallel_entry.__file__)
        parts = [self._bench.python, str(script), str(self._folder.path), str(number)]
        return f"exec {shlex.join(parts)}"

    def _more(self) -> Iterator[Attempt]:
        """Yield the workers that are begun now."""
        spread = self._bench.step.spread
        most = self._bench.cores
        if self._parallel.concurrency:
            most = min(most, self._parallel.concurrency * spread.instances)
        waiting = self._folder.waiting()
        # A worker that has begun takes the next; more than there are mini-batches would be idle.
        for _ in range(min(most - len(self._workers), waiting)):
            number = self._numbers
            self._numbers += 1
            attempt = replace(
                self._attempt,
                name=f"{self._attempt.name}/worker_{number}",
                command=self._command(number),
                variables={**self._attempt.variables, "AZUREML_PROCESS_NAME": f"worker_{number}"},
                processes=({},),
                machines=(1,),
                shared=Shared(
                    folder=str(self._folder.path),
                    worker=number,
                    workers=most,
                    timeout_s=self._parallel.timeout_s,
                ),
                timeout_s=None,
            )
            self._workers[attempt.name] = number
            yield attempt

    def _overdue(self) -> Iterator[str]:
        """Yield the names of workers whose mini-batch takes too long."""
        late = {
            claim.worker
            for claim in self._folder.claims()
            if self._folder.age_s(claim) > self._parallel.timeout_s
        }
        for name, number in self._workers.items():
            if number in late and number not in self._killed:
                self._killed[number] = self._too_long()
                yield name

    def _too_long(self) -> str:
        return f"took longer than {self._parallel.timeout_s:g} s"

    def _exceeded(self) -> str:
        told = self._told("")
        why = self._limits.exceeded(
            batches=told.failed, items=told.failed_items, of=len(self._batches)
        )
        return f"{why}: {told.failures[0]}" if why and told.failures else why

    def _late(self, began: float, *, moved: float, done: int) -> str:
        """Return which time is over for the whole; empty where none is."""
        now, limits = time.monotonic(), self._limits
        if self._attempt.timeout_s is not None and now - began > self._attempt.timeout_s:
            return f"took longer than {self._attempt.timeout_s:g} s"
        if limits.idle_s is not None and now - moved > limits.idle_s:
            return f"no mini-batch was done in {limits.idle_s:g} s (--progress_update_timeout)"
        late = limits.first_s is not None and now - began > limits.first_s
        if late and not (done or self._folder.claims() or self._folder.sent()):
            return f"no worker began in {limits.first_s:g} s (--first_task_creation_timeout)"
        return ""

    def _end(self, ended: Ended) -> str:
        """Take note of a worker's end; return why the step cannot go on, empty where it can."""
        number = self._workers.pop(ended.name)
        self._usage = Usage(
            wall_s=time.monotonic() - self._began,
            cpu_s=self._usage.cpu_s + ended.usage.cpu_s,
            peak_bytes=max(self._usage.peak_bytes, ended.usage.peak_bytes),
        )
        if self._over:
            return ""
        # Nobody but us ends a worker, or else the whole job is ended.
        if ended.stopped and number not in self._killed:
            return "canceled"
        late = self._too_long() if self._folder.was_late(number) else ""
        why = self._killed.get(number) or late or ended.lost or f"its worker died: {_status(ended)}"
        back = self._folder.take_back(number, lost=why if ended.lost else "")
        claims = [each for each in self._folder.claims() if each.worker == number]
        for claim in claims:
            self._given_up(claim, why)
        if ended.exit_status == 0 or ended.stopped or claims or back:
            return ""
        self._unbegun += 1
        told = self._folder.unbegun(number)
        if told and not self._folder.done():
            return f"{self._parallel.entry} could not begin: {told}"
        return "" if self._unbegun < _DEATHS else told or why

    def _given_up(self, claim: Claim, why: str) -> None:
        if self._folder.give_up(claim, error=why):
            self._say(f"mini-batch {int(claim.path.name[:6])} is tried again: {why}")

    def _told(self, error: str) -> Batches:
        done = self._folder.done().values()
        failed = {each.index: why for each in done if (why := self._failure(each))}
        failures = [f"mini-batch {index}: {why}" for index, why in sorted(failed.items())]
        return Batches(
            batches=len(self._batches),
            done=len(done),
            failed=len(failed),
            items=sum(each.items for each in done),
            failed_items=sum(_failed_items(each) for each in done),
            rows=sum(each.rows for each in done),
            error=error,
            failures=tuple(failures[:_TOLD]),
        )

    def _failure(self, done: Done) -> str:
        """Return why a mini-batch counts as failed; empty where it does not."""
        if done.error:
            return done.error
        # A script that writes its results itself returns what it likes.
        if self._parallel.append_to and done.rows < done.items:
            return f"run() returned {done.rows} rows for {done.items} inputs"
        return ""

    def _outcome(self, error: str) -> Outcome:
        told = self._told(error)
        file = Path(self._bench.folder) / FILE
        file.write_bytes(msgspec.json.encode(told))
        for failure in told.failures:
            self._say(failure)
        self._say(
            f"{told.done} of {told.batches} mini-batches done, {told.failed} failed; "
            f"{told.items} inputs, {told.rows} rows"
        )
        if not error and self._parallel.append_to:
            self._append()
        return Outcome(exit_status=1 if error else 0, usage=self._usage, error=error)

    def _append(self) -> None:
        name = self._parallel.append_to
        place = Path(self._bench.outputs[name])
        if self._bench.step.outputs[name].type is not DataType.FILE:
            place /= ROWS
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as stream:
            for rows in self._folder.rows():
                with rows.open("rb") as part:
                    shutil.copyfileobj(part, stream)

    def _say(self, line: str) -> None:
        """Write a line of our own to the step's log."""
        log = Path(self._attempt.log)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            now = datetime.now(UTC).replace(tzinfo=None)
            stream.write(f"{now.isoformat(timespec='milliseconds')}Z {line}\n")


def _found(step: Step, parallel: Parallel, *, inputs: Mapping[str, str]) -> Found:
    path = Path(inputs[parallel.data])
    value = step.inputs.get(parallel.data)
    kinds = {step.types.get(parallel.data), value.type if isinstance(value, Data) else None}
    # A folder may be given where a table is declared: then it is a folder.
    if DataType.TABLE in kinds and table_files.is_table(path):
        return table_files.table(path)
    return table_files.plain(path)


def _cut(found: Found, parallel: Parallel) -> Sequence[MiniBatch]:
    if parallel.partition_keys:
        missing = [key for key in parallel.partition_keys if key not in found.columns]
        if missing:
            raise InvalidTable(
                f"partition_keys: {', '.join(missing)} is no column of the paths"
                + (f", which have {', '.join(found.columns)}" if found.columns else ""),
                hint="the MLTable's extract_columns_from_partition_format names them",
            )
        return mini_batches.by_keys(found.files, keys=parallel.partition_keys)
    if found.table is not None:
        return mini_batches.by_bytes(found.files, size=parallel.batch_size)
    return mini_batches.by_files(found.files, size=parallel.batch_size)


def _failed_items(done: Done) -> int:
    return done.items if done.error else max(0, done.items - done.rows)


def _status(ended: Ended) -> str:
    if ended.exit_status > _SIGNALS:
        return f"signal {ended.exit_status - _SIGNALS}"
    return f"exit status {ended.exit_status}"
