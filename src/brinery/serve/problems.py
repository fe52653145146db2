"""Problem documents (RFC 9457): what is wrong with a request, and where."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

import msgspec
from msgspec import Struct

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 100


class FieldError(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault in a body.

    Attributes:
        code: stable, kebab-case.
        message: for people; never repeats more than the name of a column and a short value.
        row: from 0, as in the body.
        column: its name.
        pointer: where in the body, as a JSON pointer.
    """

    code: str
    message: str
    row: int | None = None
    column: str | None = None
    pointer: str | None = None


class Problem(Exception):
    """A request that is refused.

    Args:
        status: of the answer.
        code: stable, kebab-case.
        detail: one sentence for people.
        errors: every fault found, up to `MAX_ERRORS`.
        hint: what to do about it.
        retry_after_s: seconds, for a refusal that will pass.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        hint: str = "",
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.hint = hint
        self.retry_after_s = retry_after_s

    def body(self) -> bytes:
        """Return the document."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = self.errors[:MAX_ERRORS]
        if self.hint:
            document["hint"] = self.hint
        return msgspec.json.encode(document)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers beside the length."""
        found = [(b"content-type", MEDIA_TYPE.encode())]
        if self.retry_after_s is not None:
            found.append((b"retry-after", str(self.retry_after_s).encode()))
        return found
