from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.evaluate.filters import matching
from brinery.specs.filters import Filter

START = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - no zone is meant
TABLE = pa.table(
    {
        "age": [59, 60, None, 70],
        "balance": [-1.5, math.nan, None, 2.0],
        "job": ["retired", None, "it's", "student"],
        "loan": [True, False, None, True],
        "since": pa.array([START, START + dt.timedelta(days=31), None, START]),
        "on": pa.array([dt.date(2024, 1, 1), None, dt.date(2024, 2, 1), dt.date(2023, 1, 1)]),
        "paid": pa.array([Decimal("1.10"), None, Decimal("2.20"), Decimal("0.00")]),
        "kind": pa.array(["a", "b", None, "a"]).dictionary_encode(),
        "tags": [[1], [2], None, []],
        "identity": pa.array([2**62, 2**62 + 1, None, 0]),
    }
)


def rows(text: str) -> list[int] | str:
    found = matching(Filter.parse(text), TABLE)
    return found if isinstance(found, str) else np.flatnonzero(found).tolist()


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", [0, 1, 2, 3]),
        ("age >= 60", [1, 3]),
        ("age != 60", [0, 3]),
        ("age in [59, 70.0]", [0, 3]),
        ("age not in [59]", [1, 3]),
        ("age is missing", [2]),
        ("age < 60.5 and age > 59.5", [1]),
        ("balance != 2", [0]),
        ("balance is missing", [1, 2]),
        ("balance is not missing", [0, 3]),
        ('job == "retired"', [0]),
        ("job == 'it\\'s'", [2]),
        ('job > "s"', [3]),
        ('job not in ["retired", "x"]', [2, 3]),
        ("loan == true", [0, 3]),
        ("loan != true", [1]),
        ('since >= "2024-01-02"', [1]),
        ('since == "2024-01-01T00:00:00"', [0, 3]),
        ('since == "2024-01-01T01:00:00+01:00"', [0, 3]),
        ('on < "2024-01-01"', [3]),
        ("paid >= 1.1", [0, 2]),
        ('kind == "a"', [0, 3]),
        ("identity == 4611686018427387905", [1]),
        ("identity < 100000000000000000000", [0, 1, 3]),
        ("tags is missing", [2]),
        ('age >= 59 and job == "student" and kind == "a"', [3]),
    ],
)
def test_chosen_rows(text: str, chosen: list[int]) -> None:
    """A filter chooses the rows for which it holds, never one without a value."""
    assert rows(text) == chosen


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("agee == 1", "the data has no column 'agee': did you mean 'age'?"),
        ('age >= "60"', "column 'age' holds numbers, and '60' is none"),
        ("age == true", "column 'age' holds numbers, and True is none"),
        ("job == 1", "column 'job' holds texts, and 1 is none"),
        ("loan == 1", "column 'loan' holds truth values, and 1 is none"),
        ("loan > 1", "column 'loan' holds truth values, which have no order"),
        ('since > "soon"', "column 'since' holds times, and 'soon' is none"),
        ("tags == 1", "column 'tags' holds values of type list<"),
    ],
)
def test_what_cannot_be_compared(text: str, why: str) -> None:
    """What cannot be compared is a reason in words."""
    found = rows(text)
    assert isinstance(found, str)
    assert found.startswith(why)


def test_a_zone() -> None:
    """A time without a zone is in that of the column."""
    moments = pa.array([START], pa.timestamp("ms", "Asia/Kolkata"))
    data = pa.table({"at": moments})
    for text in ('at == "2024-01-01T05:30:00"', 'at == "2024-01-01T00:00:00+00:00"'):
        found = matching(Filter.parse(text), data)
        assert not isinstance(found, str)
        assert found.all()


def test_a_name_that_stands_twice() -> None:
    """A column whose name another one has cannot be named."""
    data = pa.table([[1], [2]], names=["x", "x"])
    assert matching(Filter.parse("x == 1"), data) == "the data has several columns 'x'"


@given(st.lists(st.none() | st.integers(-3, 3) | st.just(0)), st.integers(-3, 3))
def test_a_comparison_and_its_opposite(values: list[Any], value: int) -> None:
    """A comparison, its opposite and the gaps share out the rows."""
    data = pa.table({"x": pa.array(values, pa.int8())})
    for one, other in (("==", "!="), ("<", ">="), (">", "<=")):
        found = [
            matching(Filter.parse(text), data)
            for text in (f"x {one} {value}", f"x {other} {value}", "x is missing")
        ]
        assert (np.sum(np.array(found, np.intp), axis=0) == 1).all()
