"""A version as it is served: its forms, its answers, and who uses it now."""

from __future__ import annotations

import asyncio
import time
from enum import Enum
from typing import Self

from brinery.serve import answers
from brinery.serve.answered import BatchObserver
from brinery.serve.answerer import Answerer
from brinery.serve.endpoint import Endpoint
from brinery.serve.invocations import InvocationsReader
from brinery.serve.negotiation import JSON, Family
from brinery.serve.rows import RowsReader
from brinery.specs.settings import UnknownCategories


class Protocol(Enum):
    """The families of forms, by who speaks them."""

    OWN = "own"
    MLFLOW = "mlflow"


class Served:
    """One version with its answerer.

    Args:
        endpoint: what is served.
        on_batch: is told of each batch that is scored.
    """

    def __init__(self, endpoint: Endpoint, on_batch: BatchObserver | None = None) -> None:
        self.endpoint = endpoint
        self.answerer = Answerer(endpoint, on_batch)
        signature = endpoint.candidate.signature
        allow = endpoint.unknown_categories is UnknownCategories.ALLOW
        headers = [("x-model-version", endpoint.version.reference)]
        own = RowsReader(signature, unknown_categories=allow)
        mlflow = InvocationsReader(signature)
        self.families = {
            Protocol.OWN: Family(
                {JSON: own.asked}, {JSON: answers.OwnWriter(endpoint)}, headers=headers
            ),
            Protocol.MLFLOW: Family({JSON: mlflow.asked}, {JSON: answers.mlflow}, headers=headers),
        }
        self.key = (endpoint.version.name, endpoint.version.number)
        self.used = time.monotonic()
        self._users = 0
        self._retired = False
        self._closing: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._users += 1
        self.used = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if self._retired and self._users == 0:
            self._close()

    def memory_bytes(self) -> int:
        """Return what it takes of the memory, its model's process included."""
        return self.answerer.memory_bytes()

    def retire(self) -> None:
        """Close it as soon as no request uses it."""
        self._retired = True
        if self._users == 0:
            self._close()

    def _close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self.answerer.close())
