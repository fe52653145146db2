"""How long single rows take two versions that answer in turns: the slowest in a hundred.

A round gives each version the same rows in turns, so that what else the machine does slows both.
The middle of several rounds counts: one pause of the machine does not decide.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

FEWEST_ROUNDS: Final = 3
FEWEST_ROWS: Final = 100
_SLOWEST: Final = 0.99

Floats = npt.NDArray[np.float64]


class Latency(Struct, frozen=True, kw_only=True):
    """The 99th percentiles of the time that one row takes, in milliseconds.

    Attributes:
        candidate: of the version.
        champion: of the champion; None where there is none.
        ratio: candidate by champion, the middle of the rounds' own; None where there is none.
        rows: how many single rows each version answered.
        rounds: in how many rounds.
    """

    candidate: float
    champion: float | None
    ratio: float | None
    rows: int
    rounds: int


def latency(candidate: Floats, champion: Floats | None) -> Latency | str:
    """Return the latencies; or why they cannot be told.

    Args:
        candidate: (n_rounds, n_rows) seconds of each single row.
        champion: (n_rounds, n_rows) of the same rows; None where there is no champion.
    """
    rounds, rows = candidate.shape
    if rounds < FEWEST_ROUNDS or rows < FEWEST_ROWS:
        return (
            f"{rounds} rounds of {rows} rows were timed, and a 99th percentile takes "
            f"{FEWEST_ROUNDS} rounds of {FEWEST_ROWS}"
        )
    own = np.quantile(candidate, _SLOWEST, axis=1) * 1e3
    if champion is None:
        return Latency(
            candidate=float(np.median(own)),
            champion=None,
            ratio=None,
            rows=rows * rounds,
            rounds=rounds,
        )
    theirs = np.quantile(champion, _SLOWEST, axis=1) * 1e3
    return Latency(
        candidate=float(np.median(own)),
        champion=float(np.median(theirs)),
        ratio=float(np.median(own / theirs)),
        rows=rows * rounds,
        rounds=rounds,
    )
