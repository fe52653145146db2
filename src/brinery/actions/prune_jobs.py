"""Jobs that nobody needs any more are removed, with what only they name, and copies of data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from brinery.actions.asset_rooms import AssetRooms, Folder, open_asset_rooms
from brinery.actions.models import models
from brinery.actions.schedules import schedules
from brinery.errors import BrineryError, InvalidJob
from brinery.records.asset import AssetKind
from brinery.records.job import JobRun
from brinery.records.plan import Data, Joined, Value
from brinery.store.catalog import software_of
from brinery.store.environments import Environments
from brinery.store.fingerprints import Fingerprints
from brinery.store.job_environments import JobEnvironments
from brinery.store.outputs import Outputs
from brinery.store.pruning import (
    Found,
    alone,
    copies,
    forget,
    remembered,
    unnamed,
    unused,
)
from brinery.store.trash import Trash

_JOB: Final = re.compile(r"azureml://(?:.*/)?jobs/([^/]+)/")
_AGE: Final = re.compile(r"(\d+)([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?(k|m|g|t|)b?")
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class Pruned(Struct, frozen=True, kw_only=True):
    """What was removed, or would be.

    Attributes:
        jobs: names, the newest first.
        outputs: count of outputs that no other job names.
        size_bytes: of those.
        environments: names of the folders of environments that nothing names.
        environments_bytes: of those.
        copies: count of copies of data of elsewhere.
        copies_bytes: of those.
        removed: whether they are gone.
    """

    jobs: tuple[str, ...]
    outputs: int
    size_bytes: int
    removed: bool
    environments: tuple[str, ...] = ()
    environments_bytes: int = 0
    copies: int = 0
    copies_bytes: int = 0


class DataLimits(Struct, frozen=True, kw_only=True):
    """Which copies of data of elsewhere go; without a limit none does.

    Attributes:
        older_than: those that nobody asked for since.
        larger_than: bytes that the others may take; those go that nobody asked for the longest.
    """

    older_than: timedelta | None = None
    larger_than: int | None = None


def age(text: str) -> timedelta:
    """Return a time such as `30d`, `12h`, `2w` or `90m`.

    Raises:
        InvalidJob: it is none.
    """
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise InvalidJob(f"{text!r} is no time", hint="30d, 12h, 2w or 90m is one")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def size(text: str) -> int:
    """Return the bytes of a size such as `20GB`, `500 MB` or `0`.

    Raises:
        InvalidJob: it is none.
    """
    found = _SIZE.fullmatch(text.strip().lower())
    if found is None:
        raise InvalidJob(f"{text!r} is no size", hint="20GB, 1.5TB, 500MB or 0 is one")
    return int(float(found[1]) * 1000 ** _POWERS[found[2]])


def prune_jobs(
    *,
    older_than: timedelta | None = None,
    keep: int | None = None,
    environments: bool = False,
    data: DataLimits | None = None,
    remove: bool = False,
    workspace: Folder | None = None,
) -> Pruned:
    """Return the jobs, and the outputs that only they name, that are removed, or would be.

    A job goes where it is over and every limit that is given lets it; without a limit none does,
    and only outputs go that no job names. A job that runs, that a schedule runs again, or that a
    job which stays reads from or reused a step of, stays; so do the outputs that a job which stays
    names.

    An environment goes where no version of a model, no step of a job that stays and no registered
    environment names it, and it was built more than a day ago; it is built again when it is asked
    for.

    Args:
        older_than: only jobs that ended before so long.
        keep: so many of the newest stay.
        environments: whether those go, too, that nothing names.
        data: which copies of data of elsewhere go; none when None.
        remove: whether they are removed; only told otherwise.
        workspace: its folder; the nearest upwards when None.

    Raises:
        JobBusy: a job runs, and something is to be removed.
    """
    rooms = open_asset_rooms(workspace)
    rooms.workspace.prepare()
    with alone(rooms.workspace.state) if remove else nullcontext():
        found = _pruned(rooms, older_than, keep, environments=environments, remove=remove)
        going = _copies(rooms, data or DataLimits(), remove=remove)
    return replace(found, copies=len(going), copies_bytes=sum(one.size_bytes for one in going))


def _pruned(
    rooms: AssetRooms,
    older_than: timedelta | None,
    keep: int | None,
    *,
    environments: bool,
    remove: bool,
) -> Pruned:
    jobs = rooms.jobs.list(archived=True)
    going = _going(rooms, jobs, older_than=older_than, keep=keep)
    staying = [job for job in jobs if job.name not in going]
    named = {made.path for job in staying for step in job.steps for made in step.outputs.values()}
    store = rooms.workspace.state / "store"
    outputs = unnamed(store, named)
    folder = rooms.workspace.environments
    unneeded = _unneeded(rooms, staying) if environments else []
    if remove:
        paths = [found.path for found in outputs]
        # First what would have others reuse them, so that a crash leaves nothing that misleads.
        for file in remembered(rooms.workspace.cache, paths):
            file.unlink(missing_ok=True)
        trash = Trash(rooms.workspace.state / "trash")
        for name in going:
            trash.put(str(rooms.jobs.path(name)))
        forget(folder, {found.path for found in unneeded})
        for found in unneeded:
            trash.put(found.path)
        trash.empty()
        kept = Outputs(store, Fingerprints(None))
        for path in paths:
            kept.discard(path)
            with suppress(OSError):
                Path(path).parent.rmdir()
    return Pruned(
        jobs=tuple(going),
        outputs=len(outputs),
        size_bytes=sum(found.size_bytes for found in outputs),
        removed=remove,
        environments=tuple(Path(found.path).name for found in unneeded),
        environments_bytes=sum(found.size_bytes for found in unneeded),
    )


def _copies(rooms: AssetRooms, limits: DataLimits, *, remove: bool) -> list[Found]:
    """Return the copies of data that are removed, or would be."""
    going = copies(
        rooms.workspace.cache / "data",
        older_than=limits.older_than,
        larger_than=limits.larger_than,
    )
    if remove:
        trash = Trash(rooms.workspace.state / "trash")
        for found in going:
            trash.put(found.path)
        trash.empty()
    return going


def _unneeded(rooms: AssetRooms, staying: Sequence[JobRun]) -> list[Found]:
    """Return the environments that neither models, nor jobs that stay, nor assets name."""
    folder = rooms.workspace.environments
    if not folder.is_dir():
        return []
    built = Environments(folder)
    versions = [each for model in models(workspace=rooms.workspace.root) for each in model.versions]
    imported = [version.candidate for version in versions if version.candidate is not None]
    places = {built.path(candidate.environment) for candidate in imported}
    declared = JobEnvironments(folder, table=rooms.settings.environment_map)
    assets = rooms.data.assets
    registered = [
        software_of(asset, assets.path(asset))
        for name in assets.names(AssetKind.ENVIRONMENT)
        for asset in assets.versions(AssetKind.ENVIRONMENT, name)
    ]
    planned = [step.software for job in staying for step in job.plan.steps]
    definitions = {
        part.value
        for job in staying
        for step in job.steps
        for part in step.parts
        if part.name == "environment"
    }
    for software in (*registered, *planned):
        with suppress(OSError, BrineryError):  # a file that it names is gone
            definitions.add(declared.definition(software))
    return unused(folder, built={place for place in places if place}, definitions=definitions)


def _going(
    rooms: AssetRooms, jobs: Sequence[JobRun], *, older_than: timedelta | None, keep: int | None
) -> list[str]:
    """Return the names of the jobs that go, the newest first."""
    if older_than is None and keep is None:
        return []
    before = datetime.now(UTC) - (older_than or timedelta())
    going = {
        job.name: job
        for number, job in enumerate(jobs)
        if job.status.over and (job.ended or job.created) <= before and number >= (keep or 0)
    }
    needed = [one.job for one in schedules(workspace=rooms.workspace.root) if one.job]
    staying = [job for job in jobs if job.name not in going]
    while needed or staying:
        for job in staying:
            needed += _read(job)
        staying = [going.pop(name) for name in dict.fromkeys(needed) if name in going]
        needed = []
    return [*going]


def _read(job: JobRun) -> Iterable[str]:
    """Return the jobs whose outputs a job reads by their address, or whose steps it reused.

    A reused step's log and folder are those of the job that ran it.
    """
    values = [value for step in job.plan.steps for value in step.inputs.values()]
    read = [found[1] for uri in _places(values) if (found := _JOB.match(uri))]
    return [*read, *(step.reused for step in job.steps if step.reused)]


def _places(values: Iterable[Value]) -> Iterable[str]:
    for value in values:
        if isinstance(value, Data):
            yield value.uri
        elif isinstance(value, Joined):
            yield from _places(value.parts)
