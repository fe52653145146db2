"""Folders of jobs: written down line by line, held by one process, read back whatever happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from brinery.errors import JobBusy, NotFound
from brinery.records.job import Status, StepRun
from brinery.records.plan import Plan, Step
from brinery.store.jobs import Begun, Jobs, is_held, last_lines, log_lines, new_name, read

PLAN = Plan(name="dill", pipeline=True, steps=(Step(name="a"), Step(name="b")))
BEGUN = Begun(name="dill", created=datetime(2026, 11, 22, tzinfo=UTC), who="cook", previous="bay")


def test_a_job_is_read_back(tmp_path: Path) -> None:
    """What was appended is what is read: the last line of each step, and the job's end."""
    jobs = Jobs(tmp_path / "jobs")
    with jobs.create(PLAN, BEGUN) as journal:
        journal.step(StepRun(name="a", status=Status.RUNNING))
        assert jobs.read("dill").status is Status.RUNNING
        assert is_held(jobs.path("dill"))
        journal.step(StepRun(name="a", status=Status.COMPLETED, why="because"))
        journal.ended(Status.FAILED, error="b failed")
    job, previous = jobs.read_with_previous("dill")
    assert [run.status for run in job.steps] == [Status.COMPLETED, Status.NOT_STARTED]
    assert (job.status, job.error, job.who, previous) == (Status.FAILED, "b failed", "cook", "bay")
    assert job.ended is not None
    assert job.plan == PLAN


def test_a_torn_line(tmp_path: Path) -> None:
    """What a killed process wrote of a line is not read, and stays apart from what follows."""
    jobs = Jobs(tmp_path / "jobs")
    jobs.create(PLAN, BEGUN).close()
    path = jobs.path("dill") / "journal.jsonl"
    with path.open("ab") as stream:
        stream.write(b'{"at":"2026-11-22T00:00:00Z","step":{"name":"a","sta')
    assert jobs.read("dill").steps[0].status is Status.NOT_STARTED
    with jobs.resume("dill") as journal:
        journal.step(StepRun(name="a", status=Status.COMPLETED))
    assert jobs.read("dill").steps[0].status is Status.COMPLETED


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A job is held by who runs it; one whose process is gone does not respond."""
    jobs = Jobs(tmp_path / "jobs")
    with jobs.create(PLAN, BEGUN):
        with pytest.raises(JobBusy, match="another process runs"):
            jobs.resume("dill")
        with pytest.raises(JobBusy, match="there is a job dill"):
            jobs.create(PLAN, BEGUN)
        assert jobs.cancel("dill")
    assert jobs.read("dill").status is Status.NOT_RESPONDING
    assert not jobs.cancel("dill")
    jobs.close_lost("dill")
    assert jobs.read("dill").status is Status.CANCELED


def test_names(tmp_path: Path) -> None:
    """A job that is not there is met with the nearest name, and no name leads out of the folder."""
    jobs = Jobs(tmp_path / "jobs")
    assert jobs.names() == []
    jobs.create(PLAN, BEGUN).close()
    with pytest.raises(NotFound, match="did you mean 'dill'"):
        jobs.read("dil")
    for name in ("", "..", "../jobs/dill", "/"):
        with pytest.raises(NotFound):
            jobs.read(name)
    assert len({new_name() for _ in range(100)}) == 100
    jobs.change("dill", archived=True, tags={"a": "1"})
    assert jobs.list() == []
    assert jobs.list(archived=True)[0].plan.tags == {"a": "1"}
    assert read(jobs.path("dill")).archived


def test_logs(tmp_path: Path) -> None:
    """Lines of a log are told with their times, or the last ones without."""
    log = tmp_path / "std_log.txt"
    assert last_lines(log, 2) == []
    log.write_text("2026-11-22T00:00:00.000Z one two\n2026-11-22T00:00:01.000Z three\n")
    assert next(iter(log_lines(log))) == ("2026-11-22T00:00:00.000Z", "one two")
    assert last_lines(log, 1) == ["three"]


def test_jobs_that_failed_of_late(tmp_path: Path) -> None:
    """The newest first, so many at most; what went well, or was put away, is none of them."""
    jobs = Jobs(tmp_path)
    for name, status in (("a", Status.FAILED), ("b", Status.COMPLETED), ("c", Status.FAILED)):
        with jobs.create(PLAN, replace(BEGUN, name=name)) as journal:
            journal.ended(status, error="it broke")
    since = datetime.now(UTC) - timedelta(days=1)
    assert {job.name for job in jobs.failed(since=since, most=5)} == {"a", "c"}
    assert len(jobs.failed(since=since, most=1)) == 1
    jobs.change("c", archived=True)
    assert [job.name for job in jobs.failed(since=since, most=5)] == ["a"]
    assert jobs.failed(since=datetime.now(UTC) + timedelta(days=1), most=5) == []
