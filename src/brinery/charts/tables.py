"""The tables of a report, as text: what there is to read beside what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from brinery.charts import words
from brinery.charts.subpopulations import named
from brinery.records.assertion import AssertionResult
from brinery.records.curves import ClassCurves, Cuts
from brinery.records.estimate import Interval
from brinery.records.evaluation import ClassFigures, Confusion, Evaluation
from brinery.records.explanation import Explanation
from brinery.records.importance import Importance
from brinery.records.subpopulation import Slicing, Subpopulations
from brinery.records.threshold import Threshold

_CUTS: Final = 21
_CUT_FIGURES: Final = (
    *("precision", "recall", "specificity", "f1", "accuracy", "mcc", "lift", "gain"),
)
_CLASS_FIGURES: Final = ("precision", "recall", "f1", "roc_auc", "average_precision", "brier")


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        title: what is in it; empty where the text around it says so.
        headers: (n_columns,).
        rows: (n_rows, n_columns) as printed.
        text: how many columns from the left are text; the next ones are numbers.
        remarks: how many columns from the right are text, too.
        hits: (row, column) of the cells that stand out.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    text: int = 1
    remarks: int = 0
    hits: frozenset[tuple[int, int]] = frozenset()

    def counts(self, column: int) -> bool:
        """Return whether a column, from 0, holds numbers."""
        return self.text <= column < len(self.headers) - self.remarks


def metrics(evaluation: Evaluation) -> Table:
    """Return every figure with its interval, or the reason why there is none."""
    rows = [
        (
            words.called(name),
            words.number(value),
            words.between(evaluation.intervals.get(name)),
            _method(evaluation.intervals.get(name), evaluation.no_interval.get(name, "")),
        )
        for name, value in evaluation.metrics.items()
    ]
    rows += [(words.called(n), "", "", f"not computed: {w}") for n, w in _missing(evaluation)]
    headers = ("metric", "value", "95 % interval", "how")
    return Table(headers=headers, rows=tuple(rows), remarks=1)


def confusion(found: Confusion) -> Table:
    """Return how often each class was predicted as each."""
    if found.threshold is None:
        at = "the model's own labels"
    else:
        at = f"threshold {words.number(found.threshold)}"
    return Table(
        title=f"Confusion matrix at {at}",
        headers=("true \\ predicted", *(words.cut(label) for label in found.labels)),
        rows=tuple(
            (words.cut(label), *(f"{count:,}" for count in counts))
            for label, counts in zip(found.labels, found.counts, strict=True)
        ),
        hits=frozenset((place, place + 1) for place in range(len(found.labels))),
    )


def per_class(found: Sequence[ClassFigures]) -> Table:
    """Return the figures of each class against all others."""
    return Table(
        title="Each class against all others",
        headers=("class", "rows", *map(words.called, _CLASS_FIGURES)),
        rows=tuple(
            (
                words.cut(one.label),
                f"{one.rows:,}",
                *(_with_interval(one.metrics, one.intervals, name) for name in _CLASS_FIGURES),
            )
            for one in found
        ),
    )


def cuts(found: Cuts) -> Table:
    """Return some thresholds with what each catches and the figures there."""
    names = [name for name in _CUT_FIGURES if name in found.metrics]
    total = len(found.threshold)
    shown = sorted({round(step * (total - 1) / (_CUTS - 1)) for step in range(_CUTS)})
    return Table(
        title=f"Figures at {len(shown)} of {found.total:,} thresholds",
        headers=("threshold", "found", "false alarms", "missed", *map(words.called, names)),
        rows=tuple(
            (
                words.number(found.threshold[at]),
                words.number(found.true_positives[at]),
                words.number(found.false_positives[at]),
                words.number(found.false_negatives[at]),
                *(words.number(found.metrics[name][at], digits=3) for name in names),
            )
            for at in shown
        ),
        text=0,
    )


def thresholds(found: Sequence[Threshold]) -> Table:
    """Return the best threshold for each figure, and what of it is optimism."""
    return Table(
        title="The best threshold, by what it is chosen for",
        headers=("chosen for", "threshold", "on these rows", "optimism", "expected of new rows"),
        rows=tuple(
            (
                words.called(one.aim),
                words.number(one.threshold),
                words.number(one.naive),
                words.number(one.optimism, digits=2),
                words.estimated(one.corrected),
            )
            for one in found
        ),
    )


def deciles(curves: ClassCurves) -> Table | None:
    """Return cumulative lift and gain; None where there is none."""
    found = curves.deciles
    if found is None:
        return None
    return Table(
        title=f"The rows with the highest scores of {words.cut(curves.label)}",
        headers=("share of the rows", "lift", "share of the class found"),
        rows=tuple(
            (words.percent(share), words.estimated(lift), words.estimated(gain))
            for share, lift, gain in zip(found.share, found.lift, found.gain, strict=True)
        ),
    )


def importance(explanation: Explanation) -> Table | None:
    """Return what each column is worth to the model; None where nothing is known."""
    shuffled: dict[str, Importance] = {}
    if explanation.importance is not None:
        shuffled = {one.column: one for one in explanation.importance.ranked}
    moved = explanation.mean_contributions
    means = {} if moved is None else {one.column: one for one in moved.ranked}
    if not shuffled and not means:
        return None
    return Table(
        headers=("column", "importance", "mean size of SHAP value", "remark"),
        remarks=1,
        rows=tuple(
            (
                words.cut(name),
                words.estimated(shuffled[name].estimate) if name in shuffled else "",
                words.estimated(means[name].absolute) if name in means else "",
                shuffled[name].reason if name in shuffled else "",
            )
            for name in dict.fromkeys([*shuffled, *means])
        ),
    )


def slicing(found: Slicing, within: Subpopulations) -> Table:
    """Return the metric in every group of a column."""
    return Table(
        title=" × ".join(found.columns),  # noqa: RUF001 - the sign for crossed groups
        headers=(
            "group",
            "rows",
            words.called(within.metric),
            "difference from the rest",
            "p",
            "corrected p",
        ),
        rows=tuple(
            (
                one.group.label,
                f"{one.rows:,} ({words.percent(one.share)})",
                words.estimated(one.figure) if one.figure is not None else one.reason,
                words.estimated(one.difference),
                words.p_value(one.p_value),
                words.p_value(one.p_corrected),
            )
            for one in found.subpopulations
        ),
    )


def notable(found: Subpopulations, *, most: int = 10) -> Table | None:
    """Return the groups that most surely differ; None where none does."""
    groups = found.notable()[:most]
    if not groups:
        return None
    return Table(
        title="Groups that differ from the rest",
        headers=("group", "rows", words.called(found.metric), "difference", "corrected p"),
        rows=tuple(
            (
                named(one),
                f"{one.rows:,}",
                words.estimated(one.figure),
                words.estimated(one.difference),
                words.p_value(one.p_corrected),
            )
            for one in groups
        ),
    )


def assertions(found: Sequence[AssertionResult]) -> Table:
    """Return what was declared, and whether it holds."""
    return Table(
        headers=("assertion", "rows", "expected", "outcome", "as expected", "at least"),
        rows=tuple(
            (
                one.name,
                one.where or "all",
                one.expected,
                one.outcome + (f": {one.reason}" if one.reason else ""),
                f"{one.valid:,} of {one.rows:,} ({words.percent(one.ratio)})",
                words.percent(one.min_ratio),
            )
            for one in found
        ),
        text=4,
    )


def _missing(evaluation: Evaluation) -> list[tuple[str, str]]:
    return list(evaluation.not_computed.items())


def _method(interval: Interval | None, reason: str) -> str:
    return reason if interval is None else interval.method


def _with_interval(
    values: Mapping[str, float], intervals: Mapping[str, Interval], name: str
) -> str:
    span = words.between(intervals.get(name), digits=3)
    value = words.number(values.get(name), digits=3)
    return f"{value} ({span})" if span else value
