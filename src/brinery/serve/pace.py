"""How long scoring takes, learnt from how long it took.

For work in this process that is the processor's time: on a busy machine a clock would tell of
others, and have work leave the loop that is better done there.
"""

from __future__ import annotations

_WEIGHT = 0.2  # of the newest
_LEAST_ROW_S = 1e-9
_FEW = 32  # rows; of fewer, most of the time is not theirs
# What takes less is measured now and then: to ask for the processor's time is a system call.
_QUICK_S = 0.0002
_EVERY = 16


class Pace:
    """The time of a row, as a moving average of batches.

    Args:
        row_s: what a row may take at first, in seconds.
    """

    def __init__(self, row_s: float) -> None:
        self.row_s = row_s
        self._unmeasured = 0

    def expected_s(self, n_rows: int) -> float:
        """Return how long a batch will take, in seconds."""
        return self.row_s * max(n_rows, _FEW)

    def rows_in(self, time_s: float) -> int:
        """Return how many rows take at most so long; 0 where even a few take longer."""
        rows = int(time_s / max(self.row_s, _LEAST_ROW_S))
        return rows if rows >= _FEW else 0

    def due(self, n_rows: int) -> bool:
        """Return whether the next batch is to be measured: each that may take long, some others."""
        self._unmeasured += 1
        if self._unmeasured < _EVERY and self.expected_s(n_rows) < _QUICK_S:
            return False
        self._unmeasured = 0
        return True

    def took(self, n_rows: int, time_s: float) -> None:
        """Learn from a batch."""
        row_s = time_s / max(n_rows, _FEW)
        self.row_s += _WEIGHT * (row_s - self.row_s)
