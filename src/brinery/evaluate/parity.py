"""Whether two ways to the same model give the same answers, row by row."""

from __future__ import annotations

import numpy as np

from brinery.errors import ParityFailed
from brinery.flavors import outputs
from brinery.records.scores import Scores
from brinery.records.version import Parity

TOLERANCE = 1e-9


def compare(one: Scores, other: Scores, *, names: tuple[str, str]) -> Parity:
    """Return how near two sets of answers to the same rows are.

    Labels must be identical; a probability may differ by 1e-9, a value by 1e-9 of its size. Of
    several values for each row every one is compared, and their names.

    Args:
        one: (n_rows,) answers.
        other: (n_rows,) answers to the same rows.
        names: what to call the two in an error.

    Raises:
        ParityFailed: they differ; the message names the first row, counted from 1.
    """
    if one.outputs != other.outputs:
        raise ParityFailed(
            f"{names[0]} answers each row with {len(one.outputs) or 1} values, {names[1]} with "
            f"{len(other.outputs) or 1}, or calls them otherwise"
        )
    if one.predictions.shape != other.predictions.shape:
        raise ParityFailed(
            f"{names[0]} answers {len(one.predictions)} rows, {names[1]} {len(other.predictions)}",
            hint="the model leaves rows out or adds some: predict must answer each row once",
        )
    if one.outputs:
        largest = _compare_outputs(one, other, names)
    else:
        largest = _compare_predictions(one.predictions, other.predictions, names)
    if one.probabilities is not None and other.probabilities is not None:
        gap = _gap(one.probabilities, other.probabilities)
        by_row = gap.max(axis=1, initial=0.0)
        _refuse(by_row > TOLERANCE, one.probabilities, other.probabilities, names=names)
        largest = max(largest, float(gap.max(initial=0.0)))
    elif (one.probabilities is None) != (other.probabilities is None):
        raise ParityFailed(f"only one of {names[0]} and {names[1]} gives probabilities")
    return Parity(rows=len(one.predictions), max_difference=largest)


def _compare_outputs(one: Scores, other: Scores, names: tuple[str, str]) -> float:
    """Return the largest difference of one of the several values of a row."""
    if one.predictions.dtype.kind == "f" and other.predictions.dtype.kind == "f":
        return _compare_predictions(one.predictions, other.predictions, names)
    columns = zip(
        outputs.unstacked(one.predictions), outputs.unstacked(other.predictions), strict=True
    )
    return max(_compare_predictions(a, b, names) for a, b in columns)


def _compare_predictions(a: np.ndarray, b: np.ndarray, names: tuple[str, str]) -> float:
    """Return the largest difference of a value; labels have none."""
    if a.dtype.kind == "f" and b.dtype.kind == "f":
        gap = _gap(a, b)
        size = np.maximum(np.abs(a), np.abs(b))
        _refuse(
            gap > TOLERANCE * np.where(np.isfinite(size), np.maximum(size, 1.0), 1.0),
            a,
            b,
            names=names,
        )
        return float(gap.max(initial=0.0))
    _refuse(np.asarray(a != b), a, b, names=names)
    return 0.0


def _gap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return |a - b|, with 0 where both are the same infinity or both NaN."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        gap = np.abs(a - b)
    return np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))


def _refuse(differs: np.ndarray, a: np.ndarray, b: np.ndarray, *, names: tuple[str, str]) -> None:
    if differs.ndim > 1:
        differs = np.asarray(differs.any(axis=1))
    if differs.any():
        row = int(differs.argmax())
        raise ParityFailed(
            f"{names[0]} and {names[1]} differ on {int(differs.sum())} of {len(differs)} rows, "
            f"first on row {row + 1}: {a[row]} against {b[row]}",
            hint="the model depends on more than its file and its row: on chance, or on state",
        )
