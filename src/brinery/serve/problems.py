"""Problem documents (RFC 9457): what is wrong with a request, and where."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

import msgspec
from msgspec import Struct

_log = logging.getLogger("brinery.serve")

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 100


class FieldError(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault in a body.

    Attributes:
        code: stable, kebab-case.
        message: for people, and to be read after the name of the column or row; it repeats no
            more than a short value.
        row: from 0, as in the body.
        column: its name; cut where it is long and not one of the model's.
        pointer: where in the body, as a JSON pointer (RFC 6901).
    """

    code: str
    message: str
    row: int | None = None
    column: str | None = None
    pointer: str | None = None

    @property
    def sentence(self) -> str:
        """Return the message with what it is about."""
        about = [f"row {self.row}"] if self.row is not None else []
        about += [f"'{self.column}'"] if self.column is not None else []
        return f"{': '.join(about)} {self.message}"


class Problem(Exception):
    """A request that is refused.

    Args:
        status: of the answer.
        code: stable, kebab-case.
        detail: one sentence for people.
        errors: every fault found, up to `MAX_ERRORS`.
        hint: what to do about it.
        retry_after_s: seconds, for a refusal that will pass.
        headers: further ones.
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
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.hint = hint
        self._headers = dict(headers or {})
        if retry_after_s is not None:
            self._headers["retry-after"] = str(retry_after_s)

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

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers beside the length."""
        headers = {"content-type": MEDIA_TYPE, **self._headers}
        return [(name.lower(), value) for name, value in headers.items()]


def unavailable(code: str, detail: str) -> Problem:
    """Return the problem of a request that may be answered another time."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, code, detail, retry_after_s=1)


def invalid(faults: Sequence[FieldError]) -> Problem:
    """Return the problem of a body whose values are refused."""
    others = len(faults) - 1
    more = f", and {others} more" if others else ""
    if len(faults) >= MAX_ERRORS:
        more = f", and {others} or more others"
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-rows",
        f"{faults[0].sentence}{more}",
        errors=faults,
        hint="/docs lists the columns, their types and their categories",
    )


def unexpected(error: BaseException | None = None) -> Problem:
    """Return the problem of a fault of ours, which is logged under the id it names.

    Args:
        error: what was raised; the exception that is handled now when None.
    """
    fault = uuid.uuid4().hex[:12]
    _log.error("fault %s", fault, exc_info=error or True)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "fault",
        f"a fault of the server, logged under {fault}",
    )
