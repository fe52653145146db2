"""Granian, with one application per worker process."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from brinery.errors import AddressInUse, SettingsError
from brinery.serve.app import create_app
from brinery.serve.endpoint import Endpoint


def check_address(host: str, port: int) -> None:
    """Check that one can listen on an address.

    Raises:
        AddressInUse: another program does.
        SettingsError: it is no address of this machine, or not ours to use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno == socket.errno.EADDRINUSE:  # type: ignore[attr-defined]
                raise AddressInUse(
                    f"another program listens on {host}:{port}", hint=f"try --port {port + 1}"
                ) from None
            raise SettingsError(
                f"cannot listen on {host}:{port}: {error}", hint="try --host 127.0.0.1 --port 8000"
            ) from None


def serve(
    endpoint: Endpoint, *, host: str, port: int, workers: int, on_start: Callable[[], None]
) -> None:
    """Serve an endpoint until the process is told to end (SIGINT or SIGTERM).

    Args:
        endpoint: what is served.
        host: address to listen on.
        port: port to listen on.
        workers: processes, each with a model process of its own.
        on_start: called once, when the port is open.
    """
    # A fresh process per worker: nothing of the registry, and no thread of it, comes along.
    multiprocessing.set_start_method("spawn", force=True)
    server = Server(
        "brinery.serve.app",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    )
    server.on_startup(on_start)
    server.serve(target_loader=partial(_load, endpoint), wrap_loader=False)


def _load(endpoint: Endpoint) -> Any:
    return create_app(endpoint)
