"""Serve: registered versions behind HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brinery.actions.rooms import Folder, open_rooms
from brinery.actions.roster import Roster
from brinery.serve import server
from brinery.serve.manifest import Manifest
from brinery.specs.reference import Reference


def serve_models(
    references: Sequence[str],
    *,
    every: bool = False,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    memory_limit_gb: float | None = None,
    access_log: Folder | None = None,
    on_start: Callable[[Manifest, str], None] | None = None,
    workspace: Folder | None = None,
) -> None:
    """Serve models until the process is told to end; what is not given is in the settings.

    When the alias that a model follows moves, the new version answers within two seconds.

    Args:
        references: which versions, as in `bank`, `bank@2` or `bank@challenger`; a name alone
            means its champion, now and later.
        every: whether all models of the registry are served, in place of references.
        host: address to listen on.
        port: port to listen on.
        workers: server processes, each with its models.
        memory_limit_gb: what loaded models may take in each of them.
        access_log: a file that gets a line of JSON per request, or - for standard error.
        on_start: called with what is served and the URL when the port is open.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such version.
        NotServable: it was not imported by Brinery.
        InvalidReference: a model is asked for twice, or none is and not all are.
        AddressInUse: another program listens there.
        SettingsError: the access log cannot be written.
    """
    rooms = open_rooms(workspace)
    settings = rooms.settings.serve
    log = str(settings.access_log if access_log is None else access_log)
    host, port = host or settings.host, port or settings.port
    asked = [Reference.parse(reference) for reference in references]
    roster = Roster(rooms, asked, every=every, memory_limit_gb=memory_limit_gb)
    manifest = roster.first()
    server.check_address(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    server.serve(
        manifest,
        host=host,
        port=port,
        workers=workers or settings.workers,
        log=log or None,
        on_start=lambda: on_start(manifest, url) if on_start else None,
        changed=roster.changed,
    )
