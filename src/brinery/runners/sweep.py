"""A sweep: trials of one step, several at once, the bad ones ended early, the best one told.

A driver of attempts, as `interface` has them: a trial is an attempt that is told values, and what
it logged to MLflow is read while it runs. `trials.json` in the step's folder is written whenever a
trial is begun or has ended, so that a sweep that is begun again goes on with what is not done.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from brinery.errors import BrineryError, LibraryMissing, RegistryFault
from brinery.pipeline import early_termination, sampling, search_space
from brinery.records.job import Status, Usage
from brinery.records.plan import Sweep
from brinery.records.ready import decoded
from brinery.records.tracked_run import Measured
from brinery.records.trials import Trial, Trials
from brinery.runners.interface import Ask, Attempt, Bench, Drive, Ended, Outcome
from brinery.specs.names import nearest

FILE: Final = "trials.json"

_OVER: Final = "the sweep's time was over"
# So often a trial is begun whose machine is lost.
_TRIES: Final = 3
_NOTHING: Final = Usage(wall_s=0.0, cpu_s=0.0, peak_bytes=0)


class Readings(Protocol):
    """What was logged to MLflow runs, also to those that go on."""

    def metrics(self, run_id: str, /) -> Mapping[str, float]:
        """Return the last value of each metric of a run."""
        ...

    def history(self, run_id: str, metric: str, /) -> Sequence[Measured]:
        """Return every value of a metric of a run, in the order that they were logged."""
        ...

    def ended(self, run_id: str, status: Status, /) -> None:
        """Tell that a run is over."""
        ...


class Sweeper:
    """The driver of sweeps.

    Args:
        readings: what trials log.
        poll_s: seconds between two looks at trials that may be ended early.
    """

    def __init__(self, readings: Readings, *, poll_s: float = 1.0) -> None:
        self._readings = readings
        self._poll_s = poll_s

    def __call__(self, bench: Bench, /) -> Drive:
        """Return what asks for trials until the sweep is over."""
        sweep = bench.step.sweep
        if sweep is None:
            raise ValueError(f"{bench.step.name} is no sweep")
        return _Sweeping(sweep, bench, readings=self._readings).drive(self._poll_s)


def read(file: Path) -> Trials | None:
    """Return what a file says of trials; None where there is none that can be read."""
    try:
        return decoded(file.read_bytes(), Trials)
    except (OSError, msgspec.DecodeError):
        return None


class _Sweeping:
    """One sweep while it runs."""

    def __init__(self, sweep: Sweep, bench: Bench, *, readings: Readings) -> None:
        self._sweep = sweep
        self._bench = bench
        self._readings = readings
        self._file = Path(bench.folder) / FILE
        self._trials = _begun(sweep, self._file, key=bench.key)
        self._places = _Places(sweep, self._trials.seed)
        self._running: dict[str, int] = {}
        self._looked: dict[int, int] = {}
        self._earlier: dict[int, int] = {}
        self._stopping: dict[int, str] = {}
        self._cut_off: set[int] = set()
        self._cancelled = False
        self._other: set[str] = set()
        self._usage = _NOTHING
        self._began = time.monotonic()

    def drive(self, poll_s: float) -> Drive:
        """Ask for trials and hear of their ends until there is nothing left to do."""
        sweep = self._sweep
        deadline = math.inf if sweep.timeout_s is None else self._began + sweep.timeout_s
        waits = poll_s if sweep.stopping.kind else None
        if sweep.timeout_s is not None:
            waits = min(poll_s, sweep.timeout_s)
        late = False
        while True:
            try:
                start = () if late or self._cancelled else tuple(self._more())
            except (BrineryError, OverflowError) as error:
                # Of the first trial already: what draws trials is not there, or cannot.
                return Outcome(exit_status=1, usage=self._usage, error=str(error))
            if not start and not self._running:
                return self._outcome(late=late)
            stop = tuple(self._doubtful())
            if not late and time.monotonic() > deadline:
                late = True
                stop = tuple(self._overdue())
            for each in (yield Ask(start=start, stop=stop, wake_s=waits)):
                self._end(each)

    def _more(self) -> Iterator[Attempt]:
        """Yield the trials that are begun now."""
        while len(self._running) < self._sweep.concurrent and not self._in_vain():
            trial = self._next()
            if trial is None:
                return
            attempt = self._bench.attempt(trial.label, searched=trial.values)
            if self._sweep.trial_timeout_s is not None:
                attempt = replace(attempt, timeout_s=self._sweep.trial_timeout_s)
            self._running[attempt.name] = trial.number
            self._looked[trial.number] = 0
            # The run of a trial that is begun again still has what it logged at first.
            self._earlier[trial.number] = len(self._history(trial)) if trial.attempts else 0
            self._note(
                replace(
                    trial,
                    status=Status.RUNNING,
                    started=datetime.now(UTC),
                    ended=None,
                    run_id=self._bench.run_of(trial.label),
                    attempts=trial.attempts + 1,
                    metrics=(),
                    why="",
                    early=False,
                )
            )
            yield attempt

    def _in_vain(self) -> bool:
        """Return whether trials complete and none has logged what they are compared by."""
        completed = [each for each in self._trials.trials if each.status is Status.COMPLETED]
        return bool(completed) and not any(each.metrics for each in completed)

    def _next(self) -> Trial | None:
        """Return the trial that is to be begun next; None where there is none."""
        running = {*self._running.values()}
        for trial in self._trials.trials:
            if not trial.status.over and trial.number not in running:
                return trial
        number = len(self._trials.trials)
        place = self._places.of(number, self._trials.trials)
        if place is None:
            return None
        values = search_space.texts(self._sweep.space, place, logbase=self._sweep.logbase)
        return Trial(number=number, values=values, place=place)

    def _doubtful(self) -> Iterator[str]:
        """Yield the names of attempts that do so badly that they are ended."""
        sweep = self._sweep
        if not sweep.stopping.kind:
            return
        for number in self._running.values():
            # A server that does not answer now may do so the next time.
            with suppress(RegistryFault):
                self._note(self._read(self._trials.trials[number]), write=False)
        histories = {str(each.number): each.metrics for each in self._trials.trials}
        for name, number in self._running.items():
            logged = len(self._trials.trials[number].metrics)
            seen, self._looked[number] = self._looked[number], logged
            if number in self._stopping:
                continue
            for at in early_termination.due(sweep.stopping, seen=seen, logged=logged):
                why = early_termination.verdict(
                    sweep.stopping, str(number), goal=sweep.goal, histories=histories, at=at
                )
                if why:
                    self._stopping[number] = why
                    yield name
                    break

    def _overdue(self) -> Iterator[str]:
        for name, number in self._running.items():
            if self._stopping.setdefault(number, _OVER) == _OVER:
                self._cut_off.add(number)
            yield name

    def _end(self, ended: Ended) -> None:
        """Take note of a trial that is over, or begin it again where its machine was lost."""
        number = self._running.pop(ended.name)
        trial = self._trials.trials[number]
        again = ended.lost and not ended.stopped and number not in self._stopping
        if again and trial.attempts < _TRIES:
            return  # it is not over, and is begun again where there is room
        try:
            trial = self._read(trial)
        except RegistryFault as error:
            unread = str(error)
        else:
            unread = ""
        self._usage = Usage(
            wall_s=time.monotonic() - self._began,
            cpu_s=self._usage.cpu_s + ended.usage.cpu_s,
            peak_bytes=max(self._usage.peak_bytes, ended.usage.peak_bytes),
        )
        # Nobody but us ends a trial, or else the whole job is ended.
        self._cancelled |= ended.stopped and number not in self._stopping
        trial = self._judged(ended, trial, unread=unread)
        places = self._bench.outputs_of(trial.label)
        outputs = {name: places[name] for name in self._bench.step.outputs}
        self._note(replace(trial, ended=datetime.now(UTC), outputs=outputs))
        if trial.run_id:
            self._readings.ended(trial.run_id, trial.status)

    def _judged(self, ended: Ended, trial: Trial, *, unread: str) -> Trial:
        """Return a trial as it is counted, with why it is no good where it is not."""
        if trial.number in self._stopping:
            return replace(
                trial,
                status=Status.CANCELED,
                why=self._stopping[trial.number],
                early=trial.number not in self._cut_off,
            )
        if ended.late:
            why = f"took longer than {self._sweep.trial_timeout_s:g} s"
            return replace(trial, status=Status.CANCELED, why=why, early=True)
        if ended.stopped:
            return replace(trial, status=Status.CANCELED, why="was ended")
        if ended.lost or unread or ended.exit_status != 0:
            why = ended.lost or unread or f"exit status {ended.exit_status}"
            return replace(trial, status=Status.FAILED, why=why)
        why = "" if trial.metrics else f"logged no metric {self._sweep.metric}"
        return replace(trial, status=Status.COMPLETED, why=why)

    def _read(self, trial: Trial) -> Trial:
        """Return a trial with what it has logged until now."""
        if not trial.run_id:
            return trial
        history = self._history(trial)[self._earlier[trial.number] :]
        if not history:
            self._other.update(self._readings.metrics(trial.run_id))
        return replace(trial, metrics=tuple(each.value for each in history))

    def _history(self, trial: Trial) -> Sequence[Measured]:
        return self._readings.history(trial.run_id, self._sweep.metric) if trial.run_id else ()

    def _note(self, trial: Trial, *, write: bool = True) -> None:
        trials = list(self._trials.trials)
        trials[trial.number : trial.number + 1] = [trial]
        self._trials = replace(self._trials, trials=tuple(trials))
        self._trials = replace(self._trials, best=_best(self._trials))
        if write:
            _write(self._file, msgspec.json.encode(self._trials))

    def _outcome(self, *, late: bool) -> Outcome:
        error = self._error(late=late)
        self._trials = replace(self._trials, error=error, notes=tuple(_notes(self._trials)))
        best = self._trials.best
        label = ""
        if best is not None and not error:
            trial = self._trials.trials[best]
            label = trial.label
            # They are taken in as the step's, and found where those are.
            outputs = {name: str(self._file.parent / "outputs" / name) for name in trial.outputs}
            self._note(replace(trial, outputs=outputs), write=False)
        _write(self._file, msgspec.json.encode(self._trials))
        return Outcome(exit_status=1 if error else 0, usage=self._usage, error=error, label=label)

    def _error(self, *, late: bool) -> str:
        """Return why the sweep failed; empty where it did not."""
        trials, sweep = self._trials.trials, self._sweep
        if self._cancelled:
            return "canceled"
        completed = [each for each in trials if each.status is Status.COMPLETED]
        if late:
            return (
                f"the sweep took longer than {sweep.timeout_s:g} s: {len(completed)} of "
                f"{sweep.trials} trials had completed, which are not repeated"
            )
        if not completed:
            failed = next((each for each in trials if each.why), None)
            told = f": {failed.label} {failed.why}" if failed else ""
            return f"none of {len(trials)} trials completed{told}"
        if self._trials.best is not None:
            return ""
        if any(each.metrics for each in completed):
            return f"the metric {sweep.metric} is not a number in any trial"
        return _unknown_metric(sweep.metric, sorted(self._other))


class _Places:
    """Where the trials lie in the space, by the way in which they are drawn."""

    def __init__(self, sweep: Sweep, seed: int) -> None:
        self._sweep = sweep
        self._seed = seed
        self._drawn: Sequence[sampling.Places] | None = None

    def of(self, number: int, trials: Sequence[Trial]) -> sampling.Places | None:
        """Return the place of a trial; None where there are no more.

        Raises:
            LibraryMissing: it is chosen by a library that is not there.
        """
        if number >= self._sweep.trials:
            return None
        if self._sweep.sampling == "bayesian":
            return self._chosen(trials)
        if self._drawn is None:
            self._drawn = self._all()
        return self._drawn[number] if number < len(self._drawn) else None

    def _all(self) -> Sequence[sampling.Places]:
        space, count = self._sweep.space, self._sweep.trials
        if self._sweep.sampling == "grid":
            return sampling.grid(space, count=count)
        if self._sweep.sampling == "sobol":
            # SciPy takes longer to import than most trials to run.
            from brinery.pipeline import sobol  # noqa: PLC0415

            return sobol.places(dimensions=len(space), count=count, seed=self._seed)
        return sampling.drawn(space, count=count, seed=self._seed)

    def _chosen(self, trials: Sequence[Trial]) -> sampling.Places:
        try:
            # An extra, and needed for this alone.
            from brinery.pipeline import bayesian  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise LibraryMissing(
                f"bayesian sampling needs {error.name}", hint="pip install 'brinery[sweep]'"
            ) from None
        seen = [
            bayesian.Seen(each.place, each.metric if each.status is Status.COMPLETED else None)
            for each in trials
        ]
        return bayesian.place(self._sweep.space, seen, goal=self._sweep.goal, seed=self._seed)


def _begun(sweep: Sweep, file: Path, *, key: str) -> Trials:
    """Return the trials of an earlier beginning of the same sweep, or none with a seed."""
    earlier = read(file)
    if earlier is not None and (earlier.sweep, earlier.key) == (sweep, key):
        kept = tuple(
            each
            if (each.status is Status.COMPLETED and each.metrics) or each.early
            else replace(each, status=Status.NOT_STARTED)
            for each in earlier.trials
        )
        return replace(earlier, trials=kept, error="", notes=())
    seed = secrets.randbits(31) if sweep.seed is None else sweep.seed
    return Trials(sweep=sweep, seed=seed, key=key)


def _best(trials: Trials) -> int | None:
    """Return the number of the best trial that completed; the first of equals."""
    sign = 1 if trials.sweep.goal == "minimize" else -1
    known = [
        (sign * each.metric, each.number)
        for each in trials.trials
        if each.status is Status.COMPLETED
        and each.metric is not None
        and not math.isnan(each.metric)
    ]
    return min(known)[1] if known else None


def _unknown_metric(metric: str, others: Sequence[str]) -> str:
    if not others:
        return f"no trial logged the metric {metric}, or any other: mlflow.log_metric does"
    near = nearest(metric, others)
    told = f": did you mean {near}?" if near else ""
    return f"no trial logged the metric {metric}, but {', '.join(others)}{told}"


def _notes(trials: Trials) -> Iterator[str]:
    failed = sum(each.status is Status.FAILED for each in trials.trials)
    ended = sum(each.status is Status.CANCELED for each in trials.trials)
    if failed:
        yield f"{failed} of {len(trials.trials)} trials failed"
    if ended:
        yield f"{ended} of {len(trials.trials)} trials were ended early"
    size = sampling.combinations(trials.sweep.space)
    if trials.sweep.sampling == "grid" and size is not None and size < trials.sweep.trials:
        yield f"the grid has {size} trials; {trials.sweep.trials} were asked for"


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    begun = file.with_name(f".{file.name}.new")
    with suppress(FileNotFoundError):
        begun.unlink()
    begun.write_bytes(content)
    begun.replace(file)
