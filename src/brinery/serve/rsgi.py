"""The words of RSGI, Granian's own protocol: what a server gives an application.

Source: the RSGI specification 1.5, in Granian's repository.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

Headers = list[tuple[str, str]]


class RequestHeaders(Protocol):
    """The headers of a request; names are in small letters."""

    def get(self, key: str, default: str = ..., /) -> str:
        """Return the value of a header, or the default."""
        ...

    def items(self) -> list[tuple[str, str]]:
        """Return names and values."""
        ...


class Scope(Protocol):
    """A request without its body."""

    @property
    def proto(self) -> str:
        """Return "http" or "ws"."""
        ...

    @property
    def http_version(self) -> str:
        """Return "1", "1.1" or "2"."""
        ...

    @property
    def method(self) -> str:
        """Return its method."""
        ...

    @property
    def path(self) -> str:
        """Return its path, percent-decoded."""
        ...

    @property
    def query_string(self) -> str:
        """Return what follows the question mark."""
        ...

    @property
    def headers(self) -> RequestHeaders:
        """Return its headers."""
        ...

    @property
    def client(self) -> str:
        """Return the address of the client, with its port."""
        ...

    @property
    def authority(self) -> str | None:
        """Return the host that an HTTP/2 request is for."""
        ...


class Transport(Protocol):
    """A response that is sent in parts."""

    def send_bytes(self, data: bytes, /) -> Awaitable[None]:
        """Send a part."""
        ...


class Exchange(Protocol):
    """The body of a request, and the way to its response."""

    def __call__(self) -> Awaitable[bytes]:
        """Return the whole body."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the body in parts."""
        ...

    def client_disconnect(self) -> Awaitable[None]:
        """Return when the client has gone."""
        ...

    @property
    def response_bytes(self) -> Callable[[int, Headers, bytes], None]:
        """Return what sends a whole response: its status, headers and body."""
        ...

    def response_empty(self, status: int, headers: Headers, /) -> None:
        """Send a response without a body."""
        ...

    def response_stream(self, status: int, headers: Headers, /) -> Transport:
        """Begin a response that is sent in parts."""
        ...
