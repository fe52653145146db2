"""What changed is told to a page that listens, also what changed before it began to."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterator, Mapping

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from brinery.actions.marks import IMPORTS, JOBS, STORE
from brinery.web.pages.live import Live

WAIT_S = 60.0


class Changing:
    """Marks of a store that is changed, and is out of reach for a while."""

    def __init__(self) -> None:
        self.changes: Counter[str] = Counter()
        self.looks = 0
        self.there = True

    def __call__(self) -> Mapping[str, str]:
        """Return the marks."""
        self.looks += 1
        if not self.there:
            raise OSError("no database")
        return {name: str(self.changes[name]) for name in (STORE, JOBS, IMPORTS)}

    def looked(self) -> None:
        """Wait until all that was changed before has been looked at, and what follows was done."""
        looks, end = self.looks, time.monotonic() + WAIT_S
        while self.looks < looks + 3:
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture
def store() -> Changing:
    return Changing()


@pytest.fixture
def live(store: Changing) -> Iterator[Live]:
    found = Live(store)
    yield found
    found.close()


def told(live: Live, since: str, *, then: Callable[[], None] = lambda: None) -> str:
    """Return which subject a page is told of first; what is done meanwhile is done once."""

    async def receive() -> dict[str, str]:
        await asyncio.sleep(WAIT_S)
        return {"type": "http.disconnect"}

    async def first() -> str:
        scope = {"type": "http", "query_string": f"since={since}".encode()}
        answer = await live.stream(Request(scope, receive))
        assert isinstance(answer, StreamingResponse)
        chunks: AsyncIterable[object] = answer.body_iterator
        async for chunk in chunks:
            text = str(chunk)
            if text.startswith("retry"):
                await asyncio.to_thread(then)
            if text.startswith("event: "):
                return text.split()[1]
        raise AssertionError("it ended")

    return asyncio.run(asyncio.wait_for(first(), WAIT_S))


def test_what_changed_before_it_listened(live: Live, store: Changing) -> None:
    """After a page was made and before it listens: it is told at once, of that and nothing else."""
    live.since()
    store.looked()
    store.changes[STORE] += 1
    store.looked()
    since = live.since()
    store.changes[JOBS] += 1
    store.looked()
    assert told(live, since) == JOBS
    assert told(live, since) == JOBS


def test_what_changes_while_it_listens(live: Live, store: Changing) -> None:
    """A change is told, and so is the next one after the store was out of reach."""
    since = live.since()
    store.looked()

    def lost() -> None:
        store.there = False
        store.looked()
        store.there = True
        store.changes[IMPORTS] += 1

    assert told(live, since, then=lost) == IMPORTS


def test_a_page_of_another_server(live: Live) -> None:
    """Nobody knows what changed since it was made: it is told of everything."""
    assert told(live, "0123abcd.7") == STORE
