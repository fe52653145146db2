"""`brinery job list`, `show`, `stream`, `logs` and the like: jobs that were run, or are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brinery.cli.answers import answer, answer_options, name_options, named
from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from brinery.actions.jobs import Line
    from brinery.records.job import JobRun

_COLUMNS = ("name", "status", "type", "experiment_name", "creation_context.created_at")
_STEPS = ("name", "status", "type", "why")
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("list")
@click.option("-p", "--parent-job-name", "parent", metavar="JOB", help="The steps of this job.")
@click.option("--include-archived", "archived", is_flag=True, help="Those archived, too.")
@click.option("-r", "--max-results", "most", type=click.IntRange(1), help="So many at most.")
@answer_options
@click.pass_obj
def list_jobs(
    session: Session,
    /,
    *,
    parent: str | None,
    archived: bool,
    most: int | None,
    query: str | None,
    form: str | None,
) -> None:
    """List the jobs of the workspace, the newest first."""
    from brinery.actions.jobs import job, job_answers, jobs, step_answers

    if parent:
        told = step_answers(job(parent, workspace=session.workspace), workspace=session.workspace)
        answer(session, told[:most], query=query, form=form, columns=_STEPS)
        return
    found = jobs(archived=archived, most=most, workspace=session.workspace)
    told = job_answers(found, workspace=session.workspace)
    answer(session, told, query=query, form=form, columns=_COLUMNS)


@click.command("show")
@name_options("job", "JOB")
@click.option("--web", is_flag=True, help="Open its page, where brinery up runs.")
@answer_options
@click.pass_context
def show(ctx: click.Context, /, **said: Any) -> None:
    """Show a job, or one step of it: JOB/STEP."""
    from brinery.actions.jobs import job, shown

    session = ctx.ensure_object(Session)
    name = named(ctx, said["job"], option=said["name"])
    told = shown(name, workspace=session.workspace)
    if said["web"]:
        from brinery.cli.job_create import open_page

        open_page(name.partition("/")[0], session.workspace)
    if said["query"] or said["form"] or session.format not in ("auto", "human") or "/" in name:
        answer(session, told, query=said["query"], form=said["form"])
        return
    found = job(name, workspace=session.workspace)
    _print(found, told)
    for step in found.plan.steps:
        if step.sweep is not None:
            _print_trials(shown(f"{name}/{step.name}", workspace=session.workspace))


def _print(found: JobRun, told: dict[str, Any]) -> None:
    from brinery.cli.output import print_facts, print_table

    facts: list[tuple[str, object]] = [
        ("job", found.name),
        ("status", f"{found.status}" + (f": {found.error}" if found.error else "")),
        ("type", told["type"]),
        ("experiment", found.plan.experiment),
        ("file", found.plan.file),
        ("created", f"{found.created.astimezone():%Y-%m-%d %H:%M} by {found.who or 'somebody'}"),
        *(("tag", f"{key}={value}") for key, value in found.plan.tags.items()),
        *(("output", f"{name}: {one['path']}") for name, one in told["outputs"].items()),
    ]
    print_facts(facts)
    print_table(
        ["step", "status", "took", "memory", "why"],
        [
            [
                run.name,
                run.status,
                f"{run.usage.wall_s:.1f} s" if run.usage else "",
                f"{run.usage.peak_bytes / 1e6:,.0f} MB" if run.usage else "",
                run.why,
            ]
            for run in found.steps
        ],
    )


def _print_trials(told: dict[str, Any]) -> None:
    """Print what a sweep tried, the best first."""
    from brinery.cli.output import print_table

    trials = told.get("trials", [])
    sign = 1 if trials and told["objective"]["goal"] == "minimize" else -1
    # What has no figure comes last.
    trials.sort(key=lambda one: (one["metric"] is None, sign * (one["metric"] or 0.0)))
    names = list(trials[0]["values"]) if trials else []
    if trials:
        print_table(
            ["trial", "status", told["objective"]["primary_metric"], *names, "why"],
            [
                [
                    one["name"] + (" (best)" if one["name"] == told["best_trial"] else ""),
                    one["status"],
                    "" if one["metric"] is None else f"{one['metric']:g}",
                    *(one["values"][name] for name in names),
                    one["why"],
                ]
                for one in trials
            ],
            title=told["name"],
        )


@click.command("stream")
@name_options("job", "JOB")
@click.pass_context
def stream(ctx: click.Context, /, **said: Any) -> int:
    """Print what a job's steps say until it is over; the exit status is 1 where it failed."""
    from brinery.actions.jobs import follow, job

    session = ctx.ensure_object(Session)
    name = named(ctx, said["job"], option=said["name"])
    several = len(job(name, workspace=session.workspace).plan.steps) > 1
    print_lines(follow(name, workspace=session.workspace), several=several)
    return 0 if job(name, workspace=session.workspace).status == "Completed" else 1


def print_lines(lines: Iterable[Line], *, several: bool, times: bool = False) -> None:
    """Print what is said of a job: logs on standard output, all else on standard error.

    Args:
        lines: as they are said.
        several: whether a line begins with its step's name.
        times: whether it begins with its time.
    """
    for line in lines:
        if not line.log:
            note(f"{line.step}: {line.text}" if line.step else line.text)
            continue
        begins = (f"{line.at} " if times else "") + (f"{line.step} | " if several else "")
        print(f"{begins}{line.text}", flush=True)


@click.command("logs")
@click.argument("job", required=False)
@click.argument("step", required=False)
@click.option("-n", "--name", help="The job, as scripts write it.")
@click.option("--times", is_flag=True, help="Each line begins with its time.")
@click.pass_context
def logs(ctx: click.Context, /, **said: Any) -> None:
    """Print the log of STEP of JOB; a job of one step needs no STEP."""
    from brinery.actions.jobs import log

    session = ctx.ensure_object(Session)
    name, step = said["job"], said["step"]
    if said["name"]:
        name, step = said["name"], said["job"]
    whole = f"{named(ctx, name)}/{step}" if step else named(ctx, name)
    print_lines(log(whole, workspace=session.workspace), several=False, times=said["times"])


@click.command("cancel")
@name_options("job", "JOB")
@click.pass_context
def cancel(ctx: click.Context, /, **said: Any) -> None:
    """Ask for the end of a job: its steps are ended, and what is finished is kept."""
    from brinery.actions.jobs import cancel_job

    session = ctx.ensure_object(Session)
    note(cancel_job(named(ctx, said["job"], option=said["name"]), workspace=session.workspace))


@click.command("download")
@name_options("job", "JOB")
@click.option("--output-name", metavar="OUTPUT", help="This output, in place of the artifacts.")
@click.option("--all", "everything", is_flag=True, help="The artifacts and all outputs.")
@click.option(
    "-p",
    "--download-path",
    type=_FOLDER,
    default=Path(),
    help="The folder to copy to. Default: this one.",
)
@click.pass_context
def download(ctx: click.Context, /, **said: Any) -> None:
    """Copy what a job left: to artifacts/, and to named-outputs/OUTPUT/."""
    from brinery.actions.job_download import download_job

    session = ctx.ensure_object(Session)
    written = download_job(
        named(ctx, said["job"], option=said["name"]),
        into=said["download_path"],
        output=said["output_name"],
        everything=said["everything"],
        workspace=session.workspace,
    )
    for folder in written:
        print(folder)


@click.command("update")
@name_options("job", "JOB")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Such as tags.x=y.")
@answer_options
@click.pass_context
def update(ctx: click.Context, /, **said: Any) -> None:
    """Change a job's tags or its display name."""
    from brinery.actions.jobs import job_answer, update_job

    session = ctx.ensure_object(Session)
    name = named(ctx, said["job"], option=said["name"])
    found = update_job(name, sets=said["sets"], workspace=session.workspace)
    told = job_answer(found, workspace=session.workspace)
    answer(session, told, query=said["query"], form=said["form"])


def _archive(*, restored: bool) -> click.Command:
    verb, does = ("restore", "have it again") if restored else ("archive", "leave it out")

    @click.command(verb, help=f"Have lists of jobs {does}.")
    @name_options("job", "JOB")
    @click.pass_context
    def command(ctx: click.Context, /, **said: Any) -> None:
        from brinery.actions.jobs import archive_job

        session = ctx.ensure_object(Session)
        name = named(ctx, said["job"], option=said["name"])
        archive_job(name, restored=restored, workspace=session.workspace)
        note(f"{verb}d the job {name}")

    return command


archive = _archive(restored=False)
restore = _archive(restored=True)


@click.command("prune")
@click.option("--older-than", metavar="AGE", help="Jobs that ended so long ago: 30d, 12h, 2w.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="The newest N jobs stay.")
@click.option("--environments", is_flag=True, help="Environments that nothing names, too.")
@click.option("--data-older-than", metavar="AGE", help="Copies of data not used for so long, too.")
@click.option(
    "--data-larger-than",
    metavar="SIZE",
    help="The copies of data not used for the longest, too, until no more is left: 20GB.",
)
@click.option("--yes", is_flag=True, help="Remove them; without it they are only told.")
@format_option
@click.pass_obj
def prune(
    session: Session,
    /,
    *,
    older_than: str | None,
    keep: int | None,
    environments: bool,
    data_older_than: str | None,
    data_larger_than: str | None,
    yes: bool,
) -> None:
    """Remove old jobs, and the outputs that no other job names.

    Without --yes it is only told what would go. Without --older-than and --keep no job goes, and
    only outputs that no job names. What runs, what a schedule runs again, and what a job that stays
    reads or left, stays. An environment goes where no model, no job that stays and no registered
    environment names it, and it was built more than a day ago. Copies of data from elsewhere go
    where they pass a limit, and nobody asked for them in the last hour.
    """
    from brinery.actions.prune_jobs import DataLimits, age, prune_jobs, size

    found = prune_jobs(
        older_than=age(older_than) if older_than else None,
        keep=keep,
        environments=environments,
        data=DataLimits(
            older_than=age(data_older_than) if data_older_than else None,
            larger_than=size(data_larger_than) if data_larger_than else None,
        ),
        remove=yes,
        workspace=session.workspace,
    )
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for name in found.jobs:
                print(name)
        case _:
            for name in found.jobs:
                print(name)
            does = "removed" if found.removed else "would be removed"
            taken = f"{found.size_bytes / 1e6:,.1f} MB"
            note(f"{len(found.jobs)} jobs and {found.outputs} outputs of {taken} {does}")
            if environments:
                taken = f"{found.environments_bytes / 1e6:,.1f} MB"
                note(f"{len(found.environments)} environments of {taken} {does}")
            if data_older_than or data_larger_than:
                taken = f"{found.copies_bytes / 1e6:,.1f} MB"
                note(f"{found.copies} copies of data of {taken} {does}")
            going = found.jobs or found.outputs or found.environments or found.copies
            if not found.removed and going:
                note(" hint: the same with --yes")
