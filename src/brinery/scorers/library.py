"""What no node stands for: the library's own code, asked from within a scorer.

Such a scorer lives in the model's process only, and cannot be written to a file.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from brinery.scorers.data import Array, Columns, Data, Declined, Sparse
from brinery.scorers.interface import Answer, Model, Node, Step, Unsupported


class LibraryStep(Step):
    """A transformer that is asked itself.

    Args:
        estimator: fitted.
        reason: why no node stands for it.
    """

    def __init__(self, estimator: Any, reason: str) -> None:
        self._estimator = estimator
        self.reason = reason

    def transform(self, data: Data) -> Data:
        """Return what the library's transformer gives."""
        return _received(self._estimator.transform(_given(data)))


class LibraryModel(Model):
    """A model that is asked itself.

    Args:
        estimator: fitted.
        reason: why no node stands for it.
    """

    def __init__(self, estimator: Any, reason: str) -> None:
        self._estimator = estimator
        self.reason = reason

    def answer(self, data: Data) -> Answer:
        """Return what the library's model answers."""
        given = _given(data)
        predicted = np.asarray(self._estimator.predict(given))
        classes = getattr(self._estimator, "classes_", None)
        if classes is None:
            return Answer(values=predicted)
        places = {label: place for place, label in enumerate(classes.tolist())}
        labels = np.array([places[label] for label in predicted.tolist()], dtype=np.int64)
        if not hasattr(self._estimator, "predict_proba"):
            return Answer(labels=labels)
        return Answer(labels=labels, probabilities=np.asarray(self._estimator.predict_proba(given)))

    def decision(self, data: Data) -> Array:
        """Return what the library's decision function gives."""
        if not hasattr(self._estimator, "decision_function"):
            return super().decision(data)
        return np.asarray(self._estimator.decision_function(_given(data)))


def ask_library(estimator: Any, reason: str, *, is_step: bool = False) -> Node:
    """Return the node that asks a fitted estimator itself.

    Args:
        estimator: fitted.
        reason: why no node stands for it.
        is_step: whether it is to transform, whatever else it can do.

    Raises:
        Unsupported: it neither transforms nor predicts one answer per row.
    """
    if hasattr(estimator, "predict") and not is_step:
        if isinstance(getattr(estimator, "classes_", None), list):
            raise Unsupported("a classifier of several outputs")
        return LibraryModel(estimator, reason)
    if hasattr(estimator, "transform"):
        return LibraryStep(estimator, reason)
    raise Unsupported(reason)


def _given(data: Data) -> Any:
    """Return data as the library takes it."""
    if isinstance(data, Columns):
        return pd.DataFrame(dict(zip(data.names, data.arrays)))
    if isinstance(data, Sparse):
        columns, starts = data.columns.astype(np.int32), data.starts.astype(np.int32)
        # Not every model's environment has scipy; one that takes sparse tables does.
        sparse = import_module("scipy.sparse")
        return sparse.csr_matrix((data.values, columns, starts), (data.n_rows, data.width))
    return data


def _received(found: Any) -> Data:
    """Return what a transformer of the library gave as data."""
    if hasattr(found, "tocsr"):
        rows = found.tocsr()
        if not rows.has_canonical_format and _repeats(rows):
            raise Declined("a sparse table with a column twice in a row")
        starts, columns = rows.indptr.astype(np.int64), rows.indices.astype(np.int64)
        return Sparse(starts, columns, rows.data, width=rows.shape[1])
    if isinstance(found, pd.DataFrame):
        names = tuple(map(str, found.columns))
        arrays = tuple(_column(found.iloc[:, place]) for place in range(len(names)))
        return Columns(names, arrays, len(found))
    table = np.asarray(found)
    if table.dtype == object:
        return Columns(tuple(map(str, range(table.shape[1]))), tuple(table.T), len(table))
    if table.dtype.kind not in "biuf":
        raise Declined("a step that gives neither numbers nor text")
    return table if table.dtype.kind == "f" else table.astype(np.float64)


def _repeats(rows: Any) -> bool:
    added = rows.copy()
    added.sum_duplicates()
    return bool(added.nnz < rows.nnz)


def _column(series: Any) -> Array:
    array = np.asarray(series)
    return array.astype(np.float64) if array.dtype.kind in "biuf" else array.astype(object)
