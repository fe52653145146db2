"""A model's raw answer as a sum: what its trees' leaves, or its weighted columns, add up to.

A forest's probability, a boosted model's log-odds, a linear model's value. What explains a model
exactly needs it in this form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Union

import numpy as np
from msgspec.structs import replace as changed

from brinery.records.contributions import Unit
from brinery.scorers.data import Array, Data, Declined
from brinery.scorers.origin import Origins
from brinery.scorers.trees import Trees

_TWO = 2


@dataclass(frozen=True, eq=False)
class Leaves:
    """Trees, and what their leaves count in the sum.

    Attributes:
        trees: with a sum for each output.
        origins: of their features.
        prepare: from what the model is given to the features: (n_rows, n_features).
        factor: what each leaf is multiplied with.
    """

    trees: Trees
    origins: Origins
    prepare: Callable[[Data], Array]
    factor: float = 1.0


@dataclass(frozen=True, eq=False)
class Weights:
    """Weighted columns.

    Attributes:
        weights: (n_outputs, n_features) float64.
        origins: of the features.
        prepare: from what the model is given to the features: finite float64 numbers.
    """

    weights: Array
    origins: Origins
    prepare: Callable[[Data], Data]


Part = Union[Leaves, Weights]


@dataclass(frozen=True, eq=False)
class Additive:
    """A model's raw answer, which is a constant and the sum of its parts.

    Attributes:
        parts: what is added.
        answers: from what the model is given to its raw answers: (n_rows, n_outputs).
        unit: of the raw answers. Where there is one of a classifier, it is for the second of two
            classes, else there is one for each class.
    """

    parts: tuple[Part, ...]
    answers: Callable[[Data], Array]
    unit: Unit

    def behind(self, transform: Callable[[Data], Data]) -> Additive:
        """Return it as the sum of what is given to a step before it."""
        return Additive(
            tuple(replace(one, prepare=_Through(transform, one.prepare)) for one in self.parts),
            _Through(transform, self.answers),
            self.unit,
        )


@dataclass(frozen=True, eq=False)
class _Through:
    """One function behind another."""

    first: Callable[[Data], Data]
    then: Callable[[Data], Any]

    def __call__(self, data: Data) -> Any:
        return self.then(self.first(data))


def shares(chances: Array) -> Array:
    """Return the probabilities that are explained: the second's of two classes, else all.

    Args:
        chances: (n_rows, n_classes), or a table of leaves that has such rows.
    """
    return chances[:, 1:] if chances.shape[1] == _TWO else chances


def of_classes(trees: Trees) -> Trees:
    """Return trees of probabilities as trees of those that are explained."""
    leaves = shares(trees.leaves)
    return changed(trees, leaves=np.ascontiguousarray(leaves), n_outputs=leaves.shape[1])


def check_single(n_outputs: int) -> None:
    """Check that a regression has one answer for each row.

    Raises:
        Declined: it has several.
    """
    if n_outputs != 1:
        raise Declined("it answers each row with several values")


def mixture(
    members: Sequence[Additive], factors: Sequence[float], *, answers: Callable[[Data], Array]
) -> Additive:
    """Return the weighted sum of several models' answers.

    Args:
        members: the models.
        factors: of each.
        answers: of the whole.

    Raises:
        Declined: their answers are not what is added, but what is explained of them.
    """
    units = {one.unit for one in members}
    if len(units) > 1 or units - {Unit.VALUE, Unit.PROBABILITY}:
        raise Declined("it mixes answers of models that are not sums themselves")
    parts = tuple(
        _scaled(part, factor) for one, factor in zip(members, factors) for part in one.parts
    )
    return Additive(parts, answers, units.pop())


def _scaled(part: Part, factor: float) -> Part:
    if isinstance(part, Leaves):
        return replace(part, factor=part.factor * factor)
    return replace(part, weights=part.weights * factor)
