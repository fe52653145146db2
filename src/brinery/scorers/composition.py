"""Pipelines, column transformers and unions: data goes through steps, in turn or side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, Optional, TypeVar

import numpy as np
from msgspec import Struct

from brinery.scorers import rows
from brinery.scorers.additive import Additive
from brinery.scorers.data import (
    Array,
    Columns,
    Data,
    Picker,
    Sparse,
    beside,
    dense,
    picker,
    rows_of,
    select,
    sparse_beside,
    width_of,
)
from brinery.scorers.interface import (
    Answer,
    Model,
    Reader,
    Splits,
    Step,
    Unsupported,
    class_name,
    require,
)
from brinery.scorers.origin import Origin, Origins, lost

Made = TypeVar("Made")

# Where a table widens to more columns, where they come from is not told.
_WIDEST = 1 << 24


class Passthrough(Struct, Step, frozen=True, tag=True):
    """Data as it is."""

    def transform(self, data: Data) -> Data:
        """Return the data."""
        return data

    def row(self) -> Optional[rows.Step]:
        """Return what leaves a single row as it is."""
        return rows.Same()

    def trace(self, origins: Origins) -> Origins:
        """Return the same."""
        return origins


class Chain(Struct, Step, frozen=True, tag=True):
    """Steps, one after the other.

    Attributes:
        steps: in order.
    """

    steps: tuple[Step, ...]

    def transform(self, data: Data) -> Data:
        """Return what the last step makes of what those before it made."""
        for step in self.steps:
            data = step.transform(data)
        return data

    def row(self) -> Optional[rows.Step]:
        """Return what takes a single row through the steps, where each of them can."""
        steps = [step.row() for step in self.steps]
        known = tuple(step for step in steps if step is not None)
        return rows.InTurn(known) if known and len(known) == len(steps) else None

    def trace(self, origins: Origins) -> Origins:
        """Return where the columns of the last step come from."""
        for step in self.steps:
            origins = step.trace(origins)
        return origins


class Choice(Struct, Step, frozen=True, tag=True, dict=True):
    """Some of the columns.

    Attributes:
        places: (n_columns,) int64, which, in their new order.
        of: how many there must be.
    """

    places: np.ndarray
    of: int

    def __post_init__(self) -> None:
        """Check the places."""
        within = self.places.size == 0 or 0 <= self.places.min() <= self.places.max() < self.of
        require(self.places.ndim == 1 and within, "a choice of columns that are not there")

    def transform(self, data: Data) -> Data:
        """Return those columns."""
        if width_of(data) != self.of:
            raise ValueError(f"{width_of(data)} columns, not {self.of}")
        return data.pick(self._pick) if isinstance(data, Columns) else select(data, self.places)

    @cached_property
    def _pick(self) -> Picker:
        return picker(self.places.tolist())

    def trace(self, origins: Origins) -> Origins:
        """Return where those columns come from."""
        return None if origins is None else [origins[place] for place in self.places.tolist()]


class Weight(Struct, Step, frozen=True, tag=True):
    """Values times a weight.

    Attributes:
        weight: what a `FeatureUnion` gives to one of its transformers.
    """

    weight: float

    def transform(self, data: Data) -> Data:
        """Return the products."""
        if isinstance(data, Sparse):
            return Sparse(data.starts, data.columns, data.values * self.weight, width=data.width)
        return dense(data) * self.weight

    def trace(self, origins: Origins) -> Origins:
        """Return the same columns, divided by the weight."""
        if origins is None or not self.weight:
            return None if origins is None else lost(origins)
        return [one and one.behind(lambda values: values / self.weight) for one in origins]


class Union(Struct, Step, frozen=True, tag=True):
    """Steps that are each given all, and whose columns are put side by side.

    Attributes:
        steps: in the order of the columns.
        sparse: whether the result is a sparse table; None where it is as soon as a part is.
    """

    steps: tuple[Step, ...]
    sparse: Optional[bool] = None

    def transform(self, data: Data) -> Data:
        """Return the columns of every step."""
        if not self.steps:
            return np.zeros((rows_of(data), 0))
        parts = [step.transform(data) for step in self.steps]
        wanted = self.sparse
        if wanted is None:
            wanted = any(isinstance(part, Sparse) for part in parts)
        return sparse_beside(parts) if wanted else beside(parts)

    def trace(self, origins: Origins) -> Origins:
        """Return where the columns of every step come from."""
        found: list[Optional[Origin]] = []
        for step in self.steps:
            part = step.trace(origins)
            if part is None or len(found) + len(part) > _WIDEST:
                return None
            found.extend(part)
        return found


class Piped(Struct, Model, frozen=True, tag=True):
    """A model behind steps.

    Attributes:
        step: what is done with the data first.
        model: what answers.
    """

    step: Step
    model: Model

    def answer(self, data: Data) -> Answer:
        """Return the model's answer."""
        return self.model.answer(self.step.transform(data))

    def row(self) -> Optional[rows.Model]:
        """Return what answers a single row, where the steps and the model can."""
        step, model = self.step.row(), self.model.row()
        return None if step is None or model is None else rows.Behind(step, model)

    def decision(self, data: Data) -> Array:
        """Return the model's decision function."""
        return self.model.decision(self.step.transform(data))

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return those of the model, behind the steps."""
        return tuple(
            Splits(one.trees, one.origins, partial(_through, self.step, one.prepare))
            for one in self.model.splits(self.step.trace(origins))
        )

    def additive(self, origins: Origins) -> Additive:
        """Return that of the model, behind the steps."""
        return self.model.additive(self.step.trace(origins)).behind(self.step.transform)


def _through(step: Step, prepare: Callable[[Data], Array], data: Data) -> Array:
    return prepare(step.transform(data))


def read_pipeline(pipeline: Any, reader: Reader) -> Step | Model:
    """Return the node of a fitted `Pipeline`."""
    estimators = [step for _, step in pipeline.steps if step is not None and step != "passthrough"]
    if not estimators:
        return Passthrough()
    *before, last = estimators
    if not (hasattr(last, "predict") or hasattr(last, "transform")):
        raise Unsupported(f"{type(last).__name__} as the last step")
    steps = tuple(reader.step(estimator) for estimator in before)
    node = reader.node(last)
    if isinstance(node, Step):
        return Chain((*steps, node))
    if not steps:
        return node
    return Piped(steps[0] if len(steps) == 1 else Chain(steps), node)


def read_column_transformer(transformer: Any, reader: Reader) -> Step:
    """Return the node of a fitted `ColumnTransformer`."""
    names = getattr(transformer, "feature_names_in_", None)
    count = int(transformer.n_features_in_)
    steps: list[Step] = []
    for _, branch, columns in transformer.transformers_:
        places = _places(columns, names=names, count=count)
        if (isinstance(branch, str) and branch == "drop") or not len(places):
            continue
        passed = isinstance(branch, str) or _is_identity(branch)
        chosen = Choice(places, count)
        steps.append(chosen if passed else Chain((chosen, reader.step(branch))))
    return Union(tuple(steps), bool(transformer.sparse_output_))


def _is_identity(branch: Any) -> bool:
    """Return whether a branch is what newer versions make of `passthrough`."""
    return class_name(branch) == "sklearn.FunctionTransformer" and not (
        branch.func or branch.validate
    )


def _places(columns: Any, *, names: Optional[Sequence[str]], count: int) -> Array:
    """Return the places of the columns that a branch is given: (n,) int64."""
    known = {} if names is None else {name: place for place, name in enumerate(names)}
    every = np.arange(count)
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            start = 0 if columns.start is None else known[columns.start]
            stop = count if columns.stop is None else known[columns.stop] + 1
            return every[start : stop : columns.step]
        return every[columns]
    listed = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
    if listed and all(isinstance(one, (bool, np.bool_)) for one in listed):
        return every[np.asarray(listed, dtype=bool)]
    if any(isinstance(one, str) and one not in known for one in listed):
        raise Unsupported("columns chosen by names that are not known")
    places = [known[one] if isinstance(one, str) else int(one) for one in listed]
    chosen: Array = every[np.asarray(places, dtype=np.int64)]
    return chosen


def read_feature_union(union: Any, reader: Reader) -> Step:
    """Return the node of a fitted `FeatureUnion`."""
    weights = union.transformer_weights or {}
    steps: list[Step] = []
    for name, transformer in union.transformer_list:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        passed = isinstance(transformer, str) or transformer is None
        step = Passthrough() if passed else reader.step(transformer)
        steps.append(
            Chain((step, Weight(float(weights[name])))) if weights.get(name) is not None else step
        )
    return Union(tuple(steps))


NODES = (Passthrough, Chain, Choice, Weight, Union, Piped)
READERS = {
    "sklearn.Pipeline": read_pipeline,
    "sklearn.ColumnTransformer": read_column_transformer,
    "sklearn.FeatureUnion": read_feature_union,
}
