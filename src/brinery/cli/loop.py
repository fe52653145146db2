"""`brinery loop`: train again, judge, promote or keep; on a schedule, and its story."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, follow, note, print_json, print_table, report_error

if TYPE_CHECKING:
    from brinery.actions.scheduler import Scheduler
    from brinery.errors import BrineryError
    from brinery.records.event import Event
    from brinery.records.turn import Turn, TurnPlan

_TIME = "%Y-%m-%d %H:%M"
_FILE = click.Path(path_type=Path)


@click.group("loop")
def command() -> None:
    """Train a model again and again, and promote it where the gate passes it.

    A loop is declared in a loop.yml: what trains, what it is evaluated on, which gate judges it,
    and what begins a turn.
    """


@command.command("run", short_help="Run one turn, or resume one that was killed.")
@click.argument("loop", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Say what a turn would do, and do nothing.")
@click.option(
    "--if-new", is_flag=True, help="Train only where trigger.new_data names a file that is new."
)
@format_option
@click.pass_obj
def run(session: Session, /, *, loop: Path, dry_run: bool, if_new: bool) -> int:
    """Run one turn of LOOP, a loop.yml; one that was killed is resumed instead.

    The exit status is 0 where the turn ended: promoted, kept, or nothing new. It is 1 where a
    stage failed; the champion stays then.
    """
    from brinery.actions.loop import Beginning, run_turn
    from brinery.actions.loop_story import loop_plan
    from brinery.actions.rooms import open_rooms
    from brinery.specs.loop import read

    if dry_run:
        _print_plan(session.format, loop_plan(loop, if_new=if_new, workspace=session.workspace))
        return 0
    steps = run_turn(open_rooms(session.workspace), read(loop), begun=Beginning(if_new=if_new))
    turn = follow(steps, session.format)
    match session.format:
        case Format.JSON:
            print_json(turn)
        case Format.QUIET:
            print(turn.ending)
        case _ if turn.error:
            report_error(session.format, "", message=turn.error, hint="")
        case _:
            print(_sentence(turn))
    return 1 if turn.error else 0


@command.command("start", short_help="Begin turns when they are due, until Ctrl-C.")
@click.argument("loops", type=_FILE, nargs=-1, required=True)
@click.pass_obj
def start(session: Session, /, *, loops: tuple[Path, ...]) -> None:
    """Begin the turns of LOOPS when they are due, until Ctrl-C.

    What was missed while nobody watched is made up for by one turn; two turns of a loop never
    overlap. Ctrl-C ends a training that goes on; the turn is resumed at the next start.
    """
    from brinery.actions.scheduler import start_loops

    scheduler = start_loops(
        loops,
        workspace=session.workspace,
        on_event=_say,
        on_turn=lambda turn: note(f"{turn.loop}: {_sentence(turn)}"),
        on_error=_complain,
    )
    for state in scheduler.states():
        due = f"due next at {state.due:{_TIME}} UTC" if state.due else "begun by new data"
        note(f"{state.name}: {state.told or due}")
    note("Ctrl-C ends it.")
    _wait(scheduler)


@command.command("history", short_help="Show the turns of a loop.")
@click.argument("loop")
@click.option("--output", type=_FILE, help="An .html file: the story as one page, with charts.")
@format_option
@click.pass_obj
def history(session: Session, /, *, loop: str, output: Path | None) -> None:
    """Show the turns of LOOP: its name, or its loop.yml."""
    from brinery.actions.loop_story import loop_history

    turns = loop_history(loop, output=output, workspace=session.workspace)
    if output is not None:
        note(f"the page is {output}")
    match session.format:
        case Format.JSON:
            print_json(turns)
        case Format.QUIET:
            for turn in turns:
                print(turn.number)
        case _:
            _print_turns(turns)


@command.command("check", short_help="Tell every fault of a loop.yml, and run nothing.")
@click.argument("loop", type=_FILE)
@click.pass_obj
def check(session: Session, /, *, loop: Path) -> None:
    """Check LOOP, a loop.yml: every fault is told at once, and nothing is run."""
    from brinery.actions.loop_story import loop_plan

    plan = loop_plan(loop, workspace=session.workspace)
    print(f"{loop} is right. Next: brinery loop run {loop} --dry-run, for turn {plan.number}")


def _print_plan(form: Format, plan: TurnPlan) -> None:
    if form is Format.JSON:
        print_json(plan)
        return
    if form is Format.QUIET:
        for name, _ in plan.stages:
            print(name)
        return
    print(f"{plan.loop}, turn {plan.number}, would:")
    for name, would in plan.stages:
        print(f"  {name:<9} {would}")


def _sentence(turn: Turn) -> str:
    """Return how a turn ended, and what to type next."""
    from brinery.charts.loop import why

    told = f"{turn.name} {turn.ending or 'goes on another time'}: {why(turn)}."
    if turn.ending is None or turn.error:
        return told
    return f"{told}\nNext: brinery loop history {turn.loop}"


def _print_turns(turns: list[Turn]) -> None:
    from brinery.charts.loop import why

    print_table(
        ["turn", "begun", "by", "version", "ended", "champion", "why"],
        [
            [
                turn.number,
                f"{turn.started:{_TIME}}",
                turn.trigger,
                turn.version or "",
                turn.ending or "going on",
                turn.champion or "",
                why(turn),
            ]
            for turn in turns
        ],
    )


def _say(loop: str, event: Event) -> None:
    if not event.progress:
        mark = "!" if event.warning else "✓"
        note(f"{mark} {loop}  {event.step:<9} {event.message}")


def _complain(loop: str, error: BrineryError) -> None:
    note(f"! {loop}  {error.message}" + (f"; {error.hint}" if error.hint else ""))


def _wait(scheduler: Scheduler) -> None:
    """Wait until Ctrl-C or SIGTERM; the second one does not wait for what goes on."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def ask(_: int, __: object) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        scheduler.ask_to_stop()

    for number in numbers:
        signal.signal(number, ask)
    try:
        scheduler.wait()
    finally:
        scheduler.stop()
