"""What may be chosen of an evaluation's figures; each has a default."""

from __future__ import annotations

from msgspec import Struct

from brinery.records.threshold import Aim, Gains


class Options(Struct, frozen=True, kw_only=True):
    """How the figures of an evaluation are made.

    Attributes:
        aim: the figure that the threshold of a binary model is chosen for.
        beta: of F-beta: how many times more recall counts than precision.
        gains: what each outcome is worth; None where nobody said.
        level: of the intervals, 0 to 1.
        bins: of the calibration curve and its error.
        cuts: how many thresholds the per-cut table has, and how many points a curve.
        draws: of the bootstrap.
        seed: of everything random.
    """

    aim: Aim = Aim.F1
    beta: float = 2.0
    gains: Gains | None = None
    level: float = 0.95
    bins: int = 10
    cuts: int = 200
    draws: int = 400
    seed: int = 0
