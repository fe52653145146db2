"""What a model was asked over HTTP of late, and how soon it answered."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class TrafficPoint(Struct, frozen=True, kw_only=True):
    """What happened between two looks at the counters.

    Attributes:
        at: the later of the two, with time zone.
        requests_per_s: answered.
        errors_per_s: of them, refused or failed: a status of 400 or more.
        p50_s: seconds that half of them took at most; None where there were none.
        p95_s: likewise, of 95 in a hundred.
        p99_s: likewise, of 99 in a hundred.
    """

    at: datetime
    requests_per_s: float
    errors_per_s: float
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None


class Traffic(Struct, frozen=True, kw_only=True):
    """The traffic of one model.

    Attributes:
        model: its name.
        requests: answered since the server began to count.
        errors: of them, with a status of 400 or more.
        latest: of the last minute, or what is known of it; None before there were two looks.
        points: oldest first.
    """

    model: str
    requests: int = 0
    errors: int = 0
    latest: TrafficPoint | None = None
    points: tuple[TrafficPoint, ...] = ()


class Served(Struct, frozen=True, kw_only=True):
    """What a server says of a model.

    Attributes:
        name: of it.
        version: that answers, or is to.
        follows: the alias that decides it; None where the version was named.
        loaded: whether it has been asked for, and answers.
        fault: why it, or what should replace it, cannot answer; None where it can.
    """

    name: str
    version: int
    follows: str | None = None
    loaded: bool = False
    fault: str | None = None
