"""Which server shows a workspace: its address lies beside what it serves."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from brinery.records.ready import decoded

_FILE: Final = "up.json"
_WAIT_S: Final = 0.5


class Announced(msgspec.Struct, frozen=True):
    """A server.

    Attributes:
        url: of its pages, without a slash at its end.
        process: its number.
    """

    url: str
    process: int


def announce(state: Path, url: str) -> None:
    """Tell where this process serves a workspace.

    Args:
        state: `.brinery` of the workspace, which is there.
        url: of its pages.
    """
    beside = state / f".{_FILE}.{os.getpid()}"
    beside.write_bytes(msgspec.json.encode(Announced(url, os.getpid())))
    beside.replace(state / _FILE)


def running(state: Path) -> str:
    """Return the URL of a server of a workspace that answers now; empty where none does.

    Args:
        state: `.brinery` of the workspace.
    """
    try:
        found = decoded((state / _FILE).read_bytes(), Announced)
        parts = urlsplit(found.url)
        os.kill(found.process, 0)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_WAIT_S):
            return found.url
    except (OSError, ValueError, msgspec.DecodeError):
        return ""  # it ended, as no server is said to be there for ever
