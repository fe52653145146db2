"""An ASGI application under an RSGI server: for the pages, which can afford it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from starlette.types import ASGIApp, Message
from starlette.types import Scope as AsgiScope

from brinery.serve.rsgi import Exchange, Headers, Scope, Transport


class Sent(NamedTuple):
    """What was answered.

    Attributes:
        status: of the answer.
        n_bytes: of its body.
    """

    status: int
    n_bytes: int


class Bridge:
    """Answers RSGI requests by an ASGI application that has no need of their bodies.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, exchange: Exchange, headers: Headers) -> Sent:
        """Answer a request, with further headers; returns what was sent."""
        answer = _Answer(exchange, headers)
        await self._app(_asgi(scope), _Asked(exchange).receive, answer.send)
        return Sent(answer.status, answer.n_bytes)


class _Asked:
    """A request whose body is not looked at."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._told = False

    async def receive(self) -> Message:
        """Return an empty body, and then that the client has gone when it has."""
        if not self._told:
            self._told = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._exchange.client_disconnect()
        return {"type": "http.disconnect"}


class _Answer:
    """A response, sent whole where it comes whole."""

    def __init__(self, exchange: Exchange, headers: Headers) -> None:
        self._exchange = exchange
        self._further = headers
        self._headers: Headers = []
        self.status = 500
        self.n_bytes = 0
        self._stream: Transport | None = None

    async def send(self, message: Message) -> None:
        """Send a message of ASGI."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = [
                *self._further,
                *((n.decode("latin-1"), v.decode("latin-1")) for n, v in message["headers"]),
            ]
            return
        content, more = message.get("body", b""), message.get("more_body", False)
        self.n_bytes += len(content)
        if self._stream is None and not more:
            self._exchange.response_bytes(self.status, self._headers, content)
            return
        if self._stream is None:
            self._stream = self._exchange.response_stream(self.status, self._headers)
        if content:
            await self._stream.send_bytes(content)


def _asgi(scope: Scope) -> AsgiScope:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in scope.headers.items()
    ]
    host, _, port = scope.client.rpartition(":")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": scope.http_version,
        "method": scope.method,
        "scheme": "http",
        "path": scope.path,
        "raw_path": quote(scope.path).encode(),
        "query_string": scope.query_string.encode(),
        "root_path": "",
        "headers": headers,
        "client": (host, int(port)) if port.isdigit() else None,
        "server": None,
        "extensions": {},
    }
