"""The JSON document of a body, as the standard has it, or a problem that says where it is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec

from brinery.serve.problems import Problem

_SHOWN = 40


class _Twice(Exception):
    """A key that an object holds twice."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def decode(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        Problem: it is empty or malformed, or an object holds a key twice: which of the two values
            is meant no one can tell. The detail says where.
    """
    if not body.strip():
        raise empty_body()
    try:
        value = msgspec.json.decode(body)
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _decode_leniently(body, str(error))
    if body.count(b'":') != sum(1 for _ in _keys(value)):
        _check_keys(body)
    return value


def empty_body() -> Problem:
    """Return the problem of a body without a byte."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "empty-body",
        "the body is empty",
        hint="/docs has an example to send",
    )


def _decode_leniently(body: bytes, reason: str) -> Any:
    """Return the value of a body that is no JSON for the standard, but for many programs.

    That is one with NaN or Infinity, a number out of range, or a byte order mark. It is read so
    that a value which is refused can be named; the reason is given where it is not that either.
    """
    try:
        value = json.loads(body, object_pairs_hook=_unique)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no text
    except _Twice as twice:
        raise _repeated(twice.key) from None
    except (ValueError, RecursionError):
        raise _malformed(reason) from None
    return value


def _keys(value: Any) -> Iterator[str]:
    """Give the keys of a document as deep as rows lie; deeper ones are counted by who looks."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield key
            if isinstance(held, dict):
                yield from held
            elif isinstance(held, list):
                for row in held:
                    if isinstance(row, dict):
                        yield from row


def _check_keys(body: bytes) -> None:
    """Raise where an object holds a key twice."""
    try:
        json.loads(body, object_pairs_hook=_unique)
    except _Twice as twice:
        raise _repeated(twice.key) from None
    except (ValueError, RecursionError):
        return  # it was read before; what only this reader refuses is no fault of the client's


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Twice(key)
            seen.add(key)
    return found


def _repeated(key: str) -> Problem:
    shown = key if len(key) <= _SHOWN else key[: _SHOWN - 1] + "…"
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "duplicate-key",
        f"the body has the key {shown!a} twice in an object",
    )


def _malformed(reason: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed-json", f"the body is not JSON: {reason}")
