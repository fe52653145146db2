"""The folders of jobs: what was planned, what happened, and who runs it now.

    .brinery/jobs/NAME/plan.json        written before anything runs
                       journal.jsonl    each change, appended; its last line may be torn
                       lock             held by the process that runs it
                       cancel           is there once somebody asked for its end
                       steps/STEP/logs/std_log.txt
                       steps/STEP/outputs/OUTPUT     a link into the store
                       steps/STEP/artifacts/         what it left in ./outputs and ./logs
                       steps/STEP                    of a reused one, a link to that of the run
                                                     that stands for it
                       named-outputs/OUTPUT          of the job itself, likewise links

A journal is the truth of a job. A line of it is there for whoever looks after the process that
wrote it was killed; after a loss of power lines of another boot may speak of contents that were
lost, so whoever reads `Journal.boot` reads those contents again before it builds on them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import msgspec

from brinery.errors import JobBusy, NotFound
from brinery.records.job import JobRun, Status, StepRun
from brinery.records.plan import Plan
from brinery.records.ready import decoded
from brinery.specs.names import nearest
from brinery.store import journals

_PLAN: Final = "plan.json"
_JOURNAL: Final = "journal.jsonl"
_LOCK: Final = "lock"
_CANCEL: Final = "cancel"
_TAIL_BYTES: Final = 4096
_LOOKED_AT: Final = 200
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_NAME_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ADJECTIVES: Final = ("brave", "calm", "crisp", "fair", "gentle", "keen", "lively", "neat", "sunny")
_NOUNS: Final = ("anchor", "basil", "cedar", "dill", "heron", "island", "lemon", "olive", "river")


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a journal: a job's beginning, a step's change, or the job's.

    Attributes:
        at: when it was written.
        boot: of the machine, on lines that begin a process.
        job: the job as it began, without its plan's steps, on the first line.
        step: a step as it is now.
        status: of the job.
        error: why it failed.
        archived: whether lists leave it out, where that was said.
        tags: of the job, where they were changed.
    """

    at: datetime
    boot: str = ""
    job: Begun | None = None
    step: StepRun | None = None
    status: Status | None = None
    error: str = ""
    archived: bool | None = None
    tags: dict[str, str] | None = None
    display_name: str | None = None


class Begun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a job when it begins, beside its plan.

    Attributes:
        name: of it.
        created: with time zone.
        who: began it.
        runner: what it runs on.
        run_id: MLflow's, of the job's own run.
        previous: job of the same file that was the last before it; empty where there was none.
    """

    name: str
    created: datetime
    who: str = ""
    runner: str = "local"
    run_id: str = ""
    previous: str = ""


_ENCODER: Final = msgspec.json.Encoder()
_LINES: Final = msgspec.json.Decoder(_Line)


def new_name() -> str:
    """Return a name that no job has: `adjective_noun_10chars`."""
    drawn = os.urandom(12)
    tail = "".join(_NAME_LETTERS[each % len(_NAME_LETTERS)] for each in drawn[2:])
    first, second = _ADJECTIVES[drawn[0] % len(_ADJECTIVES)], _NOUNS[drawn[1] % len(_NOUNS)]
    return f"{first}_{second}_{tail}"


def boot_id() -> str:
    """Return what names the time since this machine was started; empty where that is not known."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


class Jobs:
    """The jobs of a workspace.

    Args:
        folder: `.brinery/jobs`, whether or not it is there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return the folder of a job, whether or not it is there."""
        return self.folder / name

    def create(self, plan: Plan, begun: Begun) -> Journal:
        """Return the journal of a new job, which is held by this process.

        Raises:
            JobBusy: there is a job of that name.
        """
        path = self.path(begun.name)
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise JobBusy(
                f"there is a job {begun.name}",
                hint=f"brinery job resume {begun.name}, or give another name with --name",
            ) from None
        _write_whole(path / _PLAN, _ENCODER.encode(plan))
        journal = Journal(path)
        journal.write(_Line(at=_now(), boot=boot_id(), job=begun, status=Status.RUNNING))
        journal.sync()
        return journal

    def resume(self, name: str) -> Journal:
        """Return the journal of a job, which is held by this process.

        Raises:
            NotFound: there is no such job.
            JobBusy: another process runs it.
        """
        journal = Journal(self._known(name))
        with suppress(FileNotFoundError):
            (journal.path / _CANCEL).unlink()
        journal.write(_Line(at=_now(), boot=boot_id(), status=Status.RUNNING))
        return journal

    def read(self, name: str) -> JobRun:
        """Return a job as its journal has it.

        Raises:
            NotFound: there is no such job.
        """
        path = self._known(name)
        return read(path)

    def read_with_previous(self, name: str) -> tuple[JobRun, str]:
        """Return a job as its journal has it, and the name of the one of its file before it.

        Raises:
            NotFound: there is no such job.
        """
        path = self._known(name)
        begun = next(
            (line.job for line in journals.lines(path / _JOURNAL, _LINES) if line.job is not None),
            None,
        )
        return read(path), begun.previous if begun is not None else ""

    def changed(self, name: str, *, since: int) -> tuple[set[str], int]:
        """Return the steps of a job that a part of its journal is about, and where that ends.

        Args:
            name: of the job.
            since: byte that the part begins at, as it was told before; 0 for all.

        Raises:
            NotFound: there is no such job.
        """
        with (self._known(name) / _JOURNAL).open("rb") as stream:
            stream.seek(since)
            content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        steps = {
            line.step.name for line in journals.decoded(whole, _LINES) if line.step is not None
        }
        return steps, since + len(whole)

    def names(self) -> list[str]:
        """Return the names of all jobs, the newest first."""
        created = []
        with suppress(FileNotFoundError):
            for each in os.scandir(self.folder):
                with suppress(FileNotFoundError, NotADirectoryError):
                    # A path as an object takes longer than the system does, for a thousand jobs.
                    created.append((os.stat(f"{each.path}/{_PLAN}").st_mtime_ns, each.name))  # noqa: PTH116
        return [name for _, name in sorted(created, reverse=True)]

    def failed(self, *, since: datetime, most: int) -> list[JobRun]:
        """Return the last jobs that were created since a time and failed, the newest first.

        Two hundred are looked at: at the end of the journal of each, and at the whole of those that
        failed.

        Args:
            since: with time zone.
            most: so many at most.
        """
        found: list[JobRun] = []
        for name in self.names()[:_LOOKED_AT]:
            path = self.path(name)
            if (path / _PLAN).stat().st_mtime < since.timestamp() or len(found) == most:
                break
            if _last_status(path / _JOURNAL) is Status.FAILED and not (job := read(path)).archived:
                found.append(job)
        return found

    def list(self, *, archived: bool = False) -> list[JobRun]:
        """Return all jobs, the newest first.

        Args:
            archived: whether those that were archived are among them.
        """
        found = [read(self.path(name)) for name in self.names()]
        return [job for job in found if archived or not job.archived]

    def cancel(self, name: str) -> bool:
        """Ask for the end of a job; return whether a process runs it, which is to see to that.

        Raises:
            NotFound: there is no such job.
        """
        path = self._known(name)
        if not is_held(path):
            return False
        (path / _CANCEL).touch()
        return True

    def change(
        self,
        name: str,
        *,
        archived: bool | None = None,
        tags: dict[str, str] | None = None,
        display_name: str | None = None,
    ) -> None:
        """Change what people say of a job, whoever runs it.

        Raises:
            NotFound: there is no such job.
        """
        line = _Line(at=_now(), archived=archived, tags=tags, display_name=display_name)
        _append(self._known(name) / _JOURNAL, _ENCODER.encode(line) + b"\n")

    def close_lost(self, name: str) -> None:
        """Write that a job which nobody runs was cancelled.

        Raises:
            NotFound: there is no such job.
            JobBusy: a process runs it.
        """
        with Journal(self._known(name)) as journal:
            journal.ended(Status.CANCELED, error="cancelled after the process that ran it was gone")

    def _known(self, name: str) -> Path:
        path = self.path(name)
        # A name is one folder: nothing above `jobs` is reached by it.
        if not name or Path(name).name != name or not (path / _PLAN).is_file():
            near = nearest(name, self.names())
            said = f": did you mean '{near}'?" if near else ""
            raise NotFound(f"there is no job '{name}'{said}", hint="brinery job list")
        return path


class Journal:
    """The journal of a job that this process runs; others may not.

    Use it as a context manager.

    Args:
        path: folder of the job, which is there.

    Raises:
        JobBusy: another process runs it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise JobBusy(
                f"another process runs the job {path.name}",
                hint=f"brinery job stream {path.name}",
            ) from None
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path / _JOURNAL, flags, 0o644)
        # What a killed process wrote of a line stays a line of its own, which is not read.
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cancelled(self) -> bool:
        """Return whether somebody asked for the job's end."""
        return (self.path / _CANCEL).exists()

    def write(self, line: _Line) -> None:
        """Append a line, in one piece."""
        os.write(self._file, _ENCODER.encode(line) + b"\n")

    def step(self, run: StepRun) -> None:
        """Append what a step is now."""
        self.write(_Line(at=_now(), step=run))

    def ended(self, status: Status, *, error: str = "") -> None:
        """Append that the job is over, and have it on the disk."""
        self.write(_Line(at=_now(), status=status, error=error))
        self.sync()

    def sync(self) -> None:
        """Have all lines on the disk."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Let others run the job."""
        os.close(self._file)
        os.close(self._lock)


def read(path: Path) -> JobRun:
    """Return a job as the files in its folder have it."""
    plan = decoded((path / _PLAN).read_bytes(), Plan)
    lines = list(journals.lines(path / _JOURNAL, _LINES))
    begun = next((line.job for line in lines if line.job is not None), None)
    created = datetime.fromtimestamp((path / _PLAN).stat().st_mtime, UTC)
    steps = {step.name: StepRun(name=step.name) for step in plan.steps}
    job = JobRun(name=path.name, plan=plan, status=Status.RUNNING, created=created)
    ended = None
    for line in lines:
        if line.step is not None:
            steps[line.step.name] = line.step
        if line.status is not None:
            ended = line.at if line.status.over else None
            job = msgspec.structs.replace(job, status=line.status, error=line.error)
        if line.archived is not None:
            job = msgspec.structs.replace(job, archived=line.archived)
        if line.tags is not None:
            plan = msgspec.structs.replace(plan, tags=line.tags)
        if line.display_name is not None:
            plan = msgspec.structs.replace(plan, display_name=line.display_name)
    if not job.status.over and not is_held(path):
        job = msgspec.structs.replace(job, status=Status.NOT_RESPONDING)
    if begun is not None:
        job = msgspec.structs.replace(
            job,
            created=begun.created,
            who=begun.who,
            runner=begun.runner,
            run_id=begun.run_id,
        )
    return msgspec.structs.replace(job, plan=plan, ended=ended, steps=tuple(steps.values()))


def boots(path: Path) -> set[str]:
    """Return the boots of the machine in which the job in a folder was run."""
    return {line.boot for line in journals.lines(path / _JOURNAL, _LINES) if line.boot}


def is_held(path: Path) -> bool:
    """Return whether a process runs the job in a folder."""
    return journals.is_locked(path / _LOCK)


def log_of(path: Path, step: str) -> Path:
    """Return the log of a step, whether or not it is there."""
    return path / "steps" / step / "logs" / "std_log.txt"


def log_lines(log: Path) -> Iterator[tuple[str, str]]:
    """Yield each line of a log: its time, as ISO 8601 has it, and its text."""
    with log.open(encoding="utf-8", errors="replace", newline="\n") as stream:
        for line in stream:
            at, _, text = line.removesuffix("\n").partition(" ")
            yield at, text


def last_lines(log: Path, count: int) -> Sequence[str]:
    """Return the texts of the last lines of a log; none where there is no log."""
    try:
        size = log.stat().st_size
        with log.open("rb") as stream:
            stream.seek(max(0, size - 400 * count))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line.partition(" ")[2] for line in lines[-count:]]


def _last_status(journal: Path) -> Status | None:
    """Return the last status of a job in the end of its journal; None where there is none."""
    try:
        with journal.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - _TAIL_BYTES))
            lines = stream.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        with suppress(msgspec.MsgspecError):
            if (status := _LINES.decode(line).status) is not None:
                return status
    return None


def _append(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(file, content)
    finally:
        os.close(file)


def _write_whole(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(file, content)
    finally:
        os.close(file)
    beside.replace(path)


def _now() -> datetime:
    return datetime.now(UTC)
