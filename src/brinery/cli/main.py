"""The command `brinery`: its commands by name, loaded when they are used, and its exit status."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from brinery import __version__
from brinery.cli.context import Session
from brinery.cli.lazy import LazyGroup
from brinery.cli.output import Format, report_error
from brinery.errors import BrineryError

_COMMANDS = {
    "az": ("brinery.cli.az", "Understand what scripts say to another client of job YAML."),
    "compare": ("brinery.cli.compare", "Compare versions on the same rows."),
    "component": ("brinery.cli.assets:component", "Register components of pipelines."),
    "data": ("brinery.cli.assets:data", "Register data for jobs."),
    "dataset": ("brinery.cli.dataset", "Keep named tables, versioned by their content."),
    "datastore": ("brinery.cli.assets:datastore", "Name the places that data lie at."),
    "doctor": ("brinery.cli.doctor", "Show what stops a hostile model on this machine."),
    "environment": ("brinery.cli.assets:environment", "Register environments for jobs."),
    "evaluate": ("brinery.cli.evaluate", "Find out how good a model is, why, and where it fails."),
    "export": ("brinery.cli.export", "Write a registered model in another format."),
    "flow": ("brinery.cli.flow", "Show what made what, and make again what is out of date."),
    "folder": ("brinery.cli.folder", "Keep files in managed folders."),
    "gate": ("brinery.cli.gate", "Explain and check what a version must hold to be promoted."),
    "history": ("brinery.cli.history", "Show who made which version the champion, and why."),
    "import": ("brinery.cli.import_model", "Import, evaluate and register a model file."),
    "job": ("brinery.cli.job", "Run the job YAML that people have."),
    "key": ("brinery.cli.key", "Make the keys that a server for other machines asks for."),
    "leaderboard": ("brinery.cli.leaderboard", "Rank a model's versions and runs by a metric."),
    "loop": ("brinery.cli.loop", "Train again and again, and promote what the gate passes."),
    "model": ("brinery.cli.model", "List and show registered models."),
    "notebook": ("brinery.cli.notebook", "Make a job of a notebook."),
    "package": (
        "brinery.cli.package",
        "Make a version into what runs elsewhere, and run it first.",
    ),
    "predict": ("brinery.cli.predict", "Score a data file with a registered model."),
    "project": ("brinery.cli.project", "List projects, and set their variables."),
    "promote": ("brinery.cli.promote", "Make a version the champion, if the gate passes it."),
    "report": ("brinery.cli.report", "Write what was found out about a version, as one page."),
    "rollback": ("brinery.cli.rollback", "Give the champion's place back."),
    "run": ("brinery.cli.run", "Run a script or a notebook as a tracked job."),
    "scan": ("brinery.cli.scan", "Tell what model files would do, without running them."),
    "schedule": ("brinery.cli.schedule", "Create jobs at times, while `brinery up` runs."),
    "schema": ("brinery.cli.job_validate", "Print the JSON Schema of job files, for editors."),
    "serve": ("brinery.cli.serve", "Serve registered models over HTTP."),
    "show": ("brinery.cli.model:show", "Show a model, or one version of it."),
    "status": ("brinery.cli.status", "Show what is in production, and what needs attention."),
    "up": ("brinery.cli.up", "Run MLflow's server, the REST API and all endpoints on one port."),
}

# So many more objects than before have garbage looked for.
_OBJECTS = 100_000


@click.group(
    cls=LazyGroup, entries=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="brinery", message="%(prog)s %(version)s")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    help="The workspace folder. Default: BRINERY_WORKSPACE, the nearest folder upwards with a "
    "brinery.toml, or this one.",
)
@click.pass_obj
def cli(session: Session, workspace: Path | None) -> None:
    """From model.pkl to an evaluated, versioned, promoted and served model."""
    session.workspace = workspace


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit, as `run` says."""
    # What a command makes is not garbage: to look for some at each 700 objects takes a tenth of it.
    gc.set_threshold(_OBJECTS)
    session = Session()
    ended: list[int] = []
    # The first is called last, when other threads have ended and all else that waits was called.
    # So it is none of a program that calls us, nor where somebody (a tracer) was here before.
    if arguments is None and not atexit._ncallbacks():  # noqa: SLF001 - nobody else tells
        atexit.register(_leave, ended)
    try:
        status = run(arguments, session=session)
        if session.done:
            ended.append(status)
        sys.exit(status)
    finally:
        # Nor is there any to look for in a process that ends, which took a seventh of a small job.
        gc.freeze()


def run(arguments: list[str] | None = None, *, session: Session | None = None) -> int:
    """Run a command, tell its error, and return its status.

    It is 0, 2 for a user's mistake, 1 for a fault of ours, or what the command says.
    """
    session = session or Session()
    try:
        status: Any = cli.main(
            args=arguments, prog_name="brinery", obj=session, standalone_mode=False
        )
    except BrineryError as error:
        report_error(session.format, error.code, message=error.message, hint=error.hint)
        return error.exit_status
    except click.UsageError as error:
        _usage_error(session.format, error)
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return status if isinstance(status, int) else 0


def _leave(ended: list[int]) -> None:
    """End the process with a status, where it has one, without taking down each thing in it.

    That takes longer than a small step of a job.
    """
    if ended:
        with suppress(OSError, ValueError):
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            os._exit(ended[0])


def _usage_error(form: Format, error: click.UsageError) -> None:
    path = error.ctx.command_path if error.ctx else "brinery"
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and isinstance(
        group := error.ctx.command, click.Group
    ):
        names = ", ".join(group.list_commands(error.ctx))
        said = f"{path} needs a command: {names}"
        report_error(form, "usage", message=said, hint=f"{path} --help")
        return
    message = error.format_message().rstrip(".")
    said = message[:1].lower() + message[1:]
    report_error(form, "usage", message=said, hint=f"{path} --help")
