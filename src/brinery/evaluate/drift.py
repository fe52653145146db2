"""How far two sets of rows are apart: a reference, such as a model's test data, and newer rows.

A classifier that is asked to tell the sets apart finds what no column shows alone; it needs no
truth. Each column, and the model's answers, are compared by themselves as well.

Source: Lopez-Paz and Oquab 2017 (two-sample tests by classifiers); Siddiqi 2006 (the PSI).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.ensemble import RandomForestClassifier

from brinery.evaluate.intervals import wilson
from brinery.evaluate.labels import canonical, missing
from brinery.records.drift import ColumnDrift, Drift, Handling
from brinery.records.estimate import Estimate

_FEWEST: Final = 20
_MOST_ROWS: Final = 10_000
_MOST_CATEGORIES: Final = 1_000
_TREES: Final = 60
_LEAF: Final = 10
# What stands for a share of nothing, so that the index stays finite.
_LEAST_SHARE: Final = 1e-4
_MISSING: Final = "missing"

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class DriftOptions:
    """How rows are compared.

    Attributes:
        handling: column to how its values are compared, where that is not as they are.
        bins: of a numerical column.
        level: of the interval of the accuracy, 0 to 1.
        seed: of what is drawn.
    """

    handling: Mapping[str, Handling] = field(default_factory=dict)
    bins: int = 10
    level: float = 0.95
    seed: int = 0


def drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    answers: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
    options: DriftOptions | None = None,
) -> Drift:
    """Return how far two sets of rows are apart.

    Args:
        reference: (n_rows, n_columns).
        current: (m_rows, n_columns); a column that only one of them has is not compared.
        answers: (n_rows,) and (m_rows,) of the model; None where it has none.
        options: of the comparison.
    """
    asked = options or DriftOptions()
    columns = tuple(
        column(name, reference=reference.get(name), current=current.get(name), options=asked)
        for name in dict.fromkeys([*reference.columns, *current.columns])
    )
    used = [one for one in columns if one.handling is not Handling.IGNORED and not one.reason]
    drawn = _classifier(reference, current, used, options=asked)
    predictions = None
    if answers is not None:
        predictions = column(
            "prediction",
            reference=pd.Series(answers[0]),
            current=pd.Series(answers[1]),
            options=DriftOptions(),
        )
    return Drift(
        accuracy=drawn.accuracy,
        p_value=drawn.p_value,
        importance=drawn.importance,
        rows=drawn.rows,
        reason=drawn.reason,
        columns=columns,
        predictions=predictions,
        seed=asked.seed,
    )


def column(
    name: str,
    *,
    reference: pd.Series | None,
    current: pd.Series | None,
    options: DriftOptions,
) -> ColumnDrift:
    """Return how far one column is apart."""
    either = reference if reference is not None else current
    default = _handling(either)
    handling = options.handling.get(name, default)
    told = ColumnDrift(name=name, handling=handling, default=default)
    if reference is None or current is None:
        lacks = "the reference" if reference is None else "the current rows"
        return _ignored(told, f"{lacks} has no such column")
    if handling is Handling.IGNORED:
        return told
    if not len(reference) or not len(current):
        return _ignored(told, "there are no rows")
    if handling is Handling.NUMERICAL:
        return _numerical(told, reference, current, bins=options.bins)
    return _categorical(told, reference, current)


def stability(reference: _Floats, current: _Floats) -> float:
    """Return the population stability index of two distributions over the same bins.

    Args:
        reference: (n_bins,) shares that sum to 1.
        current: (n_bins,) likewise.
    """
    expected = np.maximum(reference, _LEAST_SHARE)
    actual = np.maximum(current, _LEAST_SHARE)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def independent(reference: _Floats, current: _Floats) -> float | None:
    """Return the p-value of the chi-square test that two rows of counts are of one distribution.

    Args:
        reference: (n_values,) counts.
        current: (n_values,) likewise.

    Returns:
        1 where there is one value alone, so that nothing can differ.
    """
    table = np.array([reference, current])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:  # noqa: PLR2004 - two values
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def right_guesses(right: int, rows: int, *, level: float) -> tuple[Estimate, float]:
    """Return the accuracy with its interval, and how likely it is to be as high by chance.

    Args:
        right: how many rows were told apart.
        rows: of how many.
        level: of the interval.
    """
    share = right / rows
    found = stats.binomtest(right, rows, 0.5, alternative="greater")
    return Estimate(value=share, interval=wilson(share, rows, level=level)), float(found.pvalue)


@dataclass(frozen=True, kw_only=True)
class _Told:
    accuracy: Estimate | None = None
    p_value: float | None = None
    importance: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    reason: str = ""


def _classifier(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: list[ColumnDrift],
    *,
    options: DriftOptions,
) -> _Told:
    """Return how well a classifier tells the sets apart, on the half it was not fitted on."""
    size = min(len(reference), len(current), _MOST_ROWS)
    if size < _FEWEST:
        return _Told(reason=f"{size} rows are too few: it takes {_FEWEST} of each")
    if not columns:
        return _Told(reason="there is no column to tell them apart by")
    source = np.random.default_rng(options.seed)
    chosen = [
        frame.iloc[source.choice(len(frame), size=size, replace=False)]
        for frame in (reference, current)
    ]
    rows = pd.concat([frame[[one.name for one in columns]] for frame in chosen])
    inputs = np.column_stack([_codes(rows[one.name], one.handling) for one in columns])
    truth = np.repeat([0, 1], size)
    # As many of each set in both halves: guessing the commoner one would be right too seldom else.
    halves = [source.permutation(size) + first for first in (0, size)]
    fitted = np.concatenate([half[: size // 2] for half in halves])
    asked = np.concatenate([half[size // 2 :] for half in halves])
    forest = RandomForestClassifier(
        n_estimators=_TREES, min_samples_leaf=_LEAF, random_state=options.seed
    ).fit(inputs[fitted], truth[fitted])
    right = int(np.count_nonzero(forest.predict(inputs[asked]) == truth[asked]))
    accuracy, p_value = right_guesses(right, len(asked), level=options.level)
    importance = {
        one.name: float(value)
        for one, value in zip(columns, forest.feature_importances_, strict=True)
    }
    return _Told(accuracy=accuracy, p_value=p_value, importance=importance, rows=size)


def _codes(values: pd.Series, handling: Handling) -> _Floats:
    """Return a column as numbers; a missing value is one of its own, far from all others."""
    if handling is Handling.NUMERICAL:
        numbers: _Floats = pd.to_numeric(values, errors="coerce").to_numpy(
            np.float64, na_value=np.nan
        )
        finite = numbers[np.isfinite(numbers)]
        least = float(finite.min()) - 1.0 if finite.size else 0.0
        known: _Floats = np.nan_to_num(numbers, nan=least, posinf=least, neginf=least)
        return known
    codes, _ = pd.factorize(_texts(values), sort=True)
    return codes.astype(np.float64)


def _numerical(
    told: ColumnDrift, reference: pd.Series, current: pd.Series, *, bins: int
) -> ColumnDrift:
    one, other = (
        numbers[np.isfinite(numbers)]
        for numbers in (
            pd.to_numeric(each, errors="coerce").to_numpy(np.float64, na_value=np.nan)
            for each in (reference, current)
        )
    )
    if not one.size or not other.size:
        return _ignored(told, "it has no number in one of both")
    edges = np.unique(np.quantile(one, np.linspace(0, 1, bins + 1)))
    inner = edges[1:-1]
    shares = []
    for values, whole in ((one, len(reference)), (other, len(current))):
        counts = np.bincount(np.searchsorted(inner, values, side="right"), minlength=inner.size + 1)
        # The rows without a number are a bin of their own.
        shares.append(np.append(counts, whole - values.size) / whole)
    return ColumnDrift(
        name=told.name,
        handling=told.handling,
        default=told.default,
        psi=stability(*shares),
        ks=float(stats.ks_2samp(one, other).pvalue),
        distance=float(stats.wasserstein_distance(one, other)),
        edges=tuple(edges.tolist()),
        reference=tuple(shares[0].tolist()),
        current=tuple(shares[1].tolist()),
    )


def _categorical(told: ColumnDrift, reference: pd.Series, current: pd.Series) -> ColumnDrift:
    one, other = _texts(reference), _texts(current)
    labels, codes = np.unique(np.concatenate([one, other]), return_inverse=True)
    if labels.size > _MOST_CATEGORIES:
        return _ignored(told, f"it has {labels.size:,} values: too many to compare")
    counts = [
        np.bincount(each, minlength=labels.size).astype(np.float64)
        for each in (codes[: one.size], codes[one.size :])
    ]
    shares = [each / each.sum() for each in counts]
    return ColumnDrift(
        name=told.name,
        handling=told.handling,
        default=told.default,
        psi=stability(shares[0], shares[1]),
        chi_square=independent(counts[0], counts[1]),
        labels=tuple(labels.tolist()),
        reference=tuple(shares[0].tolist()),
        current=tuple(shares[1].tolist()),
    )


def _texts(values: pd.Series) -> npt.NDArray[np.str_]:
    plain = values.astype(object).to_numpy()
    absent = missing(plain)
    return np.array(
        [_MISSING if gone else canonical(one) for one, gone in zip(plain, absent, strict=True)],
        dtype=np.str_,
    )


def _handling(values: pd.Series | None) -> Handling:
    """Return how a column is compared where nothing is said: numbers as such, all else by value."""
    if values is None:
        return Handling.IGNORED
    is_bool = pd.api.types.is_bool_dtype(values)
    number = pd.api.types.is_numeric_dtype(values) and not is_bool
    return Handling.NUMERICAL if number else Handling.CATEGORICAL


def _ignored(told: ColumnDrift, reason: str) -> ColumnDrift:
    return ColumnDrift(
        name=told.name, handling=Handling.IGNORED, default=told.default, reason=reason
    )
