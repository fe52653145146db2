from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from brinery.evaluate import explanations
from brinery.evaluate.observed import Observed
from brinery.records.contributions import Contributions, Unit
from brinery.records.evaluation import PredictionType
from brinery.records.explanation import Chosen, RowExplanation
from brinery.records.scores import Scores


def table(rows: int) -> pa.Table:
    return pa.table({"a": np.arange(rows), "b": [f"text {row}" for row in range(rows)]})


def binary(chances: list[float], actual: list[Any]) -> Observed:
    chance = np.array(chances)
    return Observed(
        table=table(len(chances)),
        scores=Scores(np.where(chance > 0.5, "yes", "no"), np.column_stack([1 - chance, chance])),
        type=PredictionType.BINARY,
        actual=np.array(actual, dtype=object),
        classes=("no", "yes"),
    )


class Fixed:
    """An explainer that gives the same two contributions to every row and class."""

    def __init__(self, classes: tuple[str, ...] = (), errors: float | None = None) -> None:
        self.classes = classes
        self.errors = errors

    def __call__(self, asked: pa.Table, /) -> Contributions:
        shape = (asked.num_rows, 2, max(1, len(self.classes)))
        values = np.broadcast_to(np.array([0.1, -0.3])[:, np.newaxis], shape)
        return Contributions(
            columns=("a", "b"),
            values=values * np.arange(1, shape[2] + 1),
            base=np.full(shape[2], 0.5),
            answers=np.full((asked.num_rows, shape[2]), 0.3),
            unit=Unit.PROBABILITY,
            method="fixed",
            exact=self.errors is None,
            classes=self.classes,
            standard_errors=None if self.errors is None else np.full(shape, self.errors),
        )


def test_sure_and_wrong_come_first() -> None:
    """Of a binary model the surest errors of both kinds, then the extreme answers."""
    chances = [0.9, 0.8, 0.6, 0.1, 0.2, 0.99, 0.01, 0.5001]
    actual = ["no", "no", "yes", "yes", "yes", "yes", "no", None]
    found = explanations.surprising(binary(chances, actual), each=1)
    assert found == (
        (0, Chosen.FALSE_POSITIVE),
        (3, Chosen.FALSE_NEGATIVE),
        (5, Chosen.HIGHEST),
        (6, Chosen.LOWEST),
    )


def test_each_row_is_chosen_once() -> None:
    """A row that surprises in two ways is there for the first, and others take its place."""
    found = explanations.surprising(binary([0.9, 0.7, 0.2, 0.1], ["no"] * 4), each=2)
    assert found == (
        (0, Chosen.FALSE_POSITIVE),
        (1, Chosen.FALSE_POSITIVE),
        (2, Chosen.HIGHEST),
        (3, Chosen.HIGHEST),
    )


def test_of_a_regression() -> None:
    """The predictions that are too high, too low, highest and lowest."""
    observed = Observed(
        table=table(6),
        scores=Scores(np.array([5.0, 1.0, 9.0, -3.0, 2.0, 2.0])),
        type=PredictionType.REGRESSION,
        actual=np.array([1.0, 6.0, 9.0, -3.0, 2.0, np.nan]),
    )
    assert explanations.surprising(observed, each=1) == (
        (0, Chosen.TOO_HIGH),
        (1, Chosen.TOO_LOW),
        (2, Chosen.HIGHEST),
        (3, Chosen.LOWEST),
    )


def three(chances: Any, actual: Any, *, without: bool = False) -> Observed:
    given = np.array(chances)
    names = np.array(["x", "y", "z"])
    return Observed(
        table=table(len(given)),
        scores=Scores(names[given.argmax(axis=1)], None if without else given),
        type=PredictionType.MULTICLASS,
        actual=actual,
        classes=("x", "y", "z"),
    )


def test_of_several_classes() -> None:
    """The least probable truth, the surest answer and the least sure."""
    chances = [[0.9, 0.05, 0.05], [0.4, 0.3, 0.3], [0.02, 0.97, 0.01], [0.2, 0.1, 0.7]]
    actual = np.array(["z", "x", "y", "x"])
    assert explanations.surprising(three(chances, actual), each=1) == (
        (0, Chosen.LARGEST_LOSS),
        (2, Chosen.SUREST),
        (1, Chosen.LEAST_SURE),
    )
    assert explanations.surprising(three(chances, actual, without=True), each=1) == (
        (0, Chosen.LARGEST_LOSS),
    )
    assert [why for _, why in explanations.surprising(three(chances, None), each=1)] == [
        Chosen.SUREST,
        Chosen.LEAST_SURE,
    ]


def test_says_what_added_what() -> None:
    """The largest contribution first, with its sign and the row's value; the rest is summed."""
    observed = binary([0.3, 0.7], ["no", None])
    one, other = explanations.explain(
        observed, Fixed(errors=0.01), choices=explanations.asked([1, 0, 1]), most=1
    )
    assert (one.row, one.chosen, one.predicted, one.actual) == (1, Chosen.ASKED, "yes", None)
    assert (other.row, other.actual, other.explained) == (0, "no", None)
    (first,) = one.contributions
    assert (first.column, first.value, first.amount) == ("b", "text 1", -0.3)
    assert first.standard_error == 0.01
    assert one.rest == pytest.approx(0.1)
    assert one.base + first.amount + one.rest == pytest.approx(one.answer)


def test_the_class_that_is_named_is_explained() -> None:
    """Of several classes it is the answer for the one that the model names."""
    observed = three([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1]], np.array(["x", "x"]))
    found = explanations.explain(
        observed, Fixed(("x", "y", "z")), choices=explanations.asked([0, 1])
    )
    assert [one.explained for one in found] == ["z", "x"]
    assert [one.contributions[0].amount for one in found] == pytest.approx([-0.9, -0.3])


def test_no_rows_are_no_question() -> None:
    """Where no row is chosen the explainer is not asked."""
    observed = Observed(
        table=table(2), scores=Scores(np.array(["a", "b"])), type=PredictionType.REGRESSION
    )
    assert explanations.surprising(observed) == ()
    assert explanations.explain(observed, Fixed(), choices=()) == ()


def test_is_json() -> None:
    """The record can be written as JSON and read back."""
    observed = binary([0.3, 0.7], ["no", None])
    found = explanations.explain(observed, Fixed(), choices=explanations.asked([0, 1]))
    assert msgspec.json.decode(msgspec.json.encode(found), type=tuple[RowExplanation, ...]) == found
