"""Whether a model may be scored without its library: compile, compare, and only then use it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from brinery.errors import (
    CorruptModel,
    ModelConfined,
    ModelProcessDied,
    ModelProcessTimeout,
    ParityFailed,
    PredictionRefused,
)
from brinery.evaluate import parity
from brinery.flavors import naming
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import digest
from brinery.records.fast_path import FastPath
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType, Signature
from brinery.registry.interface import SCORER_FILE
from brinery.scorers import arrow, bundle
from brinery.scorers.data import Declined
from brinery.scorers.plan import COMPILER, Input
from brinery.scorers.probes import Probe, Probes, probes, value_probes
from brinery.scorers.scorer import Scorer

_log = logging.getLogger("brinery")

_DATA = "evaluation data"
_NAMES = ("the library", "the scorer")


@dataclass(frozen=True)
class Compiled:
    """What became of compiling a model.

    Attributes:
        record: whether it is used, and why not.
        path: of the scorer; None where it is not used.
    """

    record: FastPath
    path: Path | None = None


def compile_and_compare(
    process: ModelProcess, table: pa.Table, *, scores: Scores, takes: Signature, into: Path
) -> Compiled:
    """Return the scorer of a model, where it answers as the library on every row that was tried.

    Args:
        process: holds the model.
        table: (n_rows, …) the evaluation data.
        scores: (n_rows,) what the library answered for it.
        takes: the types of its columns.
        into: the folder that the scorer is written to.
    """
    path = into / SCORER_FILE
    columns = naming.inputs(process.description, takes, given=table.column_names)
    try:
        reason = process.compile(path, compiler=COMPILER, columns=columns)
        if reason:
            told = process.accelerate(COMPILER, columns=columns)
            if told.reason or not told.steps:
                return Compiled(FastPath(reason=told.reason or reason))
            comparison = Comparison(process, None, columns=columns)
        else:
            comparison = Comparison(process, Scorer(bundle.read(path)))
        comparison.data(table, scores)
        comparison.probes(table)
    except (
        CorruptModel,
        ModelConfined,
        ModelProcessDied,
        ModelProcessTimeout,
        ParityFailed,
    ) as error:
        return Compiled(FastPath(reason=error.message))
    except Exception as error:  # noqa: BLE001 - a fault of a scorer costs its speed, not the import
        _log.exception("the scorer of %s", process.description.outline)
        return Compiled(FastPath(reason=f"a fault of its scorer: {error}"))
    if reason:
        return Compiled(replace(comparison.record(""), library=told.steps))
    return Compiled(comparison.record(digest(path)), path)


class Comparison:
    """The rows that a scorer was tried on, and how near it came.

    Args:
        process: holds the model.
        scorer: of the same model; None for the one within the process.
        columns: name and type of what that one takes.
    """

    def __init__(
        self,
        process: ModelProcess,
        scorer: Scorer | None,
        *,
        columns: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._process = process
        self._scorer = scorer
        self._inputs = [Input(name, ColumnType(kind)) for name, kind in columns if kind]
        self._rows: dict[str, int] = {}
        self._declined = 0
        self._thresholds = self._reached = 0
        self._largest = 0.0

    def data(self, table: pa.Table, scores: Scores) -> None:
        """Compare on rows that the library has answered.

        Raises:
            ParityFailed: the answers differ.
        """
        kept = self._answered(table)
        self._compare(scores.take(kept), table.take(kept), _DATA)

    def probes(self, table: pa.Table) -> None:
        """Compare where a small difference would show.

        Raises:
            ParityFailed: the answers differ, or the library refuses what the scorer answers.
        """
        for each in self._probes(table):
            self._thresholds += each.thresholds
            self._reached += each.reached
            tried = changed(table, each.probes)
            tried = tried.take(self._answered(tried))
            if tried.num_rows:
                try:
                    scores = self._process.score(tried, library=True)
                except PredictionRefused as error:
                    raise ParityFailed(
                        f"the scorer answers {each.kind} that the library refuses: {error.reason}"
                    ) from None
                self._compare(scores, tried, each.kind)

    def record(self, sha256: str) -> FastPath:
        """Return what was compared."""
        return FastPath(
            sha256=sha256,
            rows=self._rows,
            declined=self._declined,
            thresholds=self._thresholds,
            reached=self._reached,
            max_difference=self._largest,
        )

    def _compare(self, scores: Scores, table: pa.Table, kind: str) -> None:
        self._rows[kind] = table.num_rows
        if not table.num_rows:
            return
        for found in (self._score(table), self._each(table)):
            if found is not None:
                same = parity.compare(scores, found, names=_NAMES)
                self._largest = max(self._largest, same.max_difference)

    def _probes(self, table: pa.Table) -> list[Probes]:
        if self._scorer is None:
            # Behind a step of the library no threshold can be traced to a column.
            return value_probes(self._inputs, n_rows=table.num_rows)
        given = arrow.columns(table, self._scorer.plan.inputs)
        return probes(self._scorer, given, n_rows=table.num_rows)

    def _score(self, table: pa.Table) -> Scores:
        if self._scorer is None:
            answered = self._process.accelerated(table)
            if answered is None:
                raise Declined("the scorer within the model's process leaves it to the library")
            return answered
        return self._named(self._scorer.score(arrow.columns(table, self._scorer.plan.inputs)))

    def _each(self, table: pa.Table) -> Scores | None:
        """Return the answers for rows by themselves; None where they come the same way."""
        if self._scorer is None:
            return None
        found = self._scorer.score_each(arrow.columns(table, self._scorer.plan.inputs))
        return None if found is None else self._named(found)

    def _named(self, found: Scores) -> Scores:
        try:
            return naming.given(found.flat(), self._process.artifact)
        except PredictionRefused as error:
            raise ParityFailed(f"the scorer answers otherwise: {error.reason}") from None

    def _answered(self, table: pa.Table) -> np.ndarray:
        """Return the rows that the scorer does not leave to the library: (n,) their places."""
        kept = _answered(self._score, table, 0)
        self._declined += table.num_rows - len(kept)
        return np.array(kept, dtype=np.int64)


def _answered(score: Callable[[pa.Table], Scores], table: pa.Table, start: int) -> list[int]:
    """Return the places, counted from a start, of the rows that a scorer answers."""
    if not table.num_rows:
        return []
    try:
        score(table)
    except Declined:
        if table.num_rows == 1:
            return []
        middle = table.num_rows // 2
        before = _answered(score, table.slice(0, middle), start)
        return before + _answered(score, table.slice(middle), start + middle)
    return list(range(start, start + table.num_rows))


def changed(table: pa.Table, tried: Sequence[Probe]) -> pa.Table:
    """Return a row of a table for each probe, with its one value changed."""
    rows = table.take(pa.array([probe.row for probe in tried], type=pa.int64()))
    by_column: dict[str, list[tuple[int, Any]]] = {}
    for place, probe in enumerate(tried):
        by_column.setdefault(probe.column, []).append((place, probe.value))
    for name, values in by_column.items():
        column = rows.column(name)
        listed = column.to_pylist()
        for place, value in values:
            listed[place] = value
        floats = any(isinstance(value, float) for _, value in values)
        kind = pa.float64() if floats and not pa.types.is_floating(column.type) else column.type
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(listed, type=kind))
    return rows
