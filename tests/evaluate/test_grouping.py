from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from brinery.evaluate.filters import matching
from brinery.evaluate.grouping import BINS, LEVELS, Grouping, Ungrouped, cross, group
from brinery.records.group import GroupKind
from brinery.specs.filters import Filter

modest = settings(max_examples=80, deadline=None)

TIMES = st.datetimes(dt.datetime(1905, 1, 1), dt.datetime(2120, 1, 1))  # noqa: DTZ001 - no zone is meant
COLUMNS = (
    st.tuples(st.just(pa.int64()), st.lists(st.none() | st.integers(-(10**9), 10**9)))
    | st.tuples(st.just(pa.int8()), st.lists(st.none() | st.integers(0, 7)))
    | st.tuples(st.just(pa.float64()), st.lists(st.none() | st.floats(width=64)))
    | st.tuples(st.just(pa.float64()), st.lists(st.sampled_from([0.1, 0.2, 0.3, 2.5, None])))
    | st.tuples(st.just(pa.float32()), st.lists(st.none() | st.floats(width=32)))
    | st.tuples(st.just(pa.string()), st.lists(st.none() | st.sampled_from(["a", "b", "", "ü"])))
    | st.tuples(st.just(pa.string()), st.lists(st.text(max_size=2)))
    | st.tuples(st.just(pa.bool_()), st.lists(st.none() | st.booleans()))
    | st.tuples(st.just(pa.timestamp("us")), st.lists(st.none() | TIMES))
    | st.tuples(st.just(pa.timestamp("us", "Asia/Kolkata")), st.lists(TIMES))
    | st.tuples(st.just(pa.date32()), st.lists(st.none() | st.dates(dt.date(1905, 1, 1))))
)


def table(values: list[Any], kind: pa.DataType | None = None, name: str = "x") -> pa.Table:
    return pa.table({name: pa.array(values, kind)})


def cut(values: list[Any], kind: pa.DataType | None = None, **options: int) -> Grouping:
    found = group(table(values, kind), "x", **options)
    assert isinstance(found, Grouping), found
    return found


def labels(found: Grouping) -> list[str]:
    return [one.label for one in found.groups]


@given(COLUMNS)
@example((pa.float64(), [None, float("inf")]))
@modest
def test_a_group_is_a_filter(column: tuple[pa.DataType, list[Any]]) -> None:
    """Every row is in one group, every group has rows, and its filter chooses just these."""
    kind, values = column
    data = table(values, kind, name="a column")
    found = group(data, "a column")
    if isinstance(found, Ungrouped):
        assert found.reason
        return
    assert found.codes.shape == (len(values),)
    assert len(found.groups) > 1
    assert set(found.codes.tolist()) == set(range(len(found.groups)))
    assert len({one.label for one in found.groups}) >= len(found.groups) - 1
    for code, one in enumerate(found.groups):
        chosen = matching(Filter.parse(one.where), data)
        assert not isinstance(chosen, str)
        assert (chosen == (found.codes == code)).all(), one.where


@given(
    st.lists(st.integers(0, 30) | st.floats(-5, 5), min_size=200, max_size=400),
    st.integers(2, 10),
)
@modest
def test_ranges_are_of_like_size(values: list[float], bins: int) -> None:
    """Numbers are cut into so many ranges at most, none far larger than its share but one value."""
    found = group(table(values, pa.float64()), "x", bins=bins)
    if isinstance(found, Ungrouped):
        return
    assert len(found.groups) <= bins
    sizes = np.bincount(found.codes)
    for code, size in enumerate(sizes):
        several = len(set(np.array(values)[found.codes == code])) > 2
        if several:
            assert size <= 3 * len(values) / bins


def test_cuts_are_round() -> None:
    """Ranges end at round numbers near to where they would be of equal size."""
    rng = np.random.default_rng(0)
    found = cut(rng.normal(50_000, 10_000, 10_000).tolist())
    assert [one.high for one in found.groups] == [42_000, 48_000, 53_000, 59_000, None]
    sizes = np.bincount(found.codes) / 10_000
    assert (abs(sizes - 0.2) < 0.05).all()


def test_ranges_in_words() -> None:
    """A range of whole numbers names its last one; one of others says `below`."""
    whole = cut(list(range(1, 101)), bins=4)
    assert labels(whole) == ["below 25", "25 to 49", "50 to 74", "75 and above"]
    parts = cut([each / 10 for each in range(100)], bins=4)
    assert " to below " in labels(parts)[1]
    assert parts.groups[1].where == f"x >= {parts.groups[1].low} and x < {parts.groups[1].high}"


def test_a_frequent_number_is_a_range_of_its_own() -> None:
    """A number that most rows have does not swallow the others' ranges."""
    found = cut([0] * 800 + list(range(1, 201)), bins=5)
    sizes = np.bincount(found.codes).tolist()
    assert sizes[0] == 800
    assert len(sizes) == 5
    assert max(sizes[1:]) <= 60


def test_few_numbers_are_values() -> None:
    """Not more distinct numbers than ranges are a group each."""
    found = cut([3, 1, 2, 2, 3, 3])
    assert labels(found) == ["1", "2", "3"]
    assert [one.value for one in found.groups] == [1, 2, 3]
    assert found.groups[0].where == "x == 1"
    assert found.codes.tolist() == [2, 0, 1, 1, 2, 2]


def test_categories_by_frequency() -> None:
    """Categories come by size; the rarer ones share a group, and a gap has its own, the last."""
    values = ["a"] * 3 + ["b"] * 5 + ["c", "d"] + [None]
    found = cut(values, levels=2)
    assert labels(found) == ["b", "a", "2 other values", "missing"]
    assert found.groups[2].where == 'x not in ["b", "a"]'
    assert found.groups[3].kind is GroupKind.MISSING
    assert np.bincount(found.codes).tolist() == [5, 3, 2, 1]
    as_categories = group(pa.table({"x": pa.array(values).dictionary_encode()}), "x", levels=2)
    assert isinstance(as_categories, Grouping)
    assert as_categories.groups == found.groups
    assert as_categories.codes.tolist() == found.codes.tolist()


def test_truth_values_and_an_empty_text() -> None:
    """Truth values are told in lower case, and an empty text is told as such."""
    assert labels(cut([True, False, True])) == ["true", "false"]
    assert labels(cut(["", "a", ""])) == ["(empty)", "a"]


@pytest.mark.parametrize(
    ("days", "first", "count"),
    [
        ([0, 1, 2], "2024-01-30", 3),
        ([0, 10, 100], "2024-01", 3),
        ([0, 400, 800], "quarter from 2024-01", 3),
        ([0, 365, 3000], "2024", 3),
        ([0, 10_000, 20_000], "5 years from 2020", 3),
    ],
)
def test_dates_by_the_finest_fit(days: list[int], first: str, count: int) -> None:
    """Dates are cut into days, months, quarters, years or more, a dozen or so at most."""
    start = dt.date(2024, 1, 30)
    found = cut([start + dt.timedelta(days=each) for each in days])
    assert labels(found)[0] == first
    assert len(found.groups) == count


def test_times_by_the_hour() -> None:
    """Times of one day are cut by the hour."""
    start = dt.datetime(2024, 3, 1, 7, 50)  # noqa: DTZ001 - no zone is meant
    found = cut([start, start + dt.timedelta(minutes=20)])
    assert labels(found) == ["2024-03-01 07:00", "2024-03-01 08:00"]
    assert found.groups[0].where == 'x >= "2024-03-01T07:00:00" and x < "2024-03-01T08:00:00"'


def test_text_of_dates() -> None:
    """Text of many days is cut as dates are, and each group still is a filter of the text."""
    start = dt.datetime(2024, 1, 1, 23, 30)  # noqa: DTZ001 - no zone is meant
    moments = [start + dt.timedelta(days=each) for each in range(100)]
    for texts in ([one.isoformat(" ") for one in moments], [f"{one:%Y-%m-%d}" for one in moments]):
        found = cut([*texts, None])
        assert labels(found) == ["2024-01", "2024-02", "2024-03", "2024-04", "missing"]
        assert np.bincount(found.codes).tolist() == [31, 29, 31, 9, 1]
        for code, one in enumerate(found.groups):
            chosen = matching(Filter.parse(one.where), table([*texts, None]))
            assert (np.asarray(chosen) == (found.codes == code)).all()
    assert isinstance(group(table([f"{each:04}-13-45" for each in range(99)]), "x"), Ungrouped)


def test_dates_that_mean_never() -> None:
    """The last day there is, by which databases mean never, has a group like any other."""
    days = [dt.date(2024, 1, 1), dt.date(9999, 12, 31), dt.date(1, 1, 1)]
    found = cut(days)
    assert found.codes.tolist() == [1, 2, 0]
    assert found.groups[2].where == 'x >= "9000-01-01"'


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([1, 1, 1], pa.int64(), "every row has the same value"),
        (["a", "a"], pa.string(), "every row has the same value"),
        ([None, None], pa.float64(), "no row has a value"),
        ([float("nan")], pa.float64(), "no row has a value"),
        ([], pa.int64(), "no row has a value"),
        ([f"row {each}" for each in range(1234)], None, "it is text with 1,234 different values"),
        ([[1], [2]], None, "values of type list<"),
        ([None, None], pa.null(), "no row has a value"),
    ],
)
def test_what_is_not_cut_has_a_reason(values: list[Any], kind: pa.DataType, reason: str) -> None:
    """A column that cannot be cut, or is not worth it, is a value with its reason."""
    found = group(table(values, kind), "x")
    assert isinstance(found, Ungrouped)
    assert found.reason.startswith(reason)


def test_text_with_a_few_frequent_values_is_cut() -> None:
    """Text of many values is cut where a few of them have most of the rows."""
    found = cut(["a", "b"] * 500 + [f"row {each}" for each in range(100)])
    assert len(found.groups) == LEVELS + 1
    assert labels(found)[:2] == ["a", "b"]
    assert labels(found)[-1] == f"{102 - LEVELS} other values"


def test_two_columns_are_crossed() -> None:
    """The groups of two columns are the pairs that occur, each a filter of both."""
    data = pa.table({"x": ["a", "b", "a", "b"], "n": [1, 1, 2, 1]})
    one, other = group(data, "x"), group(data, "n")
    assert isinstance(one, Grouping)
    assert isinstance(other, Grouping)
    found = cross(one, other)
    assert found.columns == ("x", "n")
    assert [each.where for each in found.groups] == [
        'x == "a" and n == 1',
        'x == "a" and n == 2',
        'x == "b" and n == 1',
    ]
    assert found.codes.tolist() == [0, 2, 1, 2]
    assert {each.kind for each in found.groups} == {GroupKind.CROSSED}


def test_bins_default() -> None:
    """Unless asked otherwise numbers are cut into fifths."""
    assert len(cut(list(range(1000))).groups) == BINS == 5
