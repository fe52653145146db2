"""What a batch was answered, and each request's part of it.

What is made of the answers of all rows at once costs a fraction of what it costs row by row, so the
requests of a batch share it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from brinery.records.scores import Scores


class Together(Struct, eq=False):
    """The answers of a batch.

    Attributes:
        scores: of all rows.
        texts: (n_rows,) the rows as the writer of our own form has them; None before it is asked.
    """

    scores: Scores
    texts: list[bytes] | None = None


class Share(Struct, eq=False, gc=False):
    """One request's part of the answers of a batch.

    Attributes:
        together: the answers of all.
        start: its first row.
        stop: the row behind its last.
    """

    together: Together
    start: int
    stop: int

    @property
    def scores(self) -> Scores:
        """Return its answers."""
        scores = self.together.scores
        if self.start == 0 and self.stop == len(scores):
            return scores
        return scores.part(self.start, self.stop)


def whole(scores: Scores) -> Share:
    """Return all answers of a batch that was one request's."""
    return Share(Together(scores), 0, len(scores))


def shares(scores: Scores, counts: Sequence[int]) -> list[Share]:
    """Return the parts of the answers of a batch.

    Args:
        scores: of all rows.
        counts: (n_requests,) how many rows are each one's, in their order.
    """
    together = Together(scores)
    parts, start = [], 0
    for count in counts:
        parts.append(Share(together, start, start + count))
        start += count
    return parts
