"""Schedules of jobs: a copy of a job that is created once for each time that counts."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from brinery.actions.jobs import job, jobs
from brinery.actions.scheduled_jobs import ScheduledJobs
from brinery.actions.schedules import (
    create_schedule,
    delete_schedule,
    enable_schedule,
    next_due,
    schedule,
    schedule_answer,
)
from brinery.errors import AlreadyThere, InvalidJob, NotFound
from brinery.records.job import Status

_JOB = """\
type: command
command: cat ${{inputs.words}}
environment: {image: python}
inputs:
  words: {type: uri_file, path: ./words.txt}
"""
_SCHEDULE = """\
name: nightly
trigger: {type: recurrence, frequency: day, interval: 1, schedule: {hours: [2], minutes: [30]}}
create_job: {type: command, job: ./job.yml, tags: {by: schedule}}
"""


class _Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a workspace with a job and a schedule of it."""
    for name, text in {"job.yml": _JOB, "words.txt": "one\n", "nightly.yml": _SCHEDULE}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def _wait(watched: ScheduledJobs) -> None:
    """Look until what was begun is over."""
    end = time.monotonic() + 240
    watched.look()
    while watched.busy and time.monotonic() < end:
        time.sleep(0.05)
        watched.look()


def test_a_job_is_created_once_for_all_times_that_were_missed(folder: Path) -> None:
    """It is named after the time, made of the copy, and reads data where they lie now."""
    made = create_schedule(folder / "nightly.yml", workspace=folder)
    (folder / "job.yml").unlink()
    (folder / "words.txt").write_text("two\n")
    clock, told = _Clock(), list[tuple[str, str]]()
    watched = [
        ScheduledJobs(folder, on_job=lambda *said: told.append(said), now=clock) for _ in range(2)
    ]
    watched[0].look()
    assert told == []
    # Whatever time it is now: at noon no time of the schedule is near.
    clock.now = (clock.now + timedelta(days=3)).replace(hour=12)
    for one in watched:
        _wait(one)
    due = schedule("nightly", workspace=folder).due
    assert due is not None
    assert (due.hour, due.minute) == (2, 30)
    assert told == [("nightly", f"nightly_{due:%Y%m%dt%H%M%S}")]
    [created] = jobs(workspace=folder)
    assert (created.status, created.plan.tags) == (Status.COMPLETED, {"by": "schedule"})
    log = folder / ".brinery" / "jobs" / created.name / "steps"
    assert any("two" in file.read_text() for file in log.rglob("std_log.txt"))
    clock.now += timedelta(hours=1)
    _wait(watched[0])
    assert len(jobs(workspace=folder)) == 1
    assert next_due(schedule("nightly", workspace=folder), clock.now) == due + timedelta(days=1)
    assert schedule_answer(made)["is_enabled"] is True


def test_a_schedule_of_an_earlier_job_runs_its_plan_again(folder: Path) -> None:
    """The plan is that of the job; what cannot be created is kept and told."""
    create_schedule(folder / "nightly.yml", workspace=folder)
    clock = _Clock()
    clock.now += timedelta(days=1)
    _wait(ScheduledJobs(folder, now=clock))
    [first] = jobs(workspace=folder)
    again = folder / "again.yml"
    again.write_text(
        f"name: again\ntrigger: {{type: cron, expression: '0 6 * * *'}}\n"
        f"create_job: azureml:{first.name}\n"
    )
    create_schedule(again, workspace=folder)
    told: list[tuple[str, str]] = []
    watched = ScheduledJobs(folder, on_error=lambda *said: told.append(said), now=clock)
    clock.now += timedelta(days=1)
    _wait(watched)
    last = schedule("again", workspace=folder).last_job
    assert job(last, workspace=folder).plan.steps == first.plan.steps
    (folder / ".brinery" / "schedules" / "nightly" / "job" / "component.yml").write_text("{}")
    clock.now += timedelta(days=1)
    _wait(watched)
    assert [name for name, _ in told] == ["nightly"]
    assert schedule("nightly", workspace=folder).error == told[0][1]


def test_a_schedule_that_is_disabled_makes_up_for_nothing(folder: Path) -> None:
    """What was due meanwhile is over; it is due next after it was enabled."""
    create_schedule(folder / "nightly.yml", workspace=folder)
    assert enable_schedule("nightly", enabled=False, workspace=folder).enabled is False
    assert next_due(schedule("nightly", workspace=folder), datetime.now(UTC)) is None
    clock = _Clock()
    clock.now += timedelta(days=2)
    ScheduledJobs(folder, now=clock).look()
    assert jobs(workspace=folder) == []
    enabled = enable_schedule("nightly", workspace=folder)
    assert next_due(enabled, datetime.now(UTC)) is not None
    with pytest.raises(AlreadyThere, match="there is a schedule nightly"):
        create_schedule(folder / "nightly.yml", workspace=folder)
    delete_schedule("nightly", workspace=folder)
    with pytest.raises(NotFound):
        schedule("nightly", workspace=folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_SCHEDULE.replace("[2]", "[24]"), "trigger.schedule.hours: 24 is not from 0 to 23"),
        (_SCHEDULE.replace("./job.yml", "./none.yml"), r"none\.yml cannot be read"),
        (_SCHEDULE.replace("recurrence", "cron"), "expression is missing"),
        (_SCHEDULE.replace("job.yml, tags", "job.yml, inputs: {x: 1}, tgas"), "tgas"),
    ],
    ids=["hour", "file", "cron", "key"],
)
def test_a_fault_is_told_when_the_schedule_is_created(folder: Path, text: str, said: str) -> None:
    """The trigger, the job's file and the keys are looked at; nothing is kept."""
    (folder / "nightly.yml").write_text(text)
    if said == "tgas":
        # It is accepted, as other clients do, and means nothing.
        assert create_schedule(folder / "nightly.yml", workspace=folder).enabled
        return
    with pytest.raises(InvalidJob, match=said):
        create_schedule(folder / "nightly.yml", workspace=folder)
