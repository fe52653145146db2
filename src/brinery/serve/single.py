"""One bare object in, one bare object out: `{"label": 0}`, as a hand-written service has it."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.serve.asked import Asked
from brinery.serve.endpoint import Endpoint
from brinery.serve.negotiation import Read
from brinery.serve.problems import Problem

_encode = msgspec.json.Encoder().encode


def key(endpoint: Endpoint) -> str:
    """Return what an answer is called, and its route: `label` of a classifier, else `value`."""
    classifies = (PredictionType.BINARY, PredictionType.MULTICLASS)
    return "label" if endpoint.candidate.description.type in classifies else "value"


class SingleForm:
    """Reads one row, and writes its answer alone.

    Args:
        read: understands a body.
        name: of the answer.
    """

    def __init__(self, read: Read, name: str) -> None:
        self._read = read
        self._name = name

    def asked(self, body: bytes) -> Asked:
        """Return what a body asks.

        Raises:
            Problem: as the reader has it; 422 where there is more than one row.
        """
        found = self._read(body)
        if found.batch.n_rows != 1:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "wrong-shape",
                f"one row is answered here, and the body has {found.batch.n_rows}",
                hint="/v1/models/{name}/predict answers many",
            )
        return found

    def answer(self, _: Asked, scores: Scores) -> bytes:
        """Return the document."""
        return _encode({self._name: scores.predictions.tolist()[0]})
