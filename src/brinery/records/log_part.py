"""A part of a log: some lines of it, and where they stand in the file."""

from __future__ import annotations

from msgspec import Struct


class LogLine(Struct, frozen=True, kw_only=True):
    """A line of a log.

    Attributes:
        at: when it was written, as ISO 8601 has it; empty where it does not say.
        text: of the line.
        place: of its first byte in the file.
    """

    at: str
    text: str
    place: int


class LogPart(Struct, frozen=True, kw_only=True):
    """Lines of a log, in their order.

    Attributes:
        lines: whole ones.
        start: byte that the first begins at.
        end: byte after the last: what follows is read from there.
        size_bytes: of the file now.
        more: whether more lines were found than are here.
    """

    lines: tuple[LogLine, ...] = ()
    start: int = 0
    end: int = 0
    size_bytes: int = 0
    more: bool = False
