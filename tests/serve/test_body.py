"""The body of a request, read within a limit or drained."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.serve.rsgi import FakeExchange, FakeHeaders

from brinery.serve import body
from brinery.serve.problems import Problem

MB = 1_000_000


class Slow(FakeExchange):
    """A client that sends the beginning of a body and stops."""

    async def __call__(self) -> bytes:
        await asyncio.sleep(600)
        return b""


def headers(**given: str) -> FakeHeaders:
    return FakeHeaders({key.replace("_", "-"): value for key, value in given.items()})


def read(exchange: FakeExchange, limit: int, *, time_s: float = 60, **given: str) -> bytes:
    async def run() -> bytes:
        patience = body.Patience(time_s)
        return await body.read(headers(**given), exchange, limit=limit, patience=patience)

    return asyncio.run(run())


def drain(exchange: FakeExchange, **given: str) -> None:
    asyncio.run(body.drain(headers(**given), exchange))


def made(*parts: bytes | None) -> FakeExchange:
    async def run() -> FakeExchange:
        return FakeExchange(*parts)

    return asyncio.run(run())


@pytest.mark.parametrize("parts", [(), (b"ab",), (b"a", b"", b"b")])
def test_the_parts_are_joined(parts: tuple[bytes, ...]) -> None:
    """A body that comes in parts is read as one, whether or not it says how long it is."""
    whole = b"".join(parts)
    assert read(made(*parts), 10) == whole
    assert read(made(*parts), 10, content_length=str(len(whole))) == whole


def test_one_that_says_it_is_too_large_is_refused_unread() -> None:
    """A length beyond the limit is refused before anything is read."""
    client = made(b"0" * MB)
    with pytest.raises(Problem, match="larger than 1 MB"):
        read(client, MB, content_length=str(100 * MB))
    assert client.taken == 0


@pytest.mark.parametrize("length", ["", "-1", "x", "¹"])
def test_one_that_turns_out_too_large_is_refused(length: str) -> None:
    """One that does not say how long it is is read to its end, and no more than the limit kept."""
    client = made(*[b"0" * MB] * 5)
    with pytest.raises(Problem, match="larger than 3 MB"):
        read(client, 3 * MB, content_length=length)
    assert client.taken == 5


def test_one_without_an_end_is_given_up() -> None:
    """It is not read for ever, so that its client may read the answer."""
    client = made(*[b"0" * MB] * 400)
    with pytest.raises(Problem, match="larger than 3 MB"):
        read(client, 3 * MB)
    assert client.taken < 400


def test_what_is_refused_is_drained() -> None:
    """The rest of a refused body is read, so that its client comes to read the answer."""
    client = made(*[b"0" * MB] * 100)
    drain(client, content_length=str(100 * MB))
    assert client.taken == 100


def test_draining_is_bounded() -> None:
    """A body that says it is vast is not begun, and one that was read is not read again."""
    vast, read_before = made(b"0" * MB), made(b"0")
    drain(vast, content_length=str(10**12))
    assert vast.taken == 0
    read(read_before, 10)
    drain(read_before)


def test_a_client_that_waits_is_not_asked_to_send() -> None:
    """Who sent `Expect: 100-continue` and is refused need not send the body at all."""
    client = made(b"0")
    drain(client, expect="100-continue")
    assert client.taken == 0


def test_a_client_that_is_gone_is_no_fault() -> None:
    """A connection that ends in the middle of a body ends the reading, and the draining."""
    with pytest.raises(Problem, match="gone"):
        read(made(b"a", None), 10)
    drain(made(b"a", None))


def test_a_client_that_stops_sending_is_given_up() -> None:
    """Half a body and then nothing is 408 after a while, and others are not held up by it."""

    async def run() -> list[Any]:
        patience = body.Patience(0.2)
        slow, quick = Slow(), FakeExchange(b"ok")
        stated = headers(content_length="5")
        reading = [
            asyncio.create_task(body.read(stated, one, limit=10, patience=patience))
            for one in (slow, quick, Slow())
        ]
        return await asyncio.gather(*reading, return_exceptions=True)

    first, second, third = asyncio.run(run())
    assert second == b"ok"
    assert [error.status for error in (first, third)] == [408, 408]


def test_a_task_that_was_given_up_goes_on() -> None:
    """Who answers 408 may await what it has to; a task that others end stays ended."""

    async def run() -> None:
        patience = body.Patience(0.1)
        stated = headers(content_length="5")
        with pytest.raises(Problem):
            await body.read(stated, Slow(), limit=10, patience=patience)
        await asyncio.sleep(0)
        task = asyncio.create_task(body.read(stated, Slow(), limit=10, patience=body.Patience(60)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
