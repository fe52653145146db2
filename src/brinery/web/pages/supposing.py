"""What if: the form of a row that somebody makes up, and its answer as they type."""

from __future__ import annotations

import time
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
from brinery.serve.problems import Problem
from brinery.serve.rows import RowsReader
from brinery.web.pages.frame import Frame
from brinery.web.problems import problem_of

_MOST_BYTES: Final = 65_536
_LISTED: Final = 200
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

    def _answered(self, request: Request, body: bytes) -> Response:
        began = time.perf_counter()
        name, number = request.path_params["name"], request.path_params["number"]
        version = version_in(self._rooms, name, number)
        reader = RowsReader(askable(version).signature, unknown_categories=True)
        batch = reader.asked(body).batch
        found = self._what_if.ask(version, batch.table().slice(0, 1))
        took_ms = (time.perf_counter() - began) * 1e3
        return Response(
            msgspec.json.encode(found),
            media_type="application/json",
            headers={"cache-control": "no-store", "server-timing": f"answer;dur={took_ms:.1f}"},
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
    return Response(problem.body(), status_code=problem.status, headers=dict(problem.headers()))
