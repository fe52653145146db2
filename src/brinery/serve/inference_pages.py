"""What the Open Inference Protocol lets a client ask beside predictions: health and metadata."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.records.evaluation import PredictionType
from brinery.records.signature import ColumnType
from brinery.serve.endpoint import Endpoint
from brinery.serve.models import Models, Slot
from brinery.serve.open_inference import PREDICT, PROBABILITIES, error_of, outputs_of
from brinery.serve.problems import Problem
from brinery.serve.tensors import OF_COLUMN

PREFIX = "/v2"

_MODEL = "/v2/models/{name}"
_VERSION = "/v2/models/{name}/versions/{version}"


class InferencePages:
    """Answers the protocol's questions about a server.

    Args:
        models: of the server.
        version: of the server.
    """

    def __init__(self, models: Models, *, version: str) -> None:
        self._models = models
        self._version = version

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            Route("/v2", self.server),
            Route("/v2/health/live", self.live),
            Route("/v2/health/ready", self.ready),
            Route(_MODEL, self.model),
            Route(f"{_MODEL}/ready", self.model_ready),
            Route(_VERSION, self.model),
            Route(f"{_VERSION}/ready", self.model_ready),
        ]

    async def server(self, _: Request) -> Response:
        """Answer what the server is."""
        return _json(
            {"name": "brinery", "version": self._version, "extensions": ["binary_tensor_data"]}
        )

    async def live(self, _: Request) -> Response:
        """Answer that the server runs."""
        return _json({"live": True})

    async def ready(self, _: Request) -> Response:
        """Answer whether every model can answer, but for those that never will, as weights."""
        slots = self._models.targets.values()
        ready = all(self._is_ready(slot) for slot in slots if self._models.endpoint_of(slot))
        return _json({"ready": ready}, ready=ready)

    async def model(self, request: Request) -> Response:
        """Answer what a model takes and gives."""
        slot = self._slot(request)
        endpoint = None if slot is None else self._models.endpoint_of(slot)
        if endpoint is None:
            return _not_found(request)
        name = endpoint.version.name
        versions = [str(offer.number) for offer in self._models.offers(name) if offer.endpoint]
        return _json({"name": name, "versions": versions, **_described(endpoint)})

    async def model_ready(self, request: Request) -> Response:
        """Answer whether a model can answer."""
        slot = self._slot(request)
        if slot is None:
            return _not_found(request)
        ready = self._is_ready(slot)
        return _json({"name": request.path_params["name"], "ready": ready}, ready=ready)

    def _slot(self, request: Request) -> Slot | None:
        """Return what answers under the path that is asked about."""
        path = request.url.path.removesuffix("/ready")
        route = self._models.routes.get(f"{path}/infer")
        return None if route is None else route.slot

    def _is_ready(self, slot: Slot) -> bool:
        """Return whether a version answers, or is loaded when it is asked for."""
        if slot.current is None:
            return self._models.endpoint_of(slot) is not None
        if not slot.current.answerer.ready:
            slot.current.answerer.load_soon()
        return slot.current.answerer.ready


def refusal(problem: Problem) -> Response:
    """Return a refusal as the protocol has it."""
    headers = {**dict(problem.headers()), "content-type": "application/json"}
    return Response(error_of(problem), status_code=problem.status, headers=headers)


def _described(endpoint: Endpoint) -> dict[str, Any]:
    """Return the platform, inputs and outputs of a model."""
    description = endpoint.candidate.description
    several = endpoint.candidate.signature.outputs
    shape = [-1, len(several)] if several else [-1]
    outputs: list[dict[str, Any]] = [_tensor(PREDICT, _label_type(endpoint), shape)]
    if PROBABILITIES in outputs_of(endpoint):
        shape = [-1, len(description.classes) or -1]
        labels = {"labels": list(description.classes)}
        outputs.append({**_tensor(PROBABILITIES, "FP64", shape), "parameters": labels})
    return {
        "platform": description.framework,
        "inputs": [
            _tensor(column.name, OF_COLUMN[column.type], [-1])
            for column in endpoint.candidate.signature.columns
        ],
        "outputs": outputs,
    }


def _label_type(endpoint: Endpoint) -> str:
    """Return the datatype of what a model predicts."""
    description = endpoint.candidate.description
    several = {output.type for output in endpoint.candidate.signature.outputs}
    if several:
        return "FP64" if several <= {ColumnType.NUMBER, ColumnType.INTEGER} else "BYTES"
    if description.type is PredictionType.REGRESSION or not description.classes:
        return "FP64"
    kinds = set(map(type, description.classes))
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"


def _tensor(name: str, datatype: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape}


def _not_found(request: Request) -> Response:
    shown = request.url.path.removeprefix(f"{PREFIX}/models/")[:80]
    return refusal(
        Problem(HTTPStatus.NOT_FOUND, "not-found", f"there is no model {shown}", hint="/v1/models")
    )


def _json(value: object, *, ready: bool = True) -> Response:
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
