"""The cut of a binary model's probabilities that serves a figure best, and what that is worth."""

from __future__ import annotations

from msgspec import Struct

from brinery.records.estimate import Estimate
from brinery.records.text_enum import TextEnum


class Aim(TextEnum):
    """The figure that a threshold is chosen for."""

    F1 = "f1"
    F_BETA = "f_beta"
    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"
    MCC = "mcc"
    KAPPA = "kappa"
    GAIN = "gain"


class Gains(Struct, frozen=True, kw_only=True):
    """What each outcome of a decision is worth, in any one unit; a cost is negative.

    Attributes:
        true_positive: of a positive row that is caught.
        false_positive: of a negative row that is taken for a positive one.
        false_negative: of a positive row that is missed.
        true_negative: of a negative row that is let go.
    """

    true_positive: float = 0.0
    false_positive: float = 0.0
    false_negative: float = 0.0
    true_negative: float = 0.0


class Threshold(Struct, frozen=True, kw_only=True):
    """The best cut for one figure, found on the very rows that it is reported for.

    Attributes:
        aim: the figure that is highest there.
        threshold: the probability at and above which a row counts as positive.
        naive: the figure at that cut on these rows; too good, for the cut was chosen by it.
        optimism: by how much it is too good, on average over the draws.
        corrected: `naive` less `optimism`, with its interval: what new rows may expect.
        method: how the optimism was found, in a word.
        draws: how many bootstrap draws it was found with.
        seed: of the draws.
        rows: how many rows were seen.
    """

    aim: Aim
    threshold: float
    naive: float
    optimism: float
    corrected: Estimate
    method: str
    draws: int
    seed: int
    rows: int
