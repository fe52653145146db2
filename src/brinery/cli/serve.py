"""`brinery serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session
from brinery.cli.output import note

if TYPE_CHECKING:
    from brinery.serve.manifest import Manifest


@click.command("serve")
@click.argument("references", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Serve every model, each loaded when asked for.")
@click.option("--host", help="Address to listen on. Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: 8000.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Server processes, each with its models. Default: 1.",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(0, min_open=True),
    metavar="GB",
    help="Memory that loaded models may take in each process. Default: no limit.",
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
    references: tuple[str, ...],
    every: bool,
    host: str | None,
    port: int | None,
    workers: int | None,
    memory_limit: float | None,
    access_log: str | None,
) -> None:
    """Serve REFERENCES over HTTP until Ctrl-C: bank for its champion, or bank@1.

    A name alone follows its champion: when that moves, the new version answers within two
    seconds. Where there is no champion, the newest version is served until there is one.
    """
    from brinery.actions.serve import serve_models

    def started(manifest: Manifest, url: str) -> None:
        champions = {
            (offer.name, offer.number) for offer in manifest.offers if "champion" in offer.aliases
        }
        faults = {
            (offer.name, offer.number): offer.fault
            for offer in manifest.offers
            if offer.endpoint is None
        }
        told = False
        for target in manifest.targets:
            served = (target.name, target.number)
            if served in faults:
                note(f"{target.name} is not served: {faults[served]}")
                continue
            if target.follows == "champion" and served not in champions:
                note(f"{target.name} has no champion: its newest version is served")
            ends = "" if told else " Ctrl-C ends it."
            told = True
            note(f"{target.name}@{target.number} is served.{ends}")
            note(f"  predict  POST {url}/v1/models/{target.name}/predict")
        note(f"  docs     {url}/docs")

    serve_models(
        references,
        every=every,
        host=host,
        port=port,
        workers=workers,
        memory_limit_gb=memory_limit,
        access_log=access_log,
        on_start=started,
        workspace=session.workspace,
    )
