"""The body of a request, read within a limit or drained."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from starlette.types import Message, Scope

from brinery.serve.body import Body
from brinery.serve.problems import Problem

MB = 1_000_000


class Client:
    """A client that sends a body in parts, and counts those that were taken."""

    def __init__(self, *parts: bytes, endless: bool = False, gone: bool = False) -> None:
        self._parts: Iterator[bytes] = iter(parts)
        self._left = len(parts)
        self._endless = endless
        self._gone = gone
        self.taken = 0

    async def receive(self) -> Message:
        """Return the next part, as a server does."""
        if self._gone:
            return {"type": "http.disconnect"}
        self.taken += 1
        if self._endless:
            return {"type": "http.request", "body": b"0" * MB, "more_body": True}
        self._left -= 1
        more = self._left > 0
        return {"type": "http.request", "body": next(self._parts, b""), "more_body": more}


def scope(**headers: str) -> Scope:
    return {"headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]}


def run(coroutine: Coroutine[Any, Any, bytes | None]) -> bytes | None:
    return asyncio.run(coroutine)


@pytest.mark.parametrize("parts", [(), (b"ab",), (b"a", b"", b"b")])
def test_the_parts_are_joined(parts: tuple[bytes, ...]) -> None:
    """A body that comes in parts is read as one."""
    assert run(Body(scope(), Client(*parts).receive).read(10)) == b"".join(parts)


def test_one_that_says_it_is_too_large_is_refused_unread() -> None:
    """A length beyond the limit is refused before anything is read."""
    client = Client(endless=True)
    with pytest.raises(Problem, match="larger than 1 MB"):
        run(Body(scope(content_length=str(100 * MB)), client.receive).read(MB))
    assert client.taken == 0


@pytest.mark.parametrize("length", ["", "5", "-1", "x", "¹"])
def test_one_that_turns_out_too_large_is_refused_on_the_way(length: str) -> None:
    """What a body says of its length is not believed: no more than the limit is kept."""
    client = Client(endless=True)
    with pytest.raises(Problem, match="larger than 3 MB"):
        run(Body(scope(content_length=length), client.receive).read(3 * MB))
    assert client.taken == 4


def test_what_is_refused_is_drained() -> None:
    """The rest of a refused body is read, so that its client comes to read the answer."""
    client = Client(*[b"0" * MB] * 100)
    run(Body(scope(content_length=str(100 * MB)), client.receive).drain())
    assert client.taken == 100


def test_draining_is_bounded() -> None:
    """A body without an end is given up, and one that says it is vast is not begun."""
    endless, vast = Client(endless=True), Client(endless=True)
    run(Body(scope(), endless.receive).drain())
    run(Body(scope(content_length=str(10**12)), vast.receive).drain())
    assert endless.taken < 1000
    assert vast.taken == 0


def test_a_client_that_waits_is_not_asked_to_send() -> None:
    """Who sent `Expect: 100-continue` and is refused need not send the body at all."""
    client = Client(endless=True)
    run(Body(scope(expect="100-continue"), client.receive).drain())
    assert client.taken == 0


def test_a_client_that_is_gone_is_no_fault() -> None:
    """A connection that ends in the middle of a body ends the reading, and the draining."""
    with pytest.raises(Problem, match="gone"):
        run(Body(scope(), Client(gone=True).receive).read(10))
    run(Body(scope(), Client(gone=True).receive).drain())
