"""Scores become JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.serve.asked import Asked
from brinery.serve.endpoint import Endpoint

_encode = msgspec.json.Encoder().encode


class OwnWriter:
    """Writes the answers of our own route.

    Args:
        endpoint: whose.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._named = {"model": endpoint.version.name, "version": endpoint.version.number}
        self._outputs = [output.name for output in endpoint.candidate.signature.outputs]
        classifies = endpoint.candidate.description.type in (
            PredictionType.BINARY,
            PredictionType.MULTICLASS,
        )
        self._key = "label" if classifies else "value"

    def __call__(self, asked: Asked, scores: Scores) -> bytes:
        """Return the document."""
        found: dict[str, Any] = {"predictions": list(self._predictions(scores)), **self._named}
        if asked.id is not None:
            found["id"] = asked.id
        return _encode(found)

    def _predictions(self, scores: Scores) -> Iterable[dict[str, Any]]:
        key = self._key
        if scores.predictions.ndim > 1:
            return (
                {"values": values} for values in _by_name(scores.outputs or self._outputs, scores)
            )
        predictions = scores.predictions.tolist()
        if scores.probabilities is None:
            return ({key: prediction} for prediction in predictions)
        labels = [str(label) for label in scores.classes]
        return (
            {key: prediction, "probabilities": dict(zip(labels, row, strict=True))}
            for prediction, row in zip(predictions, scores.probabilities.tolist(), strict=True)
        )


def mlflow(_: Asked, scores: Scores) -> bytes:
    """Return the answer of MLflow's route: what `predict` returned, row by row.

    Of several values a row of a frame is an object by column, as MLflow has it, and that of an
    array is a list.
    """
    if scores.framed:
        return _encode({"predictions": _by_name(scores.outputs, scores)})
    return _encode({"predictions": scores.predictions.tolist()})


def _by_name(names: Sequence[str], scores: Scores) -> list[dict[str, Any]]:
    """Return the several values of each row by name."""
    return [dict(zip(names, row, strict=True)) for row in scores.predictions.tolist()]
