"""Rows that a scorer is tried on beside the evaluation data: where a small difference would show.

That is at and next to each threshold of a tree, without a value, with a category that was never
seen, and with the largest and smallest numbers there are. Each probe is a row of the data with one
value changed, so that it reaches what the row reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from brinery.records.signature import ColumnType
from brinery.scorers.data import Array
from brinery.scorers.plan import Input
from brinery.scorers.scorer import Scorer, Values
from brinery.scorers.trees import COLUMN, Trees, down, plain

MOST_ROWS = 60_000
_SAMPLE_ROWS = 1_000
_BASE_ROWS = 3
_UNSEEN = "\N{LATIN SMALL LETTER THORN}never seen before"
_EXTREMES = (0.0, -0.0, 5e-324, 1e-30, -1e-30, 1e9, -1e9, 1e30, -1e30, 3.4e38, 1e300, -1e300)
_WHOLE_EXTREMES = (0, -1, 2**31, -(2**31), 2**53, -(2**53))


class Kind(StrEnum):
    """What a probe tries."""

    THRESHOLDS = "thresholds"
    MISSING = "missing values"
    UNSEEN = "unseen categories"
    EXTREMES = "extreme values"


@dataclass(frozen=True)
class Probe:
    """A row of the data with one value changed.

    Attributes:
        row: of the data, from 0.
        column: the name of the column that is changed.
        value: what it is changed to; None for a missing value.
    """

    row: int
    column: str
    value: Any


@dataclass(frozen=True)
class Probes:
    """The probes of one kind.

    Attributes:
        kind: which.
        probes: of it.
        thresholds: how many thresholds are tried, of those that a row of the data reaches.
        reached: how many it reaches.
    """

    kind: Kind
    probes: Sequence[Probe]
    thresholds: int = 0
    reached: int = 0


def probes(scorer: Scorer, columns: Mapping[str, Values], *, n_rows: int) -> list[Probes]:
    """Return the rows to try a scorer on, by kind.

    Args:
        scorer: that is tried.
        columns: name to (n_rows,) values of data that its model answers.
        n_rows: how many there are.
    """
    inputs = scorer.plan.inputs
    return [_thresholds(scorer, columns, n_rows), *value_probes(inputs, n_rows=n_rows)]


def value_probes(inputs: Sequence[Input], *, n_rows: int) -> list[Probes]:
    """Return the rows to try a scorer on of which nothing is known but what it takes, by kind.

    Args:
        inputs: its columns.
        n_rows: how many rows of data there are.
    """
    inputs = [one for one in inputs if one.given]
    rows = np.unique(np.linspace(0, n_rows - 1, _BASE_ROWS).astype(int)).tolist()
    return [
        Probes(Kind.MISSING, [Probe(row, one.name, None) for one in inputs for row in rows]),
        Probes(
            Kind.UNSEEN,
            [Probe(row, one.name, _UNSEEN) for one in inputs if _is_text(one) for row in rows],
        ),
        Probes(
            Kind.EXTREMES,
            [Probe(rows[0], one.name, value) for one in inputs for value in _extremes(one)],
        ),
    ]


def _is_text(column: Input) -> bool:
    return column.type is ColumnType.STRING


def _extremes(column: Input) -> tuple[Any, ...]:
    if column.type is ColumnType.NUMBER:
        return _EXTREMES
    return _WHOLE_EXTREMES if column.type is ColumnType.INTEGER else ()


def _thresholds(scorer: Scorer, columns: Mapping[str, Values], n_rows: int) -> Probes:
    """Return a probe at and next to each threshold that a row of a sample reaches."""
    chosen = np.unique(np.linspace(0, n_rows - 1, min(n_rows, _SAMPLE_ROWS)).astype(int))
    sample = {name: _taken(values, chosen) for name, values in columns.items()}
    found: dict[tuple[int, float, int, float], int] = {}
    steps: list[tuple[Any, ...]] = []
    for splits in scorer.splits():
        if splits.origins is None:
            continue
        x = splits.prepare(scorer.read(sample))
        for feature, threshold, row in _visited(splits.trees, x):
            origin = splits.origins[feature]
            if origin is None or origin.back is None:
                continue
            key = (origin.column, threshold, id(splits), feature)
            if key not in found:
                found[key] = row
                steps.append((origin, threshold, int(chosen[row]), splits.trees.features))
    every = max(1, -(-len(steps) * _PER_THRESHOLD // MOST_ROWS))
    tried = steps[::every]
    inputs = scorer.plan.inputs
    made = [
        Probe(row, inputs[origin.column].name, value)
        for origin, threshold, row, features in tried
        for value in _near(threshold, features, back=origin.inputs, kind=inputs[origin.column].type)
    ]
    return Probes(Kind.THRESHOLDS, made, thresholds=len(tried), reached=len(steps))


_PER_THRESHOLD = 4


def _near(threshold: float, features: str, *, back: Any, kind: ColumnType) -> list[Any]:
    """Return values of an input that lie at a threshold, and next to it."""
    if features == "f4":
        # What is compared was rounded to float32: the step is in the middle of two of those.
        lower = down(np.array([threshold]))
        upper = np.nextafter(lower, np.float32(np.inf))
        step = (lower.astype(np.float64) + upper) / 2
    else:
        step = np.array([threshold])
    ulps = [np.nextafter(step, -np.inf), step, np.nextafter(step, np.inf), np.array([threshold])]
    values = back(np.concatenate(ulps))
    if not np.isfinite(values).all():
        return []
    if kind is ColumnType.NUMBER:
        return list(dict.fromkeys(values.tolist()))
    if kind is ColumnType.INTEGER and abs(values[1]) < 2.0**53:
        floor = int(np.floor(values[1]))
        return [floor, floor + 1]
    return []


def _visited(trees: Trees, x: Array) -> Iterator[tuple[int, float, int]]:
    """Yield each feature and threshold that a row meets, with the first row that does."""
    table = trees.table
    feature, following = table["feature"], table["next"]
    seen: set[tuple[int, float]] = set()
    compared = np.ascontiguousarray(x, dtype=trees.features)
    every = np.arange(len(compared))
    for root in trees.roots.tolist():
        at = np.full(len(compared), root)
        rows = every
        while len(rows):
            inner = feature[at] >= 0
            at, rows = at[inner], rows[inner]
            nodes, first = np.unique(at, return_index=True)
            for node, row in zip(nodes.tolist(), rows[first].tolist(), strict=True):
                if plain(int(feature[node])):
                    key = (int(feature[node]) & COLUMN, float(table["threshold"][node]))
                    if key not in seen:
                        seen.add(key)
                        yield (*key, row)
            at = following[at] + trees.goes_right(at, compared[rows])


def _taken(values: Values, rows: Array) -> Values:
    return (
        values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows.tolist()]
    )
