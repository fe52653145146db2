"""Triggers of scheduled jobs: cron and recurrence, in time zones and between times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brinery.specs.assets import CronTrigger, RecurrencePattern, RecurrenceTrigger
from brinery.specs.triggers import Times, times_of

DECLARED = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)  # a Sunday


def _first(times: Times, count: int, moment: datetime = DECLARED) -> list[str]:
    found = []
    for _ in range(count):
        due = times.next(moment, since=DECLARED)
        if due is None:
            break
        found.append(f"{due:%m-%d %H:%M}")
        moment = due
    return found


def test_a_pattern_is_due_at_each_of_its_hours_and_minutes_in_its_time_zone() -> None:
    """Days, weeks and months have the hours and minutes of the zone, whichever way it is called."""
    pattern = RecurrencePattern(hours=[4, 10], minutes=[0, 30])
    daily = RecurrenceTrigger(frequency="day", interval=1, schedule=pattern)
    assert _first(times_of(daily), 3) == ["11-22 10:00", "11-22 10:30", "11-23 04:00"]
    west = daily.but(time_zone="Pacific Standard Time")
    assert _first(times_of(west), 2) == ["11-22 12:00", "11-22 12:30"]
    assert times_of(west).zone == "America/Los_Angeles"
    other_days = daily.but(interval=2)
    assert _first(times_of(other_days), 3)[2] == "11-24 04:00"
    days = RecurrencePattern(hours=6, minutes=0, week_days=["monday", "friday"])
    weekly = RecurrenceTrigger(frequency="week", interval=2, schedule=days)
    # The week of the declaration ends on its Sunday.
    assert _first(times_of(weekly), 3) == ["11-30 06:00", "12-04 06:00", "12-14 06:00"]
    ends = RecurrencePattern(hours=0, minutes=5, month_days=[1, 31])
    monthly = RecurrenceTrigger(frequency="month", interval=1, schedule=ends)
    assert _first(times_of(monthly), 4) == [
        "12-01 00:05",
        "12-31 00:05",
        "01-01 00:05",
        "01-31 00:05",
    ]


def test_without_a_pattern_a_recurrence_counts_from_its_start() -> None:
    """Minutes and hours are time that passed; days keep the start's time."""
    minutes = RecurrenceTrigger(frequency="minute", interval=90, start_time="2026-11-22T09:00:00")
    assert _first(times_of(minutes), 3) == ["11-22 09:00", "11-22 10:30", "11-22 12:00"]
    until = minutes.but(end_time="2026-11-22T10:30:00")
    assert _first(times_of(until), 3) == ["11-22 09:00", "11-22 10:30"]
    daily = RecurrenceTrigger(
        frequency="day", interval=1, start_time="2026-11-20T09:15:00", time_zone="Europe/Berlin"
    )
    assert _first(times_of(daily), 2) == ["11-22 08:15", "11-23 08:15"]
    cron = CronTrigger(expression="0 6 * * 1", start_time="2026-11-24T00:00:00")
    assert _first(times_of(cron), 1) == ["11-30 06:00"]


def test_what_was_missed_is_made_up_for_once() -> None:
    """Of all times that passed the last one counts, of every kind of trigger."""
    now = DECLARED + timedelta(days=10)
    for trigger, last in (
        (CronTrigger(expression="*/5 * * * *"), "12-02 07:30"),
        (RecurrenceTrigger(frequency="minute", interval=7), "12-02 07:29"),
        (RecurrenceTrigger(frequency="day", interval=3), "12-01 07:30"),
    ):
        times = times_of(trigger)
        due = times.missed(DECLARED, now, declared=DECLARED)
        assert due is not None
        assert f"{due:%m-%d %H:%M}" == last
        assert times.missed(due, now, declared=DECLARED) is None


def test_an_hour_that_is_skipped_or_comes_twice_is_due_once() -> None:
    """On the days on which clocks change there is one time of a daily pattern."""
    pattern = RecurrencePattern(hours=2, minutes=30)
    nightly = times_of(
        RecurrenceTrigger(
            frequency="day",
            interval=1,
            schedule=pattern,
            time_zone="Europe/Berlin",
            start_time="2026-01-01T00:00:00",
        )
    )
    for day in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        first = nightly.next(day, since=DECLARED)
        assert first is not None
        assert first - day < timedelta(days=1)
        second = nightly.next(first, since=DECLARED)
        assert second is not None
        assert second - first > timedelta(hours=22)


def test_every_fault_of_a_trigger_is_told_at_once() -> None:
    """The message has each with its key."""
    wrong = RecurrenceTrigger(
        frequency="day",
        interval=1,
        schedule=RecurrencePattern(hours=25, minutes=0),
        time_zone="Europe/Berln",
        start_time="yesterday",
    )
    with pytest.raises(ValueError, match="did you mean Europe/Berlin") as caught:
        times_of(wrong)
    said = str(caught.value)
    assert "trigger.schedule.hours: 25 is not from 0 to 23" in said
    assert "trigger.start_time: 'yesterday' is no time" in said
    with pytest.raises(ValueError, match="is no cron expression"):
        times_of(CronTrigger(expression="daily"))
