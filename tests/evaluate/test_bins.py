from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brinery.evaluate.bins import Bins, lay_out, shown
from brinery.records.effects import Kind

modest = settings(max_examples=150, deadline=None)
number = st.one_of(
    st.none(), st.sampled_from([0.0, 0.0, 1.0, -1.0, 1e300, 5e-324]), st.floats(-9, 9)
)
word = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "", "Ünïcode"]), st.text(max_size=3))


def bins_of(values: Any, kind: Any = None, **options: Any) -> Bins:
    return lay_out(pa.chunked_array([pa.array(values, kind)]), **options)


@given(st.lists(number, min_size=1, max_size=200), st.integers(1, 25))
@modest
def test_each_number_is_in_the_bin_that_holds_it(values: list[float | None], most: int) -> None:
    """Every row is in one bin, between its ends; bins follow each other and are not too many."""
    found = bins_of(values, pa.float64(), most=most)
    if all(value is None for value in values):
        assert found.reason == "no row has a value"
        return
    ordered = [one for one in found.bins if not one.missing]
    assert 1 <= len(ordered) <= most
    assert len(found.places) == len(ordered)
    for value, code in zip(values, found.codes, strict=True):
        one = found.bins[code]
        assert one.missing == (value is None)
        if value is not None:
            assert one.low is not None
            assert one.high is not None
            assert float(one.low) <= value <= float(one.high)
    assert np.bincount(found.codes).tolist() == [one.rows for one in found.bins]
    for one, place in zip(ordered, found.places, strict=True):
        assert one.value == values[place]
    highs = [float(one.high) for one in ordered if one.high is not None]
    assert highs == sorted(highs)
    json.loads(msgspec.json.encode(found.bins))


@given(
    values=st.lists(word, min_size=1, max_size=100),
    most=st.integers(1, 6),
    encoded=st.booleans(),
)
@modest
def test_each_category_is_in_its_bin(*, values: list[str | None], most: int, encoded: bool) -> None:
    """The most frequent categories have bins of their own, and the rest share one."""
    column = pa.chunked_array([pa.array(values, pa.string())])
    found = lay_out(column.dictionary_encode() if encoded else column, most=most)
    if found.kind is not Kind.CATEGORY or found.reason:
        return
    for value, code in zip(values, found.codes, strict=True):
        one = found.bins[code]
        assert one.missing == (value is None)
        assert one.missing or one.other or one.value == value
    assert np.bincount(found.codes).tolist() == [one.rows for one in found.bins]
    own = [one for one in found.bins if not (one.missing or one.other)]
    assert len(own) <= most
    assert [one.rows for one in own] == sorted((one.rows for one in own), reverse=True)
    assert [values[place] for place in found.places] == [one.value for one in own]


def test_a_value_that_many_share_is_alone() -> None:
    """Zeros do not share a bin with what is near them."""
    values = [0.0] * 600 + list(np.linspace(-1, 1, 400))
    (zero,) = [one for one in bins_of(values).bins if one.low == one.high == 0.0]
    assert zero.rows == 600


def test_bins_have_about_as_many_rows() -> None:
    """Of 10,000 different numbers each of 20 bins has 500."""
    values = np.random.default_rng(0).normal(size=10_000)
    assert {one.rows for one in bins_of(values).bins} == {500}


def test_few_numbers_are_themselves() -> None:
    """Whole numbers of which there are few have a bin each, and stay whole."""
    found = bins_of([3, 1, 2, 3, 3])
    assert [(one.value, one.rows) for one in found.bins] == [(1, 1), (2, 1), (3, 3)]
    assert all(isinstance(one.value, int) for one in found.bins)


@pytest.mark.parametrize("kind", ["datetime", "date", "text", "zone"])
def test_dates_are_in_order(kind: str) -> None:
    """Dates are laid out in time, whatever their type, and are shown in ISO 8601."""
    days = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=day) for day in range(100)]
    plain = [day.replace(tzinfo=None) for day in days]
    values: dict[str, list[Any]] = {
        "datetime": plain,
        "date": [day.date() for day in plain],
        "text": [f"{day.isoformat()}" for day in plain],
        "zone": days,
    }
    found = bins_of([*values[kind], None], most=10)
    assert found.kind is Kind.DATE
    assert [one.rows for one in found.bins] == [10] * 10 + [1]
    assert str(found.bins[0].low).startswith("2026-01-01")
    assert str(found.bins[9].high).startswith("2026-04-10")
    assert str(found.bins[0].value).startswith("2026-01-05")


def test_text_is_parted_by_its_words() -> None:
    """Free text has bins of word counts, and no value that stands for one."""
    random = np.random.default_rng(0)
    values = [" ".join(f"w{n}" for n in random.integers(0, 999, 4 + i % 5)) for i in range(60)]
    found = bins_of(values)
    assert found.kind is Kind.TEXT
    assert [(one.low, one.rows) for one in found.bins] == [(n, 12) for n in range(4, 9)]
    assert not found.places.size


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True, False, None], Kind.CATEGORY),
        (["2026-01-01", "soon"], Kind.CATEGORY),
        ([[1.0], [2.0]], Kind.OTHER),
        ([b"a", b"b"], Kind.OTHER),
    ],
    ids=["truth values", "half dates", "lists", "bytes"],
)
def test_other_types_have_bins_or_a_reason(values: list[Any], kind: Kind) -> None:
    """Truth values are categories; lists and bytes have no bins, and it says so."""
    found = bins_of(values)
    assert found.kind is kind
    assert bool(found.reason) == (kind is Kind.OTHER)


def test_nothing_is_a_reason() -> None:
    """A column without a value, or with infinite ones only, has no bins."""
    assert bins_of([None, None], pa.float64()).reason == "no row has a value"
    assert bins_of([float("nan")]).reason == "no row has a value"
    assert bins_of([None], pa.null()).reason
    assert bins_of([float("inf")]).reason == "no value is a finite number"


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.datetimes()))
@modest
def test_shown_is_json(value: object) -> None:
    """What is shown of any value can be written as JSON, and text is cut short."""
    one = shown(value)
    json.dumps(one, allow_nan=False)
    assert not isinstance(one, str) or len(one) <= 201
