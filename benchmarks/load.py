"""Load on a server: by wrk, which counts, or by a client that reads every answer."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

WRK = "wrk"
SCRIPT = Path(__file__).with_name("load.lua")
TIMEOUT_S = 30
Check = Callable[[int, bytes, bytes], str]


@dataclass(frozen=True)
class Load:
    """What a run of wrk saw.

    Attributes:
        rate: answers in a second.
        p50_ms: half of them took no longer.
        p99_ms: 99 of 100 took no longer.
        failed: answers that were no 200, and requests that had none.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    failed: int


def check_installed() -> None:
    """End where wrk is not there."""
    if shutil.which(WRK) is None:
        sys.exit("error: wrk is not installed: apt-get install wrk")


def lines(path: Path, bodies: Iterable[object]) -> Path:
    """Write a file of JSON bodies, which are sent in turn; returns it."""
    path.write_text("".join(json.dumps(body) + "\n" for body in bodies))
    return path


def loaded(
    url: str, bodies: Path, *, connections: int, time_s: int, media: str = "application/json"
) -> Load:
    """Return what a server does under so many connections, each with one request at a time.

    Args:
        url: where it predicts.
        bodies: a file with a JSON body a line, or with one body of another media type.
        connections: how many.
        time_s: for how long.
        media: type of the bodies.
    """
    whole = "lines" if media == "application/json" else "whole"
    command = [WRK, "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{time_s}s", "--timeout", f"{TIMEOUT_S}s", "--latency"]
    command += ["--script", str(SCRIPT), url, "--", str(bodies), media, whole]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip().endswith("}"):
        sys.exit(f"wrk failed: {done.stdout}{done.stderr}")
    said = json.loads(done.stdout.strip().splitlines()[-1])
    rate = said["requests"] / said["time_s"]
    return Load(rate, said["p50_ms"], said["p99_ms"], said["failed"])


@dataclass
class Read:
    """What a client that reads every answer saw.

    Attributes:
        seconds: of each answer.
        at: when each came, by the clock of `time.perf_counter`.
        faults: what was wrong with those that were wrong; at most a hundred are kept.
        n_faults: how many there were.
    """

    seconds: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    n_faults: int = 0

    def wrong(self, fault: str) -> None:
        """Count an answer that is wrong."""
        self.n_faults += 1
        if len(self.faults) < 100:  # noqa: PLR2004 - as told above
            self.faults.append(fault)

    def p99_ms(self, begin: float, end: float) -> float:
        """Return the 99th percentile of the answers that came between two times."""
        found = sorted(s for s, at in zip(self.seconds, self.at, strict=True) if begin <= at < end)
        return found[int(len(found) * 0.99)] * 1e3 if found else float("nan")


async def read_all(
    url: str, bodies: Sequence[bytes], *, connections: int, check: Check, ended: asyncio.Event
) -> Read:
    """Return what was seen until the end, each answer looked at.

    Args:
        url: where it predicts.
        bodies: sent in turn.
        connections: how many, each with one request at a time.
        check: says what is wrong with the answer to a body, given its number, head and body.
        ended: is set when it is enough.
    """
    seen = Read()
    gc.freeze()
    tasks = [
        _connection(url, bodies, first=number, check=check, ended=ended, seen=seen)
        for number in range(connections)
    ]
    await asyncio.gather(*tasks)
    return seen


async def _connection(
    url: str,
    bodies: Sequence[bytes],
    *,
    first: int,
    check: Check,
    ended: asyncio.Event,
    seen: Read,
) -> None:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json"
    requests = [f"{head}\r\ncontent-length: {len(b)}\r\n\r\n".encode() + b for b in bodies]
    number = first
    while not ended.is_set():
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            while not ended.is_set():
                number = (number + 1) % len(requests)
                began = time.perf_counter()
                writer.write(requests[number])
                async with asyncio.timeout(TIMEOUT_S):
                    answer = await reader.readuntil(b"\r\n\r\n")
                    content = await reader.readexactly(_length(answer))
                now = time.perf_counter()
                seen.seconds.append(now - began)
                seen.at.append(now)
                fault = check(number, answer, content)
                if fault:
                    seen.wrong(fault)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            seen.wrong(f"the connection failed: {error!r}")
        finally:
            writer.close()


def _length(head: bytes) -> int:
    """Return the length of a body, from the head of an answer."""
    return int(header(head, b"content-length"))


def header(head: bytes, name: bytes) -> str:
    """Return a header of an answer.

    Raises:
        ValueError: it has no such header.
    """
    for line in head.split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip().decode()
    raise ValueError(f"no {name.decode()}")
