"""Scores become JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import starmap
from typing import Any

import msgspec

from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar
from brinery.serve.asked import Asked
from brinery.serve.endpoint import Endpoint
from brinery.serve.share import Share

_encoder = msgspec.json.Encoder()
_encode = _encoder.encode

# More classes than these are not written by a type of their own.
_MOST_FIELDS = 256

MakeRows = Callable[[list[Any], list[list[float]]], Iterable[Any]]


class OwnWriter:
    """Writes the answers of our own route.

    Args:
        endpoint: whose.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        named = {"model": endpoint.version.name, "version": endpoint.version.number}
        # A document ends with these; what stands before is a list of rows.
        self._named = named
        self._end = b"]," + _encode(named)[1:]
        self._outputs = [output.name for output in endpoint.candidate.signature.outputs]
        classifies = endpoint.candidate.description.type in (
            PredictionType.BINARY,
            PredictionType.MULTICLASS,
        )
        self._key = "label" if classifies else "value"
        self._made: tuple[tuple[Scalar, ...], MakeRows] = ((), _rows_of(self._key, ()))

    def __call__(self, asked: Asked, share: Share) -> bytes:
        """Return the document."""
        together = share.together
        texts = together.texts
        if texts is None:
            texts = together.texts = self._texts(together.scores)
        start, stop = share.start, share.stop
        text = texts[start] if stop - start == 1 else b",".join(texts[start:stop])
        end = self._end
        if asked.id is not None:
            end = b"]," + _encode({**self._named, "id": asked.id})[1:]
        return b'{"predictions":[' + text + end

    def _texts(self, scores: Scores) -> list[bytes]:
        """Return each row of an answer as it is written; within one no line ends."""
        rows = self._predictions(scores)
        if len(scores) == 1:
            return [_encode(row) for row in rows]
        return _encoder.encode_lines(rows).split(b"\n")[:-1]

    def _predictions(self, scores: Scores) -> Iterable[Any]:
        key = self._key
        if scores.predictions.ndim > 1:
            return (
                {"values": values} for values in _by_name(scores.outputs or self._outputs, scores)
            )
        predictions = scores.predictions.tolist()
        if scores.probabilities is None:
            return ({key: prediction} for prediction in predictions)
        known, rows = self._made
        if scores.classes is not known:
            rows = _rows_of(key, tuple(map(str, scores.classes)))
            self._made = scores.classes, rows
        return rows(predictions, scores.probabilities.tolist())


def _rows_of(key: str, labels: tuple[str, ...]) -> MakeRows:
    """Return what makes rows of predictions and probabilities, by the names of the classes.

    A type of their own is written several times sooner than objects by name.
    """
    fields = [f"f{place}" for place in range(len(labels))]
    if len(labels) > _MOST_FIELDS or len(set(labels)) < len(labels) or not all(map(_plain, labels)):
        return lambda predictions, chances: (
            {key: prediction, "probabilities": dict(zip(labels, row, strict=True))}
            for prediction, row in zip(predictions, chances, strict=True)
        )
    by_class = msgspec.defstruct(
        "Probabilities", fields, rename=dict(zip(fields, labels, strict=True)), gc=False
    )
    row = msgspec.defstruct("Row", ["f", "probabilities"], rename={"f": key}, gc=False)
    return lambda predictions, chances: map(row, predictions, starmap(by_class, chances))


def _plain(name: str) -> bool:
    """Return whether a name stands in JSON as it is."""
    return name.isprintable() and not set(name) & {'"', "\\"}


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
