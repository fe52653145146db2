"""The compiler in the model's process: it writes the scorer of the model that lies there.

Where the library must be asked for a step the scorer stays in the process, and answers there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import pyarrow as pa

from brinery.records.scores import Scores
from brinery.records.signature import ColumnType, Scalar
from brinery.scorers import arrow, bundle
from brinery.scorers.compiler import compile_model
from brinery.scorers.interface import Unsupported
from brinery.scorers.plan import Input
from brinery.scorers.scorer import Scorer


class Within:
    """A scorer in the model's process, where the library is asked for what no node stands for.

    Args:
        scorer: such a one.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.steps = scorer.fallbacks

    def score(self, table: pa.Table) -> Optional[Scores]:
        """Return the answers for a table; None where they are left to the library."""
        try:
            return self._scorer.score(arrow.columns(table, self._scorer.plan.inputs))
        except Exception:  # noqa: BLE001 - what the library refuses it refuses better as a whole
            return None


def within(
    model: Any, columns: Sequence[tuple[str, str]], *, classes: tuple[Scalar, ...]
) -> Union[Within, str]:
    """Return the scorer of a model that lies here; or why there is none.

    Args:
        model: fitted.
        columns: as for `write`.
        classes: as for `write`.
    """
    try:
        return Within(compile_model(model, _inputs(columns), classes=classes))
    except Unsupported as unsupported:
        return str(unsupported)


def write(
    model: Any,
    columns: Sequence[tuple[str, str]],
    *,
    classes: tuple[Scalar, ...],
    path: Path,
) -> str:
    """Write the scorer of a model to a file; return why none was written, if none was.

    Args:
        model: fitted.
        columns: name and type of its inputs, in its order; no type for one that the data lacks.
        classes: in its order; none where it has none.
        path: of the file.
    """
    try:
        scorer = compile_model(model, _inputs(columns), classes=classes)
    except Unsupported as unsupported:
        return str(unsupported)
    if scorer.fallbacks:
        return "; ".join(scorer.fallbacks)
    bundle.write(scorer.plan, path)
    return ""


def _inputs(columns: Sequence[tuple[str, str]]) -> list[Input]:
    return [
        Input(name, ColumnType(kind or ColumnType.NUMBER), given=bool(kind))
        for name, kind in columns
    ]
