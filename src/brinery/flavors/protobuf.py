"""The fields of a protocol buffer, read without its schema or any library.

Source: the wire format of Protocol Buffers, as its developers document it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Union

Field = Union[int, memoryview]

_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_MAX_SHIFT = 63


def fields(message: memoryview) -> Iterator[tuple[int, Field]]:
    """Yield number and value of each field: a number, or the bytes that lie in the message.

    Raises:
        ValueError: it is no message, or cut off.
    """
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == _LENGTH:
            length, position = _varint(message, position)
        elif kind in (_EIGHT, _FOUR):
            length = 8 if kind == _EIGHT else 4
        else:
            raise ValueError(f"a field of the kind {kind}")
        if position + length > len(message):
            raise ValueError("a message that is cut off")
        yield number, message[position : position + length]
        position += length


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the messages, strings or bytes that fields of one number hold.

    Raises:
        ValueError: it is no message, or cut off.
    """
    for found, value in fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def numbers(message: memoryview, number: int) -> list[int]:
    """Return the whole numbers that fields of one number hold, packed or not.

    Raises:
        ValueError: it is no message, or cut off.
    """
    found = []
    for at, value in fields(message):
        if at != number:
            continue
        if isinstance(value, int):
            found.append(_signed(value))
            continue
        position = 0
        while position < len(value):
            one, position = _varint(value, position)
            found.append(_signed(one))
    return found


def texts(message: memoryview, number: int) -> list[str]:
    """Return the texts that fields of one number hold.

    Raises:
        ValueError: it is no message, cut off, or no UTF-8.
    """
    return [str(value, "utf-8") for value in messages(message, number)]


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return a number in base 128, and where it ends."""
    value = shift = 0
    while True:
        if position >= len(message) or shift > _MAX_SHIFT:
            raise ValueError("a number that is cut off")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            return value, position
        shift += 7


def _signed(value: int) -> int:
    """Return a number as 64 bits in two's complement have it."""
    return value - (1 << 64) if value >> _MAX_SHIFT else value
