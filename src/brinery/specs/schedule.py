"""When a loop is due: a cron expression in a time zone.

The five fields are those of Debian's cron, whose way with the days on which clocks change is kept
too: a job of an hour that is skipped runs right after it, and one of an hour that comes twice runs
once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from brinery.specs.names import nearest


@dataclass(frozen=True)
class Schedule:
    """A cron expression in a time zone.

    Attributes:
        cron: such as `0 6 * * 1`: minute, hour, day of the month, month, day of the week.
        timezone: such as `Europe/Berlin`.
    """

    cron: str
    timezone: str = "UTC"

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the times at which it is due after a moment, in UTC."""
        for due in CronSim(self.cron, moment.astimezone(ZoneInfo(self.timezone))):
            yield due.astimezone(UTC)

    def next(self, moment: datetime) -> datetime:
        """Return when it is due next after a moment, in UTC."""
        return next(self.after(moment))

    def missed(self, since: datetime, now: datetime) -> datetime | None:
        """Return the last time after one moment, and not after another, at which it was due."""
        # The search goes backwards, and begins a second late: a time that is now is due.
        local = (now + timedelta(seconds=1)).astimezone(ZoneInfo(self.timezone))
        last = next(CronSim(self.cron, local, reverse=True)).astimezone(UTC)
        return last if last > since else None

    def explained(self) -> str:
        """Return it in words."""
        return f"{CronSim(self.cron, datetime.now(UTC)).explain()}, {self.timezone}"


def check_cron(cron: str) -> str:
    """Return the expression unchanged.

    Raises:
        ValueError: it is none, or names a day that never comes.
    """
    try:
        next(CronSim(cron, datetime.now(UTC)))
    except CronSimError as error:
        raise ValueError(
            f"is no cron expression: {str(error).lower()}; "
            'five fields, as in "0 6 * * 1": minute, hour, day, month, day of the week'
        ) from None
    except StopIteration:
        raise ValueError("names a day that never comes") from None
    return cron


def check_timezone(name: str) -> str:
    """Return the name unchanged.

    Raises:
        ValueError: no time zone has it; the message has the nearest.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, sorted(available_timezones()))
        told = f": did you mean {near}?" if near else ", as Europe/Berlin is one"
        raise ValueError(f"is no time zone{told}") from None
    return name
