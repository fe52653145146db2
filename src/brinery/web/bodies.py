"""What a client may say when it changes something: small documents, every field of them known."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request

from brinery.records.ready import decoded
from brinery.serve.problems import Problem

_MOST_BYTES = 65_536
_JSON = "application/json"


class PromoteBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be promoted.

    Attributes:
        version: its number; the newest where it is not said.
        alias: that it is to have.
        gate: the name of one in brinery.toml; the default gate where it is not said.
        force: whether it is promoted whatever the gate says; that is shown for ever.
        why: kept in the audit trail; `force` needs it.
    """

    version: int | None = None
    alias: Literal["champion", "challenger"] = "champion"
    gate: str | None = None
    force: bool = False
    why: str = ""


class RollbackBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which champion is to come back.

    Attributes:
        to: its number; the one before where it is not said.
        why: kept in the audit trail.
    """

    to: int | None = None
    why: str = ""


_Body = TypeVar("_Body", bound=Struct)


async def read(request: Request, kind: type[_Body]) -> _Body:
    """Return what a body says.

    A page of another site may send a form, but no JSON without being asked first.

    Raises:
        Problem: 415 where it is not JSON, 413 where it is large, 422 where it says something else.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "what is to be done is said in JSON",
            hint=f"content-type: {_JSON}",
        )
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _MOST_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", "the body is over 64 kB"
            )
    try:
        return decoded(bytes(content) or b"{}", kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-body",
            str(error)[:300],
            hint="/api/v1/openapi.json says what there is",
        ) from None
