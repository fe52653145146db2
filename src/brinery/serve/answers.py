"""Scores become JSON."""

from __future__ import annotations

from collections.abc import Iterable
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
    """Return the answer of MLflow's route: what `predict` returned, row by row."""
    return msgspec.json.encode({"predictions": scores.predictions.tolist()})


def _predictions(endpoint: Endpoint, scores: Scores) -> Iterable[dict[str, Any]]:
    classifies = endpoint.candidate.description.type in (
        PredictionType.BINARY,
        PredictionType.MULTICLASS,
    )
    key = "label" if classifies else "value"
    predictions = scores.predictions.tolist()
    if scores.probabilities is None:
        return ({key: prediction} for prediction in predictions)
    labels = [str(label) for label in scores.classes]
    return (
        {key: prediction, "probabilities": dict(zip(labels, row, strict=True))}
        for prediction, row in zip(predictions, scores.probabilities.tolist(), strict=True)
    )
