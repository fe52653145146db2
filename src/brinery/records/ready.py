"""Records made ready before several threads read them.

msgspec finds out what a record is made of when it is first read or written, and a second thread
that reads one meanwhile finds half of it: the process ends (msgspec 0.22).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct
from msgspec.json import Decoder


def make_ready() -> None:
    """Have every record that is known by now found out about."""
    for record in _below(Struct):
        # One that is of another library may not be for reading.
        with suppress(Exception):
            Decoder(record)


def _below(record: type[Struct]) -> Iterator[type[Struct]]:
    for each in record.__subclasses__():
        yield each
        yield from _below(each)
