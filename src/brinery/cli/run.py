"""`brinery run`: a script or a notebook as a tracked job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from brinery.cli.answers import answer_options
from brinery.cli.context import Session
from brinery.cli.job_create import follow, tell_end
from brinery.cli.output import Format, note
from brinery.specs.compatibility import ALL, COMPATIBILITY


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
    type=click.Choice([*COMPATIBILITY, ALL]),
    help="A compatibility step of dataiku scripts that is not to be taken.",
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME",
    help="A dataset that the script reads, as dataiku.recipe says. Default: those of its last run.",
)
@click.option(
    "--output-name",
    "outputs",
    multiple=True,
    metavar="NAME",
    help="Likewise, a dataset that it writes.",
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

    A script that imports dataiku finds the workspace's datasets, folders and models under that
    name; each compatibility step that is taken for it says so, and --without switches it off.
    """
    from brinery.actions.job import How
    from brinery.actions.run_script import Asked, open_rooms, run_script

    asked = Asked(
        values=dict(_pair(one, "--set", "NAME=VALUE") for one in sets),
        arguments=arguments,
        environment=more["environment"],
        name=more["name"],
        experiment=more["experiment"],
        project=more["project"],
        without=more["without"],
        inputs=more["inputs"],
        outputs=more["outputs"],
        mirrors=dict(_pair(one, "--mirror", "URL=PATH") for one in more["mirrors"]),
    )
    rooms = open_rooms(script, asked, workspace=session.workspace, note=note)
    how = How(told=session.format in (Format.AUTO, Format.HUMAN))
    ended = follow(run_script(rooms, script, asked=asked, how=how), how, form=session.format)
    return tell_end(
        session, rooms, job=ended, query=more["query"], form=more["form"], told=how.told
    )


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    # The address of a mirror may have the sign, too; what it stands for lies in the path behind.
    name, equals, value = text.rpartition("=") if option == "--mirror" else text.partition("=")
    if not equals or not name.strip() or not (value or option == "--set"):
        raise click.UsageError(f"{option} {text} is not {form}")
    return name.strip(), value
