"""Why a version answers as it does and where it is better or worse, in the shape scripts read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from brinery.records.appraisal import Appraisal
from brinery.records.effects import Kind, PartialDependence
from brinery.records.evaluation import PredictionType
from brinery.records.group import GroupKind
from brinery.records.subpopulation import Slicing, Subpopulation


def global_explanations(appraisal: Appraisal) -> dict[str, Any]:
    """Return the Shapley importance of the columns, and the points of each; empty for none."""
    found = appraisal.explanation
    if found is None or found.mean_contributions is None:
        return {}
    mean = found.mean_contributions
    total = sum(one.absolute.value for one in mean.columns)
    classes = [str(label) for label in mean.classes] or [""]
    return {
        "absoluteImportance": {
            one.column: one.absolute.value / total if total else 0.0 for one in mean.ranked
        },
        "meanAbsolute": {one.column: one.absolute.value for one in mean.ranked},
        "unit": mean.unit.value,
        "method": mean.method,
        "exact": mean.exact,
        "nbRecords": mean.rows,
        "explanations": {
            label: {
                one.column: list(one.contributions[place])
                for one in found.dependence
                if place < len(one.contributions)
            }
            for place, label in enumerate(classes)
        },
        "observations": {one.column: list(one.values) for one in found.dependence},
        "perClassFacts": {
            label: [
                {"feature": one.column, "shap": shap, "value": value, "scaled": position}
                for one in found.dependence
                if place < len(one.contributions)
                for shap, value, position in zip(
                    one.contributions[place], one.values, one.positions, strict=True
                )
            ]
            for place, label in enumerate(classes)
        },
    }


def partial_dependencies(appraisal: Appraisal, features: Collection[str]) -> dict[str, Any]:
    """Return the partial dependence of some columns, or of all where none is named.

    Raises:
        ValueError: one was not computed.
    """
    found = appraisal.explanation.partial_dependence if appraisal.explanation else ()
    there = {one.column: one for one in found if not one.reason}
    for name in features:
        if name not in there:
            reason = next((one.reason for one in found if one.column == name), "")
            raise ValueError(
                f"there is no partial dependence of '{name}'"
                + (f": {reason}" if reason else f"; there is of {', '.join(there) or 'no column'}")
            )
    wanted = [there[name] for name in features] or list(there.values())
    return {"partialDependencies": [_dependence(one) for one in wanted]}


def subpopulations(
    appraisal: Appraisal, prediction_type: str, *, split_by: Collection[str]
) -> dict[str, Any]:
    """Return the analyses of some columns, or of all where none is named.

    Raises:
        ValueError: one was not analysed.
    """
    found = appraisal.subpopulations
    slicings = (
        {one.columns[0]: one for one in found.slicings if len(one.columns) == 1} if found else {}
    )
    for name in split_by:
        if name not in slicings or slicings[name].skipped:
            reason = slicings[name].skipped if name in slicings else ""
            raise ValueError(
                f"there is no subpopulation analysis of '{name}'"
                + (f": {reason}" if reason else "")
            )
    wanted = [slicings[name] for name in split_by] or [
        one for one in slicings.values() if not one.skipped
    ]
    whole = found.whole.value if found and found.whole else None
    metric = found.metric if found else ""
    return {
        "predictionType": prediction_type,
        "global": {
            "performanceMetrics": {metric: whole},
            "perf": {"globalMetrics": {"testWeight": found.rows if found else 0}},
            "nbRecords": found.rows if found else 0,
        },
        "subpopulationAnalyses": [
            _analysis(one, metric, rows=found.rows if found else 0) for one in wanted
        ],
    }


def _analysis(found: Slicing, metric: str, *, rows: int) -> dict[str, Any]:
    kinds = {one.group.kind for one in found.subpopulations}
    return {
        "feature": found.columns[0],
        "computed_as_type": "NUMERIC"
        if kinds & {GroupKind.RANGE, GroupKind.PERIOD}
        else "CATEGORY",
        "nbRecords": rows,
        "randomState": None,
        "onSample": False,
        "modalities": [
            _modality(one, metric, first=place == 0)
            for place, one in enumerate(found.subpopulations)
        ],
    }


def _modality(found: Subpopulation, metric: str, *, first: bool) -> dict[str, Any]:
    """Return one group: its definition, size, figure, and what chance explains of it."""
    group = found.group
    told: dict[str, Any] = {
        "label": group.label,
        "where": group.where,
        "missing_values": group.kind is GroupKind.MISSING,
        "excluded": found.figure is None,
        "reason": found.reason,
        "nbRecords": found.rows,
        "share": found.share,
        "performanceMetrics": {metric: found.figure.value if found.figure else None},
        "interval": [found.figure.interval.low, found.figure.interval.high]
        if found.figure and found.figure.interval
        else None,
        "pValue": found.p_value,
        "pValueCorrected": found.p_corrected,
        "perf": {"globalMetrics": {"testWeight": found.rows}},
    }
    if group.kind is GroupKind.VALUE:
        told["value"] = group.value
    if group.kind is GroupKind.RANGE:
        told |= {"gte": group.low, "lt": group.high, "first": first}
    return told


def _dependence(found: PartialDependence) -> dict[str, Any]:
    classes: list[str | None] = [str(label) for label in found.classes] or [None]
    values = [
        one.value if one.value is not None else ("missing" if one.missing else one.low)
        for one in found.bins
    ]
    return {
        "feature": found.column,
        "unitType": "NUMERIC" if found.kind in (Kind.NUMBER, Kind.DATE) else "CATEGORY",
        "nbRecords": found.rows,
        "randomState": found.seed,
        "onSample": True,
        "unit": found.unit.value,
        "data": [
            {
                "class": label,
                "values": values,
                "distribution": [one.rows for one in found.bins],
                "partialDependence": list(found.mean[place]),
                "standardErrors": list(found.errors[place]),
                "logOdds": list(found.log_odds[place]) if found.log_odds else None,
            }
            for place, label in enumerate(classes)
        ],
    }


def kind_of(appraisal: Appraisal) -> str:
    """Return what was predicted, in the words of scripts."""
    found = appraisal.evaluation.type if appraisal.evaluation else PredictionType.OTHER
    return {
        PredictionType.BINARY: "BINARY_CLASSIFICATION",
        PredictionType.MULTICLASS: "MULTICLASS",
        PredictionType.REGRESSION: "REGRESSION",
        PredictionType.OTHER: "OTHER",
    }[found]
