"""Schedules of jobs: created, listed, enabled, deleted, and looked at for what is due."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from brinery.actions.asset_rooms import AssetRooms, Folder, open_asset_rooms
from brinery.actions.assets import copy_code, values_of
from brinery.actions.job_process import LATER
from brinery.errors import InvalidJob
from brinery.records.scheduled import Scheduled
from brinery.specs import job_source, part_models
from brinery.specs.addresses import Local, OfJob, parse
from brinery.specs.assets import CronTrigger, RecurrenceTrigger, Schedule
from brinery.specs.job_source import Findings
from brinery.specs.job_yaml import Declared, Noun, checked, declared
from brinery.specs.triggers import Times, times_of
from brinery.specs.user import login_name
from brinery.store.component_copies import ComponentCopy
from brinery.store.schedules import Schedules

_CHANGED: Final = ("inputs", "outputs", "settings", "tags")
_REPLACED: Final = ("experiment_name", "display_name", "description", "compute")


def create_schedule(
    file: Folder,
    *,
    name: str | None = None,
    sets: Sequence[str] = (),
    workspace: Folder | None = None,
) -> Scheduled:
    """Return a schedule that creates jobs from now on, while `brinery up` runs.

    The job's file and its code are copied; data of this machine are read where they lie.

    Args:
        file: its YAML.
        name: in place of the file's.
        sets: each `a.b.c=value`, set in the file before it is checked.
        workspace: its folder; the nearest upwards when None.

    Raises:
        InvalidJob: the file, or the job's, is wrong: every fault at once.
        NotFound: the job whose plan is to be run again is not there.
        AlreadyThere: there is a schedule of that name.
    """
    rooms = open_asset_rooms(workspace)
    found = checked(Path(file), sets=sets, noun=Noun.SCHEDULE)
    model = found.model
    assert isinstance(model, Schedule)  # noqa: S101 - for the type checker
    _times(found, model)
    rooms.workspace.prepare()
    source, changed = _source(found.source.stated["create_job"])
    schedule = Scheduled(
        name=name or str(model.name),
        trigger=dict(found.source.stated["trigger"]),
        declared=datetime.now(UTC),
        who=login_name(),
        display_name=model.display_name or "",
        description=model.description or "",
        tags={key: str(value) for key, value in (model.tags or {}).items()},
    )
    if (earlier := _earlier(source)) is not None:
        rooms.jobs.read(earlier)
        return _schedules(rooms).create(replace(schedule, job=earlier), fill=Path.mkdir)
    job_file = found.source.folder / Path(source.removeprefix("file:"))
    stated = _job(job_file, changed)
    copier = ComponentCopy(read=values_of, copy_code=copy_code, copy_inputs=False)
    return _schedules(rooms).create(
        schedule, fill=lambda into: copier.take(stated, job_file.absolute().parent, into=into)
    )


def schedules(*, workspace: Folder | None = None) -> list[Scheduled]:
    """Return the schedules of a workspace, by name."""
    return _schedules(open_asset_rooms(workspace)).all()


def schedule(name: str, *, workspace: Folder | None = None) -> Scheduled:
    """Return a schedule.

    Raises:
        NotFound: there is none of that name; the message has the nearest.
    """
    return _schedules(open_asset_rooms(workspace)).get(name)


def enable_schedule(
    name: str, *, enabled: bool = True, workspace: Folder | None = None
) -> Scheduled:
    """Return a schedule that creates jobs from now on, or does so no more.

    What was due while it was not enabled is not made up for.

    Raises:
        NotFound: there is none of that name.
    """
    kept = _schedules(open_asset_rooms(workspace))
    now = datetime.now(UTC)

    def edit(was: Scheduled) -> Scheduled:
        return was if was.enabled == enabled else replace(was, enabled=enabled, declared=now)

    return kept.change(name, edit)


def delete_schedule(name: str, *, workspace: Folder | None = None) -> None:
    """Forget a schedule; the jobs that it created stay.

    Raises:
        NotFound: there is none of that name.
    """
    _schedules(open_asset_rooms(workspace)).remove(name)


def next_due(schedule: Scheduled, now: datetime) -> datetime | None:
    """Return when a schedule creates a job next; None where it does not."""
    if not schedule.enabled:
        return None
    return times(schedule).next(max(now, schedule.due or now), since=schedule.declared)


def missed(schedule: Scheduled, now: datetime) -> datetime | None:
    """Return the time for which a schedule should create a job now; None where it should not.

    However many times were missed, one job makes up for them.
    """
    if not schedule.enabled:
        return None
    since = max(schedule.due or schedule.declared, schedule.declared)
    return times(schedule).missed(since, now, declared=schedule.declared)


def times(schedule: Scheduled) -> Times:
    """Return when a schedule is due."""
    by_cron = str(schedule.trigger.get("type")).lower() == "cron"
    kind: type[CronTrigger | RecurrenceTrigger] = CronTrigger if by_cron else RecurrenceTrigger
    return times_of(part_models.valid(kind, schedule.trigger))


def begin(
    name: str, due: datetime, *, workspace: Folder | None = None
) -> subprocess.Popen[bytes] | None:
    """Return the process of the job that a schedule creates for a time.

    The process outlives this one. The job's name is that of the schedule and the time, so that
    the same is never created twice; where another scheduler was first, None is returned.

    Args:
        name: of the schedule.
        due: the time.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is none of that name.
    """
    rooms = open_asset_rooms(workspace)
    kept = _schedules(rooms)
    job = f"{name}_{due:%Y%m%dt%H%M%S}"
    process: subprocess.Popen[bytes] | None = None

    def start(was: Scheduled) -> Scheduled:
        nonlocal process
        if was.due is not None and was.due >= due:
            return was
        # One who was killed between the two had begun it, but not kept that.
        if not rooms.jobs.path(job).exists():
            verb = ["rerun", was.job] if was.job else ["create", "-f", str(kept.job_file(name))]
            words = ["--workspace", str(rooms.workspace.root), "job", *verb, "--name", job]
            with kept.log(name).open("wb") as told:
                process = subprocess.Popen(
                    [sys.executable, "-c", LATER, *words],
                    cwd=rooms.workspace.root,
                    stdin=subprocess.DEVNULL,
                    stdout=told,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        return replace(was, due=due, last_job=job, error="")

    kept.change(name, start)
    return process


def ended(name: str, *, status: int, workspace: Folder | None = None) -> str:
    """Return why the last job of a schedule could not be created, which is kept; or nothing.

    A job that failed was created: why it failed is its own.

    Args:
        name: of the schedule.
        status: that the job's process ended with.
        workspace: its folder; the nearest upwards when None.
    """
    rooms = open_asset_rooms(workspace)
    kept = _schedules(rooms)
    if status == 0 or rooms.jobs.path(kept.get(name).last_job).exists():
        return ""
    lines = kept.log(name).read_text("utf-8", "replace").strip().splitlines()
    said = next((one for one in lines if one.startswith("error:")), " ".join(lines[-1:]))
    error = said.removeprefix("error:").strip() or f"its process ended with status {status}"
    kept.change(name, lambda was: replace(was, error=error))
    return error


def schedule_answer(schedule: Scheduled) -> dict[str, Any]:
    """Return a schedule as plain values under the keys that scripts expect."""
    due = next_due(schedule, datetime.now(UTC))
    plain: dict[str, Any] = msgspec.to_builtins(schedule)
    return {
        "name": schedule.name,
        "id": f"azureml://schedules/{schedule.name}",
        "display_name": schedule.display_name,
        "description": schedule.description,
        "tags": schedule.tags,
        "is_enabled": schedule.enabled,
        "provisioning_state": "Succeeded",
        "trigger": plain["trigger"],
        "explained": times(schedule).explained(),
        "next_due": due.isoformat() if due else None,
        "last_due": plain["due"],
        "last_job": schedule.last_job,
        "error": schedule.error,
        "creation_context": {"created_at": plain["declared"], "created_by": schedule.who},
    }


def _schedules(rooms: AssetRooms) -> Schedules:
    return Schedules(rooms.workspace.state / "schedules")


def _times(found: Declared, model: Schedule) -> None:
    """Check a trigger.

    Raises:
        InvalidJob: it is wrong.
    """
    trigger = model.trigger
    if isinstance(trigger, (CronTrigger, RecurrenceTrigger)):
        try:
            times_of(trigger)
        except ValueError as error:
            raise InvalidJob(f"{found.source.at(('trigger',))} {error}") from None


def _source(stated: Any) -> tuple[str, dict[str, Any]]:
    """Return what `create_job` names, and what it changes of that."""
    if isinstance(stated, dict):
        return str(stated.get("job")), stated
    return str(stated), {}


def _earlier(source: str) -> str | None:
    """Return the name of an earlier job; None where a file is named."""
    if source.startswith("azureml:"):
        known = parse(source)
        return known.job if isinstance(known, OfJob) else source.removeprefix("azureml:")
    return None


def _job(file: Path, changed: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a job's file, with what a schedule changes, and paths made whole.

    Raises:
        InvalidJob: it is wrong.
    """
    found = Findings()
    source = job_source.read(file, found=found)
    stated = source.stated
    for key in _CHANGED:
        if isinstance(given := changed.get(key), dict):
            held = stated.get(key)
            stated[key] = {**(held if isinstance(held, dict) else {}), **given}
    stated |= {key: changed[key] for key in _REPLACED if key in changed}
    stated.pop("name", None)
    declared(source, noun=Noun.JOB)
    found.raise_if_any()
    for port in (stated.get("inputs") or {}).values():
        if isinstance(port, dict) and isinstance(path := port.get("path"), str):
            known = parse(path)
            if isinstance(known, Local) and "${{" not in path:
                port["path"] = str((file.absolute().parent / known.path).resolve())
    return stated
