"""Jobs from their files: run, resumed after whatever ended them, and explained."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

from brinery.actions.job_engine import Engine, run_command
from brinery.actions.job_later import EarlyRunner, all_drivers, local_runner, ray_runner
from brinery.actions.job_protection import protected
from brinery.actions.job_rooms import JobRooms
from brinery.actions.job_steps import Options
from brinery.errors import JobBusy, NotFound
from brinery.records.job import JobRun, Status, StepRun
from brinery.records.job_event import JobEvent
from brinery.records.plan import DataType, Plan, StepKind
from brinery.runners.interface import Carrier, Driver, Runner
from brinery.specs.user import login_name
from brinery.store.fingerprints import stamp_of
from brinery.store.jobs import Begun, Journal, boot_id, boots, new_name, read
from brinery.store.plans import own_files
from brinery.store.pruning import using
from brinery.store.reuse import Earlier

MODELS: Final = (DataType.MLFLOW_MODEL, DataType.CUSTOM_MODEL, DataType.TRITON_MODEL)

_PLUGINS: Final = "PYDANTIC_DISABLE_PLUGINS"
# Attempts that are made ready for a cluster, which begins them where there is room.
_ON_A_CLUSTER: Final = 64

Running = Generator[JobEvent, None, JobRun]


class How(msgspec.Struct, frozen=True):
    """How a job is run.

    Attributes:
        limit: attempts at once; as many as there are processors that we may use when 0.
        ignore_comments: whether a change of comments in Python files is none.
        told: whether lines that steps write are among the events.
        cancel: is set, by whichever thread or signal, to have the job end.
        runner: its name, `local` or `ray`.
        address: of the Ray cluster; one is started on this machine when empty.
        make_runner: makes it, once a step must run; processes of this machine when None.
        drivers: of kinds of steps, beside those that there are.
        earlier: the job and the run of steps that it did not run before, by name: what changed is
            told against them.
    """

    limit: int = 0
    ignore_comments: bool = False
    told: bool = False
    cancel: threading.Event = msgspec.field(default_factory=threading.Event)
    runner: str = "local"
    address: str = ""
    make_runner: Callable[[], Runner] | None = None
    drivers: Mapping[StepKind, Driver] = msgspec.field(default_factory=dict)
    earlier: Mapping[str, tuple[str, StepRun]] = msgspec.field(default_factory=dict)


def create(
    rooms: JobRooms,
    file: Path,
    *,
    sets: Sequence[str] = (),
    name: str = "",
    how: How | None = None,
) -> Running:
    """Run the job that a file declares, and return it, whatever became of it.

    Args:
        rooms: of the workspace.
        file: its YAML.
        sets: each `a.b.c=value`, set before anything is checked.
        name: of the job; the file's, or one that is drawn, when empty.
        how: it is run.

    Yields:
        What happens.

    Raises:
        InvalidJob: the file, or what it names, is wrong: every fault at once.
        JobBusy: there is a job of that name.
    """
    how = how or How()
    early = EarlyRunner()
    here = how.runner == "local" and how.make_runner is None
    try:
        plan = planned(rooms, file, sets=sets, beside=early.start if here else None)
        if name:
            plan = msgspec.structs.replace(plan, name=name)
        if here:
            how = msgspec.structs.replace(
                how, make_runner=lambda: early.made(protected(rooms, plan))
            )
        return (yield from run_plan(rooms, plan, how=how))
    finally:
        early.close()


def planned(
    rooms: JobRooms,
    file: Path,
    *,
    sets: Sequence[str] = (),
    beside: Callable[[], None] | None = None,
) -> Plan:
    """Return the plan of the job that a file declares.

    Args:
        rooms: of the workspace.
        file: its YAML.
        sets: each `a.b.c=value`.
        beside: called before a plan is made, which takes a while; not where it is found.

    Raises:
        InvalidJob: the file, or what it names, is wrong: every fault at once.
    """
    assets = stamp_of(str(rooms.workspace.assets))
    where = (str(rooms.workspace.root), str(Path.cwd()), str(file))
    asked = ("plan", *own_files(), *where, assets, *sets)
    found = rooms.plans.find(asked)
    if found is None:
        if beside is not None:
            beside()
        # They read and check everything, which takes longer than to find a plan that was made.
        job_yaml: Any = import_module("brinery.specs.job_yaml")
        planning: Any = import_module("brinery.pipeline.planning")
        with _no_plugins():
            declared = job_yaml.read(file, sets=sets)
            found = planning.plan(declared, rooms.catalog)
        files = (*declared.found.files, rooms.workspace.settings_file)
        rooms.plans.add(asked, found, files=[str(each.absolute()) for each in files])
    made: Plan = found
    return made


@contextmanager
def _no_plugins() -> Iterator[None]:
    """Have Pydantic look for no plugins: it reads the metadata of all that is installed."""
    before = os.environ.get(_PLUGINS)
    os.environ[_PLUGINS] = before or "__all__"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_PLUGINS]


def explain(rooms: JobRooms, name: str = "") -> JobRun:
    """Return a job, whose steps say why they ran, were reused or failed; the newest when empty.

    Raises:
        NotFound: there is no such job.
    """
    if not name:
        names = rooms.jobs.names()
        if not names:
            raise NotFound("there are no jobs yet", hint="brinery job create -f FILE")
        name = names[0]
    return rooms.jobs.read(name)


def model_output(job: JobRun, name: str = "") -> Path:
    """Return where the model lies that a job left: its output of such a type, or its only one.

    Args:
        job: which completed.
        name: of the output that is meant; found by its type when empty.

    Raises:
        NotFound: there is none, or more than one.
    """
    runs = {run.name: run for run in job.steps}
    found = {
        one: (kept.settings.type, Path(runs[kept.step].outputs[kept.output].path))
        for one, kept in job.plan.outputs.items()
        if kept.output in runs[kept.step].outputs
    }
    models = [one for one in found if found[one][0] in MODELS] or list(found)
    if name:
        models = [name] if name in found else []
    if len(models) != 1:
        said = f"several models: {', '.join(models)}" if models else f"no output {name}".rstrip()
        raise NotFound(
            f"the job {job.name} has {said}",
            hint=f"brinery import PATH --name NAME; brinery job show {job.name} has the paths",
        )
    return found[models[0]][1]


def run_plan(rooms: JobRooms, plan: Plan, *, how: How | None = None) -> Running:
    """Run a job that is planned; return it, whatever became of it.

    Args:
        rooms: of the workspace.
        plan: of the job; a name is drawn where it has none.
        how: it is run.

    Yields:
        What happens.

    Raises:
        JobBusy: there is a job of that name.
    """
    recover(rooms)
    name = plan.name or new_name()
    plan = msgspec.structs.replace(plan, name=name)
    previous = rooms.reuse.last(plan.file) if plan.file else ""
    how = how or How()
    begun = Begun(
        name=name,
        created=datetime.now(UTC),
        who=login_name(),
        runner=how.runner,
        previous=previous,
    )
    with using(rooms.workspace.state), rooms.jobs.create(plan, begun) as journal:
        rooms.reuse.begin(plan.file or name, name)
        return (yield from _run(rooms, plan, journal, how=how, previous=previous))


def resume(rooms: JobRooms, name: str, *, how: How | None = None) -> Running:
    """Go on with a job that failed, was cancelled, or whose process was killed; return it.

    Steps that finished are not run again.

    Raises:
        NotFound: there is no such job.
        JobBusy: a process runs it.
    """
    recover(rooms)
    how = how or How()
    with using(rooms.workspace.state), rooms.jobs.resume(name) as journal:
        job, previous = rooms.jobs.read_with_previous(name)
        rooms.reuse.begin(job.plan.file or name, name)
        before = [_finished(rooms, journal, run) for run in job.steps]
        return (
            yield from _run(
                rooms,
                job.plan,
                journal,
                how=how,
                previous=previous,
                before=before,
            )
        )


def recover(rooms: JobRooms) -> None:
    """Remember what jobs left that were killed before that was remembered.

    A step's line is in the journal before its outputs are on the disk. In the same boot of the
    machine both are there for us to see; after another, what the line says is read and compared.
    """
    for name in rooms.reuse.begun():
        path = rooms.jobs.path(name)
        try:
            with Journal(path) as journal:
                job = read(path)
                for run in job.steps:
                    if (
                        run.status is Status.COMPLETED
                        and job.plan.pipeline
                        and not run.reused
                        and rooms.reuse.find(run.key) is None
                        and _finished(rooms, journal, run).status is Status.COMPLETED
                    ):
                        rooms.outputs.sync(tuple(run.outputs.values()))
                        rooms.reuse.add(run.key, Earlier(job=name, run=run))
        except FileNotFoundError:
            pass  # it was deleted
        except JobBusy:
            continue
        rooms.reuse.end(name)


def _finished(rooms: JobRooms, journal: Journal, run: StepRun) -> StepRun:
    """Return a step as it can be gone on with: not completed where its outputs are gone."""
    if run.status is not Status.COMPLETED:
        return run
    known = boots(journal.path) <= {boot_id()}
    good = rooms.outputs.holds if known else rooms.outputs.same
    if all(good(made) for made in run.outputs.values()):
        return run
    return msgspec.structs.replace(run, status=Status.NOT_STARTED)


def _runner(rooms: JobRooms, plan: Plan, how: How) -> Callable[[], Runner]:
    def made() -> Runner:
        kept = protected(rooms, plan)
        if how.runner == "ray":
            return ray_runner(kept, address=how.address, carrier=partial(_carrier, rooms))
        return local_runner(kept)

    return made


def _carrier(rooms: JobRooms) -> Carrier | None:
    """Return what brings steps to machines that do not see the workspace; None for nothing.

    Raises:
        SettingsError: the settings are wrong.
    """
    # Few jobs need the models of all settings, which take longer to import than a step to run.
    settings: Any = import_module("brinery.specs.settings")
    place = settings.read(rooms.workspace.settings_file, rooms.variables).store.artifacts
    if not place:
        return None
    room: Any = import_module("brinery.actions.job_carrier")
    made: Carrier = room.job_carrier(rooms, f"{place.rstrip('/')}/jobs")
    return made


def _run(
    rooms: JobRooms,
    plan: Plan,
    journal: Journal,
    *,
    how: How,
    previous: str,
    before: list[StepRun] | None = None,
) -> Running:
    limit = how.limit or (_ON_A_CLUSTER if how.runner == "ray" else len(os.sched_getaffinity(0)))
    options = Options(limit, how.ignore_comments, how.told, how.cancel, how.earlier)
    rooms.tracking.spread(how.address)
    engine = Engine(
        rooms,
        plan,
        journal=journal,
        runner=how.make_runner or _runner(rooms, plan, how),
        options=options,
        drivers={**all_drivers(run_command, rooms.tracking), **how.drivers},
        previous=previous,
    )
    job = yield from engine.run(before or ())
    rooms.reuse.end(job.name)
    return job
