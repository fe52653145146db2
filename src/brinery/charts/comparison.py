"""The page of a comparison: which version is better, by how much, how surely, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from brinery.charts import drawing, words
from brinery.charts import page as pages
from brinery.charts.page import Note, Page, Section
from brinery.charts.tables import Table
from brinery.records.comparison import (
    Comparison,
    Contender,
    Disagreement,
    MetricDifference,
    Pairing,
    SubpopulationDifference,
    Verdict,
)
from brinery.records.curves import ClassCurves
from brinery.records.figure import Figure
from brinery.records.leaderboard import Leaderboard
from brinery.records.summary import Tile

_TILES: Final = 6
_GROUPS: Final = 25
_SHARE: Final = (0.0, 1.02)
_MS: Final = 1e3
_MB: Final = 1e6


def render(comparison: Comparison) -> str:
    """Return the page of a comparison."""
    return pages.render(page(comparison))


def page(comparison: Comparison) -> Page:
    """Return what a page of a comparison says."""
    others = [one.other for one in comparison.pairs]
    return Page(
        title=f"{' and '.join(others) or 'nothing'} beside {comparison.base}",
        badges=(comparison.type.value, f"{comparison.rows:,} rows", comparison.data),
        lead=" ".join(_verdict(one) for one in comparison.pairs),
        tiles=_tiles(comparison),
        points=tuple(_points(comparison)),
        doubts=tuple(
            f"{name} is not compared: {why}" for name, why in comparison.not_compared.items()
        ),
        sections=tuple(_sections(comparison)),
        record=comparison,
    )


def _verdict(pairing: Pairing) -> str:
    """Return what the differences come to, in a sentence."""
    better = [each for each in pairing.differences if each.verdict is Verdict.BETTER]
    worse = [each for each in pairing.differences if each.verdict is Verdict.WORSE]
    if not better and not worse:
        return f"{pairing.other} cannot be told from {pairing.base} by any figure."
    parts = []
    if better:
        parts.append(f"better by {_named(better)}")
    if worse:
        parts.append(f"worse by {_named(worse)}")
    return f"{pairing.other} is {' and '.join(parts)} than {pairing.base}."


def _named(differences: list[MetricDifference]) -> str:
    return ", ".join(words.called(each.metric) for each in differences)


def _tiles(comparison: Comparison) -> tuple[Tile, ...]:
    if len(comparison.pairs) != 1:
        return ()
    return tuple(
        Tile(
            metric=each.metric,
            label=words.called(each.metric),
            value=_signed(each.difference.value),
            interval=words.between(each.difference.interval),
        )
        for each in comparison.pairs[0].differences[:_TILES]
    )


def _points(comparison: Comparison) -> list[str]:
    said = []
    for pairing in comparison.pairs:
        found = pairing.disagreement
        if found is None:
            continue
        said.append(
            f"They disagree on {words.counted(found.rows, 'row')} "
            f"({words.percent(found.share.value)}): {pairing.other} is right "
            f"{words.counted(found.other_right, 'time')}, {pairing.base} "
            f"{words.counted(found.base_right, 'time')}."
        )
        if found.rule is not None:
            said.append(
                f"Most of all where {' and '.join(found.rule.conditions)}: there they disagree on "
                f"{words.percent(found.rule.precision)} of the rows."
            )
    return said


def _sections(comparison: Comparison) -> list[Section]:
    several = len(comparison.pairs) > 1
    quality = [
        Section(
            name=f"figures-{place}",
            title=f"{pairing.other} beside {pairing.base}" if several else "How they differ",
            lead="The same rows, paired: each difference with its interval and p-value.",
            notes=tuple(
                Note(kind="note", text=f"{words.called(name)}: {why}")
                for name, why in pairing.not_compared.items()
            ),
            figures=() if (drawn := _gains(pairing, place)) is None else (drawn,),
            tables=(_differences(pairing),),
        )
        for place, pairing in enumerate(comparison.pairs)
    ]
    disputed = [
        _disputed(pairing, found, place)
        for place, pairing in enumerate(comparison.pairs)
        if (found := pairing.disagreement) is not None and found.rows
    ]
    board = comparison.leaderboard
    return [
        *quality,
        Section(name="curves", title="Curves", figures=_curves(comparison.contenders)),
        *disputed,
        Section(
            name="ranks",
            title="In order",
            tables=(_ranks(board),) if board is not None and several else (),
        ),
        Section(name="costs", title="What they cost", tables=_costs(comparison.contenders)),
    ]


def _differences(pairing: Pairing) -> Table:
    return Table(
        headers=(
            *("metric", pairing.base, pairing.other, "difference", "interval", "p", "corrected p"),
            *("test", "verdict"),
        ),
        rows=tuple(
            (
                words.called(each.metric),
                words.number(each.base),
                words.number(each.other),
                _signed(each.difference.value),
                words.between(each.difference.interval) or each.difference.reason,
                words.p_value(each.p_value),
                words.p_value(each.p_corrected),
                each.test,
                each.verdict.value,
            )
            for each in pairing.differences
        ),
        remarks=2,
    )


def _gains(pairing: Pairing, place: int) -> Figure | None:
    """Return the groups that surely gain or lose; the largest ones where none does surely."""
    sure = [each for each in pairing.subpopulations if each.verdict in _SURE]
    shown = (sure or list(pairing.subpopulations))[:_GROUPS]
    if not shown:
        return None
    shown.sort(key=lambda each: each.gain.value)
    values = [each.gain.value for each in shown]
    spans = [each.gain.interval for each in shown]
    surely = "" if sure else " None differs surely."
    return Figure(
        name=f"gains-{place}",
        title=f"Where {pairing.other} gains and loses",
        caption=f"How much lower its {pairing.loss} is in groups of rows, with intervals; right of "
        f"0 it is better than {pairing.base}.{surely}",
        data=(
            drawing.spread(
                values,
                [words.cut(_where(each), length=32) for each in shown],
                low=[v if s is None else s.low for v, s in zip(values, spans, strict=True)],
                high=[v if s is None else s.high for v, s in zip(values, spans, strict=True)],
            ),
        ),
        layout=drawing.layout(
            drawing.axis(f"gain in {pairing.loss}", zeroline=True),
            drawing.axis("", type="category"),
        ),
        height_px=90 + 24 * len(shown),
    )


_SURE: Final = frozenset({Verdict.BETTER, Verdict.WORSE})


def _where(each: SubpopulationDifference) -> str:
    return f"{' and '.join(each.group.columns)}: {each.group.label}"


def _curves(contenders: tuple[Contender, ...]) -> tuple[Figure, ...]:
    """Return the curves of all versions over each other: of two classes, for the positive one."""
    drawn = [
        (one.name, one.curves.classes[0])
        for one in contenders
        if one.curves is not None and len(one.curves.classes) == 1
    ]
    if not drawn:
        return ()
    made = (
        _overlaid(
            drawn,
            _roc,
            name="roc",
            title="ROC: found against false alarms",
            axes=("false positive rate", "true positive rate"),
            diagonal=True,
        ),
        _overlaid(
            drawn,
            _precision_recall,
            name="precision-recall",
            title="Precision and recall",
            axes=("recall", "precision"),
        ),
        _overlaid(
            drawn,
            _calibration,
            name="calibration",
            title="Calibration: what was said, and what came true",
            axes=("predicted probability", "share that came true"),
            diagonal=True,
        ),
    )
    return tuple(one for one in made if one is not None)


_Line = tuple[tuple[float, ...], tuple[float | None, ...]]


def _roc(curves: ClassCurves) -> _Line | None:
    return None if curves.roc is None else (curves.roc.x, curves.roc.y)


def _precision_recall(curves: ClassCurves) -> _Line | None:
    found = curves.precision_recall
    return None if found is None else (found.x, found.y)


def _calibration(curves: ClassCurves) -> _Line | None:
    found = curves.calibration
    return None if found is None else (found.predicted, found.observed)


def _overlaid(
    drawn: list[tuple[str, ClassCurves]],
    line: Callable[[ClassCurves], _Line | None],
    *,
    name: str,
    title: str,
    axes: tuple[str, str],
    diagonal: bool = False,
) -> Figure | None:
    lines = [
        drawing.line(*found, name=who, shade=drawing.colour(place))
        for place, (who, curves) in enumerate(drawn)
        if (found := line(curves)) is not None
    ]
    if not lines:
        return None
    return Figure(
        name=name,
        title=title,
        caption=f"All versions on the same rows, for {words.cut(drawn[0][1].label)}.",
        data=(*((drawing.diagonal(),) if diagonal else ()), *lines),
        layout=drawing.layout(
            drawing.axis(axes[0], span=(-0.01, 1.01)), drawing.axis(axes[1], span=_SHARE)
        ),
    )


def _disputed(pairing: Pairing, found: Disagreement, place: int) -> Section:
    return Section(
        name=f"disagreement-{place}",
        title=f"Where {pairing.other} and {pairing.base} disagree",
        lead=f"{words.counted(found.rows, 'row')}: {found.meaning}.",
        notes=(Note(kind="note", text=f"No rule: {found.no_rule}."),) if found.no_rule else (),
        tables=(
            Table(
                title="The rows that they are farthest apart on",
                headers=("row", "true", pairing.base, pairing.other),
                rows=tuple(
                    (
                        f"{each.row + 1:,}",
                        words.cut(each.actual),
                        _answer(each.base, each.base_probability),
                        _answer(each.other, each.other_probability),
                    )
                    for each in found.examples
                ),
                text=4,
            ),
        ),
    )


def _ranks(board: Leaderboard) -> Table:
    return Table(
        headers=("version", "rank", words.called(board.metric), "beside the first"),
        rows=tuple(
            (one.name, str(one.rank), words.estimated(one.value), _beside(one.alike, one.reason))
            for one in board.standings
        ),
        remarks=1,
    )


def _beside(alike: bool | None, reason: str) -> str:  # noqa: FBT001 - None is a third state
    if alike is None:
        return reason
    return "not distinguishable" if alike else "worse"


def _costs(contenders: tuple[Contender, ...]) -> tuple[Table, ...]:
    rows = tuple(
        (
            one.name,
            one.footprint.answered_by,
            f"{words.number(one.footprint.latency_s * _MS, digits=3)} ms",
            f"{one.footprint.rows_per_s:,.0f}",
            f"{words.number(one.footprint.size_bytes / _MB, digits=3)} MB",
        )
        for one in contenders
        if one.footprint is not None
    )
    headers = ("version", "answered by", "one row", "rows in a second", "model file")
    return (Table(headers=headers, rows=rows, text=2),) if rows else ()


def _answer(said: object, probability: float | None) -> str:
    return words.cut(said) + ("" if probability is None else f" ({words.number(probability)})")


def _signed(value: float) -> str:
    return f"+{words.number(value)}" if value > 0 else words.number(value)
