"""The compiler in the model's process: it writes the scorer of the model that lies there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brinery.records.signature import ColumnType, Scalar
from brinery.scorers import bundle
from brinery.scorers.compiler import compile_model
from brinery.scorers.interface import Unsupported
from brinery.scorers.plan import Input


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
    inputs = [
        Input(name, ColumnType(kind or ColumnType.NUMBER), given=bool(kind))
        for name, kind in columns
    ]
    try:
        scorer = compile_model(model, inputs, classes=classes)
    except Unsupported as unsupported:
        return str(unsupported)
    if scorer.fallbacks:
        return "; ".join(scorer.fallbacks)
    bundle.write(scorer.plan, path)
    return ""
