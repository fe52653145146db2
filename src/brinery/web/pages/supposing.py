"""What if: the form of a row that somebody makes up, and its answer as they type."""

from __future__ import annotations

import time
from collections import OrderedDict
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from brinery.actions.outline import version_in
from brinery.actions.rooms import Rooms
from brinery.actions.what_if import WhatIf
from brinery.errors import BrineryError
from brinery.flavors import sample
from brinery.records.signature import ColumnType, Scalar
from brinery.records.version import Version
from brinery.registry.interface import SAMPLE_FILE, askable
from brinery.serve.problems import Problem, unexpected
from brinery.serve.rows import RowsReader
from brinery.web.pages.frame import Frame
from brinery.web.problems import problem_of

_MOST_BYTES: Final = 65_536
_LISTED: Final = 200
_READERS: Final = 8
_KNOWN_S: Final = 5.0
_NUMBERS: Final = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


def shown(rooms: Rooms, version: Version) -> dict[str, Any]:
    """Return the fields of the form: of each column its type, range, categories and a value."""
    candidate = version.candidate
    if candidate is None:
        return {"fields": [], "explains": False, "predict": ""}
    ranges, texts = _seen(rooms, version)
    example = candidate.signature.example
    fields = [
        {
            "name": column.name,
            "type": column.type.value,
            "number": column.type in _NUMBERS,
            "whole": column.type is ColumnType.INTEGER,
            "required": column.required,
            "nullable": column.nullable,
            "categories": list(column.categories or ())[:_LISTED]
            or ([True, False] if column.type is ColumnType.BOOLEAN else []),
            "known": texts.get(column.name, ()),
            "span": ranges.get(column.name),
            "value": example.get(column.name),
        }
        for column in candidate.signature.columns
        if column.required
    ]
    name, number = quote(version.name, safe=""), version.number
    return {
        "fields": fields,
        "explains": WhatIf.possible(version),
        "predict": f"/v1/models/{name}/versions/{number}/predict",
        "unscored": candidate.description.unscored,
    }


def _seen(
    rooms: Rooms, version: Version
) -> tuple[dict[str, tuple[Scalar, Scalar]], dict[str, tuple[str, ...]]]:
    """Return the range of the numbers, and the texts, of the rows that are kept with a version."""
    kept = rooms.registry.kept_file(version, SAMPLE_FILE)
    if kept is None:
        return {}, {}
    table, _ = sample.read(kept)
    ranges: dict[str, tuple[Scalar, Scalar]] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for column in askable(version).signature.columns:
        if column.name not in table.column_names:
            continue
        there = [one for one in table.column(column.name).to_pylist() if one is not None]
        if column.type in _NUMBERS and there:
            ranges[column.name] = (min(there), max(there))
        elif column.type is ColumnType.STRING:
            texts[column.name] = tuple(sorted({str(one) for one in there}))[:_LISTED]
    return ranges, texts


class Supposing:
    """Answers rows that are made up.

    Args:
        rooms: of the workspace.
        frame: of all pages.
        what_if: answers.
    """

    def __init__(self, rooms: Rooms, frame: Frame, what_if: WhatIf) -> None:
        self._rooms = rooms
        self._frame = frame
        self._what_if = what_if
        self._known: dict[tuple[str, int], tuple[float, Version]] = {}
        self._readers: OrderedDict[str, RowsReader] = OrderedDict()

    async def answer(self, request: Request) -> Response:
        """Return what a version answers to a row, as JSON."""
        try:
            self._frame.check(request)
            body = await _body(request)
            return await run_in_threadpool(self._answered, request, body)
        except Problem as problem:
            return _refused(problem)
        except BrineryError as error:
            return _refused(problem_of(error))
        except Exception:  # noqa: BLE001 - what a script asks for is answered as one, too
            return _refused(unexpected())

    def _answered(self, request: Request, body: bytes) -> Response:
        began = time.perf_counter()
        name, number = request.path_params["name"], request.path_params["number"]
        version = self._version(name, number)
        batch = self._reader(version).asked(body).batch
        found = self._what_if.ask(version, batch.table().slice(0, 1))
        took_ms = (time.perf_counter() - began) * 1e3
        return _json(found, **{"server-timing": f"answer;dur={took_ms:.1f}"})

    def _version(self, name: str, number: int) -> Version:
        """Return a version, looked up again after some seconds only: somebody types."""
        now = time.monotonic()
        at, version = self._known.get((name, number), (0.0, None))
        if version is None or now - at > _KNOWN_S:
            version = version_in(self._rooms, name, number=number)
            self._known = {(name, number): (now, version)}
        return version

    def _reader(self, version: Version) -> RowsReader:
        """Return what reads the rows of a version; of those that were asked last, it is kept."""
        reader = self._readers.get(version.reference)
        if reader is None:
            reader = RowsReader(askable(version).signature, unknown_categories=True)
            self._readers[version.reference] = reader
            while len(self._readers) > _READERS:
                self._readers.popitem(last=False)
        return reader


def _json(value: object, **headers: str) -> Response:
    return Response(
        msgspec.json.encode(value),
        media_type="application/json",
        headers={"cache-control": "no-store", **headers},
    )


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _MOST_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", "the row is over 64 kB"
            )
    return bytes(content)


def _refused(problem: Problem) -> Response:
    """Return why there is no answer: that a row is none is an answer, too, to who types it."""
    if problem.status is HTTPStatus.UNPROCESSABLE_ENTITY:
        told = [one.sentence for one in problem.errors] or [f"{problem.detail} {problem.hint}"]
        return _json({"refused": told})
    return Response(problem.body(), status_code=problem.status, headers=dict(problem.headers()))
