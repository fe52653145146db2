"""How much each input column of a scorer moved its answers: Shapley values, exact for a background.

A row is compared with every row of a background: of a coalition of columns the values are the
row's, of the others those of the background row, and what is explained is the mean over the
background. What the steps of a scorer make of one input column belongs to that column; where a
feature is made of several, or the raw answer is no sum, there is no exact way, and a reason.

Source: Lundberg et al. 2020 (interventional TreeSHAP); Lundberg and Lee 2017 (linear models).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Optional, Union

import numpy as np
from msgspec.structs import replace as changed

from brinery.records.contributions import Contributions
from brinery.scorers import kernel
from brinery.scorers.additive import Leaves, Part, Weights
from brinery.scorers.data import Array, Data, Declined, Sparse, dense, rows_of, select
from brinery.scorers.scorer import Scorer, Values
from brinery.scorers.trees import Trees

# How many rows go through the trees together, and how many of the background.
_ROWS = 512
_BACKGROUND_ROWS = kernel.CROWD
# So much of the largest figure may be missing from a sum: XGBoost adds up in float32.
_GAP = 1e-5

# Rows of a background, and where they turn at each node, where somebody looked.
_Block = tuple[Array, Optional[Array]]


@dataclass(frozen=True)
class Inexact:
    """That there is no exact way to a model's Shapley values.

    Attributes:
        reason: why, in words that go on after "because".
    """

    reason: str


class Against:
    """Explains answers of a scorer against one background, which it looks at once.

    Args:
        scorer: of the model.
        background: name to (n_background,) values of the rows that others are compared with, at
            least one, as `Scorer.score` takes.
        often: whether it is asked again and again, so that it pays to look at every node first.

    Raises:
        Declined: there is no exact way.
    """

    def __init__(
        self, scorer: Scorer, background: Mapping[str, Values], *, often: bool = True
    ) -> None:
        self._scorer = scorer
        self._additive = scorer.additive()
        others = scorer.read(background)
        if not others.n_rows:
            raise Declined("there is no row to compare with")
        self._rows = others.n_rows
        self._base = self._additive.answers(others).mean(axis=0)
        self._parts = [_Shared(part, others, often=often) for part in self._additive.parts]

    def explain(self, columns: Mapping[str, Values]) -> Union[Contributions, Inexact]:
        """Return what each input column added to each answer, exactly; or why that is not known.

        Args:
            columns: name to (n_rows,) values of the rows that are explained.
        """
        try:
            return self._explained(columns)
        except Declined as declined:
            return Inexact(str(declined))

    def _explained(self, columns: Mapping[str, Values]) -> Contributions:
        rows, plan = self._scorer.read(columns), self._scorer.plan
        answers, inputs = self._additive.answers(rows), plan.inputs
        values = np.zeros((rows.n_rows, len(inputs), len(self._base)))
        for part in self._parts:
            values[:, part.held] += part.added(rows)
        given = [place for place, column in enumerate(inputs) if column.given]
        several = len(self._base) > 1
        classes = plan.classes
        if several and not classes:
            raise Declined("it answers each row with several values")
        linear = all(isinstance(one, Weights) for one in self._additive.parts)
        found = Contributions(
            columns=tuple(inputs[place].name for place in given),
            values=values[:, given],
            base=self._base,
            answers=answers,
            unit=self._additive.unit,
            method="linear" if linear else "TreeSHAP",
            exact=True,
            classes=classes if several or not classes else classes[-1:],
            background_rows=self._rows,
        )
        largest = max(np.abs(answers).max(initial=0.0), np.abs(values).max(initial=0.0), 1.0)
        if not found.gap <= _GAP * largest:
            raise Declined("its contributions do not add up to its answers")
        return found


def explain(
    scorer: Scorer, columns: Mapping[str, Values], *, background: Mapping[str, Values]
) -> Union[Contributions, Inexact]:
    """Return what each input column added to each answer, exactly; or why that is not known.

    Args:
        scorer: of the model.
        columns: name to (n_rows,) values of the rows that are explained, as `Scorer.score` takes.
        background: the same of the rows that they are compared with, at least one.
    """
    try:
        against = Against(scorer, background, often=False)
    except Declined as declined:
        return Inexact(str(declined))
    return against.explain(columns)


class _Shared:
    """A part of the sum, and the background that rows of it are compared with.

    Attributes:
        held: (n_groups,) places of the input columns that it asks for.

    Raises:
        Declined: a feature is made of several columns, or of nobody knows which.
    """

    def __init__(self, part: Part, others: Data, *, often: bool) -> None:
        owners = _owners(part)
        self.held, groups = np.unique(owners[owners >= 0], return_inverse=True)
        self._places = np.full(len(owners), -1, dtype=np.int32)
        self._places[owners >= 0] = groups.ravel()
        self._part = _exact(part)
        self._others = part.prepare(others)
        self._blocks: list[_Block] = []
        if isinstance(self._part, Leaves):
            self._blocks = list(_blocks(self._part.trees, dense(self._others), often=often))

    def added(self, rows: Data) -> Array:
        """Return what each group of features adds: (n_rows, n_groups, n_outputs)."""
        x = self._part.prepare(rows)
        if isinstance(self._part, Weights):
            return _of_weights(self._part, x, self._others, places=self._places)
        return _of_leaves(self._part, dense(x), self._blocks, places=self._places)


def _owners(part: Part) -> Array:
    """Return the place of the input column of each feature: (n_features,), -1 where none is asked.

    Raises:
        Declined: a feature is made of several columns, or of nobody knows which.
    """
    if isinstance(part, Leaves):
        width, asked = part.trees.n_features, part.trees.asked
    else:
        width, asked = part.weights.shape[1], np.flatnonzero(part.weights.any(axis=0))
    if part.origins is None or len(part.origins) != width:
        raise Declined("nobody knows which columns its features are made of")
    owners = np.full(width, -1)
    for feature in asked.tolist():
        origin = part.origins[feature]
        if origin is None:
            raise Declined("a feature of it is made of several columns")
        owners[feature] = origin.column
    return owners


def _exact(part: Part) -> Part:
    """Return a part whose leaves are float64, which sums are made in."""
    if isinstance(part, Weights) or part.trees.leaves.dtype == np.float64:
        return part
    trees = changed(part.trees, leaves=part.trees.leaves.astype(np.float64))
    return replace(part, trees=trees)


def _of_weights(part: Weights, x: Data, background: Data, *, places: Array) -> Array:
    """Return what each group of features adds to weighted columns.

    Args:
        part: of the sum.
        x: its features, of the rows that are explained.
        background: its features, of the rows that they are compared with.
        places: (n_features,) int32, the group of each; negative for none.
    """
    found = np.zeros((rows_of(x), int(places.max(initial=-1)) + 1, len(part.weights)))
    for group in range(found.shape[1]):
        chosen = np.flatnonzero(places == group)
        weights = np.ascontiguousarray(part.weights[:, chosen].T)
        mean = _product(select(background, chosen), weights).mean(axis=0)
        found[:, group] = _product(select(x, chosen), weights) - mean
    return found


def _blocks(trees: Trees, background: Array, *, often: bool) -> Iterator[_Block]:
    """Return the rows of a background as the trees take them, with where they turn."""
    for first in range(0, len(background), _BACKGROUND_ROWS):
        block = background[first : first + _BACKGROUND_ROWS]
        yield block, trees.rights(block) if often else None


def _product(data: Data, weights: Array) -> Array:
    return data.dot(weights) if isinstance(data, Sparse) else dense(data) @ weights


def _of_leaves(part: Leaves, x: Array, blocks: Sequence[_Block], *, places: Array) -> Array:
    """Return what each group of features adds to the leaves: (n_rows, n_groups, n_outputs).

    Raises:
        Declined: too many columns are asked for on the way to a leaf.
    """
    trees = part.trees
    sums = np.zeros((len(x), int(places.max(initial=-1)) + 1, trees.n_outputs))
    workers = os.cpu_count() or 1
    each = max(1, min(_ROWS, -(-len(x) // workers)))

    def contribute(start: int) -> bool:
        some = slice(start, start + each)
        return all(
            trees.contribute(x[some], sums[some], background=block, groups=places, rights=rights)
            for block, rights in blocks
        )

    # The kernel releases the interpreter's lock.
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(contribute, range(0, len(x), each)))
    if not all(done):
        raise Declined("more than 64 columns are asked for on the way to a leaf")
    sums *= part.factor / sum(len(block) for block, _ in blocks)
    return sums
