"""How far a written model's answers are from the model's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brinery.evaluate.difference import measure
from brinery.records.scores import Scores


def scores(predictions: list[Any], probabilities: Any = None, classes: Any = ()) -> Scores:
    """Return answers."""
    table = None if probabilities is None else np.asarray(probabilities, dtype=np.float64)
    return Scores(predictions=np.asarray(predictions), probabilities=table, classes=classes)


OWN = scores(["no", "yes"], [[0.7, 0.3], [0.2, 0.8]], ("no", "yes"))


def test_equal_answers() -> None:
    """Equal answers differ by nothing."""
    assert measure(OWN, OWN) == (2, 0, 0.0, ())


def test_probabilities() -> None:
    """The largest difference of a probability is found."""
    other = scores(["no", "yes"], [[0.7, 0.3], [0.25, 0.75]], ("no", "yes"))
    assert measure(OWN, other).largest == pytest.approx(0.05, abs=1e-12)


def test_labels() -> None:
    """Rows with another label are counted."""
    other = scores(["yes", "yes"], OWN.probabilities, ("no", "yes"))
    assert measure(OWN, other).labels_differ == 1


@pytest.mark.parametrize("classes", [(), (0, 1)])
def test_positions_stand_for_classes(classes: tuple[int, ...]) -> None:
    """Numbers of a format without names of classes are their positions, and that is said."""
    other = scores([0, 1], OWN.probabilities, classes)
    assert measure(OWN, other) == (2, 0, 0.0, ("no", "yes"))


def test_wrong_positions() -> None:
    """Positions that mean another class are other labels."""
    assert measure(OWN, scores([1, 0], OWN.probabilities, (0, 1))).labels_differ == 2


def test_numbers_that_are_classes_are_no_positions() -> None:
    """Classes that are numbers from 0 themselves are compared as they are."""
    own = scores([0, 1], [[0.7, 0.3], [0.2, 0.8]], (0, 1))
    assert measure(own, own) == (2, 0, 0.0, ())


def test_values_by_their_size() -> None:
    """A large value may differ by more; a missing one equals a missing one."""
    own = scores([1000.0, 0.5, np.nan])
    assert measure(own, scores([1001.0, 0.5, np.nan])).largest == pytest.approx(1e-3)
    assert measure(own, scores([1000.0, 0.5, 1.0])).largest == np.inf


@pytest.mark.parametrize(
    "other", [scores(["no"]), scores(["no", "yes"], None, ("no", "yes")), scores(["no", "no"])]
)
def test_what_cannot_be_compared(other: Scores) -> None:
    """Another number of rows, or no probabilities, is as far as can be."""
    assert measure(OWN, other).largest == np.inf


def several(*rows: list[Any]) -> Scores:
    """Return answers of two values for each row."""
    table = np.array(rows, dtype=object)
    plain = table.astype(np.float64) if not any(isinstance(v, str) for v in table.flat) else table
    return Scores(predictions=plain, outputs=("a", "b"))


def test_several_values_by_their_columns() -> None:
    """Of several values numbers are told by their difference, and text by the rows of it."""
    own = several([1.0, "x"], [2.0, "y"])
    assert measure(own, own) == (2, 0, 0.0, ())
    other = several([1.0, "x"], [2.5, "z"])
    assert measure(own, other) == (2, 1, 0.25, ())
    numbers = several([1.0, np.nan], [2.0, 4.0])
    assert measure(numbers, numbers).largest == 0.0
    assert measure(numbers, several([1.0, 3.0], [2.0, 4.0])).largest == np.inf


def test_another_number_of_values() -> None:
    """Answers of another width are not compared."""
    own = several([1.0, 2.0])
    assert measure(own, scores([1.0])).largest == np.inf
