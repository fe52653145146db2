"""An ASGI application under an RSGI server: for the pages, which can afford it."""

from __future__ import annotations

from urllib.parse import quote

from starlette.types import ASGIApp, Message
from starlette.types import Scope as AsgiScope

from brinery.serve.rsgi import Exchange, Headers, Scope, Transport


class Bridge:
    """Answers RSGI requests by an ASGI application that has no need of their bodies.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, exchange: Exchange) -> None:
        """Answer a request."""
        await self._app(_asgi(scope), _Asked(exchange).receive, _Answer(exchange).send)


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

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._status = 500
        self._headers: Headers = []
        self._stream: Transport | None = None

    async def send(self, message: Message) -> None:
        """Send a message of ASGI."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message["headers"]
            ]
            return
        content, more = message.get("body", b""), message.get("more_body", False)
        if self._stream is None and not more:
            self._exchange.response_bytes(self._status, self._headers, content)
            return
        if self._stream is None:
            self._stream = self._exchange.response_stream(self._status, self._headers)
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
