"""Why the rows of a request are answered so, for clients who ask that with their rows.

Rows are compared with those that were kept with the version; it is done beside the loop.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from http import HTTPStatus
from pathlib import Path

import pyarrow as pa
from msgspec import Struct

from brinery.errors import BrineryError
from brinery.evaluate.observed import Observed
from brinery.evaluate.reasons import reasons
from brinery.flavors import sample
from brinery.records.contributions import Unit
from brinery.records.scores import Scores
from brinery.serve.answerer import Answerer
from brinery.serve.batch import Batch, of_table
from brinery.serve.endpoint import Endpoint
from brinery.serve.problems import Problem
from brinery.serve.row_explainer import RowExplainer, TooMany, Wanted
from brinery.serve.share import Share

# How many rows a model is asked about at most for the explanations of one request.
_MOST_ASKED = 200_000


class Explained(Struct, frozen=True, kw_only=True):
    """Explanations of the rows of a request.

    Attributes:
        rows: (n_rows,) column to what it added, the strongest first.
        method: how they were found: `TreeSHAP`, `linear`, `sampling`, `ICE`.
        unit: in what they are counted.
        exact: whether they are the Shapley values themselves.
    """

    rows: list[dict[str, float]]
    method: str
    unit: Unit
    exact: bool


class Explaining:
    """Explains the answers of one version.

    Args:
        endpoint: the version.
        answerer: answers for it.
    """

    def __init__(self, endpoint: Endpoint, answerer: Answerer) -> None:
        self._endpoint = endpoint
        self._answerer = answerer
        self._types = {c.name: c.type for c in endpoint.candidate.signature.columns}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, wanted: Wanted, batch: Batch, scores: Scores) -> Explained:
        """Return why some rows are answered so.

        Args:
            wanted: what is told.
            batch: (n_rows,) the rows.
            scores: their answers.

        Raises:
            Problem: 413 for too many rows at once, 422 where the model refuses such rows, 501 where
                its answers cannot be explained.
        """
        self._loop = asyncio.get_running_loop()
        return await asyncio.to_thread(self._explained, wanted, batch, scores)

    def _explained(self, wanted: Wanted, batch: Batch, scores: Scores) -> Explained:
        explainer = self._explainer
        try:
            found = explainer.explain(batch.table(), wanted, at_most=_MOST_ASKED)
        except TooMany as error:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too-many-to-explain",
                f"to explain {batch.n_rows:,} rows the model would be asked about {error.rows:,}, "
                f"and {_MOST_ASKED:,} are allowed",
                hint="send fewer rows, or ask for fewer nMonteCarloSteps",
            ) from None
        except BrineryError as error:
            detail = f"the rows cannot be explained: {error.message}"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, detail) from None
        rows = reasons(found, scores, most=wanted.most)
        return Explained(rows=rows, method=found.method, unit=found.unit, exact=found.exact)

    @cached_property
    def _explainer(self) -> RowExplainer:
        """Return what explains rows beside those that were kept with the version.

        Raises:
            Problem: 501 where none were kept, or nothing can be explained.
        """
        path, candidate = self._endpoint.sample_file, self._endpoint.candidate
        if path is None:
            raise _unexplained("no rows were kept with this version to compare others with")
        try:
            table, scores = sample.read(Path(path))
            observed = Observed(
                table=of_table(self._types, table).table(),
                scores=scores,
                type=candidate.description.type,
                classes=candidate.description.classes,
            )
            return RowExplainer(
                observed,
                read=[column.name for column in candidate.signature.columns if column.required],
                scorer=self._answerer.scorer,
                library=self._by_library,
            )
        except BrineryError as error:
            raise _unexplained(error.message) from None
        except pa.ArrowException as error:
            raise _unexplained(f"the rows kept with this version do not fit: {error}") from None

    def _by_library(self, table: pa.Table, /) -> Scores:
        """Return the model's answers, in their turn among those of other requests."""
        assert self._loop is not None  # noqa: S101 - set by the only way here
        asked = _awaited(self._answerer, of_table(self._types, table))
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result().scores


async def _awaited(answerer: Answerer, batch: Batch) -> Share:
    return await answerer.score(batch)


def _unexplained(reason: str) -> Problem:
    return Problem(
        HTTPStatus.NOT_IMPLEMENTED, "explanations-not-served", f"rows are not explained: {reason}"
    )
