"""`brinery serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session
from brinery.cli.output import note

if TYPE_CHECKING:
    from brinery.records.version import Version


@click.command("serve")
@click.argument("reference")
@click.option("--host", help="Address to listen on. Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: 8000.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Server processes, each with its model. Default: 1.",
)
@click.option(
    "--access-log",
    metavar="FILE",
    help="Append a line of JSON per request to FILE, or to standard error: -.",
)
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    reference: str,
    host: str | None,
    port: int | None,
    workers: int | None,
    access_log: str | None,
) -> None:
    """Serve REFERENCE over HTTP until Ctrl-C: bank for its champion, or bank@1.

    Where there is no champion, the newest version is served, and said so.
    """
    from brinery.actions.serve import serve_model

    def started(version: Version, url: str) -> None:
        if "@" not in reference and "champion" not in version.aliases:
            note(f"{version.name} has no champion: its newest version is served")
        note(f"{version.reference} is served. Ctrl-C ends it.")
        note(f"  predict  POST {url}/v1/models/{version.name}/predict")
        note(f"  docs     {url}/docs")

    serve_model(
        reference,
        host=host,
        port=port,
        workers=workers,
        access_log=access_log,
        on_start=started,
        workspace=session.workspace,
    )
