"""The loop that runs a job: what is ready is looked at, what must run is run, ends are taken in.

    ready ─ look (a thread) ─ reused ─────────────────────────┐
                            └ bench ─ driver ⇄ runner ─ take ─┴ journal ─ what waited is ready

The loop itself waits for the runner only. What takes long (hashing, copying, building an
environment, moving outputs) is done by threads, and what must be on the disk by one of its own. A
step is over once its line is in the journal; nothing that finished is lost when we are killed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec

from brinery.actions.job_attempts import Active, Asked, Attempts, Over
from brinery.actions.job_gateway import ended
from brinery.actions.job_rooms import JobRooms
from brinery.actions.job_steps import History, Looked, Options, Steps
from brinery.actions.job_threads import Committer, Threads
from brinery.errors import BrineryError
from brinery.records.job import JobRun, Made, Status, StepRun
from brinery.records.job_event import Happening, JobEvent
from brinery.records.plan import Joined, Plan, Produced, Step, StepKind, Value
from brinery.runners.interface import Ask, Bench, Drive, Driver, Ended, Outcome, Runner
from brinery.store.jobs import Journal
from brinery.store.reuse import Earlier

# So long a request to cancel may go unheard.
_TICK_S: Final = 0.25
_AHEAD: Final = 8
_TRIES: Final = 3

Happened = Generator[JobEvent, None, None]


def run_command(bench: Bench) -> Drive:
    """Run a step that is one command; one that was lost with its machine is tried again."""
    for number in range(_TRIES):
        ended = yield Ask(start=(bench.attempt(),))
        while not ended:
            ended = yield Ask()
        end = ended[0]
        if not end.lost or number == _TRIES - 1:
            break
    return Outcome(exit_status=end.exit_status, usage=end.usage, error=_fault(bench.step, end))


def _fault(step: Step, end: Ended) -> str:
    if end.lost:
        return end.lost
    if end.late:
        return f"ended after {step.timeout_s:g} s, its time limit"
    if end.stopped:
        return "canceled"
    return f"its command ended with status {end.exit_status}" if end.exit_status else ""


class Engine:
    """Runs one job.

    Args:
        rooms: of the workspace.
        plan: of the job.
        journal: of the job, held by us.
        runner: makes what runs attempts, once one is to be run; closed at the end.
        options: how it is run.
        drivers: of kinds of steps.
        previous: the job of the same file before this one.
    """

    def __init__(
        self,
        rooms: JobRooms,
        plan: Plan,
        *,
        journal: Journal,
        runner: Callable[[], Runner],
        options: Options,
        drivers: Mapping[StepKind, Driver],
        previous: str = "",
    ) -> None:
        self._rooms = rooms
        self._plan = plan
        self._journal = journal
        self._limit = options.limit
        self._asked = options.cancel
        self._drivers = drivers
        self._name = journal.path.name
        self._threads = Threads(max(2, options.limit), most=max(4, options.limit))
        self._committer = Committer(rooms.outputs, rooms.reuse)
        history = History(rooms, previous)
        self._steps = Steps(rooms, plan, name=self._name, options=options, history=history)
        self._attempts = Attempts(
            runner, threads=self._threads, limit=options.limit, take=self._steps.take
        )
        self._threads.wakes(self._attempts.wake)
        self._planned = {step.name: step for step in plan.steps}
        self._waiting = {step.name: _feeding(step) for step in plan.steps}
        self._fed: dict[str, list[str]] = {step.name: [] for step in plan.steps}
        for step in plan.steps:
            for source in self._waiting[step.name]:
                self._fed[source].append(step.name)
        self._ready: deque[str] = deque()
        self._looking: set[str] = set()
        self._runs: dict[str, StepRun] = {}
        self._begun: dict[str, int] = {}
        self._made: dict[str, Mapping[str, Made]] = {}
        self._noted: set[str] = set()
        self._stopping = ""
        self._cancelled = False
        self._began = time.monotonic()
        self._looked_s = 0.0

    def run(self, before: Iterable[StepRun] = ()) -> Generator[JobEvent, None, JobRun]:
        """Run the job to its end, and return it.

        Args:
            before: where it is resumed, the steps that were begun; those that are completed are
                not looked at again.
        """
        yield self._event(Happening.JOB_STARTED, message=self._name)
        for note in self._plan.notes:
            yield self._event(Happening.NOTE, message=note)
        for run in before:
            self._begun[run.name] = run.attempts
            if run.status is Status.COMPLETED:
                self._runs[run.name] = run
                self._made[run.name] = run.outputs
        for name, waiting in self._waiting.items():
            waiting.difference_update(self._runs)
            if not waiting and name not in self._runs:
                self._ready.append(name)
        self._rooms.tracking.open(self._rooms.jobs.read(self._name))
        try:
            while self._ready or self._looking or self._attempts:
                try:
                    yield from self._round()
                except KeyboardInterrupt:
                    yield from self._cancel()
        finally:
            self._committer.hurry()
            self._attempts.close()
            self._threads.close()
            with self._rooms.trash.emptied():
                self._committer.close()
        job = self._end()
        ended(self._rooms.gateway, job, tag=self._rooms.tracking.tag)
        self._rooms.tracking.close(job)
        return job

    def _cancel(self) -> Happened:
        """Have everything that runs ended, and nothing more begun."""
        if not self._cancelled:
            self._cancelled = True
            yield from self._stop("the job was canceled")

    def _round(self) -> Happened:
        self._look_at_ready()
        self._attempts.start()
        for line in self._attempts.wait(_TICK_S):
            step = line.name.partition("/")[0] if self._plan.pipeline else ""
            yield self._event(Happening.LINE, step, message=line.text)
        for told in self._threads.results():
            if isinstance(told, Asked):
                self._attempts.asked(told)
            elif isinstance(told, Over):
                yield from self._over(told)
            elif isinstance(told, Looked):
                yield from self._looked(told)
            else:
                assert isinstance(told, Exception)  # noqa: S101 - for the type checker
                raise told
        limit_s = self._plan.timeout_s
        if limit_s is not None and not self._stopping and self._seconds() > limit_s:
            yield from self._stop(f"the job took longer than {limit_s:g} s, its time limit")
        if not self._cancelled and (self._asked.is_set() or self._asked_elsewhere()):
            yield from self._cancel()

    def _asked_elsewhere(self) -> bool:
        """Return whether another process asked for the end; the disk is looked at now and then."""
        if self._seconds() - self._looked_s < _TICK_S:
            return False
        self._looked_s = self._seconds()
        return self._journal.cancelled

    def _look_at_ready(self) -> None:
        room = self._limit + _AHEAD - self._attempts.waiting
        while self._ready and len(self._looking) < room:
            step = self._planned[self._ready.popleft()]
            self._looking.add(step.name)
            made = {source: self._made.get(source, {}) for source in _feeding(step)}
            self._threads.call(partial(self._look, step, made))

    def _look(self, step: Step, made: Mapping[str, Mapping[str, Made]]) -> Looked | Over:
        try:
            return self._steps.look(step, made, attempts=self._begun.get(step.name, 0))
        except (BrineryError, OSError) as error:
            return Over(step.name, error=error)

    def _looked(self, looked: Looked) -> Happened:
        run, bench = looked.run, looked.bench
        self._looking.discard(run.name)
        if bench is None:
            yield from self._finish(run)
        elif self._stopping:
            yield from self._skip(run.name, self._stopping)
        else:
            driver = self._drivers[self._planned[run.name].kind]
            self._journal.step(run)
            yield self._event(Happening.STEP_STARTED, run.name, message=run.why)
            self._attempts.begin(Active(run, bench, driver(bench)))

    def _over(self, over: Over) -> Happened:
        """Take a step that is over."""
        self._looking.discard(over.step)
        active = self._attempts.end(over.step)
        for note in active.bench.notes if active is not None else ():
            if note not in self._noted:
                self._noted.add(note)
                yield self._event(Happening.NOTE, over.step, message=note)
        run = over.run
        if run is None:
            run = msgspec.structs.replace(
                active.run if active is not None else StepRun(name=over.step),
                status=Status.FAILED,
                ended=datetime.now(UTC),
                why=_said(over.error),
            )
        if self._stopping and run.status is Status.FAILED:
            run = msgspec.structs.replace(run, status=Status.CANCELED, why=self._stopping)
        yield from self._finish(run)

    def _finish(self, run: StepRun) -> Happened:
        """Write down a step that is over, and see what it lets begin."""
        self._runs[run.name] = run
        self._journal.step(run)
        if run.status is Status.COMPLETED:
            self._made[run.name] = run.outputs
            kind = self._planned[run.name].kind
            if not run.reused and (self._plan.pipeline or kind is StepKind.RECIPE):
                self._committer.add(run.key, Earlier(job=self._name, run=run))
            if any(each.path for each in self._planned[run.name].outputs.values()):
                self._steps.forget_contents()
        if run.run_id and not run.reused:
            self._rooms.tracking.ended(run.run_id, run.status)
        happening = _HAPPENINGS[run.status, bool(run.reused)]
        yield self._event(happening, run.name, message=_message(run))
        failed = run.status is Status.FAILED and not self._plan.continue_on_failure
        if failed and not self._stopping:
            yield from self._stop(f"the step {run.name} failed")
        for name in self._fed[run.name]:
            yield from self._feed(self._planned[name], run)

    def _feed(self, step: Step, run: StepRun) -> Happened:
        """See whether a step can begin, now that one that feeds it is over."""
        waiting = self._waiting[step.name]
        waiting.discard(run.name)
        if step.name in self._runs or step.name in self._looking:
            return
        if self._stopping:
            yield from self._skip(step.name, self._stopping)
        elif run.status is not Status.COMPLETED and not _does_without(step, run.name):
            yield from self._skip(step.name, f"the step {run.name}, which feeds it, failed")
        elif not waiting:
            self._ready.append(step.name)

    def _stop(self, why: str) -> Happened:
        """End what runs, and begin nothing more."""
        self._stopping = why
        self._attempts.stop()
        ready = [*self._ready]
        self._ready.clear()
        for name in ready:
            yield from self._skip(name, why)

    def _skip(self, name: str, why: str) -> Happened:
        if name not in self._runs:
            yield from self._finish(StepRun(name=name, status=Status.CANCELED, why=why))

    def _end(self) -> JobRun:
        failed = [run for run in self._runs.values() if run.status is Status.FAILED]
        if self._cancelled:
            status, error = Status.CANCELED, self._stopping
        elif failed:
            names = ", ".join(run.name for run in failed)
            said = f"the step {names} failed: {failed[0].why}"
            status = Status.FAILED
            error = said if len(failed) == 1 else f"the steps {names} failed"
        else:
            status = Status.FAILED if self._stopping else Status.COMPLETED
            error = self._stopping
        self._journal.ended(status, error=error)
        return self._rooms.jobs.read(self._name)

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _event(self, happening: Happening, step: str = "", *, message: str = "") -> JobEvent:
        return JobEvent(happening=happening, step=step, message=message, elapsed_s=self._seconds())


_HAPPENINGS: Final = {
    (Status.COMPLETED, False): Happening.STEP_COMPLETED,
    (Status.COMPLETED, True): Happening.STEP_REUSED,
    (Status.CANCELED, False): Happening.STEP_CANCELED,
    (Status.FAILED, False): Happening.STEP_FAILED,
}


def _message(run: StepRun) -> str:
    """Return what is told of a step that is over; why it ran was told when it began."""
    if run.status is Status.COMPLETED and not run.reused and run.usage is not None:
        return f"in {run.usage.wall_s:.2f} s"
    return run.why


def _feeding(step: Step) -> set[str]:
    """Return the names of the steps that feed a step, or that it waits for."""
    fed = {source for value in step.inputs.values() for source in _sources(value)}
    return fed | set(step.after)


def _sources(value: Value) -> Iterable[str]:
    if isinstance(value, Produced):
        yield value.step
    elif isinstance(value, Joined):
        for part in value.parts:
            yield from _sources(part)


def _does_without(step: Step, source: str) -> bool:
    """Return whether a step can run without what another was to leave."""
    return source not in step.after and all(
        name in step.optional
        for name, value in step.inputs.items()
        if source in set(_sources(value))
    )


def _said(error: Exception | None) -> str:
    if isinstance(error, BrineryError):
        return f"{error.message}; {error.hint}" if error.hint else error.message
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)
