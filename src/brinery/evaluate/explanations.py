"""Why a model answers single rows as it does, and which rows are worth the question.

By default they are those that surprise: where the model is surest and wrong, or farthest off, and
where its answers are most extreme. This module knows how they are found and how contributions are
put into words; it must not know how contributions are computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.evaluate.bins import plain, shown
from brinery.evaluate.explainer import Explainer
from brinery.evaluate.labels import NO_CLASS, codes
from brinery.evaluate.observed import Floats, Observed
from brinery.evaluate.response import response
from brinery.records.contributions import Contributions
from brinery.records.evaluation import PredictionType
from brinery.records.explanation import Chosen, Contribution, RowExplanation
from brinery.records.signature import Scalar

EACH: Final = 3
MOST_COLUMNS: Final = 10

Choices = tuple[tuple[int, Chosen], ...]


class _Ranking(NamedTuple):
    """Rows by how much they are of a kind: (n_rows,), the greatest first; not finite is none."""

    chosen: Chosen
    by: Floats


def surprising(observed: Observed, *, each: int = EACH) -> Choices:
    """Return the rows that surprise most, each once, with what is surprising.

    Args:
        observed: the rows. Without labels only extreme answers surprise.
        each: how many there are of each kind at most.

    Returns:
        Place and reason; none where the answers are no numbers.
    """
    answers = response(observed)
    if isinstance(answers, str):
        return ()
    values = answers.of(observed.scores)
    known = observed.labelled()
    truth = np.full(values.shape, np.nan)
    if observed.actual is not None and known.size:
        truth[known] = answers.truth(observed.actual[known])
    taken: dict[int, Chosen] = {}
    for ranking in _rankings(observed, values, truth):
        order = np.argsort(-ranking.by, kind="stable")
        fitting = [int(row) for row in order[: each + len(taken)] if np.isfinite(ranking.by[row])]
        for row in [row for row in fitting if row not in taken][:each]:
            taken[row] = ranking.chosen
    return tuple(taken.items())


def asked(rows: Sequence[int]) -> Choices:
    """Return rows that were asked for, by their places."""
    return tuple((row, Chosen.ASKED) for row in dict.fromkeys(rows))


def explain(
    observed: Observed,
    explainer: Explainer,
    *,
    choices: Choices,
    most: int = MOST_COLUMNS,
) -> tuple[RowExplanation, ...]:
    """Return what made the model answer so for some rows.

    Of several classes it is the one that the model names that is explained.

    Args:
        observed: all rows.
        explainer: of the same model.
        choices: which rows, and why.
        most: how many columns are listed for each.

    Raises:
        UserError: the model refuses what the explainer asks it.
    """
    if not choices:
        return ()
    rows = np.array([row for row, _ in choices], np.int64)
    some = observed.take(rows)
    return of_rows(some, explainer(some.table), choices=choices, most=most)


def of_rows(
    observed: Observed,
    contributions: Contributions,
    *,
    choices: Choices,
    most: int = MOST_COLUMNS,
) -> tuple[RowExplanation, ...]:
    """Return the same of rows that were explained already.

    Args:
        observed: (n_rows,) those rows alone.
        contributions: to their answers.
        choices: (n_rows,) their places in the data, and why they were chosen.
        most: how many columns are listed for each.
    """
    explained = _Explained.of(observed, contributions)
    outputs = _outputs(observed, contributions)
    return tuple(
        explained.row(place, choice, output=int(output), most=most)
        for place, (choice, output) in enumerate(zip(choices, outputs, strict=True))
    )


@dataclass(frozen=True, eq=False)
class _Explained:
    """Rows with the contributions to their answers.

    Attributes:
        contributions: to the answers for the rows.
        values: (n_columns, n_rows) as JSON has them.
        predicted: (n_rows,) what the model says.
        actual: (n_rows,) what is true; None where unknown.
    """

    contributions: Contributions
    values: tuple[tuple[Scalar | None, ...], ...]
    predicted: tuple[Scalar | None, ...]
    actual: tuple[Scalar | None, ...]

    @classmethod
    def of(cls, observed: Observed, contributions: Contributions) -> _Explained:
        columns = (plain(observed.table.column(name)) for name in contributions.columns)
        unknown = (None,) * len(observed)
        actual = unknown if observed.actual is None else _shown(observed.actual)
        return cls(
            contributions,
            tuple(tuple(map(shown, column.to_pylist())) for column in columns),
            _shown(observed.scores.flat().predictions),
            actual,
        )

    def row(
        self, place: int, choice: tuple[int, Chosen], *, output: int, most: int
    ) -> RowExplanation:
        """Return the explanation of the answer of one row to one class."""
        all_of = self.contributions
        amounts = all_of.values[place, :, output]
        order = np.argsort(-np.abs(amounts), kind="stable")
        errors = all_of.standard_errors
        listed = tuple(
            Contribution(
                column=all_of.columns[one],
                value=self.values[one][place],
                amount=float(amounts[one]),
                standard_error=None if errors is None else float(errors[place, one, output]),
            )
            for one in order[:most].tolist()
        )
        row, chosen = choice
        return RowExplanation(
            row=row,
            chosen=chosen,
            predicted=self.predicted[place],
            actual=self.actual[place],
            explained=all_of.classes[output] if all_of.classes else None,
            answer=float(all_of.answers[place, output]),
            base=float(all_of.base[output]),
            contributions=listed,
            rest=float(amounts[order[most:]].sum()),
            unit=all_of.unit,
            method=all_of.method,
            exact=all_of.exact,
        )


def _rankings(observed: Observed, values: Floats, truth: Floats) -> Iterator[_Ranking]:
    if observed.type is PredictionType.MULTICLASS:
        yield from _of_classes(observed)
        return
    answer, true = values[:, 0], truth[:, 0]
    if observed.type is PredictionType.BINARY:
        wrong = codes(observed.scores.predictions, observed.classes) != true
        yield _Ranking(Chosen.FALSE_POSITIVE, np.where(wrong & (true == 0), answer, np.nan))
        yield _Ranking(Chosen.FALSE_NEGATIVE, np.where(wrong & (true == 1), -answer, np.nan))
    else:
        off = answer - true
        yield _Ranking(Chosen.TOO_HIGH, np.where(off > 0, off, np.nan))
        yield _Ranking(Chosen.TOO_LOW, np.where(off < 0, -off, np.nan))
    yield _Ranking(Chosen.HIGHEST, answer)
    yield _Ranking(Chosen.LOWEST, -answer)


def _of_classes(observed: Observed) -> Iterator[_Ranking]:
    """Yield the rankings where there are several classes."""
    predicted = codes(observed.scores.predictions, observed.classes)
    chances = observed.scores.probabilities
    if chances is None:
        chances = (predicted[:, np.newaxis] == np.arange(len(observed.classes))).astype(np.float64)
    if observed.actual is not None:
        true = codes(observed.actual, observed.classes)
        wrong = (true != NO_CLASS) & (true != predicted)
        of_truth = np.take_along_axis(chances, np.maximum(true, 0)[:, np.newaxis], axis=1)[:, 0]
        yield _Ranking(Chosen.LARGEST_LOSS, np.where(wrong, -of_truth, np.nan))
    if observed.scores.probabilities is not None:
        yield _Ranking(Chosen.SUREST, chances.max(axis=1))
        yield _Ranking(Chosen.LEAST_SURE, -chances.max(axis=1))


def _outputs(observed: Observed, contributions: Contributions) -> npt.NDArray[np.intp]:
    """Return which output is explained of each row: that of the class which the model names."""
    likeliest: npt.NDArray[np.intp] = contributions.answers.argmax(axis=1)
    if len(contributions.classes) <= 1:
        return likeliest
    named = codes(observed.scores.predictions, contributions.classes)
    return np.where(named == NO_CLASS, likeliest, named)


def _shown(values: npt.NDArray[np.generic]) -> tuple[Scalar | None, ...]:
    return tuple(map(shown, values.tolist()))
