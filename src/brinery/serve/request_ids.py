"""What a request is called, in its answer and in the log: as its client says, or by a number."""

from __future__ import annotations

import itertools
import uuid

from brinery.serve.rsgi import RequestHeaders

HEADER = "x-request-id"

_LONGEST = 128


class RequestIds:
    """The ids of one server process; no two processes give the same."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self._process = uuid.uuid4().hex[:8]

    def of(self, headers: RequestHeaders) -> str:
        """Return the id that a client gave, where it can stand in a header and a log; else ours."""
        given = headers.get(HEADER, "")
        if given and _plain(given):
            return given
        return f"{self._process}-{next(self._count)}"


def _plain(text: str) -> bool:
    return len(text) <= _LONGEST and text.isascii() and text.isprintable()
