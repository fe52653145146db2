"""`brinery schedule`: jobs that are created at times, while `brinery up` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from brinery.cli.answers import answer, answer_options, name_options, named
from brinery.cli.context import Session
from brinery.cli.output import note

_COLUMNS = ("name", "is_enabled", "explained", "next_due", "last_job", "error")


@click.group("schedule")
def command() -> None:
    """Create jobs at times, by cron or every so many days, while `brinery up` runs."""


@command.command("create")
@click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path),
    required=True,
    help="The YAML that declares it.",
)
@click.option("-n", "--name", help="Its name, before what the file says.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Set in the file.")
@answer_options
@click.pass_obj
def create(session: Session, /, *, query: str | None, form: str | None, **said: Any) -> None:
    """Have a job created at times; its file and its code are copied now."""
    from brinery.actions.schedules import create_schedule, schedule_answer

    made = create_schedule(
        said["file"], name=said["name"], sets=said["sets"], workspace=session.workspace
    )
    note(f"{made.name} creates jobs while brinery up runs")
    answer(session, schedule_answer(made), query=query, form=form)


@command.command("list")
@answer_options
@click.pass_obj
def list_schedules(session: Session, /, *, query: str | None, form: str | None) -> None:
    """List the schedules, and when each is due next."""
    from brinery.actions.schedules import schedule_answer, schedules

    told = [schedule_answer(one) for one in schedules(workspace=session.workspace)]
    answer(session, told, query=query, form=form, columns=_COLUMNS)


@command.command("show")
@name_options("schedule")
@answer_options
@click.pass_context
def show(ctx: click.Context, /, **said: Any) -> None:
    """Show a schedule."""
    from brinery.actions.schedules import schedule, schedule_answer

    session = ctx.ensure_object(Session)
    found = schedule(named(ctx, said["schedule"], option=said["name"]), workspace=session.workspace)
    answer(session, schedule_answer(found), query=said["query"], form=said["form"])


def _switch(*, enabled: bool) -> click.Command:
    verb = "enable" if enabled else "disable"
    does = "from now on" if enabled else "no more, until it is enabled again"

    @click.command(verb, help=f"Have a schedule create jobs {does}.")
    @name_options("schedule")
    @answer_options
    @click.pass_context
    def switch(ctx: click.Context, /, **said: Any) -> None:
        from brinery.actions.schedules import enable_schedule, schedule_answer

        session = ctx.ensure_object(Session)
        name = named(ctx, said["schedule"], option=said["name"])
        found = enable_schedule(name, enabled=enabled, workspace=session.workspace)
        answer(session, schedule_answer(found), query=said["query"], form=said["form"])

    return switch


command.add_command(_switch(enabled=True))
command.add_command(_switch(enabled=False))


@command.command("delete")
@name_options("schedule")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; nothing is asked.")
@click.pass_context
def delete(ctx: click.Context, /, **said: Any) -> None:
    """Forget a schedule; the jobs that it created stay."""
    from brinery.actions.schedules import delete_schedule

    session = ctx.ensure_object(Session)
    name = named(ctx, said["schedule"], option=said["name"])
    delete_schedule(name, workspace=session.workspace)
    note(f"forgot the schedule {name}")
