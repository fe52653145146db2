"""The first screen in words: how good, compared with what, why, where, and what is doubtful."""

from __future__ import annotations

from typing import Final, assert_never

from brinery.charts import words
from brinery.charts.subpopulations import named
from brinery.records.appraisal import Appraisal
from brinery.records.assertion import AssertionResult, Outcome
from brinery.records.curves import Curves
from brinery.records.evaluation import Confusion, Evaluation, PredictionType
from brinery.records.explanation import Explanation
from brinery.records.finding import Severity
from brinery.records.subpopulation import Subpopulation, Subpopulations
from brinery.records.summary import Summary, Tile

_TILES: Final = {
    PredictionType.BINARY: (
        "roc_auc",
        "average_precision",
        "accuracy",
        "precision",
        "recall",
        "ece",
    ),
    PredictionType.MULTICLASS: (
        "accuracy",
        "balanced_accuracy",
        "f1_macro",
        "roc_auc_macro",
        "log_loss",
    ),
    PredictionType.REGRESSION: ("r2", "mae", "rmse", "median_ae"),
    PredictionType.OTHER: (),
}
_NEEDED: Final = 3
_WORST: Final = 2


def summarise(appraisal: Appraisal) -> Summary:
    """Return the first screen of an evaluation."""
    return Summary(
        reference=appraisal.reference,
        headline=_headline(appraisal),
        tiles=headline_figures(appraisal.evaluation),
        points=tuple(_points(appraisal)),
        doubts=tuple(_doubts(appraisal)),
    )


def _headline(appraisal: Appraisal) -> str:
    evaluation, data = appraisal.evaluation, appraisal.data
    if evaluation is None:
        return (
            f"{appraisal.reference} answered {words.counted(data.rows, 'row')} of {data.name}; "
            "how good the answers are is not known, for no target was named."
        )
    on = f"On {words.counted(evaluation.rows, 'row')} of {data.name}"
    match evaluation.type:
        case PredictionType.BINARY | PredictionType.MULTICLASS:
            said = _classifier(evaluation)
        case PredictionType.REGRESSION:
            said = _regression(evaluation)
        case PredictionType.OTHER:
            said = ""
        case _:
            assert_never(evaluation.type)
    if not said:
        why = next(iter(evaluation.not_computed.values()), "there is no figure for it")
        return f"{on}, {appraisal.reference} was not evaluated: {why}."
    return f"{on}, {appraisal.reference} {said}"


def _classifier(evaluation: Evaluation) -> str:
    accuracy, auc = evaluation.metrics.get("accuracy"), evaluation.metrics.get("roc_auc")
    said = []
    if accuracy is not None:
        said.append(
            f"is right in {_spanned(evaluation, 'accuracy')} of them{_majority(evaluation)}."
        )
    if auc is not None:
        said.append(
            f"Of a row that is {evaluation.positive} and one that is not, it gives the first the "
            f"higher score in {_spanned(evaluation, 'roc_auc')} of cases."
        )
    return " ".join(said)


def _majority(evaluation: Evaluation) -> str:
    """Return how often always giving the most frequent class would be right."""
    own = next(iter(evaluation.confusion), None)
    if own is None or evaluation.weighted:
        return ""
    sizes = [sum(counts) for counts in own.counts]
    most = max(range(len(sizes)), key=sizes.__getitem__)
    share = words.share_of(sizes[most], sum(sizes))
    return f"; always saying {words.cut(own.labels[most])} would be right in {share}"


def _regression(evaluation: Evaluation) -> str:
    mae, r2 = evaluation.metrics.get("mae"), evaluation.metrics.get("r2")
    if mae is None:
        return ""
    span = words.between(evaluation.intervals.get("mae"))
    said = f"is off by {words.number(mae)} on average" + (f" ({span})." if span else ".")
    if r2 is not None:
        said += f" It explains {words.percent(max(r2, 0.0))} of the differences between rows."
    return said


def _spanned(evaluation: Evaluation, metric: str) -> str:
    """Return a share in per cent with its interval."""
    interval = evaluation.intervals.get(metric)
    share = words.percent(evaluation.metrics[metric])
    if interval is None:
        return share
    return f"{share} ({100 * interval.low:.3g} to {100 * interval.high:.3g} %)"


def headline_figures(evaluation: Evaluation | None) -> tuple[Tile, ...]:
    """Return the figures that matter most, each with its interval; none where there are none."""
    if evaluation is None:
        return ()
    return tuple(
        Tile(
            metric=name,
            label=words.called(name),
            value=words.number(evaluation.metrics[name]),
            interval=words.between(evaluation.intervals.get(name)),
        )
        for name in _TILES[evaluation.type]
        if name in evaluation.metrics
    )


def _points(appraisal: Appraisal) -> list[str]:
    said = []
    if appraisal.explanation is not None and (needed := _needed(appraisal.explanation)):
        said.append(needed)
    evaluation = appraisal.evaluation
    threshold = None if evaluation is None else evaluation.threshold
    if threshold is not None and not _one_score(appraisal.curves):
        said.append(
            f"The best threshold for {words.called(threshold.aim)} is "
            f"{words.number(threshold.threshold)}: {words.number(threshold.naive)} on these rows, "
            f"of which new rows may expect {words.estimated(threshold.corrected)}."
        )
    if appraisal.subpopulations is not None:
        said.extend(_worst(appraisal.subpopulations))
    if evaluation is not None and evaluation.rows_left_out:
        lacking = "a label or a weight" if evaluation.weighted else "a label"
        left = evaluation.rows_left_out
        were = "was" if left == 1 else "were"
        said.append(f"{words.counted(left, 'row')} without {lacking} {were} left out.")
    held = [one for one in appraisal.assertions if one.outcome is Outcome.PASS]
    if appraisal.assertions:
        said.append(f"{len(held)} of {len(appraisal.assertions)} assertions hold.")
    return said


def _one_score(curves: Curves | None) -> bool:
    """Return whether every row has the same probability, so that no threshold parts them."""
    cuts = None if curves is None or not curves.classes else curves.classes[0].cuts
    return cuts is not None and len(cuts.threshold) == 1


def _needed(explanation: Explanation) -> str:
    if explanation.importance is not None:
        ranked = [
            one.column
            for one in explanation.importance.ranked
            if one.estimate is not None and one.estimate.value > 0
        ]
    elif explanation.mean_contributions is not None:
        ranked = [one.column for one in explanation.mean_contributions.ranked]
    else:
        ranked = []
    first = ranked[:_NEEDED]
    return f"It needs {_listed(first)} most." if first else ""


def _worst(found: Subpopulations) -> list[str]:
    """Return the groups that it is worst at, of those that surely differ."""
    if found.whole is None or found.higher_is_better is None:
        return []
    sign = 1.0 if found.higher_is_better else -1.0
    worse = [
        one
        for one in found.notable()
        if one.figure is not None and one.difference is not None and sign * one.difference.value < 0
    ]
    return [
        f"It is worse for {named(one)}: {words.called(found.metric)} {words.estimated(one.figure)} "
        f"on {words.counted(one.rows, 'row')}, {words.number(found.whole.value)} on all."
        for one in _apart(worse)[:_WORST]
    ]


def _apart(groups: list[Subpopulation]) -> list[Subpopulation]:
    """Return the first group of each column."""
    first = {one.group.columns: one for one in reversed(groups)}
    return [one for one in groups if first[one.group.columns] is one]


def _doubts(appraisal: Appraisal) -> list[str]:
    findings = () if appraisal.diagnostics is None else appraisal.diagnostics.findings
    warned = [one.message for one in findings if one.severity is Severity.WARNING]
    failed = [_failed(one) for one in appraisal.assertions if one.outcome is Outcome.FAIL]
    missing = [f"{stage} was not computed: {why}" for stage, why in appraisal.not_done.items()]
    return [*warned, *failed, *missing]


def _failed(one: AssertionResult) -> str:
    return (
        f"The assertion {one.name!r} fails: {one.expected} holds in {words.percent(one.ratio)} of "
        f"{words.counted(one.rows, 'row')}, and must in {words.percent(one.min_ratio)}."
    )


def own_labels(evaluation: Evaluation) -> Confusion | None:
    """Return the confusion matrix at the model's own labels; None where there is none."""
    return next((one for one in evaluation.confusion if one.threshold is None), None)


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"
