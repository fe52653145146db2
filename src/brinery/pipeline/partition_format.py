"""Columns that stand in the paths of files: `/{store}/{day:yyyy/MM/dd}/sales.csv`.

A format matches the end of a path. `{name}` is a text without a slash, `{name:yyyy/MM/dd}` a time
with the parts that are written, `*` anything without a slash.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_PLACE: Final = re.compile(r"\{([^{}:]+)(?::([^{}]+))?\}|(\*)")
_TIME: Final = re.compile(r"yyyy|MM|dd|HH|mm|ss")
_PARTS: Final = {"yyyy": 0, "MM": 1, "dd": 2, "HH": 3, "mm": 4, "ss": 5}


class Column(NamedTuple):
    """One column of a format.

    Attributes:
        name: of it.
        time: the form of a time; empty for a text.
    """

    name: str
    time: str


class Format:
    """A partition format, read once."""

    def __init__(self, text: str) -> None:
        """Read it.

        Args:
            text: as declared.

        Raises:
            ValueError: it has no column, one twice, or a time of parts that are not known.
        """
        self.text = text
        found: list[Column] = []
        pattern, end = "", 0
        for place in _PLACE.finditer(text):
            pattern += re.escape(text[end : place.start()])
            end = place.end()
            if place[3]:
                pattern += "[^/]*"
                continue
            column = Column(place[1].strip(), place[2] or "")
            found.append(column)
            pattern += f"({_time_pattern(column)})" if column.time else "([^/]+?)"
        pattern += re.escape(text[end:])
        self.columns = tuple(found)
        names = [column.name for column in found]
        if not found:
            raise ValueError(f"partition_format '{text}' has no column, such as {{name}}")
        if len({*names}) < len(names):
            raise ValueError(f"partition_format '{text}' has a column twice")
        self._pattern = re.compile(f"{pattern}$")

    def values(self, path: str) -> dict[str, str] | None:
        """Return the values of a path's columns; None where it does not match.

        Args:
            path: of a file, with slashes; times are returned as `2019-01-31T00:00:00`.
        """
        match = self._pattern.search(path if path.startswith("/") else f"/{path}")
        if match is None:
            return None
        return {
            column.name: _moment(column.time, text) if column.time else text
            for column, text in zip(self.columns, match.groups(), strict=True)
        }


def _time_pattern(column: Column) -> str:
    rest = _TIME.sub("", column.time)
    if re.search(r"[A-Za-z]", rest) or not _TIME.search(column.time):
        raise ValueError(
            f"{{{column.name}:{column.time}}} is no time of yyyy, MM, dd, HH, mm and ss"
        )
    pieces = _TIME.split(column.time)
    digits = [rf"\d{{{len(part)}}}" for part in _TIME.findall(column.time)]
    return re.escape(pieces[0]) + "".join(
        digit + re.escape(piece) for digit, piece in zip(digits, pieces[1:], strict=True)
    )


def _moment(form: str, text: str) -> str:
    parts = ["0001", "01", "01", "00", "00", "00"]
    at = 0
    for match in _TIME.finditer(form):
        # Each part is as long as its letters, so that places in the form are places in the text.
        at = match.start()
        parts[_PARTS[match[0]]] = text[at : at + len(match[0])]
    return f"{parts[0]}-{parts[1]}-{parts[2]}T{parts[3]}:{parts[4]}:{parts[5]}"
