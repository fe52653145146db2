"""Whether two ways to a model give the same answers, where each row has several values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brinery.errors import ParityFailed
from brinery.evaluate.parity import compare
from brinery.records.scores import Scores

NAMES = ("the file", "the scorer")


def several(*rows: list[Any], outputs: tuple[str, ...] = ("a", "b")) -> Scores:
    """Return answers of two values for each row."""
    mixed = any(isinstance(value, str) for row in rows for value in row)
    return Scores(predictions=np.array(rows, dtype=object if mixed else None), outputs=outputs)


def test_every_value_of_a_row() -> None:
    """Each value may differ by 1e-9 of its size, and the largest difference is told."""
    one = several([1.0, 2.0], [3.0, np.nan])
    same = compare(one, several([1.0, 2.0 + 1e-10], [3.0, np.nan]), names=NAMES)
    assert same.rows == 2
    assert same.max_difference == pytest.approx(1e-10, rel=1e-3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (several([1.0, 2.0], [3.0, 4.0]), several([1.0, 2.0], [3.0, 4.1])),
        (several([1.0, "x"], [3.0, "y"]), several([1.0, "x"], [3.0, "z"])),
        (several([1.0, "x"], [3.0, "y"]), several([1.0, "x"], [3.1, "y"])),
        (several([1, 2], [3, 4]), several([1, 2], [3, 5])),
    ],
    ids=["number", "text", "number beside text", "whole number"],
)
def test_one_value_that_differs(one: Scores, other: Scores) -> None:
    """One value that differs is enough, and its row is named."""
    with pytest.raises(ParityFailed, match=r"on 1 of 2 rows, first on row 2"):
        compare(one, other, names=NAMES)


def test_numbers_beside_text() -> None:
    """Numbers keep their tolerance beside text, and a missing one is equal to itself."""
    one = several([1.0, "x"], [np.nan, "y"])
    assert compare(one, several([1.0 + 1e-12, "x"], [np.nan, "y"]), names=NAMES).rows == 2


@pytest.mark.parametrize(
    "other",
    [several([1.0, 2.0], outputs=("a", "c")), Scores(predictions=np.array([1.0]))],
    ids=["names", "one"],
)
def test_other_outputs(other: Scores) -> None:
    """Answers of other names, or of another number of values, are not the same."""
    with pytest.raises(ParityFailed, match="the file answers each row with 2 values"):
        compare(several([1.0, 2.0]), other, names=NAMES)
