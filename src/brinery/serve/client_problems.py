"""What a server refuses, as an error of our tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import urllib3
from msgspec import Struct

from brinery.errors import (
    BrineryError,
    EndpointFault,
    EndpointTimeout,
    FieldFault,
    NotFound,
    RequestRefused,
)
from brinery.records import ready
from brinery.serve.problems import FieldError
from brinery.specs.names import nearest

_SHOWN = 5
_LONGEST = 300


class _Document(Struct, frozen=True):
    """A problem document (RFC 9457), as far as it is read here."""

    code: str = ""
    detail: str = ""
    hint: str = ""
    errors: tuple[FieldError, ...] = ()


def error(
    response: urllib3.BaseHTTPResponse,
    *,
    model: str,
    names: Callable[[], Sequence[str]] | None,
) -> BrineryError:
    """Return the error of an answer that is none.

    Args:
        response: what was answered.
        model: that was asked.
        names: returns the models there are; None where no model was asked.
    """
    found = _document(response)
    status = response.status
    if status == 404 and names is not None:  # noqa: PLR2004 - HTTP's own number
        near = nearest(model.partition("@")[0], names())
        there = f"did you mean {near}?" if near else f"it has {', '.join(names()) or 'none'}"
        return NotFound(f"the server has no model {model}", hint=there)
    if status == 504:  # noqa: PLR2004
        return EndpointTimeout(found.detail, hint=found.hint)
    if status >= 500:  # noqa: PLR2004
        return EndpointFault(f"{found.detail} ({status} {found.code})", hint=found.hint)
    sentences = [fault.sentence for fault in found.errors[:_SHOWN]]
    more = len(found.errors) - len(sentences)
    shown = "; ".join(sentences) + (f"; and {more} more" if more else "")
    return RequestRefused(
        shown or found.detail,
        hint=found.hint,
        problem=found.code,
        faults=tuple(
            FieldFault(fault.code, fault.message, fault.row, fault.column) for fault in found.errors
        ),
    )


def decoded(content: bytes, kind: type[Any]) -> Any:
    """Return a document of a kind.

    Raises:
        EndpointFault: it is none.
    """
    try:
        return ready.decoded(content, kind)
    except msgspec.MsgspecError as error:
        raise EndpointFault(
            f"the server's answer is not read: {error}", hint="is it one of brinery serve?"
        ) from None


def _document(response: urllib3.BaseHTTPResponse) -> _Document:
    """Return the problem; of a server between, which writes none, what it wrote."""
    try:
        return ready.decoded(response.data, _Document)
    except msgspec.MsgspecError:
        text = response.data[:_LONGEST].decode("utf-8", "replace").strip()
        said = text or response.reason or "no reason given"
        return _Document(detail=f"the server answered {response.status}: {said}")
