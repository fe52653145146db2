"""`brinery up`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session
from brinery.cli.output import note

if TYPE_CHECKING:
    from brinery.serve.manifest import Manifest

_SHOWN = 10


@click.command("up")
@click.option("--host", help="Address to listen on. Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: 5001.")
@click.option(
    "--allowed-hosts",
    metavar="NAMES",
    default="",
    help="Names it is asked under, separated by commas, beside addresses and localhost.",
)
@click.option(
    "--store",
    metavar="URI",
    help="postgresql://… for models and records. Default: files in the workspace.",
)
@click.option(
    "--artifacts",
    metavar="URI",
    help="s3://… or a folder for the models' files. Default: a folder in the workspace.",
)
@click.option(
    "--loop",
    "loops",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A loop.yml whose turns are begun when they are due; may be given again.",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="A file with a key on each line, of which whoever asks must give one, beside those of "
    "brinery key create.",
)
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    host: str | None,
    port: int | None,
    allowed_hosts: str,
    store: str | None,
    artifacts: str | None,
    loops: tuple[Path, ...],
    key_file: Path | None,
) -> None:
    """Run MLflow's server, the REST API and every model's endpoint on one port until Ctrl-C.

    The page is at /, MLflow's own at /mlflow. MLflow's clients use it as their tracking server
    and registry; what they promote answers within two seconds. A server that other machines
    reach, as with --host 0.0.0.0, needs a key: brinery key create.
    """
    from brinery.actions.pages import announce
    from brinery.actions.up import up

    def started(manifest: Manifest, url: str) -> None:
        announce(url, workspace=session.workspace)
        note(f"Brinery is up at {url}  Ctrl-C ends it.")
        note(f"  MLflow   mlflow.set_tracking_uri({url!r}), and MLflow's page at {url}/mlflow/")
        note(f"  API      {url}/api/v1/models")
        champions = [target.name for target in manifest.targets]
        for name in champions[:_SHOWN]:
            note(f"  predict  POST {url}/v1/models/{name}/predict")
        if len(champions) > _SHOWN:
            note(f"           and {len(champions) - _SHOWN} more models: {url}/v1/models")
        if not champions:
            note("Next: brinery import MODEL --name NAME --data FILE")

    up(
        host=host,
        port=port,
        allowed_hosts=allowed_hosts.split(",") if allowed_hosts else (),
        store=store,
        artifacts=artifacts,
        loops=loops,
        key_file=key_file,
        on_start=started,
        workspace=session.workspace,
    )
