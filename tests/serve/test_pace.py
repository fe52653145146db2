"""How long scoring takes, learnt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.serve.pace import Pace


def test_it_learns_what_batches_take() -> None:
    """After many it expects what they took, and of more rows more."""
    pace = Pace(1.0)
    for _ in range(100):
        pace.took(1000, 2.0)
    assert pace.expected_s(1000) == pytest.approx(2.0)
    assert pace.expected_s(10_000) == pytest.approx(20.0)


def test_one_row_is_no_measure_of_a_row() -> None:
    """What a single row took is mostly not its own: many are not expected to take that each."""
    pace = Pace(1.0)
    for _ in range(100):
        pace.took(1, 0.032)
    assert pace.expected_s(1) == pytest.approx(0.032)
    assert pace.expected_s(1000) == pytest.approx(1.0)


@given(
    took=st.lists(st.tuples(st.integers(1, 10_000), st.floats(0, 1000))), n_rows=st.integers(1, 9)
)
def test_one_that_was_slow_is_forgotten(took: list[tuple[int, float]], n_rows: int) -> None:
    """Whatever came before, it is never below zero and comes back to what is usual."""
    pace = Pace(0.01)
    for rows, time_s in took:
        pace.took(rows, time_s)
        assert pace.expected_s(n_rows) >= 0
    for _ in range(200):
        pace.took(1, 0.001)
    assert pace.expected_s(n_rows) == pytest.approx(0.001, abs=1e-6)


@given(row_s=st.floats(0, 10), time_s=st.floats(1e-6, 10))
def test_it_tells_how_many_rows_a_time_has_room_for(row_s: float, time_s: float) -> None:
    """So many are expected within it; none where even a few are not."""
    rows = Pace(row_s).rows_in(time_s)
    if rows:
        assert Pace(row_s).expected_s(rows) <= time_s * 1.0001
    else:
        assert Pace(row_s).expected_s(1) > time_s * 0.9999


def test_what_is_quick_is_measured_now_and_then() -> None:
    """One batch of 16; what may take long is measured every time, also where it was quick."""
    pace = Pace(1e-6)
    assert [pace.due(1) for _ in range(32)].count(True) == 2
    assert all(pace.due(10_000) for _ in range(32))
    pace.took(1, 1.0)
    assert all(pace.due(1) for _ in range(32))
