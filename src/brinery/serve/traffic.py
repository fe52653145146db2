"""What a server's own counters say of late: looked at every few seconds, kept for half an hour.

It is kept in memory. A server that counts from zero again, because a worker was started again,
counts on here.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, Self

import msgspec
import urllib3
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families
from urllib3.exceptions import HTTPError

from brinery.records.ready import decoded
from brinery.records.traffic import Served, Traffic, TrafficPoint

EVERY_S: Final = 5.0
_KEPT: Final = 361
_LATEST_S: Final = 60.0
_ANSWER_S: Final = 5.0
# A look that took long is not repeated soon: looking takes a twentieth of a processor at most.
_SHARE: Final = 20
_ERRORS: Final = 400
_OK: Final = 200
_REQUESTS: Final = "brinery_requests_total"
_BUCKETS: Final = "brinery_request_seconds_bucket"
_QUANTILES: Final = (0.5, 0.95, 0.99)


class Counts(Struct, frozen=True):
    """What was counted of a model at one time.

    Attributes:
        requests: answered.
        errors: of them, with a status of 400 or more.
        within: upper bound, in seconds, to how many requests took no longer.
    """

    requests: float = 0.0
    errors: float = 0.0
    within: dict[float, float] = {}


class _Listed(Struct, frozen=True):
    models: tuple[Served, ...]


class Watched:
    """The counters of a server, as they were at some times.

    Args:
        kept: how many times are remembered.
    """

    def __init__(self, *, kept: int = _KEPT) -> None:
        self._looks: deque[tuple[datetime, Mapping[str, Counts]]] = deque(maxlen=kept)
        self._served: dict[str, Served] = {}

    def look(self, text: str, *, at: datetime) -> None:
        """Take note of what a server counted.

        Args:
            text: of `/metrics`.
            at: when it was asked for.
        """
        self._looks.append((at, counts(text)))

    def tell(self, served: Iterable[Served]) -> None:
        """Take note of what a server serves."""
        self._served = {one.name: one for one in served}

    def served(self, name: str) -> Served | None:
        """Return what the server says of a model; None where it has said nothing."""
        return self._served.get(name)

    def all_served(self) -> list[Served]:
        """Return what the server says of every model, by name."""
        return [self._served[name] for name in sorted(self._served)]

    def traffic(self, name: str) -> Traffic:
        """Return what a model was asked of late."""
        looks = [(at, models.get(name, Counts())) for at, models in tuple(self._looks)]
        if not looks:
            return Traffic(model=name)
        points = [_between(before, after) for before, after in pairwise(looks)]
        return _told(name, looks, tuple(points))

    def latest(self, name: str) -> Traffic:
        """Return the same without its points, which is quicker to find."""
        looks = [(at, models.get(name, Counts())) for at, models in tuple(self._looks)]
        return _told(name, looks, ()) if looks else Traffic(model=name)


class Watching:
    """A thread that looks at the counters of a server while the block runs.

    Args:
        url: of the server.
        watched: is told.
        headers: sent with each request.
        every_s: seconds between two looks.
    """

    def __init__(
        self,
        url: str,
        watched: Watched,
        *,
        headers: Mapping[str, str] | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        self._url = url
        self._watched = watched
        self._every_s = every_s
        self._pool = urllib3.PoolManager(
            headers=headers, timeout=urllib3.Timeout(total=_ANSWER_S), retries=False
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            began = time.thread_time()
            with suppress(HTTPError, msgspec.MsgspecError, ValueError):
                self._look()  # a server that is busy, or ends, is looked at again
            took_s = time.thread_time() - began
            self._ended.wait(max(self._every_s, _SHARE * took_s))

    def _look(self) -> None:
        listed = self._pool.request("GET", f"{self._url}/v1/models")
        if listed.status == _OK:
            self._watched.tell(decoded(listed.data, _Listed).models)
        answer = self._pool.request("GET", f"{self._url}/metrics")
        if answer.status == _OK:
            self._watched.look(answer.data.decode(), at=datetime.now(UTC))


def counts(text: str) -> dict[str, Counts]:
    """Return what a text of metrics counts of each model, all versions and routes together.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    requests: dict[str, float] = {}
    errors: dict[str, float] = {}
    within: dict[str, dict[float, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.labels.get("model", "")
            if not name:
                continue
            if sample.name == _REQUESTS:
                requests[name] = requests.get(name, 0.0) + sample.value
                if int(sample.labels["status"]) >= _ERRORS:
                    errors[name] = errors.get(name, 0.0) + sample.value
            elif sample.name == _BUCKETS:
                bound, found = float(sample.labels["le"]), within.setdefault(name, {})
                found[bound] = found.get(bound, 0.0) + sample.value
    return {
        name: Counts(count, errors.get(name, 0.0), within.get(name, {}))
        for name, count in requests.items()
    }


def _told(
    name: str, looks: Sequence[tuple[datetime, Counts]], points: tuple[TrafficPoint, ...]
) -> Traffic:
    at, now = looks[-1]
    first = next(one for one in looks if (at - one[0]).total_seconds() <= _LATEST_S)
    return Traffic(
        model=name,
        requests=int(now.requests),
        errors=int(now.errors),
        latest=_between(first, looks[-1]) if first[0] < at else None,
        points=points,
    )


def _between(before: tuple[datetime, Counts], after: tuple[datetime, Counts]) -> TrafficPoint:
    """Return what happened between two looks."""
    passed_s = max((after[0] - before[0]).total_seconds(), 1e-9)
    old, new = before[1], after[1]
    if new.requests < old.requests:  # it counts from zero again
        old = Counts()
    spent = {bound: count - old.within.get(bound, 0.0) for bound, count in new.within.items()}
    p50_s, p95_s, p99_s = (quantile(spent, share) for share in _QUANTILES)
    return TrafficPoint(
        at=after[0],
        requests_per_s=(new.requests - old.requests) / passed_s,
        errors_per_s=max(new.errors - old.errors, 0.0) / passed_s,
        p50_s=p50_s,
        p95_s=p95_s,
        p99_s=p99_s,
    )


def quantile(within: Mapping[float, float], share: float) -> float | None:
    """Return the seconds that a share of requests took at most; None where there were none.

    Between two bounds they are taken to be spread evenly; beyond the last finite one, it is that.

    Args:
        within: upper bound, in seconds, to how many took no longer; the last bound is infinite.
        share: 0 to 1.

    Source: histogram_quantile of Prometheus.
    """
    bounds = sorted(within)
    total = within[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return None
    wanted, low, below = share * total, 0.0, 0.0
    for bound in bounds:
        if within[bound] >= wanted:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (wanted - below) / max(within[bound] - below, 1e-9)
        low, below = bound, within[bound]
    return low
