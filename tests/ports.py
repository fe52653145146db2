"""Ports for the servers of tests: none is given twice, and the system gives none of them away.

A port that was asked of the system and let go again may be another's before a server listens on it:
tests run beside each other, and every connection takes a port, too.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from functools import cache

# Between those of Ray and those that Linux chooses from; each worker of pytest-xdist has its own.
_FIRST = 20_000
_EACH = 1_000
_WORKERS = 12


def free(host: str = "127.0.0.1") -> int:
    """Return a port that no one listens on, and that no other test is given."""
    for port in _own():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is left for this worker's tests")


@cache
def _own() -> Iterator[int]:
    """Return the ports of this process, each once; it begins elsewhere than another run beside."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw11")  # noqa: TID251 - pytest-xdist's own
    first = _FIRST + int(worker.removeprefix("gw")) % _WORKERS * _EACH
    at = os.getpid() % _EACH
    return iter([*range(first + at, first + _EACH), *range(first, first + at)])
