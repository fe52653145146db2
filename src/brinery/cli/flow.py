"""`brinery flow`: drawn in the terminal, as SVG and as JSON; and `brinery flow build`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brinery.cli.clock import local_time
from brinery.cli.context import Session, format_option
from brinery.cli.dataset import project_option
from brinery.cli.output import Format, console, note, print_json, print_table

if TYPE_CHECKING:
    from brinery.records.flow import Flow, FlowNode

_MARKS = {"current": "✓", "outdated": "!", "missing": "✗", "source": "·"}


@click.group("flow", invoke_without_command=True)
@click.option(
    "--svg", type=click.Path(path_type=Path), metavar="FILE", help="Write it as a picture."
)
@project_option
@format_option
@click.pass_context
def command(ctx: click.Context, /, *, svg: Path | None, project: str) -> None:
    """Show which recipes made which datasets, folders and models, and what is out of date.

    Each run of brinery run records what its script reads and writes; the flow is drawn from that.
    """
    if ctx.invoked_subcommand is not None:
        return
    from brinery.actions.flow import flow
    from brinery.actions.flow_rooms import open_flow_rooms

    session = ctx.ensure_object(Session)
    found = flow(open_flow_rooms(session.workspace, note=note), project=project)
    if svg is not None:
        from brinery.charts.flow import flow_svg
        from brinery.store.documents import write

        write(svg, flow_svg(found).encode())
        note(f"{len(found.nodes)} nodes in {svg}")
        return
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for one in found.nodes:
                print(one.id)
        case _:
            _print(found)


@command.command("build", short_help="Run again what is out of date.")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--jobs", type=click.IntRange(1), help="Recipes at once. Default: processors.")
@click.option("-n", "--name", default="", help="Of the job. Default: a drawn one.")
@project_option
@format_option
@click.pass_obj
def build(
    session: Session,
    /,
    *,
    targets: tuple[str, ...],
    jobs: int | None,
    name: str,
    project: str,
) -> int:
    """Run what is out of date of TARGET, a dataset, folder, model or recipe, in order.

    What a recipe read, its code, its command and its environment decide whether it runs; where
    nothing changed, what it left stands. Without TARGET, all of the flow.
    """
    from brinery.actions.flow import build as built
    from brinery.actions.flow_rooms import open_flow_rooms
    from brinery.actions.job import How
    from brinery.cli.job_create import follow, tell_end

    rooms = open_flow_rooms(session.workspace, note=note)
    how = How(limit=jobs or 0, told=session.format in (Format.AUTO, Format.HUMAN))
    running = built(rooms, targets, project=project, name=name, how=how)
    job = follow(running, how, form=session.format)
    return tell_end(session, rooms.jobs, job=job, query=None, form=None, told=how.told)


def _print(flow: Flow) -> None:
    if not flow.nodes:
        note("nothing was run yet: brinery run SCRIPT, or brinery dataset create NAME --path FILE")
        return
    known = {one.id: one for one in flow.nodes}
    out = console()
    width = max((len(one) for one in _lines(flow, known)), default=0)
    for one in flow.nodes:
        if one.kind == "recipe":
            why = f"  {one.why}" if one.why else ""
            out.print(
                f"{_MARKS[one.state]} {_line(flow, one, known):<{width}}{why}".rstrip(),
                markup=False,
            )
    if width:
        print()
    print_table(
        ["", "item", "kind", "version", "holds", "written", ""],
        [
            [
                _MARKS[one.state],
                one.name,
                one.kind,
                one.version,
                one.detail,
                local_time(one.at) if one.at is not None else "",
                one.why,
            ]
            for one in flow.nodes
            if one.kind != "recipe"
        ],
    )


def _lines(flow: Flow, known: dict[str, FlowNode]) -> list[str]:
    return [_line(flow, one, known) for one in flow.nodes if one.kind == "recipe"]


def _line(flow: Flow, recipe: FlowNode, known: dict[str, FlowNode]) -> str:
    """Return one recipe with what it reads and writes: `bank → step2.py → bank_test + models`."""
    read = [known[one.source].name for one in flow.edges if one.target == recipe.id]
    written = [known[one.target].name for one in flow.edges if one.source == recipe.id]
    parts = [" + ".join(read), recipe.name, " + ".join(written)]
    return " → ".join(part for part in parts if part)
