"""What a client asks: rows, and what it wants back with their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brinery.serve.batch import Batch

if TYPE_CHECKING:
    from brinery.serve.explaining import Explained
    from brinery.serve.row_explainer import Wanted


class Asked:
    """A request as its reader understood it.

    Args:
        batch: the rows.
        given_id: what the client calls its request, for the answer; None where it has none.
        outputs: what it wants to be told, in the words of its protocol; empty for everything.
        explain: how it wants the answers explained; None where it does not.

    Attributes:
        explained: the explanations, once they were found.
    """

    __slots__ = ("batch", "explain", "explained", "id", "outputs")

    def __init__(
        self,
        batch: Batch,
        *,
        given_id: str | None = None,
        outputs: tuple[str, ...] = (),
        explain: Wanted | None = None,
    ) -> None:
        self.batch = batch
        self.id = given_id
        self.outputs = outputs
        self.explain = explain
        self.explained: Explained | None = None
