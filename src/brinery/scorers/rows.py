"""What narrow models of numbers do to a single row, in plain figures: no array, and no numpy.

Arithmetic on a few numbers is sooner done by itself than through arrays, and a process that starts
to answer one row has no need of a library of arrays yet. The nodes say what they do to a row in
these terms (`row`); all of it is data, which lies in a package beside its model's facts.
For some rows the answer is None: those are for the arrays, which know what to do with what is too
large, missing or nearly undecided.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import add, mul, sub, truediv
from typing import Any, NamedTuple, Optional, Union

from msgspec import Struct

from brinery.records.signature import Scalar
from brinery.records.text_enum import TextEnum

# From this on, neighbouring whole numbers are one float64.
EXACT = 2.0**53
# How near two sums may come before the arrays decide which is the larger.
_TIED = 1e-9
_SIMPLE_NUMBERS = frozenset({int, float})


class RowAnswer(NamedTuple):
    """The answer for a row.

    Attributes:
        label: place of the predicted class; None where the model has no classes.
        values: (n_outputs,) predicted numbers; None of a classifier.
        chances: (n_classes,) probabilities; None where it gives none.
        flat: whether the values are one number for the row, not a row of numbers.
    """

    label: Optional[int] = None
    values: Optional[list[float]] = None
    chances: Optional[list[float]] = None
    flat: bool = True


RowStep = Callable[[list[float]], Optional[list[float]]]
RowModel = Callable[[list[float]], Optional[RowAnswer]]


class Link(TextEnum):
    """How the probabilities of a linear classifier come of its sums."""

    NONE = "none"
    LOGISTIC = "logistic"
    SOFTMAX = "softmax"
    HUBER = "huber"


class Same(Struct, frozen=True, tag=True):
    """A row as it is.

    Attributes:
        width: how many numbers it must have; None where any.
    """

    width: Optional[int] = None

    def function(self) -> RowStep:
        """Return what leaves a row as it is."""
        width = self.width
        return lambda row: row if width is None or len(row) == width else None


class Scaled(Struct, frozen=True, tag=True):
    """(x - shift) / scale, each part where there is one.

    Attributes:
        shift: (n_features,).
        scale: (n_features,), none of them 0.
    """

    shift: Optional[list[float]] = None
    scale: Optional[list[float]] = None

    def function(self) -> RowStep:
        """Return what scales a row."""
        shift, scale = self.shift, self.scale
        width = len(shift or scale or ())

        def scaled(row: list[float]) -> Optional[list[float]]:
            if len(row) != width:
                return None
            if shift is not None:
                row = list(map(sub, row, shift))
            return row if scale is None else list(map(truediv, row, scale))

        return scaled


class Stretched(Struct, frozen=True, tag=True):
    """x * factor + shift.

    Attributes:
        factor: (n_features,).
        shift: (n_features,).
    """

    factor: list[float]
    shift: list[float]

    def function(self) -> RowStep:
        """Return what stretches a row."""
        factor, shift, width = self.factor, self.shift, len(self.factor)

        def stretched(row: list[float]) -> Optional[list[float]]:
            return list(map(add, map(mul, row, factor), shift)) if len(row) == width else None

        return stretched


class InTurn(Struct, frozen=True, tag=True):
    """Steps, one after the other.

    Attributes:
        steps: in order.
    """

    steps: tuple[Step, ...]

    def function(self) -> RowStep:
        """Return what takes a row through the steps, while there is a row."""
        functions = [step.function() for step in self.steps]

        def taken(row: list[float]) -> Optional[list[float]]:
            made: Optional[list[float]] = row
            for function in functions:
                if made is None:
                    return None
                made = function(made)
            return made

        return taken


class Weighted(Struct, frozen=True):
    """Weighted sums of a row.

    Attributes:
        weights: (n_sums, n_features).
        intercepts: (n_sums,).
        largest: what no number of a row may exceed.
    """

    weights: list[list[float]]
    intercepts: list[float]
    largest: float

    def function(self) -> RowStep:
        """Return what gives the sums of a row."""
        weighted, largest = list(zip(self.weights, self.intercepts)), self.largest
        width = len(self.weights[0])

        def sums(row: list[float]) -> Optional[list[float]]:
            if len(row) != width or not max(map(abs, row)) <= largest:
                return None
            found = [sum(map(mul, row, weights)) + start for weights, start in weighted]
            return None if math.isnan(sum(found)) else found

        return sums


class Classified(Struct, frozen=True, tag=True):
    """A sum for the second of two classes, or for each class.

    Attributes:
        sums: of the row.
        link: to the probabilities.
    """

    sums: Weighted
    link: Link

    def function(self) -> RowModel:
        """Return what answers a row, unless two classes are as good as tied."""
        sums_of_row, link = self.sums.function(), self.link

        def answer(row: list[float]) -> Optional[RowAnswer]:
            sums = sums_of_row(row)
            if sums is None:
                return None
            facing = sums if len(sums) > 1 else [0.0, *sums]
            best = max(facing)
            if sum([best - one < _TIED for one in facing]) > 1:
                return None
            return RowAnswer(facing.index(best), None, _chances(sums, link))

        return answer


class Regressed(Struct, frozen=True, tag=True):
    """Weighted sums.

    Attributes:
        sums: of the row.
        flat: whether there is one number, and not a row of numbers.
        exponential: whether the sums are logarithms of the predictions.
    """

    sums: Weighted
    flat: bool
    exponential: bool

    def function(self) -> RowModel:
        """Return what answers a row."""
        sums_of_row, flat, exponential = self.sums.function(), self.flat, self.exponential

        def answer(row: list[float]) -> Optional[RowAnswer]:
            sums = sums_of_row(row)
            if sums is None:
                return None
            values = list(map(math.exp, sums)) if exponential else sums
            return RowAnswer(None, values[:1] if flat else values, flat=flat)

        return answer


class Behind(Struct, frozen=True, tag=True):
    """A model behind a step.

    Attributes:
        step: what is done with the row first.
        model: what answers.
    """

    step: Step
    model: Model

    def function(self) -> RowModel:
        """Return what answers a row."""
        step, model = self.step.function(), self.model.function()

        def answer(row: list[float]) -> Optional[RowAnswer]:
            made = step(row)
            return None if made is None else model(made)

        return answer


Step = Union[Same, Scaled, Stretched, InTurn]
Model = Union[Classified, Regressed, Behind]


class Rows(Struct, frozen=True, kw_only=True):
    """What answers single rows of numbers.

    Attributes:
        names: of the columns, in the order of the model.
        model: what answers.
        predictions: what is predicted of each class; empty where the model has no classes.
        labels: what the classes are called; empty where nobody named them.
    """

    names: tuple[str, ...]
    model: Model
    predictions: tuple[Scalar, ...] = ()
    labels: tuple[str, ...] = ()


def numbers(row: Sequence[Any]) -> Optional[list[float]]:
    """Return a row of numbers as floats; None where the arrays are to read it."""
    if not _SIMPLE_NUMBERS.issuperset(map(type, row)) or not max(map(abs, row)) < EXACT:
        return None
    return list(map(float, row))


def _chances(sums: list[float], link: Link) -> Optional[list[float]]:
    """Return the probabilities of each class that the sums of a row mean; None for none."""
    if link is Link.NONE:
        return None
    one = len(sums) == 1
    if link is Link.SOFTMAX:
        sums = [-sums[0], sums[0]] if one else sums
        best = max(sums)
        powers = [math.exp(x - best) for x in sums]
    else:
        powers = [1.0 / (1.0 + math.exp(-x)) for x in sums]
        if one:
            return [1 - powers[0], powers[0]]
    total = sum(powers)
    return [power / total for power in powers]
