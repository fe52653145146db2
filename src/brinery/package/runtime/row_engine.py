"""Single rows of numbers are answered without numpy, and all others by the compiled scorer.

A new machine starts to answer sooner so: numpy is most of what a small package imports. It is
imported, and the scorer made, once, with the first request that asks for more than one plain row.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from brinery.package.runtime.engine import Answers, finite
from brinery.package.runtime.facts import Facts
from brinery.scorers import rows

if TYPE_CHECKING:
    from brinery.package.runtime.scorer_engine import ScorerEngine
    from brinery.records.scores import Scores


class RowEngine:
    """Answers by what single rows take, or by the scorer.

    Args:
        folder: that the scorer's file lies in.
        facts: of the package.

    Raises:
        BrineryError: its file is another than the one that was packaged.
    """

    def __init__(self, folder: Path, facts: Facts) -> None:
        self._folder = folder
        self._facts = facts
        self._made: ScorerEngine | None = None
        self._lock = Lock()
        self._single = None if facts.rows is None else _function(facts.rows)
        if self._single is None or not self._same():
            self._scorer()

    def scores(self, columns: Mapping[str, Sequence[Any]], *, n_rows: int) -> Scores | Answers:
        """Return the answers for some rows.

        Raises:
            Refused: the scorer leaves them to the library, which is not here.
        """
        if n_rows == 1 and self._single is not None:
            answers = self._single(columns)
            if answers is not None:
                return answers
        return self._scorer().scores(columns, n_rows=n_rows)

    def _same(self) -> bool:
        """Return whether the scorer's file is the one that was packaged."""
        try:
            content = (self._folder / self._facts.engine_file).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).hexdigest() == self._facts.engine_sha256

    def _scorer(self) -> ScorerEngine:
        with self._lock:
            if self._made is None:
                module = importlib.import_module(f"{__package__}.scorer_engine")
                self._made = module.ScorerEngine(self._folder, self._facts)
            return self._made


def _function(known: rows.Rows) -> Callable[[Mapping[str, Sequence[Any]]], Answers | None]:
    """Return what answers a single row, or says None where the scorer is to answer it."""
    names, predictions, labels = known.names, known.predictions, known.labels
    model = known.model.function()

    def answers(columns: Mapping[str, Sequence[Any]]) -> Answers | None:
        row = rows.numbers([columns[name][0] for name in names])
        made = None if row is None else model(row)
        if made is None:
            return None
        if made.label is not None:
            predicted = predictions[made.label]
            if made.chances is None:
                return Answers([finite(predicted)], None)
            named = labels or map(str, range(len(made.chances)))
            return Answers([predicted], [dict(zip(named, made.chances))])
        values = list(map(finite, made.values or ()))
        if len(values) == 1:
            return Answers(values, None)
        return Answers([{f"output_{n}": value for n, value in enumerate(values)}], None)

    return answers


Engine = RowEngine
