"""Serve: registered versions behind HTTP."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypedDict, Unpack

from brinery.actions import history
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.actions.roster import Roster
from brinery.errors import BrineryError
from brinery.serve import server
from brinery.serve.manifest import Manifest
from brinery.specs.reference import Reference

_log = logging.getLogger("brinery")


class ServeOptions(TypedDict, total=False):
    """How models are served; what is not given is in the settings.

    Attributes:
        host: address to listen on.
        port: port to listen on.
        workers: server processes, each with its models.
        memory_limit_gb: what loaded models may take in each of them.
        access_log: a file that gets a line of JSON per request, or - for standard error.
        workspace: its folder; the nearest upwards when it is not given.
    """

    host: str | None
    port: int | None
    workers: int | None
    memory_limit_gb: float | None
    access_log: Folder | None
    workspace: Folder | None


def serve_models(
    references: Sequence[str],
    *,
    every: bool = False,
    on_start: Callable[[Manifest, str], None] | None = None,
    **options: Unpack[ServeOptions],
) -> None:
    """Serve models until the process is told to end; what is not given is in the settings.

    When the alias that a model follows moves, the new version answers within two seconds. What a
    killed promotion left half done is settled meanwhile.

    Args:
        references: which versions, as in `bank`, `bank@2` or `bank@challenger`; a name alone
            means its champion, now and later.
        every: whether all models of the registry are served, in place of references.
        on_start: called with what is served and the URL when the port is open.
        options: `host`, `port`, `workers`, `memory_limit_gb`, `access_log` and `workspace`, as
            `brinery serve` has them.

    Raises:
        NotFound: there is no such version.
        NotServable: it was not imported by Brinery, or cannot be asked for predictions.
        InvalidReference: a model is asked for twice, or none is and not all are.
        AddressInUse: another program listens there.
        SettingsError: the access log cannot be written.
    """
    rooms = open_rooms(options.get("workspace"))
    settings = rooms.settings.serve
    access_log = options.get("access_log")
    log = str(settings.access_log if access_log is None else access_log)
    host, port = options.get("host") or settings.host, options.get("port") or settings.port
    asked = [Reference.parse(reference) for reference in references]
    roster = Roster(rooms, asked, every=every, memory_limit_gb=options.get("memory_limit_gb"))
    manifest = roster.first()
    server.check_address(host, port)
    # Which version answers is known without it, and nobody waits for it.
    names = None if every else [reference.name for reference in asked]
    threading.Thread(target=_settle, args=(rooms, names), name="settle", daemon=True).start()
    url = server.url(host, port)
    server.serve(
        manifest,
        host=host,
        port=port,
        workers=options.get("workers") or settings.workers,
        log=log or None,
        course=server.Course(
            on_start=lambda: on_start(manifest, url) if on_start else None,
            changed=roster.changed,
        ),
    )


def _settle(rooms: Rooms, names: Sequence[str] | None) -> None:
    """Settle what killed processes left open; who may not write serves all the same."""
    try:
        history.recover(rooms, names)
    except (BrineryError, OSError) as error:
        _log.warning("what was left half done is not settled: %s", error)
