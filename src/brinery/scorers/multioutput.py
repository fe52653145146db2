"""Several values for a row: scikit-learn's `MultiOutputRegressor` and `RegressorChain`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.scorers.data import (
    Array,
    Data,
    Sparse,
    complete,
    dense,
    finite,
    rows_of,
    sparse_beside,
    width_of,
)
from brinery.scorers.interface import Answer, Model, Reader, Splits, Unsupported, require
from brinery.scorers.origin import Origins
from brinery.scorers.responses import shared, single, splits_of


class SideBySide(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Regressors of which each gives a column.

    Attributes:
        members: the regressors.
    """

    members: tuple[Model, ...]

    def __post_init__(self) -> None:
        """Check that there is a column."""
        require(len(self.members) > 0, "values of nothing")

    def answer(self, data: Data) -> Answer:
        """Return the values of each: (n_rows, n_members)."""
        data = shared(data, self.members)
        return Answer(values=np.asarray([single(one.answer(data)) for one in self.members]).T)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member."""
        return splits_of(self.members, origins)


class InTurn(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Regressors of which each is given the values of those before it, too.

    Attributes:
        members: the regressors.
        order: (n_members,) int64, the column that each gives.
        n_features: how many columns there are.
    """

    members: tuple[Model, ...]
    order: np.ndarray
    n_features: int

    def __post_init__(self) -> None:
        """Check that each gives a column of its own."""
        count = len(self.members)
        require(count > 0, "values of nothing")
        require(
            self.order.dtype == np.int64 and np.array_equal(np.sort(self.order), np.arange(count)),
            "values in an order that is none",
        )

    def answer(self, data: Data) -> Answer:
        """Return the values of each: (n_rows, n_members)."""
        made = self._made(data, len(self.members))
        values = np.empty(made.shape)
        values[:, self.order] = made
        return Answer(values=values)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of every member, for the columns of the data."""
        if origins is None:
            return ()
        return tuple(
            Splits(one.trees, one.origins, partial(self._prepared, place, one.prepare))
            for place, model in enumerate(self.members)
            for one in model.splits([*origins, *[None] * place])
        )

    def _prepared(self, place: int, prepare: Callable[[Data], Array], data: Data) -> Array:
        return prepare(_beside(data, self._made(data, place)))

    def _made(self, data: Data, count: int) -> Array:
        """Return the values of the first regressors: (n_rows, count)."""
        require(width_of(data) == self.n_features, "values by other columns")
        if isinstance(data, Sparse):
            finite(data.values)
        else:
            data = complete(data)
        made = np.zeros((rows_of(data), count))
        for place, model in enumerate(self.members[:count]):
            made[:, place] = single(model.answer(_beside(data, made[:, :place])))
        return made


def _beside(data: Data, made: Array) -> Data:
    """Return a table with columns behind it."""
    if not made.shape[1]:
        return data
    return (
        sparse_beside([data, made]) if isinstance(data, Sparse) else np.hstack([dense(data), made])
    )


def read_multi_output(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `MultiOutputRegressor`."""
    return SideBySide(members=tuple(reader.model(one) for one in model.estimators_))


def read_chain(model: Any, reader: Reader) -> Model:
    """Return the node of a fitted `RegressorChain`."""
    if getattr(model, "chain_method_", "predict") != "predict":
        raise Unsupported("RegressorChain of another method")
    return InTurn(
        members=tuple(reader.model(one) for one in model.estimators_),
        order=np.asarray(model.order_, dtype=np.int64),
        n_features=int(model.n_features_in_),
    )


NODES = (SideBySide, InTurn)
READERS = {
    "sklearn.MultiOutputRegressor": read_multi_output,
    "sklearn.RegressorChain": read_chain,
}
