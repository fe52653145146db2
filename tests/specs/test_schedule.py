"""Schedules: when a loop is due, on ordinary days and on those on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brinery.specs.schedule import Schedule, check_cron

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_it_is_due_in_its_time_zone() -> None:
    """Six o'clock is that of the time zone, told in UTC."""
    before = MONDAY - timedelta(days=3)
    assert Schedule("0 6 * * 1").next(before) == MONDAY
    assert Schedule("0 6 * * 1", "Europe/Berlin").next(before) == MONDAY - timedelta(hours=1)


def test_what_was_missed_is_the_last_of_it() -> None:
    """Of many times that passed, the last one counts; a time counts from the moment itself."""
    weekly = Schedule("0 6 * * 1")
    assert weekly.missed(MONDAY - timedelta(weeks=5), MONDAY + timedelta(days=2)) == MONDAY
    assert weekly.missed(MONDAY - SECOND, MONDAY) == MONDAY
    assert weekly.missed(MONDAY - timedelta(days=1), MONDAY - SECOND) is None
    assert weekly.missed(MONDAY, MONDAY + timedelta(days=6)) is None


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)], ids=str
)
def test_a_day_on_which_clocks_change_has_one_turn(day: datetime) -> None:
    """A time of the hour that is skipped, or comes twice, is due once on that day."""
    nightly = Schedule("30 2 * * *", "Europe/Berlin")
    due, ends = [], day + timedelta(hours=12)
    for moment in nightly.after(day - timedelta(hours=12)):
        if moment > ends:
            break
        due.append(moment)
    assert len(due) == 1
    assert nightly.missed(day - timedelta(hours=12), ends) == due[0]


@pytest.mark.parametrize("cron", ["0 6 * *", "61 * * * *", "0 0 30 2 *", "daily"])
def test_what_is_no_schedule_is_refused(cron: str) -> None:
    """An expression with a fault, or that never comes, is refused in words."""
    with pytest.raises(ValueError, match=r"no cron expression|never comes"):
        check_cron(cron)
