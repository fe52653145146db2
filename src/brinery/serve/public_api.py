"""The scoring route of API services: `{"features": {…}}` in, `{"result": {…}}` out.

Bodies and answers have the shape that clients of another platform send and read. The label is by
the endpoint's own threshold; a percentile is among the rows that the version was evaluated on; what
is explained is explained by `explaining`.
"""

from __future__ import annotations

from bisect import bisect_left
from http import HTTPStatus
from typing import Any, TypeGuard

import msgspec

from brinery.evaluate.labels import canonical
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Signature
from brinery.serve.asked import Asked
from brinery.serve.columns import Reader, Rules
from brinery.serve.document import decode
from brinery.serve.endpoint import Endpoint
from brinery.serve.manifest import PublicEndpoint
from brinery.serve.negotiation import JSON, Family
from brinery.serve.problems import FieldError, Problem, invalid
from brinery.serve.row_explainer import ExplanationMethod, Wanted
from brinery.serve.rows import escape, no_rows
from brinery.serve.share import Share

PREFIX = "/public/api/v1"
_KNOWN = {"features", "context", "dispatch", "explanations"}
_KNOWN_OF_MANY = {"items", "context", "dispatch", "explanations"}
_STEPS_NAME, _STEPS = "nMonteCarloSteps", range(25, 1001)
_SHOWN = 60
_HUNDRED = 100
_TWO = 2

_encode = msgspec.json.Encoder().encode


def family(public: PublicEndpoint, endpoint: Endpoint, *, many: bool) -> Family:
    """Return what the route of an endpoint reads and writes.

    Args:
        public: the endpoint of the API service.
        endpoint: the version that answers.
        many: whether the route takes several items.
    """
    return Family(
        {
            JSON: _Reader(
                endpoint.candidate.signature, generation=public.generation, many=many
            ).asked
        },
        {JSON: _Writer(public, endpoint, many=many).answer},
        headers=[("x-model-version", endpoint.version.reference)],
    )


class _Reader:
    """Reads a body: one item, or several."""

    def __init__(self, signature: Signature, *, generation: str, many: bool) -> None:
        self._many = many
        self._generation = generation
        self._required = [column.name for column in signature.columns if column.required]
        self._names = [column.name for column in signature.columns]
        self._reader = Reader(
            signature,
            Rules(unknown_categories=True),
            (lambda row, name: f"/items/{row}/features/{escape(name)}")
            if many
            else (lambda _, name: f"/features/{escape(name)}"),
        )

    def asked(self, body: bytes) -> Asked:
        """Return what a body asks.

        Raises:
            Problem: 400 for what is not JSON, 422 for what the model does not take.
        """
        value = decode(body)
        items = value.get("items") if self._many and _is_many(value) else [value]
        if not isinstance(items, list) or not all(map(_is_item, items)):
            shape = '{"items": [{"features": {…}}]}' if self._many else '{"features": {…}}'
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-shape", f"the body is not {shape}"
            )
        if not items:
            raise no_rows()
        if self._many and any(one.get("explanations") for one in items):
            raise _wrong("explanations", "stand beside the items, for all of them")
        self._check_generation(value.get("dispatch"))
        rows = [one["features"] for one in items]
        missing = [
            self._reader.missing_column(name)
            for name in self._required
            if any(name not in row for row in rows)
        ]
        if missing:
            raise invalid(missing)
        columns = {name: [row.get(name) for row in rows] for name in self._names}
        there = {name: values for name, values in columns.items() if any(name in r for r in rows)}
        batch = self._reader.batch(there, len(rows))
        return Asked(batch, explain=_wanted(value.get("explanations")))

    def _check_generation(self, dispatch: object) -> None:
        """Raise where a body asks for another generation than the one that is published."""
        said = dispatch.get("forcedGeneration") if isinstance(dispatch, dict) else None
        if said not in (None, self._generation):
            raise _wrong(
                "dispatch/forcedGeneration",
                f"is {str(said)[:_SHOWN]!r}, and {self._generation} alone is published",
            )


class _Writer:
    """Writes answers: one result, or several."""

    def __init__(self, public: PublicEndpoint, endpoint: Endpoint, *, many: bool) -> None:
        self._public = public
        self._many = many
        description = endpoint.candidate.description
        self._classes = tuple(map(canonical, description.classes))
        self._binary = description.type is PredictionType.BINARY and len(self._classes) == _TWO
        self._context = {
            "serviceId": public.service,
            "endpointId": public.endpoint,
            "serviceGeneration": public.generation,
        }

    def answer(self, asked: Asked, share: Share) -> bytes:
        """Return the document."""
        scores, found = share.scores, asked.explained
        results = [self._result(scores, row) for row in range(len(scores.predictions))]
        told: dict[str, Any] = {"results": results} if self._many else {"result": results[0]}
        if found is not None:
            for result, reasons in zip(results, found.rows, strict=True):
                result["explanations"] = reasons
            told["explained"] = {
                "method": found.method,
                "unit": found.unit,
                "exact": found.exact,
            }
        return _encode({**told, "timing": {}, "apiContext": self._context})

    def _result(self, scores: Scores, row: int) -> dict[str, Any]:
        chances = scores.probabilities
        if chances is None or not self._classes:
            return {"prediction": scores.predictions[row].tolist(), "ignored": False}
        found = chances[row].tolist()
        told: dict[str, Any] = {"ignored": False}
        if self._binary:
            told["prediction"] = self._classes[found[1] >= self._public.threshold]
            if self._public.cuts:
                told["probaPercentile"] = self._percentile(found[1])
        else:
            told["prediction"] = self._classes[int(chances[row].argmax())]
        return {**told, "probas": dict(zip(self._classes, found, strict=True))}

    def _percentile(self, chance: float) -> int:
        """Return where a probability is among those that were evaluated: from 1 to 100."""
        below = self._public.below
        place = bisect_left(self._public.cuts, chance)
        share = 1.0 if place == len(below) else below[place]
        return min(_HUNDRED, int(share * _HUNDRED) + 1)


def error_of(problem: Problem) -> bytes:
    """Return the document of a problem, with the two names under which clients look for it."""
    told = msgspec.json.decode(problem.body())
    return _encode({**told, "errorType": problem.code, "message": problem.detail})


def _wanted(said: object) -> Wanted | None:
    """Return what a body wants explained; None for nothing.

    Raises:
        Problem: 422 where that is nothing that can be asked for.
    """
    if said is None or (isinstance(said, dict) and not said.get("enabled")):
        return None
    if not isinstance(said, dict):
        raise _wrong("explanations", 'is {"enabled": true, "method": "SHAPLEY"}')
    method, most, steps = (said.get(name) for name in ("method", "nExplanations", _STEPS_NAME))
    default = Wanted()
    if method is not None and method not in set(ExplanationMethod):
        raise _wrong("explanations/method", f"is {' or '.join(ExplanationMethod)}")
    if most is not None and not (type(most) is int and most > 0):
        raise _wrong("explanations/nExplanations", "is a whole number above 0")
    if steps is not None and not (type(steps) is int and steps in _STEPS):
        raise _wrong(f"explanations/{_STEPS_NAME}", "is a whole number from 25 to 1000")
    return Wanted(
        method=default.method if method is None else ExplanationMethod(method),
        most=most or default.most,
        steps=steps or default.steps,
    )


def _wrong(place: str, message: str) -> Problem:
    name = place.rpartition("/")[2]
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "wrong-shape",
        f"'{name}' {message}",
        errors=[FieldError(code="wrong-shape", message=message, pointer=f"/{place}")],
    )


def _is_many(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and value.keys() <= _KNOWN_OF_MANY


def _is_item(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("features"), dict)
        and value.keys() <= _KNOWN
    )
