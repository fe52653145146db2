"""Where a model is better or worse than on the whole: one metric in every group of rows.

The groups are those of `grouping`, one column at a time, and of two columns where that is asked
for. It must not know what the metric is made of, which is `rowwise`, nor how a group's figure is
tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from brinery.errors import ColumnMissing
from brinery.evaluate.binary import Binary
from brinery.evaluate.corrections import corrected
from brinery.evaluate.group_areas import AreaFigure
from brinery.evaluate.group_figures import Asked, Figure, GroupFigure
from brinery.evaluate.group_ratios import RatioFigure
from brinery.evaluate.grouping import BINS, LEVELS, Grouping, Ungrouped, cross, group
from brinery.evaluate.prepared import Prepared, prepare
from brinery.evaluate.rowwise import METRICS, Ranked, higher_is_better, rowwise
from brinery.evaluate.sample import Sample
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar
from brinery.records.subpopulation import Correction, Slicing, Subpopulation, Subpopulations
from brinery.specs.names import nearest

Floats = npt.NDArray[np.float64]

_LISTED: Final = 10


class Slices(Struct, frozen=True, kw_only=True):
    """What is asked of the subpopulations; each has a default.

    Attributes:
        metric: one of those of the type; when empty, the ROC AUC of a binary model that gives
            probabilities, the accuracy of other classifiers, the mean absolute error of a
            regression.
        columns: to cut the rows by; None for all.
        pairs: of columns whose groups are also crossed.
        bins: into how many ranges numbers are cut.
        levels: how many categories of a column have a group of their own.
        min_rows: groups of fewer rows are not tested.
        level: of the intervals, 0 to 1.
        correction: of the p-values, over all groups at once.
    """

    metric: str = ""
    columns: tuple[str, ...] | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    bins: int = BINS
    levels: int = LEVELS
    min_rows: int = 30
    level: float = 0.95
    correction: Correction = Correction.BENJAMINI_HOCHBERG


def subpopulations(
    table: pa.Table,
    actual: npt.NDArray[np.generic],
    *,
    type: PredictionType,  # noqa: A002 - the record's own word for it
    scores: Scores,
    classes: tuple[Scalar, ...] = (),
    weights: npt.NDArray[np.generic] | None = None,
    slices: Slices | None = None,
) -> Subpopulations:
    """Return a metric in every group of rows, with its difference from that of all rows.

    Args:
        table: (n_rows,) the inputs.
        actual: (n_rows,) labels or values; None and NaN are missing, and left out.
        type: of the model.
        scores: (n_rows,) its answers.
        classes: in the order of the probabilities; two where binary, the second is positive.
        weights: (n_rows,) 0 and up, finite; rows of weight 0 are left out. None where all rows
            count the same.
        slices: what is asked.

    Raises:
        ColumnMissing: a column that is asked for is not there.
        UnseenClass: a label is none of the classes.
        ValueError: a binary model without exactly two classes, or weights that are none.
    """
    asked = slices or Slices()
    _refuse_strangers(table, asked)
    given = prepare(type, actual, scores=scores.flat(), classes=classes, weights=weights)
    metric = asked.metric or _default(type, given.sample)
    found = Subpopulations(
        metric=metric,
        higher_is_better=higher_is_better(metric),
        rows=len(given.sample.actual),
        correction=asked.correction,
    )
    counted = np.ones(found.rows) if given.sample.weights is None else given.sample.weights
    figure = _figure(metric, given, weights=counted, asked=asked)
    whole = GroupFigure(reason=figure) if isinstance(figure, str) else figure.whole()
    if isinstance(figure, str) or whole.figure is None:
        return replace(found, skipped=f"skipped, because {whole.reason}")
    if given.sample.places is not None:
        table = table.take(pa.array(given.sample.places))
    slicings = tuple(_slicing(cut, figure, weights=counted) for cut in _cuts(table, asked=asked))
    return _corrected(replace(found, whole=whole.figure, slicings=slicings))


def _figure(metric: str, given: Prepared, *, weights: Floats, asked: Slices) -> Figure | str:
    """Return the metric, or the reason why there is none."""
    rows = given.rows.rows if isinstance(given.rows, Binary) else given.rows
    made = rows if isinstance(rows, str) else rowwise(metric, rows, type=given.type)
    if isinstance(made, str):
        return made
    wanted = Asked(level=asked.level, min_rows=asked.min_rows)
    if isinstance(made, Ranked):
        return AreaFigure(made, weights, wanted)
    return RatioFigure(made, weights, wanted)


def _default(type: PredictionType, given: Sample) -> str:  # noqa: A002 - as above
    """Return the metric that is taken where none is asked for; empty where there is none."""
    unranked = type is PredictionType.BINARY and given.probabilities is None
    return next(iter(METRICS[type][int(unranked) :]), "")


def _refuse_strangers(table: pa.Table, asked: Slices) -> None:
    """Return only where every column that is asked for is there.

    Raises:
        ColumnMissing: one is not; the message has all that are not.
    """
    known = table.column_names
    wanted = dict.fromkeys([*(asked.columns or ()), *chain.from_iterable(asked.pairs)])
    strangers = [name for name in wanted if name not in known]
    if strangers:
        meant = ((name, nearest(name, known)) for name in strangers)
        hints = [f"is '{name}' meant to be '{near}'?" for name, near in meant if near]
        raise ColumnMissing(
            f"the data has no column {', '.join(map(repr, strangers))} to cut the rows by",
            hint="; ".join(hints) or f"its columns are {', '.join(known[:_LISTED])}",
        )


def _cuts(table: pa.Table, *, asked: Slices) -> Iterator[Grouping | Ungrouped]:
    """Yield the groups of each column, then those of each pair."""
    cuts = {}
    columns = tuple(table.column_names) if asked.columns is None else asked.columns
    for name in dict.fromkeys([*columns, *chain.from_iterable(asked.pairs)]):
        cuts[name] = group(table, name, bins=asked.bins, levels=asked.levels)
        if name in columns:
            yield cuts[name]
    for names in asked.pairs:
        one, other = cuts[names[0]], cuts[names[1]]
        if isinstance(one, Grouping) and isinstance(other, Grouping):
            yield cross(one, other)
        else:
            yield Ungrouped(names, _why_not(one, other))


def _why_not(*cuts: Grouping | Ungrouped) -> str:
    """Return why columns are not crossed: the reason of the first that is not cut."""
    return next(f"{cut.columns[0]}: {cut.reason}" for cut in cuts if isinstance(cut, Ungrouped))


def _slicing(cut: Grouping | Ungrouped, figure: Figure, *, weights: Floats) -> Slicing:
    if isinstance(cut, Ungrouped):
        return Slicing(columns=cut.columns, skipped=f"skipped, because {cut.reason}")
    rows = np.bincount(cut.codes, minlength=len(cut.groups)).tolist()
    shares = np.bincount(cut.codes, weights=weights, minlength=len(cut.groups)) / weights.sum()
    figures = figure.of_groups(cut.codes, len(cut.groups))
    return Slicing(
        columns=cut.columns,
        subpopulations=tuple(
            Subpopulation(
                group=each,
                rows=count,
                share=share,
                figure=made.figure,
                difference=made.difference,
                p_value=made.p_value,
                reason=made.reason,
            )
            for each, count, share, made in zip(
                cut.groups, rows, shares.tolist(), figures, strict=True
            )
        ),
    )


def _corrected(found: Subpopulations) -> Subpopulations:
    """Return the same with its p-values corrected for all of them at once."""
    each = [one for slicing in found.slicings for one in slicing.subpopulations]
    p_values = [one.p_value for one in each if one.p_value is not None]
    raised = iter(corrected(p_values, method=found.correction).tolist())
    slicings = tuple(
        replace(
            slicing,
            subpopulations=tuple(
                one if one.p_value is None else replace(one, p_corrected=next(raised))
                for one in slicing.subpopulations
            ),
        )
        for slicing in found.slicings
    )
    return replace(found, slicings=slicings, tests=len(p_values))
