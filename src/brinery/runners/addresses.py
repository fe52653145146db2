"""The address that other machines reach this one under, and who may ask there."""

from __future__ import annotations

import hmac
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
# Where Ray writes down the cluster that this machine is in.
_CURRENT: Final = Path("/tmp/ray/ray_current_cluster")  # noqa: S108 - Ray's own
# It belongs to nobody, and nothing is sent there: it is asked which way the way out is.
_OUTSIDE: Final = "203.0.113.1"
_HEAD_BYTES: Final = 1 << 16
_HEAD_S: Final = 30.0
_SCHEME: Final = b"bearer "


def own_address(cluster: str) -> str:
    """Return the address of this machine that those of a cluster reach it under.

    Args:
        cluster: `HOST:PORT`, `ray://HOST:PORT` or `auto`; empty for one on this machine alone.
    """
    if not cluster:
        return LOOPBACK
    if cluster == "auto":
        with suppress(OSError):
            cluster = _CURRENT.read_text().strip() or cluster
    host = cluster.rpartition("//")[2].rpartition(":")[0].strip("[]") or _OUTSIDE
    try:
        (family, _, _, _, place), *_ = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(place)
            return str(probe.getsockname()[0])
    except OSError:
        return LOOPBACK


class Guard:
    """Lets those in who know a secret: the first thing that they say must have it.

    What a connection says later is not looked at: it is the same program that says it.
    """

    def __init__(self) -> None:
        self.secret = secrets.token_urlsafe(32)

    def admitted(self, client: socket.socket) -> bytes | None:
        """Return what a client has said until now; None where it did not say the secret."""
        head = b""
        client.settimeout(_HEAD_S)
        with suppress(OSError):
            while b"\r\n\r\n" not in head and len(head) < _HEAD_BYTES:
                content = client.recv(_HEAD_BYTES)
                if not content:
                    break
                head += content
        client.settimeout(None)
        for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            value = value.strip()
            if name.strip().lower() == b"authorization" and value[:7].lower() == _SCHEME:
                known = hmac.compare_digest(value[7:].strip(), self.secret.encode())
                return head if known else None
        return None
