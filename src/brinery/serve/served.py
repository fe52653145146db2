"""A version as it is served: its forms, its answers, and who uses it now."""

from __future__ import annotations

import asyncio
import time
from enum import Enum

from brinery.serve import answer_tables, answers, arrow_stream, csv_text, parquet
from brinery.serve.answered import BatchObserver
from brinery.serve.answerer import Answerer
from brinery.serve.arrays import ArraysReader
from brinery.serve.columns import Rules
from brinery.serve.endpoint import Endpoint
from brinery.serve.explaining import Explaining
from brinery.serve.invocations import InvocationsReader
from brinery.serve.negotiation import JSON, Family, Forms, of_scores
from brinery.serve.open_inference import InferenceForms
from brinery.serve.rows import RowsReader
from brinery.serve.rsgi import Headers
from brinery.serve.single import SingleForm, key
from brinery.specs.categories import UnknownCategories


class Protocol(Enum):
    """The families of forms, by who speaks them."""

    OWN = "own"
    MLFLOW = "mlflow"
    OPEN = "open-inference"
    SINGLE = "single"

    # Members are themselves: the hash that an enumeration has is no faster than its name's.
    __hash__ = object.__hash__


class Served:
    """One version with its answerer.

    Args:
        endpoint: what is served.
        on_batch: is told of each batch that is scored.

    Attributes:
        used: when a request last came for it, by `time.perf_counter`.
        users: how many requests use it now: each adds itself, and ends with `leave`.
    """

    def __init__(self, endpoint: Endpoint, on_batch: BatchObserver | None = None) -> None:
        self.endpoint = endpoint
        self.answerer = Answerer(endpoint, on_batch)
        self.explaining = Explaining(endpoint, self.answerer)
        self.families = _families(endpoint)
        self.reference = endpoint.version.reference
        self.key = (endpoint.version.name, endpoint.version.number)
        self.used = time.perf_counter()
        self.users = 0
        self._retired = False
        self._closing: asyncio.Task[None] | None = None

    def leave(self) -> None:
        """Note that one request uses it no longer."""
        self.users -= 1
        if self._retired and self.users == 0:
            self._close()

    def memory_bytes(self) -> int:
        """Return what it takes of the memory, its model's process included."""
        return self.answerer.memory_bytes()

    def retire(self) -> None:
        """Close it as soon as no request uses it."""
        self._retired = True
        if self.users == 0:
            self._close()

    async def close(self) -> None:
        """Close it now."""
        await self._close()

    @property
    def closed(self) -> bool:
        """Return whether nothing of it is left."""
        return self._closing is not None and self._closing.done()

    def _close(self) -> asyncio.Task[None]:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self.answerer.close())
        return self._closing


def _families(endpoint: Endpoint) -> dict[Protocol, Forms]:
    """Return the forms of a version by who speaks them."""
    signature = endpoint.candidate.signature
    allow = endpoint.unknown_categories is UnknownCategories.ALLOW
    rules, lenient = Rules(unknown_categories=allow), Rules(unknown_categories=True, mlflow=True)
    limit = endpoint.max_body_bytes
    arrays = ArraysReader(signature, rules, max_body_bytes=limit)
    headers: Headers = [("x-model-version", endpoint.version.reference)]
    own = RowsReader(signature, unknown_categories=allow).asked
    mlflow_arrays = ArraysReader(signature, lenient, max_body_bytes=limit)
    single = SingleForm(own, key(endpoint))
    return {
        Protocol.OWN: Family(
            {
                JSON: own,
                arrow_stream.MEDIA_TYPE: arrow_stream.ArrowReader(arrays).asked,
                parquet.MEDIA_TYPE: parquet.ParquetReader(signature, arrays).asked,
                csv_text.MEDIA_TYPE: csv_text.CsvReader(signature, arrays, rules).asked,
            },
            {
                JSON: answers.OwnWriter(endpoint),
                arrow_stream.MEDIA_TYPE: of_scores(answer_tables.arrow),
                parquet.MEDIA_TYPE: of_scores(answer_tables.parquet),
                csv_text.MEDIA_TYPE: of_scores(answer_tables.csv),
            },
            headers=headers,
            vast=(parquet.MEDIA_TYPE,),
        ),
        Protocol.MLFLOW: Family(
            {
                JSON: InvocationsReader(signature).asked,
                csv_text.MEDIA_TYPE: csv_text.CsvReader(signature, mlflow_arrays, lenient).asked,
            },
            {JSON: of_scores(answers.mlflow)},
            headers=headers,
        ),
        Protocol.OPEN: InferenceForms(endpoint, arrays, headers=headers),
        Protocol.SINGLE: Family(
            {JSON: single.asked}, {JSON: of_scores(single.answer)}, headers=headers
        ),
    }
