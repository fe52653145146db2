"""Who answers: the scorer in this process where a version has one, else the model in its own.

A scorer is data that was compared with the library when the version was made; its digest is checked
when it is read. What it declines, the model's process answers, started when that first happens.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from brinery.errors import ModelFileError
from brinery.flavors import answers
from brinery.pickles.digest import digest
from brinery.records.scores import Scores
from brinery.scorers import bundle
from brinery.scorers.data import Declined
from brinery.scorers.scorer import Scorer
from brinery.serve.batch import Batch
from brinery.serve.endpoint import Endpoint
from brinery.serve.holder import Holder

_log = logging.getLogger("brinery.serve")

# What takes longer is scored beside the loop, which has others to answer.
_INLINE_ROWS = 64


class Answerer:
    """Gives the answers of one endpoint.

    Args:
        endpoint: what is served.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._holder = Holder(endpoint)
        self._scorer = _scorer(endpoint)
        self._names = endpoint.candidate.artifact.classes
        self._reference = endpoint.version.reference

    @property
    def ready(self) -> bool:
        """Return whether it can answer at once."""
        return self._scorer is not None or self._holder.ready

    @property
    def fault(self) -> str | None:
        """Return why the model could not be loaded; None where that is not known."""
        return self._holder.fault

    def load_soon(self) -> None:
        """Begin to load the model, unless it is scored without its library."""
        if self._scorer is None:
            self._holder.load_soon()

    async def score(self, batch: Batch) -> Scores:
        """Return the answers for the rows of a request.

        Raises:
            Problem: as `Holder.score` has it.
        """
        if self._scorer is not None:
            try:
                if batch.n_rows <= _INLINE_ROWS:
                    return self._scored(self._scorer, batch)
                return await asyncio.to_thread(self._scored, self._scorer, batch)
            except Declined:
                pass
            except Exception:  # noqa: BLE001 - the library answers what a fault of ours cannot
                _log.exception("a fault of the scorer of %s: its library answers", self._reference)
        inline = batch.n_rows <= _INLINE_ROWS
        table = batch.table() if inline else await asyncio.to_thread(batch.table)
        return await self._holder.score(table)

    async def close(self) -> None:
        """End the model's process."""
        await self._holder.close()

    def _scored(self, scorer: Scorer, batch: Batch) -> Scores:
        scores = scorer.score(batch.values)
        return answers.named(scores, self._names) if self._names else scores


def _scorer(endpoint: Endpoint) -> Scorer | None:
    """Return the scorer of an endpoint; None where it has none, or its file is another."""
    record = endpoint.version.fast_path
    if endpoint.scorer_file is None or record is None or not record.used:
        return None
    path = Path(endpoint.scorer_file)
    try:
        if digest(path) == record.sha256:
            return Scorer(bundle.read(path))
        fault = f"{path.name} is not the file that was compared"
    except (ModelFileError, OSError) as error:
        fault = str(error)
    _log.error("%s is scored by its library: %s", endpoint.version.reference, fault)
    return None
