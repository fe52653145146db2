"""What the contributions to many answers say of each column: its mean, and its course.

It knows how contributions are summed up. It must not know how they were found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from brinery.evaluate.bins import kind_of, numbers, plain, shown
from brinery.evaluate.intervals import normal
from brinery.evaluate.observed import Floats, Places, drawable, drawn
from brinery.records.contributions import Contributions
from brinery.records.effects import Dependence, Kind
from brinery.records.estimate import Estimate, Interval
from brinery.records.importance import MeanContribution, MeanContributions

LEVEL: Final = 0.95
MOST_POINTS: Final = 400

_FEWEST_ROWS: Final = 2
_FEWEST_POINTS: Final = 50


def means(contributions: Contributions, *, weights: Floats | None = None) -> MeanContributions:
    """Return how much each column moves the answers.

    Args:
        contributions: to the answers for some rows, at least one.
        weights: (n_rows,) of the rows; None where all count alike.
    """
    sizes = np.abs(contributions.values)
    counted = np.ones(len(contributions)) if weights is None else weights
    signed = np.average(contributions.values, axis=0, weights=counted)
    return MeanContributions(
        unit=contributions.unit,
        method=contributions.method,
        exact=contributions.exact,
        rows=len(contributions),
        background_rows=contributions.background_rows,
        base=tuple(contributions.base.tolist()),
        classes=contributions.classes,
        gap=contributions.gap,
        columns=tuple(
            MeanContribution(
                column=column,
                absolute=_mean(sizes[:, place].mean(axis=1), counted),
                signed=tuple(signed[place].tolist()),
                by_class=tuple(_mean(one, counted) for one in sizes[:, place].T),
            )
            for place, column in enumerate(contributions.columns)
        ),
    )


def joined(parts: Sequence[Contributions]) -> Contributions:
    """Return the contributions to the answers for several tables as those for one.

    Args:
        parts: of the same explainer, at least one.
    """
    errors = [one.standard_errors for one in parts if one.standard_errors is not None]
    return msgspec.structs.replace(
        parts[0],
        values=np.concatenate([one.values for one in parts]),
        answers=np.concatenate([one.answers for one in parts]),
        standard_errors=np.concatenate(errors) if errors else None,
    )


def dependences(
    contributions: Contributions,
    table: pa.Table,
    *,
    places: Places | None = None,
    most: int = MOST_POINTS,
    seed: int = 0,
) -> tuple[Dependence, ...]:
    """Return the contributions of each column beside its values.

    Args:
        contributions: to the answers for the rows of the table.
        table: the rows that were explained.
        places: (n_rows,) of them in the data; those in the table where None.
        most: how many points a column has at most, the same rows for each; drawn. Several classes
            share them, down to 50.
        seed: of the draw.
    """
    outputs = max(1, contributions.values.shape[2])
    rows = drawn(np.arange(len(contributions)), max(_FEWEST_POINTS, most // outputs), seed=seed)
    found = []
    for place, name in enumerate(contributions.columns):
        column = plain(table.column(name))
        kind = kind_of(column)
        values = column.take(pa.array(rows)).to_pylist()
        found.append(
            Dependence(
                column=name,
                kind=kind,
                unit=contributions.unit,
                classes=contributions.classes,
                rows=tuple((rows if places is None else places[rows]).tolist()),
                values=tuple(map(shown, values)),
                positions=_positions(column, kind, rows),
                contributions=tuple(
                    tuple(one.tolist()) for one in drawable(contributions.values[rows, place]).T
                ),
            )
        )
    return tuple(found)


def _mean(values: Floats, weights: Floats) -> Estimate:
    """Return a weighted mean with an interval over the rows."""
    mean = float(np.average(values, weights=weights))
    if values.size < _FEWEST_ROWS:
        return Estimate(value=mean, reason="one row has no interval")
    off = np.square(weights * (values - mean)).sum() * values.size / (values.size - 1)
    half = normal(LEVEL) * math.sqrt(off) / float(weights.sum())
    interval = Interval(low=max(0.0, mean - half), high=mean + half, level=LEVEL, method="normal")
    return Estimate(value=mean, interval=interval)


def _positions(column: pa.Array, kind: Kind, rows: Places) -> tuple[float | None, ...]:
    """Return where the values of some rows are among all: 0 the least, 1 the greatest."""
    if kind not in {Kind.NUMBER, Kind.DATE}:
        return (None,) * rows.size
    values = numbers(column)
    ranked = np.sort(values[~np.isnan(values)])
    asked = values[rows]
    sides = [np.searchsorted(ranked, asked, side=side) for side in ("left", "right")]
    positions = (sides[0] + sides[1] - 1) / 2 / max(1, ranked.size - 1)
    found = zip(asked.tolist(), positions.tolist(), strict=True)
    return tuple(None if math.isnan(value) else place for value, place in found)
