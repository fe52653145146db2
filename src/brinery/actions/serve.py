"""Serve: a registered version behind HTTP."""

from __future__ import annotations

from collections.abc import Callable

from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.actions.seat import seat_of
from brinery.records.version import Version
from brinery.registry.interface import imported, resolve
from brinery.serve import server
from brinery.serve.endpoint import Endpoint
from brinery.specs.reference import Reference


def serve_model(
    reference: str,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    access_log: Folder | None = None,
    on_start: Callable[[Version, str], None] | None = None,
    workspace: Folder | None = None,
) -> None:
    """Serve a version until the process is told to end; what is not given is in the settings.

    Args:
        reference: which version; a name alone means its champion.
        host: address to listen on.
        port: port to listen on.
        workers: server processes, each with its model.
        access_log: a file that gets a line of JSON per request, or - for standard error.
        on_start: called with the version and the URL when the port is open.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is no such version.
        NotServable: it was not imported by Brinery.
        AddressInUse: another program listens there.
        SettingsError: the access log cannot be written.
    """
    rooms = open_rooms(workspace)
    settings = rooms.settings.serve
    log = str(settings.access_log if access_log is None else access_log)
    host, port = host or settings.host, port or settings.port
    version = resolve(rooms.registry, Reference.parse(reference))
    endpoint = endpoint_of(rooms, version)
    server.check_address(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    server.serve(
        endpoint,
        host=host,
        port=port,
        workers=workers or settings.workers,
        log=log or None,
        on_start=lambda: on_start(version, url) if on_start else None,
    )


def endpoint_of(rooms: Rooms, version: Version) -> Endpoint:
    """Return what a server needs to know of a version, its environment built where it is gone.

    Raises:
        NotServable: it was not imported by Brinery.
        EnvironmentUnavailable: its environment cannot be built here and now.
    """
    settings = rooms.settings.serve
    seat, code = seat_of(rooms, version), rooms.registry.code_folder(version)
    scorer = rooms.registry.scorer_file(version)
    return Endpoint(
        version=version,
        candidate=imported(version),
        model_file=str(rooms.registry.model_file(version)),
        scorer_file=None if scorer is None else str(scorer),
        code_folder=None if code is None else str(code),
        python=None if seat.python is None else str(seat.python),
        limits=seat.limits,
        timeout_s=settings.timeout_s,
        max_body_bytes=int(settings.max_body_mb * 1e6),
        body_timeout_s=settings.body_timeout_s,
        max_batch_rows=settings.max_batch_size,
        max_queue=settings.max_queue,
        unknown_categories=settings.unknown_categories,
    )
