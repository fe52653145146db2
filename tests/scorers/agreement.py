"""What every scorer must do: give the library's answers, from the file it was written to."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brinery.records.scores import Scores
from brinery.records.signature import ColumnType
from brinery.scorers import bundle
from brinery.scorers.compiler import compile_model
from brinery.scorers.plan import Input
from brinery.scorers.scorer import Scorer

TOLERANCE = 1e-9


def inputs_of(frame: pd.DataFrame) -> list[Input]:
    """Return the columns of a frame as a scorer is told of them."""
    return [Input(str(name), _type(frame[name])) for name in frame.columns]


def _type(column: pd.Series[Any]) -> ColumnType:
    if pd.api.types.is_bool_dtype(column):
        return ColumnType.BOOLEAN
    if pd.api.types.is_integer_dtype(column):
        return ColumnType.INTEGER
    return ColumnType.NUMBER if pd.api.types.is_numeric_dtype(column) else ColumnType.STRING


def columns_of(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the values of a frame as a request has them: None where one is missing."""
    return {
        str(name): [None if pd.isna(value) else value for value in frame[name].tolist()]
        for name in frame.columns
    }


def compiled(model: Any, frame: pd.DataFrame) -> Scorer:
    """Return the scorer of a model, written to a file and read again, all of it compiled."""
    scorer = compile_model(model, inputs_of(frame))
    assert scorer.fallbacks == ()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scorer.safetensors"
        bundle.write(scorer.plan, path)
        return Scorer(bundle.read(path))


def agrees(
    model: Any, frame: pd.DataFrame, *, given: Any = None, scorer: Scorer | None = None
) -> Scorer:
    """Assert that the scorer answers as the library: one row, a few, all, and each by itself.

    Args:
        model: fitted.
        frame: (n_rows, n_features) of the data.
        given: the same rows as the library takes them; the frame itself when None.
        scorer: of the model; compiled when None.
    """
    scorer = scorer or compiled(model, frame)
    rows = frame if given is None else given
    for count in {1, min(8, len(frame)), len(frame)}:
        part = rows.iloc[:count] if hasattr(rows, "iloc") else rows[:count]
        same(model, part, scorer.score(columns_of(frame.iloc[:count])))
    each = scorer.score_each(columns_of(frame))
    if each is not None:
        same(model, rows, each)
    return scorer


def same(model: Any, part: Any, scores: Scores) -> None:
    """Assert that answers are those of the library: labels identical, numbers within 1e-9."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = np.asarray(model.predict(part))
        probabilities = model.predict_proba(part) if hasattr(model, "predict_proba") else None
    assert scores.predictions.shape == predicted.shape
    if predicted.dtype.kind == "f":
        np.testing.assert_allclose(
            scores.predictions.astype(float), predicted, rtol=TOLERANCE, atol=TOLERANCE
        )
    else:
        assert scores.predictions.tolist() == predicted.tolist()
    if probabilities is None:
        assert scores.probabilities is None
    else:
        assert scores.probabilities is not None
        np.testing.assert_allclose(
            scores.probabilities, np.asarray(probabilities), rtol=0, atol=TOLERANCE
        )
