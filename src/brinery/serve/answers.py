"""Scores become JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.serve.endpoint import Endpoint


def own(endpoint: Endpoint, scores: Scores) -> bytes:
    """Return the answer of our own route."""
    return msgspec.json.encode(
        {
            "predictions": list(_predictions(endpoint, scores)),
            "model": endpoint.version.name,
            "version": endpoint.version.number,
        }
    )


def mlflow(scores: Scores) -> bytes:
    """Return the answer of MLflow's route: what `predict` returned, row by row.

    Of several values a row of a frame is an object by column, as MLflow has it, and that of an
    array is a list.
    """
    if scores.framed:
        return msgspec.json.encode({"predictions": _by_name(scores.outputs, scores)})
    return msgspec.json.encode({"predictions": scores.predictions.tolist()})


def _predictions(endpoint: Endpoint, scores: Scores) -> Iterable[dict[str, Any]]:
    classifies = endpoint.candidate.description.type in (
        PredictionType.BINARY,
        PredictionType.MULTICLASS,
    )
    key = "label" if classifies else "value"
    if scores.predictions.ndim > 1:
        names = [output.name for output in endpoint.candidate.signature.outputs]
        return ({"values": values} for values in _by_name(scores.outputs or names, scores))
    predictions = scores.predictions.tolist()
    if scores.probabilities is None:
        return ({key: prediction} for prediction in predictions)
    labels = [str(label) for label in scores.classes]
    return (
        {key: prediction, "probabilities": dict(zip(labels, row, strict=True))}
        for prediction, row in zip(predictions, scores.probabilities.tolist(), strict=True)
    )


def _by_name(names: Sequence[str], scores: Scores) -> list[dict[str, Any]]:
    """Return the several values of each row by name."""
    return [dict(zip(names, row, strict=True)) for row in scores.predictions.tolist()]
