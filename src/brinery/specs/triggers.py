"""When a scheduled job is due: a cron expression, or a recurrence, in a time zone.

A recurrence is the first time, and every so many minutes, hours, days, weeks or months after it;
within a day, week or month at the hours and minutes of its pattern. A time that the clocks skip is
due when they have moved on, and one that comes twice is due the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from brinery.specs.assets import CronTrigger, RecurrencePattern, RecurrenceTrigger
from brinery.specs.schedule import Schedule, check_cron, check_timezone

_STEPS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AHEAD: Final = timedelta(days=366 * 6)
_WEEK: Final = 7
_YEAR: Final = 12


@dataclass(frozen=True)
class Times:
    """When something is due.

    Attributes:
        zone: name of the time zone.
        start: of the first time it may be due, in UTC; None where there is no such.
        end: after which it is due no more, likewise.
        cron: expression of five fields; empty for a recurrence.
        frequency: `minute`, `hour`, `day`, `week` or `month`.
        interval: so many of them.
        hours: of the day.
        minutes: of these hours.
        days: of the week, 0 for Monday; or of the month, from 1.
    """

    zone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    cron: str = ""
    frequency: str = ""
    interval: int = 1
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    days: tuple[int, ...] = ()

    def next(self, moment: datetime, *, since: datetime) -> datetime | None:
        """Return when it is due next after a moment, in UTC; None where it is no more.

        Args:
            moment: any.
            since: when it was declared, from which a recurrence without a start counts.
        """
        for due in self._after(moment, since=since):
            if self.end is not None and due > self.end:
                return None
            if due > moment and (self.start is None or due >= self.start):
                return due
        return None

    def missed(self, since: datetime, now: datetime, *, declared: datetime) -> datetime | None:
        """Return the last time after one moment, and not after another, at which it was due.

        Args:
            since: the first moment.
            now: the second one.
            declared: from which a recurrence without a start counts.
        """
        last = None
        begun = since
        if self.cron and now - since > timedelta(days=2):
            # Only the last one counts; a cron expression knows the way back.
            found = Schedule(self.cron, self.zone).missed(since, now)
            begun = found - timedelta(seconds=1) if found else since
        elif self.frequency in _STEPS:
            every = _STEPS[self.frequency] * self.interval
            begun = max(since, now - 2 * every)
        while (due := self.next(begun, since=declared)) is not None and due <= now:
            last = begun = due
        return last

    def _after(self, moment: datetime, *, since: datetime) -> Iterator[datetime]:
        """Yield times in order, the first of them not long before a moment."""
        if self.start is not None and self.start > moment:
            moment = self.start - timedelta(seconds=1)
        if self.cron:
            yield from Schedule(self.cron, self.zone).after(moment)
            return
        first = self.start or since
        if self.frequency in _STEPS:
            every = _STEPS[self.frequency] * self.interval
            due = first + max(0, (moment - first) // every) * every
            while True:
                yield due
                due += every
        yield from self._by_days(moment, first)

    def _by_days(self, moment: datetime, first: datetime) -> Iterator[datetime]:
        zone = ZoneInfo(self.zone)
        local = first.astimezone(zone)
        day = max(moment.astimezone(zone).date() - timedelta(days=1), local.date())
        last = day + _AHEAD
        hours = self.hours or (local.hour,)
        minutes = self.minutes or (() if self.hours else (local.minute,)) or (0,)
        while day <= last:
            if self._on(day, local.date()):
                for hour in hours:
                    for minute in minutes:
                        at = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
                        if at >= first.replace(second=0, microsecond=0):
                            yield at
            day += timedelta(days=1)

    def _on(self, day: date, first: date) -> bool:
        """Return whether a day is one of a recurrence that began on another."""
        match self.frequency:
            case "day":
                return (day - first).days % self.interval == 0
            case "week":
                weeks = (_monday(day) - _monday(first)).days // _WEEK
                days = self.days or (first.weekday(),)
                return weeks % self.interval == 0 and day.weekday() in days
            case _:
                months = (day.year - first.year) * _YEAR + day.month - first.month
                return months % self.interval == 0 and day.day in (self.days or (first.day,))

    def explained(self) -> str:
        """Return it in words."""
        if self.cron:
            return Schedule(self.cron, self.zone).explained()
        several = f"{self.interval} {self.frequency}s" if self.interval > 1 else self.frequency
        at = ", ".join(f"{hour:02}:{minute:02}" for hour in self.hours for minute in self.minutes)
        return f"every {several}{f' at {at}' if at else ''}, {self.zone}"


def times_of(trigger: CronTrigger | RecurrenceTrigger) -> Times:
    """Return when a trigger has a job created.

    Raises:
        ValueError: with every fault, separated by semicolons.
    """
    faults: list[str] = []

    def told(key: str, text: str) -> None:
        faults.append(f"trigger.{key}: {text}")

    zone = "UTC"
    try:
        zone = check_timezone(win_tz.get(trigger.time_zone or "", trigger.time_zone or "UTC"))
    except ValueError as error:
        told("time_zone", f"'{trigger.time_zone}' {error}")
    bounds: dict[str, datetime | None] = {}
    for key in ("start_time", "end_time"):
        try:
            bounds[key] = _moment(getattr(trigger, key), zone)
        except ValueError:
            told(key, f"'{getattr(trigger, key)}' is no time, as 2026-01-31T06:00:00 is one")
    start, end = bounds.get("start_time"), bounds.get("end_time")
    if start is not None and end is not None and end < start:
        told("end_time", "is before start_time")
    if isinstance(trigger, CronTrigger):
        found = Times(cron=trigger.expression or "")
        try:
            check_cron(found.cron)
        except ValueError as error:
            told("expression", f"'{trigger.expression}' {error}")
    else:
        found = _recurring(trigger, told)
    if faults:
        raise ValueError("; ".join(faults))
    return replace(found, zone=zone, start=start, end=end)


def _recurring(trigger: RecurrenceTrigger, told: Callable[[str, str], None]) -> Times:
    pattern = trigger.schedule or RecurrencePattern()
    hours, minutes = _numbers(pattern.hours), _numbers(pattern.minutes)
    days = _numbers(pattern.month_days)
    for key, values, least, most in (
        ("hours", hours, 0, 23),
        ("minutes", minutes, 0, 59),
        ("month_days", days, 1, 31),
    ):
        if wrong := [one for one in values if not least <= one <= most]:
            told(f"schedule.{key}", f"{wrong[0]} is not from {least} to {most}")
    interval = trigger.interval if isinstance(trigger.interval, int) else 1
    if interval < 1:
        told("interval", f"{interval} is less than 1")
    week = pattern.week_days
    named = [week] if isinstance(week, str) else list(week or ())
    return Times(
        frequency=trigger.frequency or "day",
        interval=max(1, interval),
        hours=hours,
        minutes=minutes,
        days=tuple(sorted(_DAYS.index(one) for one in named)) if named else days,
    )


def _moment(text: str | None, zone: str) -> datetime | None:
    """Return a time in UTC; without an offset it is of the time zone.

    Raises:
        ValueError: it is none.
    """
    if not text:
        return None
    found = datetime.fromisoformat(str(text).replace(" ", "T", 1))
    local = found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


def _numbers(given: int | list[int] | None) -> tuple[int, ...]:
    if given is None:
        return ()
    return tuple(sorted({given} if isinstance(given, int) else set(given)))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
