"""What Brinery adds to an empty handler, per request, in the processor's time of one thread.

No socket and no second process: an `Application` is driven as Granian drives it, one task per
request, a body that comes a turn of the loop later, on uvloop, with 1, 32 and 256 requests under
way; each is followed by the next as soon as it is answered. An empty handler is driven so in turn
with it. The clock is that of the thread (`time.thread_time`), so that what else the machine does is
not counted; a figure is the median of the rounds, and beside it that of the rounds least disturbed.

`bench_wire.py [iris] [bank] [--profile CONNECTIONS]`; the models are those of `bench_serve.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import gc
import io
import json
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import uvloop
from bench_serve import CASES, ROWS, fit

import brinery
from brinery.actions.rooms import open_rooms
from brinery.actions.roster import Roster
from brinery.serve.app import Application
from brinery.serve.worker import spare_collector
from brinery.specs.reference import Reference

CONNECTIONS = (1, 32, 256)
ROUNDS, TURNS = 9, 2048  # requests in a round
HEADERS = [("content-type", "application/json")]
PROFILED = 20_000

Handler = Callable[[Any, Any], Any]


class Headers:
    """Of a request, as wrk sends them."""

    def __init__(self, length: int) -> None:
        self._given = {
            "host": "127.0.0.1:8000",
            "content-type": "application/json",
            "content-length": str(length),
        }

    def get(self, key: str, default: str = "", /) -> str:
        """Return one of them."""
        return self._given.get(key, default)

    def items(self) -> list[tuple[str, str]]:
        """Return all of them."""
        return list(self._given.items())


class Scope:
    """A request without its body."""

    proto, http_version, method, query_string = "http", "1.1", "POST", ""
    client, authority = "127.0.0.1:9", None

    def __init__(self, path: str, length: int) -> None:
        self.path = path
        self.headers = Headers(length)


class Exchange:
    """The body of a request, which comes a turn later, and the way to its answer."""

    __slots__ = ("_body", "_loop", "answer")

    def __init__(self, loop: asyncio.AbstractEventLoop, body: bytes) -> None:
        self._loop = loop
        self._body = body
        self.answer: tuple[int, Any, bytes] = (0, [], b"")

    def __call__(self) -> asyncio.Future[bytes]:
        """Return the body, to be awaited."""
        found = self._loop.create_future()
        self._loop.call_soon(found.set_result, self._body)
        return found

    async def client_disconnect(self) -> None:
        """Wait for a client that never goes."""
        await self._loop.create_future()

    def response_bytes(self, status: int, headers: Any, body: bytes) -> None:
        """Keep the answer."""
        self.answer = (status, headers, body)


async def empty(_: Any, exchange: Any) -> None:
    """Answer a request as `peers/empty.py` does."""
    await exchange()
    exchange.response_bytes(200, HEADERS, b"{}")


async def driven(
    handler: Handler, path: str, bodies: Iterator[bytes], *, connections: int, count: int
) -> float:
    """Return the seconds of the processor that some requests took, over so many connections."""
    loop, ended, left = asyncio.get_running_loop(), asyncio.Event(), [count, count]
    content = [next(bodies) for _ in range(count)]

    def begin() -> None:
        if not left[0]:
            return
        left[0] -= 1
        body = content[left[0]]
        loop.create_task(watched(Scope(path, len(body)), Exchange(loop, body)))

    async def watched(scope: Scope, exchange: Exchange) -> None:
        await handler(scope, exchange)
        if exchange.answer[0] != HTTPStatus.OK:
            sys.exit(f"answered {exchange.answer}")
        left[1] -= 1
        loop.call_soon(begin)
        if not left[1]:
            ended.set()

    began = time.thread_time()
    for _ in range(min(connections, count)):
        loop.call_soon(begin)
    await ended.wait()
    return time.thread_time() - began


def made(name: str, folder: Path) -> tuple[Application, list[bytes]]:
    """Return the application of a model as `brinery serve` has it, and the rows to ask for."""
    if not (folder / "model.pkl").exists():
        target = fit(name, folder)
        data = folder / "test.csv"
        with contextlib.redirect_stderr(io.StringIO()):  # what MLflow logs
            options: dict[str, Any] = {"name": name, "target": target, "workspace": folder}
            brinery.import_model(folder / "model.pkl", data=data, **options)
            brinery.promote(f"{name}@1", workspace=folder)
    manifest = Roster(open_rooms(folder), [Reference.parse(name)]).first()
    frame = pd.read_csv(folder / "test.csv", sep=None, engine="python").iloc[:, :-1].head(ROWS)
    return Application(manifest), [json.dumps(row).encode() for row in frame.to_dict("records")]


async def measured(name: str, folder: Path, *, profiled: int | None) -> None:
    """Print what a model's requests take, and what an empty handler's do."""
    app, bodies = made(name, folder)
    spare_collector()
    app.__rsgi_init__(asyncio.get_running_loop())
    path, rows = f"/v1/models/{name}/predict", cycle(bodies)
    if profiled is not None:
        profile = cProfile.Profile()
        profile.enable()
        await driven(app.__rsgi__, path, rows, connections=profiled, count=PROFILED)
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    for connections in CONNECTIONS if profiled is None else ():
        taken: dict[Handler, list[float]] = {app.__rsgi__: [], empty: []}
        for number in range(ROUNDS + 1):
            for handler, seconds in taken.items():
                gc.collect()
                took = await driven(handler, path, rows, connections=connections, count=TURNS)
                if number:
                    seconds.append(took / TURNS * 1e6)
        ours, least = map(median, taken.values())
        quiet = min(taken[app.__rsgi__]) - min(taken[empty])
        cells = f"{ours:.1f} | {least:.1f} | {ours - least:.1f} | {quiet:.1f}"
        print(f"| {name} | {connections} | {cells} |", flush=True)
    await app.close()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*CASES, []], help="iris, bank; both if none")
    parser.add_argument("--profile", type=int, metavar="CONNECTIONS", help="say where it goes")
    parser.add_argument("--folder", type=Path, help="keep the models here")
    told = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print("| model | under way | ours µs | an empty handler | added | added, quietest |")
    print("|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as temporary:
        for name in told.names or CASES:
            folder = (told.folder or Path(temporary)) / name
            folder.mkdir(exist_ok=True, parents=True)
            uvloop.run(measured(name, folder, profiled=told.profile))


if __name__ == "__main__":
    main()
