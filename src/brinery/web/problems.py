"""Problem documents (RFC 9457) for what an action refuses."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from brinery.errors import (
    BrineryError,
    ChampionChanged,
    NotEvaluated,
    NotFound,
    PromotionRefused,
    RegistryFault,
    RollbackImpossible,
    UserError,
)
from brinery.serve.problems import Problem, unexpected

_STATUSES: tuple[tuple[type[BrineryError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotEvaluated, HTTPStatus.NOT_FOUND),
    (ChampionChanged, HTTPStatus.CONFLICT),
    (PromotionRefused, HTTPStatus.CONFLICT),
    (RollbackImpossible, HTTPStatus.CONFLICT),
    (RegistryFault, HTTPStatus.SERVICE_UNAVAILABLE),
    (UserError, HTTPStatus.UNPROCESSABLE_ENTITY),
)


def problem_of(error: BrineryError) -> Problem:
    """Return what is told of an error of ours."""
    status = next(
        (status for kind, status in _STATUSES if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    return Problem(status, error.code, error.message, hint=error.hint)


async def on_error(_: Request, error: Exception) -> Response:
    """Answer a request whose action refused."""
    return _answer(problem_of(error) if isinstance(error, BrineryError) else unexpected(error))


async def on_problem(_: Request, error: Exception) -> Response:
    """Answer a request that was refused before any action."""
    return _answer(error if isinstance(error, Problem) else unexpected(error))


async def on_http(_: Request, error: Exception) -> Response:
    """Answer what the router refuses."""
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    return _answer(
        Problem(
            status,
            status.phrase.lower().replace(" ", "-"),
            status.description,
            hint="/api/v1/openapi.json says what there is",
            headers=error.headers if isinstance(error, HTTPException) else None,
        )
    )


def _answer(problem: Problem) -> Response:
    return Response(problem.body(), status_code=problem.status, headers=dict(problem.headers()))
