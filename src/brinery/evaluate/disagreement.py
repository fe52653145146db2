"""Where two versions answer otherwise: how many rows, which, who is right there, and a rule.

Rows are counted once each here, whatever they weigh.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import binomtest, norm

from brinery.evaluate import rule
from brinery.evaluate.contender import Answers, Truth
from brinery.records.comparison import Disagreement, Disputed, Rule
from brinery.records.estimate import Estimate, Interval
from brinery.records.evaluation import PredictionType
from brinery.records.signature import Scalar

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]

PLACES: Final = 1_000
EXAMPLES: Final = 20
_FARTHEST: Final = 0.1

_ALIKE: Final = "they answer every row alike"
_NO_INPUTS: Final = "the inputs are not given"


def disagreement(
    truth: Truth,
    *,
    base: Answers,
    other: Answers,
    places: Codes,
    inputs: pa.Table | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Disagreement | str:
    """Return where two versions answer otherwise; or why that cannot be told.

    Args:
        truth: the rows.
        base: what the version that is compared with says to them.
        other: what the other one says.
        places: (n_rows,) of the rows in the data, from 0.
        inputs: (n_rows, n_features) that the rule is told by; none is when None.
        level: of the intervals.
        seed: of what is drawn.
    """
    one, two = _said(truth, base), _said(truth, other)
    if isinstance(one, str) or isinstance(two, str):
        return one if isinstance(one, str) else str(two)
    regression = truth.type is PredictionType.REGRESSION
    apart = _apart(base, other, labels=one != two)
    if regression:
        apart = np.abs(one - two)
        least = np.quantile(apart, 1 - _FARTHEST)
        differ = (apart >= least) & (apart > 0)
        wrong = np.abs(one - truth.values), np.abs(two - truth.values)
    else:
        differ = np.asarray(one != two)
        wrong = tuple((each != truth.codes).astype(np.float64) for each in (one, two))
    base_right = int(np.count_nonzero(differ & (wrong[0] < wrong[1])))
    other_right = int(np.count_nonzero(differ & (wrong[1] < wrong[0])))
    rows = int(np.count_nonzero(differ))
    found = _rule(differ, inputs, seed=seed)
    agreement = concordance if regression else kappa
    return Disagreement(
        meaning=f"the tenth of the rows that they are farthest apart on, by {least:.4g} or more"
        if regression
        else "the rows that they give another label",
        rows=rows,
        share=_share(rows, truth.rows, level=level, chosen=regression),
        base_right=base_right,
        other_right=other_right,
        neither_right=rows - base_right - other_right,
        agreement=agreement(one, two, level=level),
        agreement_of="Lin's concordance" if regression else "Cohen's kappa",
        places=_thinned(places[differ], seed=seed),
        examples=_examples(truth, (base, other), differ=differ, apart=apart, places=places),
        rule=found if isinstance(found, Rule) else None,
        no_rule="" if isinstance(found, Rule) else found,
    )


def kappa(one: Codes, other: Codes, *, level: float = 0.95) -> Estimate | None:
    """Return how far two agree beyond chance, 1 and down; None where chance alone agrees.

    Args:
        one: (n_rows,) codes.
        other: (n_rows,) codes.
        level: of the interval.

    Source: Cohen 1960; Fleiss, Cohen & Everitt 1969 for the interval.
    """
    size = int(max(one.max(), other.max())) + 1
    rows = one.size
    of_one, of_other = (
        np.bincount(one, minlength=size) / rows,
        np.bincount(other, minlength=size) / rows,
    )
    same = one == other
    agreed, chance = float(same.mean()), float(of_one @ of_other)
    if chance >= 1:
        return None
    value = (agreed - chance) / (1 - chance)
    # What one row moves, by its two labels.
    moved = same * (1 - chance) - (of_one[other] + of_other[one]) * (1 - agreed)
    slope = moved - (agreed * chance - 2 * chance + agreed)
    deviation = float(np.sqrt(np.square(slope).mean() / rows)) / (1 - chance) ** 2
    half = float(norm.isf((1 - level) / 2)) * deviation
    interval = Interval(
        low=value - half, high=min(1.0, value + half), level=level, method="Fleiss-Cohen-Everitt"
    )
    return Estimate(value=value, interval=interval)


def concordance(one: Floats, other: Floats, *, level: float = 0.95) -> Estimate | None:
    """Return how near two sets of values are to being the same, -1 to 1; None of constants.

    Args:
        one: (n_rows,) finite.
        other: (n_rows,) finite.
        level: of the interval.

    Source: Lin 1989; the interval from how each row moves it, on Fisher's scale.
    """
    gap = float(one.mean() - other.mean())
    ones, others = one - one.mean(), other - other.mean()
    both, spreads = ones * others, np.square(ones) + np.square(others)
    whole = float(spreads.mean() + gap**2)
    if not whole or not np.isfinite(whole):
        return None
    value = float(2 * both.mean() / whole)
    if abs(value) >= 1:
        return Estimate(value=float(np.sign(value)), reason=_ALIKE)
    slope = 2 * (both - both.mean())
    slope -= value * (spreads - spreads.mean() + 2 * gap * (ones - others))
    deviation = float(np.sqrt(np.square(slope).mean() / one.size)) / whole
    half = float(norm.isf((1 - level) / 2)) * deviation / (1 - value**2)
    low, high = np.tanh(np.arctanh(value) - half), np.tanh(np.arctanh(value) + half)
    interval = Interval(low=float(low), high=float(high), level=level, method="Fisher's scale")
    return Estimate(value=value, interval=interval)


def _said(truth: Truth, said: Answers) -> npt.NDArray[Any] | str:
    return said.values if truth.type is PredictionType.REGRESSION else said.labels


def _apart(base: Answers, other: Answers, *, labels: Bools) -> Floats:
    """Return how far apart the answers to each row are, 0 to 1: by probabilities where it can."""
    one, two = base.probabilities, other.probabilities
    if isinstance(one, str) or isinstance(two, str):
        return labels.astype(np.float64)
    return np.asarray(np.abs(one - two).sum(axis=1) / 2)


def _share(rows: int, total: int, *, level: float, chosen: bool) -> Estimate:
    if chosen:
        return Estimate(value=rows / total, reason="it is chosen, not found")
    low, high = binomtest(rows, total).proportion_ci(confidence_level=level, method="wilson")
    return Estimate(
        value=rows / total,
        interval=Interval(low=float(low), high=float(high), level=level, method="Wilson"),
    )


def _rule(differ: Bools, inputs: pa.Table | None, *, seed: int) -> Rule | str:
    if not differ.any():
        return _ALIKE
    return _NO_INPUTS if inputs is None else rule.describe(differ, inputs, seed=seed)


def _thinned(places: Codes, *, seed: int) -> tuple[int, ...]:
    if places.size > PLACES:
        drawn = np.random.default_rng(seed).choice(places.size, PLACES, replace=False)
        places = places[np.sort(drawn)]
    return tuple(places.tolist())


def _examples(
    truth: Truth, said: tuple[Answers, Answers], *, differ: Bools, apart: Floats, places: Codes
) -> tuple[Disputed, ...]:
    """Return the rows that they are farthest apart on, of equal ones the first."""
    rows = np.flatnonzero(differ)
    rows = rows[np.argsort(-apart[rows], kind="stable")[:EXAMPLES]]
    base, other = said
    return tuple(
        Disputed(
            row=int(places[row]),
            actual=_actual(truth, row),
            base=_answer(truth, base, row=row),
            other=_answer(truth, other, row=row),
            base_probability=_chance(truth, base, row=row),
            other_probability=_chance(truth, other, row=row),
        )
        for row in rows.tolist()
    )


def _actual(truth: Truth, row: int) -> Scalar:
    if truth.type is PredictionType.REGRESSION:
        return float(truth.values[row])
    return truth.classes[int(truth.codes[row])]


def _answer(truth: Truth, said: Answers, *, row: int) -> Scalar:
    if not isinstance(said.values, str):
        return float(said.values[row])
    label: Scalar = truth.classes[int(np.asarray(said.labels)[row])]
    return label


def _chance(truth: Truth, said: Answers, *, row: int) -> float | None:
    if isinstance(said.probabilities, str):
        return None
    of = 1 if truth.type is PredictionType.BINARY else int(np.asarray(said.labels)[row])
    return float(said.probabilities[row, of])
