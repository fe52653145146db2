"""Who may ask what: against pages of other sites that have a browser ask in their user's name.

A name that a stranger owns may be made to mean this machine (DNS rebinding); an address may not,
and neither may `localhost`. A page of another site may send, though not read: browsers then name
the site in `Origin`. Programs that are no browsers name none.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from brinery.serve.problems import Problem
from brinery.serve.rsgi import Scope

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LOCAL = "localhost"


class Guard:
    """Refuses what a stranger's page has a browser ask.

    Args:
        hosts: names under which the server is asked, beside addresses and `localhost`.
        owned: prefix of the paths under which only this machine's programs, and our own page, may
            change anything.
    """

    def __init__(self, hosts: Iterable[str], *, owned: str = "") -> None:
        self._hosts = frozenset(host.strip().lower().rstrip(".") for host in hosts if host.strip())
        self._owned = owned

    def check(self, scope: Scope, *, known: bool = False) -> None:
        """Check a request.

        Args:
            scope: of it.
            known: whether it gave a key: then another machine's program may change things, too.

        Raises:
            Problem: 403 where it is not to be answered.
        """
        host = scope.headers.get("host", "") or scope.authority or ""
        name = _name(host)
        if not self._known(name):
            raise _refused(
                "host-not-allowed",
                f"'{name[:100]}' is no name of this server",
                hint="brinery up --allowed-hosts NAME, or ask by its address",
            )
        if scope.method in _READING:
            return
        origin = scope.headers.get("origin", "")
        site = scope.headers.get("sec-fetch-site", "")
        if (origin and urlsplit(origin).netloc.lower() != host.lower()) or site in (
            "cross-site",
            "same-site",
        ):
            raise _refused("other-origin", "a page of another site may change nothing here")
        if known or not self._owned or not scope.path.startswith(self._owned) or origin:
            return
        if not is_loopback(scope.client):
            raise _refused(
                "not-local",
                "from another machine this is changed on the server's own page only",
                hint="run brinery on the server's machine",
            )

    def _known(self, name: str) -> bool:
        return (
            name == _LOCAL
            or name.endswith(f".{_LOCAL}")
            or name in self._hosts
            or _address(name) is not None
        )


def _name(host: str) -> str:
    """Return the name or address of a `Host` header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None


def is_loopback(client: str) -> bool:
    """Return whether a client, an address and a port, is on this machine."""
    address = _address(client.rpartition(":")[0].strip("[]"))
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and address.is_loopback


def _refused(code: str, detail: str, *, hint: str = "") -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, code, detail, hint=hint)
