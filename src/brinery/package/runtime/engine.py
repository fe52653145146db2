"""What an engine answers: the scorer, or the model's own library; a package has one of the two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:  # it takes numpy along, which the answer to a row may do without
    from brinery.records.scores import Scores


class Refused(Exception):
    """The engine has no answer for these rows; the text says why."""


class Answers(NamedTuple):
    """The answers for some rows, as JSON has them.

    Attributes:
        predictions: a value per row; of several values, an object by name.
        probabilities: per row, class to probability; None where the model gives none.
    """

    predictions: list[Any]
    probabilities: list[dict[str, float]] | None


class Engine(Protocol):
    """Answers rows."""

    def scores(self, columns: Mapping[str, Sequence[Any]], *, n_rows: int) -> Scores | Answers:
        """Return the answers for some rows, by the names of classes or outputs.

        Args:
            columns: name to (n_rows,) values, None for a missing one.
            n_rows: how many rows there are.

        Raises:
            Refused: there are none.
        """
        ...


def plain(scores: Scores | Answers) -> Answers:
    """Return scores as JSON has them: numpy's numbers become Python's."""
    if isinstance(scores, Answers):
        return scores
    predictions = scores.predictions.tolist()
    if scores.predictions.ndim > 1:
        names = scores.outputs or [f"output_{n}" for n in range(scores.predictions.shape[1])]
        return Answers([dict(zip(names, map(finite, row))) for row in predictions], None)
    if scores.probabilities is None:
        return Answers(list(map(finite, predictions)), None)
    labels = [str(label) for label in scores.classes] or list(
        map(str, range(scores.probabilities.shape[1]))
    )
    chances = [dict(zip(labels, row)) for row in scores.probabilities.tolist()]
    return Answers(predictions, chances)


def finite(value: Any) -> Any:
    """Return a value as JSON can say it: what is no finite number is null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
