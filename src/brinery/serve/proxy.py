"""What another process of this machine answers, streamed to it and back, each side at its pace.

No body is held whole, whatever its size. What cannot be asked now is a 503 that says when to ask
again: the process is being started, or started again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    UnixConnector,
)
from yarl import URL

from brinery.serve import paths
from brinery.serve.bridge import Sent
from brinery.serve.companion import Companion
from brinery.serve.guard import Guard
from brinery.serve.problems import Problem, unavailable
from brinery.serve.rsgi import Exchange, Headers, Scope

_log = logging.getLogger("brinery.serve")

OURS = "/api/v1"
PAGE = paths.MLFLOW

# What MLflow's server answers, its clients being pointed at the root: as in its own route tables.
_WHOLE = frozenset(
    {
        OURS,
        "/graphql",
        "/version",
        "/get-artifact",
        "/model-versions/get-artifact",
        "/v1/traces",
    }
)
_PREFIXES = (f"{OURS}/", "/api/2.0/", "/api/3.0/", "/ajax-api/2.0/", "/ajax-api/3.0/", f"{PAGE}/")
# It runs programs on the server's machine for whoever asks.
_WITHHELD = "/ajax-api/3.0/mlflow/assistant"

# Who asked, as the server in front saw it; a client's own word for it is not passed on.
CLIENT = "x-brinery-client"

# Of one connection, and not of what is asked over it (RFC 9110, 7.6.1).
_OF_A_HOP = frozenset(
    {
        CLIENT,
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_ADDED = {"x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN"}
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_SAFE_IN_PATHS = "/:@!$&'()*+,;=~"
_STARTING = Path(__file__).parent / "assets" / "starting.html"
_SMALL_BYTES = 65_536
_PART_BYTES = 262_144
# An artifact's last part is answered once the whole is stored, in a bucket it may be.
_ANSWER_S = 600
_CONNECT_S = 5
# The other side keeps a connection longer, so that none is used while it is being closed.
_KEPT_S = 30
# What has a browser ask again, and htmx leave the page that is open as it is.
_AGAIN = [("refresh", "1")]
_LEFT_AS_IT_IS = [("hx-reswap", "none")]


class Proxy:
    """Has the companion answer.

    Args:
        companion: which.
    """

    def __init__(self, companion: Companion) -> None:
        self._socket = companion.socket
        self.secret = companion.secret
        self._session: ClientSession | None = None
        self.guard = Guard(companion.hosts, owned=f"{OURS}/")

    def takes(self, path: str) -> bool:
        """Return whether a path is the companion's."""
        return path in _WHOLE or path.startswith(_PREFIXES) or paths.is_page(path)

    async def __call__(self, scope: Scope, exchange: Exchange, headers: Headers) -> Sent:
        """Answer a request, with further headers; returns what was sent.

        Raises:
            Problem: 503 where the companion cannot be asked now, 404 where it is not to be.
        """
        if scope.path.removeprefix(PAGE).startswith(_WITHHELD):
            raise Problem(HTTPStatus.NOT_FOUND, "not-found", "MLflow's assistant is not served")
        query = f"?{scope.query_string}" if scope.query_string else ""
        url = URL(f"http://companion{quote(scope.path, safe=_SAFE_IN_PATHS)}{query}", encoded=True)
        body = None if scope.method in _BODILESS and not _says_body(scope) else _parts(exchange)
        try:
            async with self._connected().request(
                scope.method,
                url,
                headers=[*_passed(scope.headers.items()), (CLIENT, scope.client)],
                data=body,
                allow_redirects=False,
            ) as answer:
                return await _pass_on(answer, exchange, headers, alone=scope.method == "HEAD")
        except TimeoutError:
            raise Problem(
                HTTPStatus.GATEWAY_TIMEOUT, "companion-timeout", "MLflow did not answer in time"
            ) from None
        except ClientConnectionError:
            if scope.method in _BODILESS and paths.is_page(scope.path):
                part = bool(scope.headers.get("hx-request", ""))
                return _wait(exchange, _LEFT_AS_IT_IS + headers if part else _AGAIN + headers)
            raise unavailable("starting", "MLflow's server is being started") from None
        except ClientError as error:
            _log.error("MLflow's server could not be asked: %s", error)
            raise Problem(
                HTTPStatus.BAD_GATEWAY, "companion-fault", "MLflow's server broke off"
            ) from None

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()

    def _connected(self) -> ClientSession:
        """Return the session, made on the loop that uses it."""
        if self._session is None:
            self._session = ClientSession(
                connector=UnixConnector(self._socket, limit=0, keepalive_timeout=_KEPT_S),
                auto_decompress=False,
                skip_auto_headers=_AUTOMATIC,
                timeout=ClientTimeout(sock_connect=_CONNECT_S, sock_read=_ANSWER_S),
                read_bufsize=_PART_BYTES,
                max_line_size=_SMALL_BYTES,
                max_field_size=_SMALL_BYTES,
            )
        return self._session


def _wait(exchange: Exchange, headers: Headers) -> Sent:
    """Answer a browser that came too soon: it, or the page that is open in it, asks again."""
    content = _STARTING.read_bytes()
    told = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "default-src 'self'; frame-ancestors 'none'"),
        ("cache-control", "no-store"),
        ("retry-after", "1"),
        *_ADDED.items(),
        *headers,
    ]
    exchange.response_bytes(HTTPStatus.SERVICE_UNAVAILABLE, told, content)
    return Sent(HTTPStatus.SERVICE_UNAVAILABLE, len(content))


def _says_body(scope: Scope) -> bool:
    length = scope.headers.get("content-length", "0")
    return length != "0" or bool(scope.headers.get("transfer-encoding", ""))


def _passed(headers: Headers) -> Headers:
    """Return headers without those of the connection that they came over."""
    named = {
        one.strip().lower()
        for name, value in headers
        if name.lower() == "connection"
        for one in value.split(",")
    }
    return [(n, v) for n, v in headers if n.lower() not in _OF_A_HOP and n.lower() not in named]


async def _parts(exchange: Exchange) -> AsyncIterator[bytes]:
    """Give the body of a request in parts, as they come."""
    try:
        async for part in exchange:
            yield bytes(part)
    except RuntimeError as error:  # what Granian raises when a transport is closed
        raise ClientPayloadError("the client is gone") from error


async def _pass_on(
    answer: ClientResponse, exchange: Exchange, headers: Headers, *, alone: bool
) -> Sent:
    """Send an answer on, without its body where the headers alone were asked for."""
    came = [(n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in answer.raw_headers]
    there = {name for name, _ in came}
    sent = [*_passed(came), *headers, *((n, v) for n, v in _ADDED.items() if n not in there)]
    if alone or answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        exchange.response_empty(answer.status, sent)
        return Sent(answer.status, 0)
    length = answer.content_length
    if length is not None and length <= _SMALL_BYTES:
        content = await answer.read()
        exchange.response_bytes(answer.status, sent, content)
        return Sent(answer.status, len(content))
    stream = exchange.response_stream(answer.status, sent)
    n_bytes = 0
    try:
        async for part in answer.content.iter_any():
            await stream.send_bytes(part)
            n_bytes += len(part)
    except RuntimeError:
        pass  # the client has gone, as whoever looked at a page does; Granian says it so
    except (ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
        # It has begun, so that no other answer can be given: it ends short of its length.
        _log.warning("an answer of MLflow's server was broken off: %s", error)
    return Sent(answer.status, n_bytes)
