"""Data for models around other models: columns, and classes and values that they tell."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from brinery.scorers.catalog import READERS
from brinery.scorers.data import Columns
from brinery.scorers.interface import Model, Node, Reader, Unsupported

ROWS = 180
_LABELS = np.array(["no", "perhaps", "so", "yes"])


def frame() -> pd.DataFrame:
    """Return columns of different sizes, one of them of text."""
    rng = np.random.default_rng(3)
    made = pd.DataFrame(rng.normal([0, 2, -3], [1, 3, 0.1], size=(ROWS, 3)), columns=list("abc"))
    return made.assign(d=rng.choice(["x", "y", "z"], ROWS))


def numbers() -> pd.DataFrame:
    """Return the columns of numbers, and rows far from them."""
    near = frame()[list("abc")]
    return pd.concat([near, near[:60] * 10, near[:20] * -1e6, near[:4] * 0], ignore_index=True)


def classes(count: int) -> Any:
    """Return a class for each row of the frame, which the columns tell but for noise."""
    rows = frame()
    noise = np.random.default_rng(4).normal(size=ROWS)
    ranks = (rows["a"] + rows["b"] / 3 + (rows["d"] == "x") + noise / 2).rank(pct=True)
    return _LABELS[-count:][np.minimum((ranks * count).astype(int), count - 1)]


def values(count: int = 1) -> Any:
    """Return values above 0 for each row of the frame: (n_rows,), or (n_rows, count)."""
    rows = frame()
    first = np.exp(rows["a"] / 2) + np.abs(rows["c"])
    table = np.column_stack([first, rows["b"] ** 2 + 1, 3 - rows["c"]])
    return table[:, 0] if count == 1 else table[:, :count]


def fitted(model: Any, y: Any, *, columns: str = "abc") -> Any:
    """Return a model, fitted on columns of the frame; that it is not done yet is no matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(frame()[list(columns)], y)


def untied(model: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose two best classes are not as good as tied, to a fitted classifier."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        likely = hasattr(model, "predict_proba")
        told = model.predict_proba(rows) if likely else model.decision_function(rows)
    if told.ndim == 1:
        return rows
    ordered = np.sort(told, axis=1)
    kept: pd.DataFrame = rows[ordered[:, -1] - ordered[:, -2] > 1e-9]
    return kept


def columns(rows: pd.DataFrame) -> Columns:
    """Return rows of numbers as a model within a scorer is given them."""
    return Columns(tuple(map(str, rows)), tuple(rows.to_numpy().T), len(rows))


def node_of(model: Any) -> Model:
    """Return the node that a fitted model is read into.

    Raises:
        Unsupported: no node stands for it, or for one within it.
    """
    return Reader(READERS, _refuse).model(model)


def _refuse(estimator: Any, reason: str, *, is_step: bool) -> Node:
    del is_step
    raise Unsupported(f"{type(estimator).__name__}: {reason}")


class Fixed(Model):
    """Answers every question with what it was made with.

    Args:
        answer: to what the library's `predict` and `predict_proba` say.
        decision: to what its `decision_function` says.
    """

    def __init__(self, answer: Any = None, decision: Any = None) -> None:
        self._answer = answer
        self._decision = decision

    def answer(self, data: Any) -> Any:
        """Return the answer."""
        del data
        return self._answer

    def decision(self, data: Any) -> Any:
        """Return the decision."""
        del data
        return np.asarray(self._decision)
