"""What a client asks: rows, and what it wants back with their answers."""

from __future__ import annotations

from brinery.serve.batch import Batch


class Asked:
    """A request as its reader understood it.

    Args:
        batch: the rows.
        given_id: what the client calls its request, for the answer; None where it has none.
        outputs: what it wants to be told, in the words of its protocol; empty for everything.
    """

    __slots__ = ("batch", "id", "outputs")

    def __init__(
        self, batch: Batch, *, given_id: str | None = None, outputs: tuple[str, ...] = ()
    ) -> None:
        self.batch = batch
        self.id = given_id
        self.outputs = outputs
