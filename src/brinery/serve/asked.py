"""What a client asks: rows, and what it wants back with their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from brinery.serve.batch import Batch

if TYPE_CHECKING:
    from brinery.serve.explaining import Explained
    from brinery.serve.row_explainer import Wanted


class Asked(Struct, eq=False):
    """A request as its reader understood it.

    Attributes:
        batch: the rows.
        id: what the client calls its request, for the answer; None where it has none.
        outputs: what it wants to be told, in the words of its protocol; empty for everything.
        explain: how it wants the answers explained; None where it does not.
        explained: the explanations, once they were found.
    """

    batch: Batch
    id: str | None = None
    outputs: tuple[str, ...] = ()
    explain: Wanted | None = None
    explained: Explained | None = None
