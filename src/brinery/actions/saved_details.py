"""What is known of an evaluated version, in the words and shape that scripts read it in.

The figures are those of our own evaluation. Names with no counterpart there are left out, so that a
script which asks for one is told so, and never given another figure under its name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, Final

from brinery.records.appraisal import Appraisal
from brinery.records.assertion import Outcome
from brinery.records.curves import ClassCurves, Cuts
from brinery.records.evaluation import Confusion, Evaluation, PredictionType
from brinery.records.saved_model import SavedModel, SavedVersion
from brinery.records.signature import ColumnType
from brinery.records.version import Version

# Name in scripts to ours, of figures that need no threshold.
_BINARY: Final = {
    "auc": "roc_auc",
    "averagePrecision": "average_precision",
    "logLoss": "log_loss",
    "calibrationLoss": "ece",
    "lift": "lift_10",
}
_MULTICLASS: Final = {
    "accuracy": "accuracy",
    "precision": "precision_macro",
    "recall": "recall_macro",
    "f1": "f1_macro",
    "mrocAUC": "roc_auc_macro",
    "auc": "roc_auc_macro",
    "averagePrecision": "average_precision_macro",
    "logLoss": "log_loss",
    "mcalibrationLoss": "ece",
    "calibrationLoss": "ece",
}
_REGRESSION: Final = {
    "evs": "explained_variance",
    "mape": "mape",
    "mae": "mae",
    "mse": "mse",
    "rmse": "rmse",
    "rmsle": "rmsle",
    "r2": "r2",
    "pearson": "pearson",
}
# Name in scripts to ours, of the per-cut table.
_CUTS: Final = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "f1",
    "mcc": "mcc",
    "balancedAccuracy": "balanced_accuracy",
    "lift": "lift",
    "costMatrixGain": "gain",
}
_COUNTS: Final = {
    "tp": "true_positives",
    "fp": "false_positives",
    "fn": "false_negatives",
    "tn": "true_negatives",
}
_NUMBERS: Final = (ColumnType.INTEGER, ColumnType.NUMBER)


def metrics_of(
    found: Evaluation, appraisal: Appraisal, *, threshold: float
) -> dict[str, float | None]:
    """Return the figures by the names that scripts know; a binary model's at its threshold.

    Args:
        found: the figures.
        appraisal: the whole, with the per-cut table.
        threshold: from which probability on a row is positive.
    """
    names = {
        PredictionType.BINARY: _BINARY,
        PredictionType.MULTICLASS: _MULTICLASS,
        PredictionType.REGRESSION: _REGRESSION,
        PredictionType.OTHER: {},
    }[found.type]
    told: dict[str, float | None] = {
        name: found.metrics[ours] for name, ours in names.items() if ours in found.metrics
    }
    cuts = _cuts(appraisal)
    if found.type is PredictionType.BINARY:
        told.update(
            at_cut(cuts, threshold)
            if cuts
            else {name: found.metrics[name] for name in _CUTS if name in found.metrics}
        )
    accuracy = told.get("accuracy")
    if accuracy is not None:
        told["hammingLoss"] = 1.0 - accuracy
    return told


def at_cut(cuts: Cuts, threshold: float) -> dict[str, float | None]:
    """Return the figures of the per-cut table at the cut that decides as a threshold does."""
    place = min(bisect_left(cuts.threshold, threshold), len(cuts.threshold) - 1)
    return {name: cuts.metrics[ours][place] for name, ours in _CUTS.items() if ours in cuts.metrics}


def snippet(
    model: SavedModel, saved: SavedVersion, *, version: Version, appraisal: Appraisal, full_id: str
) -> dict[str, Any]:
    """Return the short form: the figures, with what says whose they are."""
    found = _evaluation(appraisal)
    return {
        "fullModelId": full_id,
        "algorithm": version.candidate.description.outline if version.candidate else "",
        "trainDate": _epoch_ms(appraisal),
        "predictionType": model.type.value,
        "backendType": "MLFLOW",
        "userMeta": user_meta(saved),
        "trainInfo": _train_info(appraisal),
        "assertionsMetrics": _assertions(appraisal),
        **metrics_of(found, appraisal, threshold=saved.threshold),
    }


def details(
    model: SavedModel, saved: SavedVersion, *, version: Version, appraisal: Appraisal, full_id: str
) -> dict[str, Any]:
    """Return the long form: figures, curves, the per-cut table, columns, lineage and doubts."""
    candidate = version.candidate
    return {
        "fullModelId": full_id,
        "reference": version.reference,
        "coreParams": {
            "prediction_type": model.type.value,
            "target_variable": saved.target,
            "taskType": "PREDICTION",
        },
        "smOrigin": {
            "origin": "IMPORTED_MODEL",
            "runId": saved.run_id or None,
            "experimentId": saved.experiment_id or None,
            "from": saved.origin,
        },
        "trainInfo": _train_info(appraisal),
        "userMeta": user_meta(saved),
        "preprocessing": {
            "target_remapping": [
                {"sourceValue": str(label), "mappedValue": place}
                for place, label in enumerate(_evaluation(appraisal).classes)
            ],
            "per_feature": per_feature(saved, version),
        },
        "modeling": {
            "metrics": {"thresholdOptimizationMetric": model.aim.value.upper()},
            "algorithm": "MLFLOW",
        },
        "actualParams": {
            "resolved": {
                "algorithm": candidate.description.outline if candidate else "",
                "framework": candidate.description.framework if candidate else "",
                "framework_version": candidate.description.framework_version if candidate else "",
            }
        },
        "perf": performance(appraisal, saved),
        "iperf": {},
        "mlDiagnostics": {"diagnostics": _diagnostics(appraisal)},
    }


def performance(appraisal: Appraisal, saved: SavedVersion) -> dict[str, Any]:
    """Return the figures, the curves and the per-cut table."""
    found = _evaluation(appraisal)
    told: dict[str, Any] = {
        "tiMetrics": metrics_of(found, appraisal, threshold=saved.threshold),
        "usedThreshold": saved.threshold,
        "evaluationRows": found.rows,
        "intervals": {
            name: [one.low, one.high, one.level] for name, one in found.intervals.items()
        },
        "notComputed": dict(found.not_computed),
    }
    if found.threshold is not None:
        told["optimalThreshold"] = found.threshold.threshold
    cuts = _cuts(appraisal)
    if cuts is not None:
        told["perCutData"] = per_cut(cuts)
    if found.confusion:
        told["confusion"] = confusion(_at(found.confusion, saved.threshold))
    classes = appraisal.curves.classes if appraisal.curves else ()
    if any(one.roc for one in classes):
        told["rocVizData"] = {str(one.label): _points(one) for one in classes if one.roc}
        told["prVizData"] = {
            str(one.label): [
                {"x": x, "y": y}
                for x, y in zip(one.precision_recall.x, one.precision_recall.y, strict=True)
            ]
            for one in classes
            if one.precision_recall
        }
        told["calibrationData"] = {
            str(one.label): [
                {"x": x, "y": y, "n": n}
                for x, y, n in zip(
                    one.calibration.predicted,
                    one.calibration.observed,
                    one.calibration.rows,
                    strict=True,
                )
            ]
            for one in classes
            if one.calibration
        }
        told["densityData"] = {
            str(one.label): {"edges": one.density.edges, "density": one.density.density}
            for one in classes
            if one.density
        }
    drawn = appraisal.curves.regression if appraisal.curves else None
    if drawn is not None:
        told["scatterPlotData"] = {"x": drawn.scatter.actual, "y": drawn.scatter.predicted}
        told["errorDistribution"] = {
            "edges": drawn.errors.edges,
            "density": drawn.errors.density[0],
        }
    return told


def per_cut(cuts: Cuts) -> dict[str, Any]:
    """Return the per-cut table, a list for each column."""
    told: dict[str, Any] = {"cut": list(cuts.threshold)}
    told.update({name: list(getattr(cuts, ours)) for name, ours in _COUNTS.items()})
    told.update(
        {name: list(cuts.metrics[ours]) for name, ours in _CUTS.items() if ours in cuts.metrics}
    )
    told["hammingLoss"] = [None if one is None else 1.0 - one for one in told["accuracy"]]
    return told


def confusion(found: Confusion) -> dict[str, Any]:
    """Return a confusion matrix: how many rows of each class are taken for which."""
    labels = [str(label) for label in found.labels]
    return {
        "perActual": {
            actual: {
                "actualClassCount": sum(counts),
                "perPredictedClass": dict(zip(labels, counts, strict=True)),
            }
            for actual, counts in zip(labels, found.counts, strict=True)
        },
        "threshold": found.threshold,
    }


def per_feature(saved: SavedVersion, version: Version) -> dict[str, dict[str, Any]]:
    """Return what each column is to the model: an input with its type, or the target."""
    told: dict[str, dict[str, Any]] = {}
    columns = version.candidate.signature.columns if version.candidate else ()
    for column in columns:
        number = column.type in _NUMBERS
        told[column.name] = {
            "name": column.name,
            "role": "INPUT",
            "type": "NUMERIC" if number else "CATEGORY",
            "storageType": column.type.value,
            "missing_handling": "NONE" if column.nullable else "ERROR",
            "categories": [str(one) for one in column.categories or ()],
        }
    if saved.target:
        told[saved.target] = {"name": saved.target, "role": "TARGET", "type": "TARGET"}
    return told


def user_meta(saved: SavedVersion) -> dict[str, Any]:
    """Return what scripts keep of a version, with its threshold."""
    return {
        "name": saved.id,
        "description": "",
        "labels": [],
        **saved.user_meta,
        "activeClassifierThreshold": saved.threshold,
    }


def computed_metrics(found: Mapping[str, float | None], at_ms: int) -> dict[str, Any]:
    """Return figures as the list of metrics that scripts look up by id."""
    return {
        "metrics": [
            {
                "metric": {"id": f"model_perf:{name}", "metricType": name.upper()},
                "lastValues": [{"value": str(value), "dataType": "DOUBLE", "computed": at_ms}],
            }
            for name, value in found.items()
            if value is not None
        ]
    }


def _points(one: ClassCurves) -> list[dict[str, float]]:
    """Return the points of a ROC curve, with the threshold of each."""
    curve = one.roc
    if curve is None:
        return []
    cuts = curve.threshold or (0.0,) * len(curve.x)
    return [{"x": x, "y": y, "p": p} for x, y, p in zip(curve.x, curve.y, cuts, strict=True)]


def _cuts(appraisal: Appraisal) -> Cuts | None:
    """Return the per-cut table of a binary model; None where there is none."""
    curves = appraisal.curves
    if curves is None or curves.type is not PredictionType.BINARY or not curves.classes:
        return None
    return curves.classes[0].cuts


def _at(found: tuple[Confusion, ...], threshold: float) -> Confusion:
    """Return the confusion matrix nearest to a threshold."""
    return min(
        found,
        key=lambda one: 1.0 if one.threshold is None else abs(one.threshold - threshold),
    )


def _evaluation(appraisal: Appraisal) -> Evaluation:
    if appraisal.evaluation is None:
        raise ValueError(f"{appraisal.reference} has no figures")
    return appraisal.evaluation


def _train_info(appraisal: Appraisal) -> dict[str, Any]:
    return {
        "state": "DONE",
        "testRows": appraisal.data.rows,
        "fullRows": appraisal.data.rows,
        "endTime": _epoch_ms(appraisal),
        "stepsTime_s": dict(appraisal.times_s),
        "scoredBy": appraisal.scored_by,
        "evaluatedOn": appraisal.data.name,
    }


def _diagnostics(appraisal: Appraisal) -> list[dict[str, Any]]:
    """Return what is doubtful of the data and the figures."""
    found = appraisal.diagnostics.findings if appraisal.diagnostics else ()
    return [
        {
            "type": one.code.value.upper().replace("-", "_"),
            "displayableType": one.code.value.replace("-", " "),
            "message": one.message,
            "details": one.hint,
            "severity": one.severity.value,
        }
        for one in found
    ]


def _assertions(appraisal: Appraisal) -> dict[str, Any]:
    results = appraisal.assertions
    told = [
        {
            "name": one.name,
            "result": None if one.outcome is Outcome.UNDEFINED else one.outcome is Outcome.PASS,
            "validRatio": one.ratio,
            "nbMatchingRows": one.rows,
            "nbDroppedRows": 0,
        }
        for one in results
    ]
    passed = sum(one["result"] is True for one in told)
    return {
        "perAssertion": told,
        "passingAssertionsRatio": passed / len(told) if told else None,
    }


def _epoch_ms(appraisal: Appraisal) -> int:
    return round(appraisal.created.timestamp() * 1000)
