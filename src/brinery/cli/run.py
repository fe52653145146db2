"""`brinery run`: a script or a notebook as a tracked job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from brinery.cli.answers import answer_options
from brinery.cli.context import Session
from brinery.cli.job_create import follow, tell_end
from brinery.cli.output import Format, note


@click.command("run")
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="NAME=VALUE",
    help="Of a notebook: a value that it gives a name, or a path that it reads. Of a script: an "
    "argument that it declares, or else a value that it gives a name.",
)
@click.option(
    "--environment",
    default="",
    metavar="FILE|current",
    help="A requirements or conda file. Default: one that lies beside SCRIPT, or else the Python "
    "that runs Brinery.",
)
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    metavar="URL=PATH",
    help="What stands for an address that the script downloads from.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice([*COMPATIBILITY, "all"]),
    help="A compatibility step of dataiku scripts that is not to be taken.",
)
@click.option("--project", default="", help="What dataiku takes for the default project.")
@click.option("-n", "--name", default="", help="Of the job. Default: a drawn one.")
@click.option("--experiment", default="", help="MLflow's. Default: the script's name.")
@answer_options
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    script: Path,
    arguments: tuple[str, ...],
    sets: tuple[str, ...],
    **more: Any,
) -> int:
    """Run SCRIPT, a .py or a .ipynb, as a tracked job.

    It runs in a copy of its folder, with MLflow set up; what it writes to outputs/ and logs/ is
    kept. A notebook is converted first, as by brinery notebook convert. ARGUMENTS after -- are the
    script's own.
    """
    from brinery.actions.job import How
    from brinery.actions.run_script import Asked, open_rooms, run_script

    asked = Asked(
        values=dict(_pair(one) for one in sets),
        arguments=arguments,
        environment=more["environment"],
        name=more["name"],
        experiment=more["experiment"],
    )
    rooms = open_rooms(script, asked, workspace=session.workspace, note=note)
    how = How(told=session.format in (Format.AUTO, Format.HUMAN))
    ended = follow(run_script(rooms, script, asked=asked, how=how), how, form=session.format)
    return tell_end(session, rooms, job=ended, query=more["query"], form=more["form"])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"--set {text} is not NAME=VALUE")
    return name.strip(), value
