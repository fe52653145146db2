"""Jobs in a line each: a journal that did not grow is not read again."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

import msgspec

from brinery.records.job import JobRun, Status
from brinery.records.job_summary import JobSummary
from brinery.store.jobs import is_held, read

_JOURNAL: Final = "journal.jsonl"

_Mark = tuple[int, int]


class JobSummaries:
    """The jobs of a workspace; used by several threads.

    Args:
        folder: `.brinery/jobs`, whether or not it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[_Mark, JobSummary]] = {}
        self._lock = threading.Lock()

    def all(self) -> list[JobSummary]:
        """Return all jobs, the newest first."""
        with self._lock:
            known = self._known
        found: dict[str, tuple[_Mark, JobSummary]] = {}
        try:
            names = [each.name for each in os.scandir(self._folder)]
        except FileNotFoundError:
            return []
        for name in names:
            one = self._of(name, known.get(name))
            if one is not None:
                found[name] = one
        with self._lock:
            self._known = found
        summaries = [self._now(one) for _, one in found.values()]
        return sorted(summaries, key=lambda one: one.created, reverse=True)

    def _of(
        self, name: str, known: tuple[_Mark, JobSummary] | None
    ) -> tuple[_Mark, JobSummary] | None:
        path = self._folder / name
        try:
            seen = os.stat(path / _JOURNAL)  # noqa: PTH116 - of a thousand files, half the time
            mark = (seen.st_mtime_ns, seen.st_size)
            if known is not None and known[0] == mark:
                return known
            return mark, _summary(read(path))
        except (OSError, msgspec.MsgspecError):
            return None  # it is just being made, or deleted

    def _now(self, one: JobSummary) -> JobSummary:
        """Return a summary with what no journal says: whether a process runs the job."""
        if one.status.over:
            return one
        held = is_held(self._folder / one.name)
        status = Status.RUNNING if held else Status.NOT_RESPONDING
        return msgspec.structs.replace(one, status=status)


def _summary(job: JobRun) -> JobSummary:
    return JobSummary(
        name=job.name,
        shown=job.plan.display_name or job.name,
        experiment=job.plan.experiment,
        status=job.status,
        created=job.created,
        ended=job.ended,
        steps=len(job.steps),
        over=sum(run.status.over for run in job.steps),
        reused=sum(bool(run.reused) for run in job.steps),
        failed=sum(run.status is Status.FAILED for run in job.steps),
        who=job.who,
        archived=job.archived,
        error=job.error,
    )
