"""Logs of steps, read by parts: of one with 100 MB only what is shown."""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import IO, Final

from brinery.records.log_part import LogLine, LogPart

_PART_BYTES: Final = 48_000
_LONGEST: Final = 4_000
_MOST_FOUND: Final = 200
# What terminals take for colours and movements (ECMA-48).
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def last(log: Path, *, before: int | None = None, most: int = _PART_BYTES) -> LogPart:
    """Return the last lines of a log, or those before a byte of it.

    Args:
        log: its file; one that is not there has no lines.
        before: where a line begins; the end of the file when None.
        most: bytes that are read.
    """
    try:
        with log.open("rb") as stream:
            size = _size(stream)
            end = size if before is None else min(before, size)
            start = max(0, end - most)
            stream.seek(start)
            content = stream.read(end - start)
    except OSError:
        return LogPart()
    if start:
        # The first line may have begun earlier; one longer than all is cut.
        cut = content.find(b"\n") + 1
        start += cut
        content = content[cut:]
    if before is None:
        content = content[: content.rfind(b"\n") + 1]
    return LogPart(
        lines=_lines(content, start), start=start, end=start + len(content), size_bytes=size
    )


def following(log: Path, *, after: int, most: int = _PART_BYTES) -> LogPart:
    """Return the lines that follow a byte of a log; of many, the last.

    Args:
        log: its file.
        after: where a line begins.
        most: bytes that are read.
    """
    try:
        with log.open("rb") as stream:
            size = _size(stream)
            if size < after:  # it was begun again
                after = 0
            if size - after > most:
                return last(log, most=most)
            stream.seek(after)
            content = stream.read(size - after)
    except OSError:
        return LogPart()
    content = content[: content.rfind(b"\n") + 1]
    return LogPart(
        lines=_lines(content, after), start=after, end=after + len(content), size_bytes=size
    )


def found(log: Path, text: str, *, most: int = _MOST_FOUND) -> LogPart:
    """Return the last lines of a log that have a text in them.

    A log is looked through from its end, without being read whole into memory.
    """
    wanted = text.encode()
    lines: list[LogLine] = []
    try:
        with log.open("rb") as stream:
            size = _size(stream)
            if not size or not wanted:
                return LogPart(size_bytes=size)
            with mmap.mmap(stream.fileno(), size, access=mmap.ACCESS_READ) as content:
                end = size
                while len(lines) <= most and (at := content.rfind(wanted, 0, end)) >= 0:
                    start = content.rfind(b"\n", 0, at) + 1
                    stop = content.find(b"\n", at)
                    line = content[start : stop if stop >= 0 else size]
                    lines += _lines(line[:_LONGEST], start)
                    end = max(start - 1, 0)
    except OSError:
        return LogPart()
    kept = tuple(reversed(lines[:most]))
    return LogPart(lines=kept, size_bytes=size, end=size, more=len(lines) > most)


def _lines(content: bytes, start: int) -> tuple[LogLine, ...]:
    lines = []
    for line in content.split(b"\n"):
        if line:
            at, _, text = line[:_LONGEST].decode("utf-8", "replace").partition(" ")
            # Of a line that was written over and over, a terminal shows the last.
            text = _ESCAPES.sub("", text).rstrip("\r").rpartition("\r")[2]
            lines.append(LogLine(at=at, text=text, place=start))
        start += len(line) + 1
    return tuple(lines)


def _size(stream: IO[bytes]) -> int:
    return stream.seek(0, 2)
