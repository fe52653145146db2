"""The Open Inference Protocol, version 2, over REST: what KServe, Triton and MLServer speak.

A request names the outputs that it wants, and in which form each: in the document, or as bytes
behind it, whose length a header then tells. So what is agreed on holds for one request only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from brinery.serve import tensors
from brinery.serve.arrays import ArraysReader
from brinery.serve.asked import Asked
from brinery.serve.document import decode
from brinery.serve.endpoint import Endpoint
from brinery.serve.negotiation import JSON, Family, Terms
from brinery.serve.problems import Problem
from brinery.serve.rsgi import Headers, RequestHeaders
from brinery.serve.share import Share
from brinery.serve.tensors import Tensor, wrong

OCTETS = "application/octet-stream"
PREDICT = "predict"
PROBABILITIES = "predict_proba"

_LENGTH = "inference-header-content-length"
_ALL_BINARY = "binary_data_output"
_BINARY = "binary_data"
_BINARY_SIZE = "binary_data_size"

_encode = msgspec.json.Encoder().encode

_DATATYPES = {"b": "BOOL", "i": "INT64", "u": "UINT64", "f": "FP64"}
_LAYOUTS = {"BOOL": "?", "INT64": "<i8", "UINT64": "<u8", "FP64": "<f8"}


class InferenceForms:
    """The forms of the protocol for one endpoint.

    Args:
        endpoint: whose.
        arrays: reads its columns.
        headers: of every answer.
    """

    def __init__(self, endpoint: Endpoint, arrays: ArraysReader, *, headers: Headers) -> None:
        self.endpoint = endpoint
        self.arrays = arrays
        # Who reads and writes is the talk; that the two are asked here is a fault of ours.
        self._family = Family(
            dict.fromkeys((JSON, OCTETS), _unread),
            dict.fromkeys((JSON, OCTETS), _unwritten),
            headers=headers,
        )

    def terms(self, headers: RequestHeaders) -> Terms:
        """Return what a request's headers ask for.

        Raises:
            Problem: as `Family.terms` has it; 400 for a length that is none.
        """
        agreed = self._family.terms(headers)
        said = headers.get(_LENGTH, "")
        if said and not (said.isascii() and said.isdigit()):
            raise wrong(f"the header {_LENGTH} takes the length of the document in bytes")
        _, *others = agreed.headers
        talk = _Talk(self, int(said) if said else None, others)
        return Terms(agreed.decode, talk.read, talk.write, talk.headers)


class _Talk:
    """One request and its answer.

    Args:
        forms: of the endpoint.
        length: of the document, behind which bytes lie; None where it is the whole body.
        headers: of every answer.
    """

    def __init__(self, forms: InferenceForms, length: int | None, headers: Headers) -> None:
        self._forms = forms
        self._length = length
        self._binary: Mapping[str, bool] = {}
        self.headers = [*headers]

    def read(self, body: bytes) -> Asked:
        """Return what a body asks.

        Raises:
            Problem: 400 for what is not of the protocol, 422 for what the model does not take.
        """
        length = len(body) if self._length is None else self._length
        if length > len(body):
            raise wrong(f"the header {_LENGTH} says {length}, and the body has {len(body)} bytes")
        document = decode(body[:length])
        if not isinstance(document, dict) or not isinstance(document.get("inputs"), list):
            raise wrong("the body has no 'inputs'")
        given_id = document.get("id")
        if not isinstance(given_id, str | None):
            raise wrong("'id' takes text")
        inputs = _inputs(document["inputs"], memoryview(body)[length:])
        outputs = self._outputs(document)
        arrays = self._forms.arrays
        columns, n_rows = tensors.columns(inputs, arrays.names)
        wanted = arrays.wanted(list(columns))
        arrays.check_types({name: columns[name].type for name in wanted})
        return Asked(arrays.batch(columns, n_rows), id=given_id, outputs=outputs)

    def write(self, asked: Asked, share: Share) -> bytes:
        """Return the document, and the bytes behind it; the headers then tell its length."""
        scores = share.scores
        version = self._forms.endpoint.version
        told, parts = [], []
        for name in asked.outputs:
            values = scores.predictions if name == PREDICT else scores.probabilities
            if values is not None:
                output, content = _output(name, values, binary=self._binary[name])
                told.append(output)
                parts.append(content)
        document = {"model_name": version.name, "model_version": str(version.number)}
        if asked.id is not None:
            document["id"] = asked.id
        head = _encode({**document, "outputs": told})
        if not any(self._binary[name] for name in asked.outputs):
            self.headers.append(("content-type", JSON))
            return head
        self.headers += [("content-type", OCTETS), (_LENGTH, str(len(head)))]
        return b"".join([head, *parts])

    def _outputs(self, document: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the outputs that are wanted, and note which as bytes."""
        there = outputs_of(self._forms.endpoint)
        everywhere = _parameters(document).get(_ALL_BINARY) is True
        said = document.get("outputs")
        if said in (None, []):
            said = [{"name": name} for name in there]
        if not isinstance(said, list):
            raise wrong("'outputs' takes a list")
        binary: dict[str, bool] = {}
        for one in said:
            name = one.get("name") if isinstance(one, dict) else None
            if name not in there:
                shown = str(name)[:40]
                raise wrong(f"there is no output '{shown}': the model has {' and '.join(there)}")
            binary[name] = _parameters(one).get(_BINARY, everywhere) is True
        self._binary = binary
        return tuple(binary)


def outputs_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names of an endpoint's outputs."""
    if endpoint.candidate.description.gives_probabilities:
        return (PREDICT, PROBABILITIES)
    return (PREDICT,)


def error_of(problem: Problem) -> bytes:
    """Return a refusal as the protocol has it, with what it says of rows and columns beside it."""
    found: dict[str, Any] = {"error": problem.detail, "code": problem.code}
    if problem.errors:
        found["errors"] = problem.errors
    if problem.hint:
        found["hint"] = problem.hint
    return _encode(found)


def datatype_of(values: npt.NDArray[Any]) -> str:
    """Return the datatype of an array."""
    return _DATATYPES.get(values.dtype.kind, "BYTES")


def _inputs(said: list[Any], content: memoryview) -> list[Tensor]:
    """Return the inputs of a request; the bytes of those that are not in the document follow it."""
    if not said:
        raise wrong("'inputs' is empty")
    found = []
    start = 0
    for place, one in enumerate(said):
        size = _parameters(one).get(_BINARY_SIZE)
        if size is None:
            found.append(tensors.tensor(one, place, content=None))
            continue
        if type(size) is not int or not 0 <= size <= len(content) - start:
            raise wrong(f"input {place} has no {_BINARY_SIZE} that lies in the body")
        found.append(tensors.tensor(one, place, content=content[start : start + size]))
        start += size
    if start != len(content):
        raise wrong(f"{len(content) - start} bytes behind the document belong to no input")
    return found


def _parameters(said: Any) -> dict[str, Any]:
    found = said.get("parameters") if isinstance(said, dict) else None
    return found if isinstance(found, dict) else {}


def _output(name: str, values: npt.NDArray[Any], *, binary: bool) -> tuple[dict[str, Any], bytes]:
    """Return an output of an answer, and its bytes where it is wanted so."""
    datatype = datatype_of(values)
    told: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(values.shape)}
    if not binary:
        return {**told, "data": values.ravel().tolist()}, b""
    if datatype == "BYTES":
        content = tensors.packed_texts([str(one) for one in values.ravel().tolist()])
    else:
        content = np.ascontiguousarray(values, _LAYOUTS[datatype]).tobytes()
    return {**told, "parameters": {_BINARY_SIZE: len(content)}}, content


def _unread(_: bytes) -> Asked:
    raise RuntimeError("a talk reads")


def _unwritten(_: Asked, __: Share) -> bytes:
    raise RuntimeError("a talk writes")
