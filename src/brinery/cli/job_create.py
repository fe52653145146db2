"""`brinery job create`: run a job file; `job resume`: go on with a job; both tell what happens."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import click

from brinery.cli.answers import answer, answer_options
from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from brinery.actions.job import How, Running
    from brinery.actions.job_rooms import JobRooms
    from brinery.records.job import JobRun
    from brinery.records.job_event import JobEvent

_LAST_LINES = 20


class _Model(NamedTuple):
    """What a job's output is registered as."""

    name: str
    data: Path | None
    target: str | None


def _how_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command with the options of how a job is run."""
    for option in (
        click.option("--stream", is_flag=True, help="Print each line that steps write."),
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            metavar="N",
            help="Steps at once, at most. Default: as many as there are processors.",
        ),
        click.option(
            "--runner",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="Where steps run: on this machine, or on a Ray cluster.",
        ),
        click.option(
            "--address",
            default="",
            metavar="auto|[ray://]HOST:PORT",
            help="Of the Ray cluster. Default: one that is started on this machine.",
        ),
        click.option(
            "--environment",
            type=click.Choice(["declared", "current"]),
            default="declared",
            show_default=True,
            help="The Python of the steps: what they declare, or the one that runs Brinery.",
        ),
        click.option(
            "--map",
            "maps",
            multiple=True,
            metavar="URL=PATH",
            help="What stands for an address that cannot be reached from here.",
        ),
        click.option(
            "--ignore-comments",
            is_flag=True,
            help="Reuse a step whose Python files changed in comments and layout only.",
        ),
    ):
        function = option(function)
    return function


@click.command("create", short_help="Run the job of a file.")
@click.option(
    "-f",
    "--file",
    "file",
    type=click.Path(path_type=Path),
    required=True,
    help="The YAML of a command, pipeline or sweep job.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="A.B=VALUE",
    help="Set a value of the file, such as inputs.rate=0.1 or settings.force_rerun=true.",
)
@click.option("-n", "--name", default="", help="Of the job. Default: the file's, or a drawn one.")
@click.option("--register", metavar="NAME", help="Register the job's model output as a model.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="What that model is evaluated on, a file."
)
@click.option("--target", help="The column with the truth in it.")
@_how_options
@click.option("--web", is_flag=True, help="Open the job's page, where brinery up runs.")
@answer_options
@click.pass_obj
def create(
    session: Session,
    /,
    *,
    file: Path,
    sets: tuple[str, ...],
    name: str,
    register: str | None,
    web: bool,
    **more: Any,
) -> int:
    """Run the job that a file declares, here, to its end.

    Steps whose command, code, environment, inputs and parameters are those of an earlier run are
    reused. The exit status is 0 where the job completed, and 1 where it failed or was canceled.
    """
    from brinery.actions import job

    asked = _Model(register, more["data"], more["target"]) if register else None
    rooms = _rooms(session, more)
    how = _how(more, session.format)
    running = job.create(rooms, file, sets=sets, name=name, how=how)
    ended = follow(running, how, form=session.format, web=rooms.workspace.root if web else None)
    status = tell_end(
        session, rooms, job=ended, query=more["query"], form=more["form"], told=how.told
    )
    session.done = asked is None and how.runner == "local"
    return status or _register(session, rooms, ended, asked=asked)


@click.command("resume", short_help="Go on with a job that failed or was killed.")
@click.argument("name")
@_how_options
@answer_options
@click.pass_obj
def resume(session: Session, /, *, name: str, **how: Any) -> int:
    """Go on with the job NAME; steps that completed are not run again."""
    from brinery.actions import job

    rooms = _rooms(session, how)
    asked = _how(how, session.format)
    ended = follow(job.resume(rooms, name, how=asked), asked, form=session.format)
    session.done = asked.runner == "local"
    return tell_end(
        session, rooms, job=ended, query=how["query"], form=how["form"], told=asked.told
    )


@click.command("rerun", short_help="Run the plan of an earlier job again.")
@click.argument("job")
@click.option("-n", "--name", default="", help="Of the new job. Default: a drawn one.")
@click.option("--force", is_flag=True, help="Reuse no step.")
@_how_options
@answer_options
@click.pass_obj
def rerun(session: Session, /, *, name: str, force: bool, **more: Any) -> int:
    """Run the plan of JOB again, as another job; its file is not read."""
    from msgspec.structs import replace

    from brinery.actions import job

    rooms = _rooms(session, more)
    plan = rooms.jobs.read(more["job"]).plan
    again = replace(plan, name=name, force_rerun=force or plan.force_rerun)
    how = _how(more, session.format)
    ended = follow(job.run_plan(rooms, again, how=how), how, form=session.format)
    session.done = how.runner == "local"
    return tell_end(
        session, rooms, job=ended, query=more["query"], form=more["form"], told=how.told
    )


@click.command("explain", short_help="Say why each step ran or was reused.")
@click.argument("name", required=False, default="")
@format_option
@click.pass_obj
def explain(session: Session, /, *, name: str) -> None:
    """Say of each step of the job NAME, or of the newest, why it ran, was reused, or failed."""
    from brinery.actions import job
    from brinery.actions.job_rooms import open_job_rooms
    from brinery.actions.jobs import explained

    found = job.explain(open_job_rooms(session.workspace), name)
    match session.format:
        case Format.JSON:
            print_json([(run.name, str(run.status), run.reused, run.why) for run in found.steps])
        case Format.QUIET:
            for run in found.steps:
                print(run.name)
        case _:
            print(f"{found.name}: {found.status}")
            for run in found.steps:
                print(f"  {run.name}: {explained(run)}")


def _rooms(session: Session, how: dict[str, Any]) -> JobRooms:
    from brinery.actions.job_rooms import open_job_rooms

    return open_job_rooms(
        session.workspace,
        environment="current" if how["environment"] == "current" else "",
        maps=how["maps"],
        note=note,
    )


def _how(how: dict[str, Any], form: Format) -> How:
    from brinery.actions.job import How

    return How(
        limit=how["jobs"] or 0,
        ignore_comments=how["ignore_comments"],
        runner=how["runner"],
        address=how["address"],
        told=how["stream"] and form in (Format.AUTO, Format.HUMAN),
    )


def follow(running: Running, how: How, *, form: Format, web: Path | None = None) -> JobRun:
    """Return a job, telling what happens; the first Ctrl-C cancels it, the second ends us.

    Args:
        running: the job.
        how: it is run.
        form: of what is told.
        web: the workspace, where the job's page is opened once it began.
    """

    def _cancel(number: int, frame: FrameType | None) -> None:
        del number, frame
        if how.cancel.is_set():
            raise KeyboardInterrupt
        how.cancel.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _cancel)
    quiet = form in (Format.QUIET, Format.JSON)
    while True:
        try:
            event = next(running)
        except StopIteration as end:
            job: JobRun = end.value
            return job
        if not quiet:
            _say(event)
        if web is not None and event.happening == "job-started":
            open_page(event.message, web)


def open_page(job: str, workspace: Path | None) -> None:
    """Open the page of a job in a browser, or say how there would be one."""
    from urllib.parse import quote

    from brinery.actions.pages import page_of

    path = f"/jobs/{quote(job, safe='')}"
    url = page_of(path, workspace=workspace)
    note(f"page {url}" if url else f"no server shows it: brinery up has it at {path}")
    if url and sys.stderr.isatty():
        import webbrowser

        webbrowser.open(url)


def _say(event: JobEvent) -> None:
    """Tell an event: what steps write on standard output, all else on standard error."""
    from brinery.records.job_event import Happening

    match event.happening:
        case Happening.LINE:
            print(f"[{event.step}] {event.message}" if event.step else event.message, flush=True)
        case Happening.JOB_STARTED:
            note(f"job {event.message}")
        case Happening.NOTE:
            note(f"! {event.step + ': ' if event.step else ''}{event.message}")
        case _:
            what = event.happening.value.partition("-")[2]
            why = f": {event.message}" if event.message else ""
            mark = "✗" if event.happening is Happening.STEP_FAILED else "✓"
            mark = "·" if event.happening is Happening.STEP_STARTED else mark
            note(f"{mark} {event.step} {what}{why}  [{event.elapsed_s:.1f} s]")


def tell_end(
    session: Session,
    rooms: JobRooms,
    *,
    job: JobRun,
    query: str | None,
    form: str | None,
    told: bool = False,
) -> int:
    """Tell how a job ended; return the exit status.

    Args:
        session: of the command.
        rooms: of the workspace.
        job: that ended.
        query: of what is told of it.
        form: likewise.
        told: whether each line that its steps wrote was told as it came.
    """
    from brinery.records.job import Status
    from brinery.store.jobs import last_lines, log_of

    complete = job.status is Status.COMPLETED
    path = rooms.jobs.path(job.name)
    match session.format:
        case _ if query or form:
            from brinery.actions.jobs import job_answer

            answer(session, job_answer(job, workspace=rooms.workspace.root), query=query, form=form)
        case Format.JSON:
            print_json(job)
        case Format.QUIET:
            print(job.name)
        case _ if complete:
            reused = sum(bool(run.reused) for run in job.steps)
            said = f", {reused} of {len(job.steps)} steps reused" if reused else ""
            print(f"{job.name} {job.status}{said}")
            for name in job.plan.outputs:
                print(f"  {name}: {path / 'named-outputs' / name}")
    if complete:
        return 0
    failed = next((run for run in job.steps if run.status is Status.FAILED), None)
    if failed is not None and not told:
        for line in last_lines(log_of(path, failed.name), _LAST_LINES):
            note(f"[{failed.name}] {line}")
    note(f"error: {job.name} {job.status}: {job.error}")
    note(f" hint: brinery job resume {job.name}")
    return 1


def _register(session: Session, rooms: JobRooms, job: JobRun, *, asked: _Model | None) -> int:
    """Register the job's model output as a model; return the exit status."""
    if asked is None:
        return 0
    from brinery.actions.job import model_output
    from brinery.actions.register_output import register_output

    version = register_output(
        model_output(job),
        name=asked.name,
        data=asked.data,
        target=asked.target,
        workspace=rooms.workspace.root,
    )
    out = sys.stderr if session.format is Format.JSON else sys.stdout
    print(f"registered as {version.name}@{version.number}", file=out)
    return 0
