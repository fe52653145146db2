"""What happened, for those who count and those who write it down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from brinery.serve.rsgi import Scope


class Answered(Struct, frozen=True, gc=False):
    """What is known of a request once it is answered.

    Attributes:
        id: of the request.
        scope: the request; its words are made when they are asked for.
        path: that was asked.
        route: template of the path, where it is no model's; empty where it is.
        model: and its version, as in bank@1; without a version where none was reached, and empty
            where no model was asked.
        status: of the answer.
        code: of the problem; empty where there was none.
        n_rows: that were asked for.
        n_received: bytes of the body.
        n_sent: bytes of the answer.
        time_s: from the first byte of the body to the answer.
    """

    id: str
    scope: Scope
    path: str
    route: str
    model: str
    status: int
    code: str
    n_rows: int
    n_received: int
    n_sent: int
    time_s: float


class Scored(Struct, frozen=True, gc=False):
    """Rows that were scored at once.

    Attributes:
        model: and its version, as in bank@1.
        by: scorer or model: who scored them.
        n_rows: how many.
    """

    model: str
    by: str
    n_rows: int


class Observer(Protocol):
    """Is told of answers."""

    def __call__(self, answered: Answered, /) -> None:
        """Take note of an answer; the loop waits for it."""
        ...

    def close(self) -> None:
        """Finish what is under way."""
        ...


BatchObserver = Callable[[Scored], None]
