"""Who answers outside a server: the scorer of a version where it has one, else its library.

A scorer is data that was compared with the library when the version was made; its digest is checked
when it is read. What it declines, the library answers: a process of the model's own, started when
that first happens, and as many of them as are asked at a time.
"""

from __future__ import annotations

import logging
import threading
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa

from brinery.actions.rooms import Rooms
from brinery.actions.seat import Seat, seat_of
from brinery.errors import ModelFileError, PredictionRefused
from brinery.flavors import arrow_types, naming, signature
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.child import ChildProcess
from brinery.records.scores import Scores
from brinery.records.version import Candidate, Version
from brinery.registry.interface import SCORER_FILE, askable, imported
from brinery.scorers.data import Declined
from brinery.scorers.plan import COMPILER
from brinery.scorers.stored import StoredScorer
from brinery.store import tables

_log = logging.getLogger("brinery")

# Rows that are scored together: their columns lie in the processor's cache, and one row that is
# declined takes no more than these to the library.
_SLICE_ROWS = 8192


class Answering:
    """A registered version that answers tables, from several threads.

    Use it as a context manager, or close it; what is forgotten ends with this process.

    Args:
        rooms: of the workspace.
        version: which.
        workers: most processes of its library at a time.

    Raises:
        NotServable: it was not imported by Brinery, or cannot be asked for predictions.
        EnvironmentUnavailable: it has no scorer, and its environment cannot be built here.
        ModelFileError: it has no scorer, and its file cannot be loaded.
    """

    def __init__(self, rooms: Rooms, version: Version, *, workers: int = 1) -> None:
        self.candidate: Candidate = askable(version)
        self._scorer = _stored(rooms, version)
        self._library = _Library(rooms, version, workers=workers)
        self.library_rows = 0
        self._count = threading.Lock()
        if self._scorer is None:
            self._library.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def fast(self) -> bool:
        """Return whether the version has a scorer that is used."""
        return self._scorer is not None

    @property
    def scorer(self) -> StoredScorer | None:
        """Return the scorer of the version; None where it has none that is used."""
        return self._scorer

    @property
    def attempts(self) -> tuple[str, ...]:
        """Return what the model tried so far and was refused, such as `open /etc/passwd`."""
        return self._library.attempts

    def fit(self, data: pa.Table | pd.DataFrame, *, first_row: int = 0) -> pa.Table:
        """Return data as the model takes it: the columns of its signature, in its order.

        Args:
            data: (n_rows, …) columns in any order; one that the model does not read may be absent.
            first_row: of these rows in the data, from 0, for what an error says.

        Raises:
            ColumnMissing, ColumnMismatch: the data does not fit the signature.
        """
        takes = self.candidate.signature
        if isinstance(data, pa.Table):
            fitting = _fitting(self.candidate, data)
            if fitting is not None:
                return fitting
            data = data.to_pandas()
        conformed = signature.conform(takes, data, first_row=first_row)
        return tables.to_arrow(signature.complete(self.candidate.description, conformed))

    def score(self, table: pa.Table) -> Scores:
        """Return the answers for a table that fits, one per row.

        Raises:
            PredictionRefused: the model raised on it; the error names the row.
        """
        if self._scorer is None:
            return self._asked(table, 0)
        starts = range(0, max(1, table.num_rows), _SLICE_ROWS)
        parts = [self._part(self._scorer, table.slice(at, _SLICE_ROWS), at) for at in starts]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def close(self) -> None:
        """End the processes of the library."""
        self._library.close()

    def _part(self, scorer: StoredScorer, rows: pa.Table, start: int) -> Scores:
        try:
            return scorer.score(rows)
        except Declined:
            pass
        except Exception:  # noqa: BLE001 - the library answers what a fault of ours cannot
            _log.exception("a fault of the scorer of %s: its library answers", self.candidate.name)
        return self._asked(rows, start)

    def _asked(self, rows: pa.Table, start: int) -> Scores:
        """Return the library's answers for rows of a table that begin at a place in it."""
        try:
            scores = self._library.score(rows)
        except PredictionRefused as error:
            row = None if error.row is None else error.row + start
            raise PredictionRefused(error.reason, hint=error.hint, row=row) from None
        with self._count:
            self.library_rows += rows.num_rows
        return scores


class _Library:
    """The processes of a model, each of which answers one table at a time."""

    def __init__(self, rooms: Rooms, version: Version, *, workers: int) -> None:
        self._rooms, self._version = rooms, version
        self._free = threading.Semaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[ModelProcess] = []
        self._all: list[ModelProcess] = []

    @property
    def attempts(self) -> tuple[str, ...]:
        tried = (attempt for process in self._all for attempt in process.attempts)
        return tuple(dict.fromkeys(tried))

    def start(self) -> None:
        """Load the model, so that the first table does not wait for it."""
        self._idle.append(self._loaded())

    def score(self, table: pa.Table) -> Scores:
        with self._free:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            process = process or self._loaded()
            try:
                return process.score(table)
            finally:
                if process.alive:
                    self._idle.append(process)

    def close(self) -> None:
        for process in self._all:
            process.close()

    @cached_property
    def _home(self) -> tuple[Seat, Path, Path | None]:
        registry, version = self._rooms.registry, self._version
        seat = seat_of(self._rooms, version)
        return seat, registry.model_file(version), registry.code_folder(version)

    def _loaded(self) -> ModelProcess:
        with self._lock:
            seat, path, code = self._home
            child: ChildProcess = seat.start(())
        process = ModelProcess(
            path,
            artifact=imported(self._version).artifact,
            code=code,
            timeout_s=seat.timeout_s,
            started=child,
        )
        fast = self._version.fast_path
        if fast is not None and fast.partial:
            columns = naming.inputs(process.description, imported(self._version).signature)
            process.accelerate(COMPILER, columns=columns, steps=fast.library)
        self._all.append(process)
        return process


def _stored(rooms: Rooms, version: Version) -> StoredScorer | None:
    """Return the scorer of a version; None where it has none, or its file is another."""
    record, path = version.fast_path, rooms.registry.kept_file(version, SCORER_FILE)
    if path is None or record is None or not record.used:
        return None
    try:
        return StoredScorer(path, record=record, artifact=imported(version).artifact)
    except (ModelFileError, OSError) as error:
        _log.error("%s is scored by its library: %s", version.reference, error)
        return None


def _fitting(candidate: Candidate, data: pa.Table) -> pa.Table | None:
    """Return a table that needs no conversion, its columns in order; None where it needs some."""
    columns: dict[str, pa.ChunkedArray] = {}
    for column in candidate.signature.columns:
        place = data.schema.get_field_index(column.name)
        if place >= 0:
            if not arrow_types.fits(column, data.schema.field(place).type):
                return None
            columns[column.name] = data.column(place)
        elif column.required:
            return None
        else:
            columns[column.name] = pa.nulls(data.num_rows, pa.float64())
    for name in candidate.description.feature_names or ():
        columns.setdefault(name, pa.nulls(data.num_rows, pa.float64()))
    return pa.table(columns)


def _joined(parts: list[Scores]) -> Scores:
    chances = [part.probabilities for part in parts if part.probabilities is not None]
    return Scores(
        predictions=np.concatenate([part.predictions for part in parts]),
        probabilities=np.concatenate(chances) if chances else None,
        classes=parts[0].classes,
        outputs=parts[0].outputs,
        framed=parts[0].framed,
    )
