"""Records read where several threads may be the first to.

msgspec finds out what a record is made of when it is first read, and a second thread that reads one
meanwhile finds half of it: the process ends (msgspec 0.22). So one thread at a time finds out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from threading import Lock
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.json import Decoder

_Read = TypeVar("_Read")

_FINDING: Final = Lock()
_DECODERS: Final[dict[Any, Decoder[Any]]] = {}


def decoded(content: bytes | str, kind: type[_Read]) -> _Read:
    """Return what a JSON text says, as a record or several.

    Raises:
        msgspec.DecodeError: it is no JSON; `msgspec.ValidationError` where it is none of the kind.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        with _FINDING:
            decoder = _DECODERS.setdefault(kind, Decoder(kind))
    found: _Read = decoder.decode(content)
    return found


def make_ready() -> None:
    """Have every record that is known by now found out about."""
    with _FINDING:
        for record in _below(Struct):
            # One that is of another library may not be for reading.
            with suppress(Exception):
                Decoder(record)


def _below(record: type[Struct]) -> Iterator[type[Struct]]:
    for each in record.__subclasses__():
        yield each
        yield from _below(each)
