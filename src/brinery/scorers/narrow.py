"""A few rows of a narrow model of numbers, answered at once by the compiled kernel.

It does what `rows` says, operation by operation; numpy takes longer to begin than a few rows take.
"""

from __future__ import annotations

from typing import Optional, Union

import numpy as np

from brinery.scorers import kernel, rows
from brinery.scorers.data import Array
from brinery.scorers.interface import Answer
from brinery.scorers.kernel import Meaning, Operation
from brinery.scorers.rows import Link

_MEANINGS = {
    Link.NONE: Meaning.LABELS,
    Link.LOGISTIC: Meaning.LOGISTIC,
    Link.SOFTMAX: Meaning.SOFTMAX,
}
# Of more figures than these numpy makes the exponentials sooner, several at once.
_MOST_FIGURES = 1024


class Narrow:
    """What answers a few rows.

    Args:
        model: the compiled part.
        flat: whether what it predicts is one number for each row.

    Attributes:
        most_rows: how many it takes; more are sooner answered through arrays.
    """

    def __init__(self, model: kernel.Narrow, *, flat: bool) -> None:
        self._model = model
        self._flat = flat
        self.most_rows = _MOST_FIGURES // model.n_values

    def answer(self, table: Array) -> Optional[Answer]:
        """Return the answers of some rows; None where the arrays are to give them.

        Args:
            table: (n_rows, n_columns) float64, C-contiguous.
        """
        found = self._model.answer(table)
        if found is None:
            return None
        labels, values = found
        if labels is not None:
            return Answer(labels=labels, probabilities=values)
        return Answer(values=values[:, 0] if self._flat and values is not None else values)


def compiled(model: rows.Model) -> Optional[Narrow]:
    """Return what answers rows as a narrow model does; None where there is no kernel for it."""
    steps: list[rows.Step] = []
    while isinstance(model, rows.Behind):
        steps += _in_turn(model.step)
        model = model.model
    weights, width = np.array(model.sums.weights), len(model.sums.weights[0])
    if not kernel.available() or weights.size > kernel.NARROW:
        return None
    if any(isinstance(step, rows.Same) and step.width not in (None, width) for step in steps):
        return None
    done = [one for step in steps for one in _done(step)]
    if any(len(numbers) != width for _, numbers in done):
        return None
    made = kernel.Narrow(
        numbers=np.array([numbers for _, numbers in done], dtype=np.float64),
        operations=np.array([operation for operation, _ in done], dtype=np.int32),
        weights=weights,
        intercepts=np.array(model.sums.intercepts),
        largest=model.sums.largest,
        meaning=_meaning(model),
    )
    return Narrow(made, flat=isinstance(model, rows.Regressed) and model.flat)


def _meaning(model: Union[rows.Classified, rows.Regressed]) -> Meaning:
    if isinstance(model, rows.Classified):
        return _MEANINGS[model.link]
    return Meaning.EXPONENTIALS if model.exponential else Meaning.SUMS


def _in_turn(step: rows.Step) -> list[rows.Step]:
    """Return the steps that a step consists of."""
    if not isinstance(step, rows.InTurn):
        return [step]
    return [one for each in step.steps for one in _in_turn(each)]


def _done(step: rows.Step) -> list[tuple[Operation, list[float]]]:
    """Return what a step does to each number, in order."""
    if isinstance(step, rows.Stretched):
        return [(Operation.TIMES, step.factor), (Operation.PLUS, step.shift)]
    if not isinstance(step, rows.Scaled):
        return []
    given = (Operation.MINUS, step.shift), (Operation.DIVIDED, step.scale)
    return [(operation, numbers) for operation, numbers in given if numbers is not None]
