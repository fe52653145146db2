"""A packaged model behind any front door: a method, a path and a body in, an answer out."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from brinery.package.runtime import facts as known
from brinery.package.runtime.engine import Answers, Engine, Refused, plain
from brinery.package.runtime.forms import Asked, Form, Problem, Reader

MAX_BODY_BYTES = 32_000_000

_log = logging.getLogger(__name__)

_JSON = "application/json"
_PROBLEM = "application/problem+json"
_OPENAPI = "openapi.json"


class Response(NamedTuple):
    """An answer.

    Attributes:
        status: of HTTP.
        headers: its own, without the length.
        body: of bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Service:
    """Answers requests about one model, which was loaded once. Several threads may use it.

    Args:
        facts: of the package.
        engine: who answers.
        openapi: the document that describes it.
    """

    def __init__(self, facts: known.Facts, engine: Engine, *, openapi: bytes) -> None:
        self.facts = facts
        self._engine = engine
        self._openapi = openapi
        self._reader = Reader(facts.signature, facts.aliases)
        self._headers = {"x-model-version": facts.reference}

    @classmethod
    def of(cls, folder: Path, engine: Any) -> Service:
        """Return the service of the package in a folder.

        Args:
            folder: of its code.
            engine: the class of who answers, made of that folder and its facts.
        """
        facts = known.read(folder)
        return cls(facts, engine(folder, facts), openapi=(folder / _OPENAPI).read_bytes())

    def respond(self, method: str, path: str, *, body: bytes = b"") -> Response:
        """Return the answer to a request; it is one for every request.

        A POST to any path asks for predictions: what is before the path is the platform's.
        """
        try:
            if method.upper() == "POST":
                return self._response(HTTPStatus.OK, self.document(body))
            if method.upper() in {"GET", "HEAD"}:
                return self._told(path)
        except Problem as problem:
            return self._refusal(problem)
        return self._refusal(
            Problem(
                HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail="POST asks, GET tells"
            )
        )

    def document(self, body: bytes) -> Any:
        """Return what answers a body, as JSON has it.

        Raises:
            Problem: it is refused.
        """
        if len(body) > MAX_BODY_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "body-too-large",
                detail=f"the body is larger than {MAX_BODY_BYTES / 1e6:g} MB: send fewer rows",
            )
        asked = self._reader.asked(body)
        return self._document(asked, self._answers(asked))

    def predict(self, rows: Mapping[str, Any] | list[Mapping[str, Any]]) -> Any:
        """Return the answer for one row, or a list of answers for a list of rows.

        Args:
            rows: column name to value, or a list of those.

        Raises:
            ValueError: a row is none that the model takes.
        """
        try:
            return self.document(json.dumps(rows).encode())
        except Problem as problem:
            raise ValueError(problem.detail) from None

    def _answers(self, asked: Asked) -> Answers:
        try:
            return plain(self._engine.scores(asked.columns, n_rows=asked.n_rows))
        except Refused as refused:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "rows-refused", detail=str(refused)
            ) from None
        except Exception:  # noqa: BLE001 - what a request finds is told in the log, not to it
            _log.exception("%s has no answer", self.facts.reference)
            raise Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "fault",
                detail="a fault of the package: see its log",
            ) from None

    def _document(self, asked: Asked, answers: Answers) -> Any:
        if asked.form is Form.VALUES:
            return {"predictions": answers.predictions}
        with_chances = asked.form is Form.ROWS or self.facts.probabilities
        named: list[dict[str, Any]] = [{self.facts.key: one} for one in answers.predictions]
        if answers.probabilities is not None and with_chances:
            for one, chances in zip(named, answers.probabilities):
                one["probabilities"] = chances
        if asked.form is Form.ONE:
            return named[0]
        if asked.form is Form.LIST:
            return named
        told = {"predictions": named, "model": self.facts.model, "version": self.facts.version}
        return told if asked.id is None else {**told, "id": asked.id}

    def _told(self, path: str) -> Response:
        if path.rstrip("/").endswith(_OPENAPI):
            return Response(HTTPStatus.OK, {"content-type": _JSON, **self._headers}, self._openapi)
        told = {
            "name": self.facts.model,
            "model": self.facts.model,
            "version": self.facts.version,
            "ready": True,
            "sha256": self.facts.sha256,
            "created_by": self.facts.created_by,
        }
        return self._response(HTTPStatus.OK, told)

    def _response(self, status: int, document: Any) -> Response:
        body = json.dumps(document, ensure_ascii=False).encode()
        return Response(int(status), {"content-type": _JSON, **self._headers}, body)

    def _refusal(self, problem: Problem) -> Response:
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(problem.status).phrase,
            "status": int(problem.status),
            "code": problem.code,
            "detail": problem.detail,
        }
        if problem.errors:
            document["errors"] = problem.errors
        headers = {"content-type": _PROBLEM, **self._headers}
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["allow"] = "GET, HEAD, POST"
        return Response(int(problem.status), headers, json.dumps(document).encode())
