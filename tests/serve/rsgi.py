"""An RSGI server in this process: what a test says over HTTP reaches an application as in Granian.

It holds to what Granian 2.8 does, as `test_server.py` sees it over a real socket: a body is read
once, whole or in parts; a transport that is closed raises RuntimeError.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx

from brinery.serve.rsgi import Headers


class FakeHeaders:
    """The headers of a request, in small letters."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given

    def get(self, key: str, default: str = "", /) -> str:
        """Return one of them."""
        return self._given.get(key, default)

    def items(self) -> list[tuple[str, str]]:
        """Return all of them."""
        return list(self._given.items())


class FakeScope:
    """A request without its body."""

    proto = "http"
    http_version = "1.1"
    client = "127.0.0.1:9"
    authority: str | None = None

    def __init__(self, method: str, url: httpx.URL, headers: dict[str, str]) -> None:
        self.method = method
        self.path = unquote(url.raw_path.decode().partition("?")[0], errors="replace")
        self.query_string = url.query.decode()
        self.headers = FakeHeaders(headers)


class FakeExchange:
    """The body of a request in parts, and the response.

    Args:
        parts: of the body; one that is None is where the client hangs up.
    """

    def __init__(self, *parts: bytes | None) -> None:
        self._parts = parts
        self._read = False
        self.taken = 0
        self.gone = asyncio.Event()
        self.answer: tuple[int, Headers, bytes] | None = None

    async def __call__(self) -> bytes:
        """Return the whole body."""
        return b"".join([part async for part in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the body in parts."""
        if self._read:
            raise RuntimeError("RSGI protocol error")
        self._read = True
        for part in self._parts:
            if part is None:
                raise RuntimeError("RSGI transport is closed")
            self.taken += 1
            yield part

    async def client_disconnect(self) -> None:
        """Return when the client has gone."""
        await self.gone.wait()

    def response_bytes(self, status: int, headers: Headers, body: bytes, /) -> None:
        """Keep the response; there is one."""
        assert self.answer is None
        self.answer = (status, headers, body)

    def response_empty(self, status: int, headers: Headers, /) -> None:
        """Keep a response without a body."""
        self.response_bytes(status, headers, b"")

    def response_stream(self, status: int, headers: Headers, /) -> Stream:
        """Keep a response that comes in parts."""
        self.response_bytes(status, headers, b"")
        return Stream(self)


class Stream:
    """A response in parts, kept whole."""

    def __init__(self, exchange: FakeExchange) -> None:
        self._exchange = exchange

    async def send_bytes(self, data: bytes, /) -> None:
        """Keep a part."""
        assert self._exchange.answer is not None
        status, headers, body = self._exchange.answer
        self._exchange.answer = (status, headers, body + data)


class RsgiTransport(httpx.AsyncBaseTransport):
    """Carries the requests of an httpx client to an application."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's response."""
        content = await request.aread()
        headers = {key.decode().lower(): value.decode() for key, value in request.headers.raw}
        exchange = FakeExchange(content) if content else FakeExchange()
        await self._app.__rsgi__(FakeScope(request.method, request.url, headers), exchange)
        assert exchange.answer is not None
        status, sent, body = exchange.answer
        return httpx.Response(
            status, headers=sent, content=b"" if request.method == "HEAD" else body
        )
