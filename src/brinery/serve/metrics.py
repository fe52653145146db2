"""What is counted, for Prometheus.

Each worker counts for itself. Where there are several, they count in files of one folder, and
whichever is asked sums all of them, so they count at once. A worker by itself notes a request, or a
batch, in plain numbers, and counts what it noted when it is asked. What a request counts under is
looked up once, and rows are counted by the batch.

Source: https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from brinery.serve import paths
from brinery.serve.answered import Answered, Scored
from brinery.serve.models import Models
from brinery.serve.served import Served

# How often a process of several says how it is; of one, it is asked when somebody wants to know.
REFRESH_S = 1.0

_SECONDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025),
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384, 65_536, 262_144)
# No more label sets than this are remembered; what is beyond is looked up each time.
_REMEMBERED = 10_000


class _Many(Histogram):
    """A histogram to which many are added at once."""

    def add(self, buckets: Sequence[int], total: float) -> None:
        """Count what others counted.

        Args:
            buckets: (n_buckets + 1,) how many are within each, and above the last.
            total: of all together.
        """
        self._sum.inc(total)
        for place, count in enumerate(buckets):
            if count:
                self._buckets[place].inc(count)


class _Counts:
    """What requests of one kind are counted in, and those that are not counted there yet."""

    __slots__ = ("_buckets", "_errors", "_requests", "_seconds", "_total_s")

    def __init__(self, requests: Counter, seconds: _Many, errors: Counter | None) -> None:
        self._requests = requests
        self._seconds = seconds
        self._errors = errors
        self._buckets = [0] * (len(_SECONDS) + 1)
        self._total_s = 0.0

    def add(self, time_s: float) -> None:
        """Take note of a request."""
        self._buckets[bisect_left(_SECONDS, time_s)] += 1
        self._total_s += time_s

    def count(self, time_s: float) -> None:
        """Count a request at once."""
        self._requests.inc()
        self._seconds.observe(time_s)
        if self._errors is not None:
            self._errors.inc()

    def settle(self) -> None:
        """Count what was noted."""
        count = sum(self._buckets)
        if not count:
            return
        self._requests.inc(count)
        self._seconds.add(self._buckets, self._total_s)
        if self._errors is not None:
            self._errors.inc(count)
        self._buckets = [0] * len(self._buckets)
        self._total_s = 0.0


class _Batches:
    """What batches of one kind are counted in, and those that are not counted there yet."""

    __slots__ = ("_buckets", "_n_rows", "_rows", "_sizes")

    def __init__(self, rows: Counter, sizes: _Many) -> None:
        self._rows = rows
        self._sizes = sizes
        self._buckets = [0] * (len(_ROWS) + 1)
        self._n_rows = 0

    def add(self, n_rows: int) -> None:
        """Take note of a batch."""
        self._buckets[bisect_left(_ROWS, n_rows)] += 1
        self._n_rows += n_rows

    def count(self, n_rows: int) -> None:
        """Count a batch at once."""
        self._rows.inc(n_rows)
        self._sizes.observe(n_rows)

    def settle(self) -> None:
        """Count what was noted."""
        self._rows.inc(self._n_rows)
        self._sizes.add(self._buckets, self._n_rows)
        self._buckets = [0] * len(self._buckets)
        self._n_rows = 0


class Metrics:
    """The counters of one server process.

    Args:
        folder: where the processes of a server count together, the same as the variable
            `PROMETHEUS_MULTIPROC_DIR`; None for a process by itself.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._registry = registry = CollectorRegistry()
        by_model = ["model", "version"]
        self._requests = Counter(
            "brinery_requests",
            "Requests answered.",
            [*by_model, "route", "status"],
            registry=registry,
        )
        self._errors = Counter(
            "brinery_errors", "Requests refused, by problem.", ["model", "code"], registry=registry
        )
        self._seconds = _Many(
            "brinery_request_seconds",
            "Time from the first byte of a body to its answer.",
            [*by_model, "route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._rows = Counter(
            "brinery_rows",
            "Rows scored, by the scorer or the model's process.",
            [*by_model, "by"],
            registry=registry,
        )
        self._sizes = _Many(
            "brinery_batch_rows",
            "Rows scored at once.",
            [*by_model, "by"],
            buckets=_ROWS,
            registry=registry,
        )
        self._restarts = Counter(
            "brinery_model_process_restarts",
            "Times the process of a model was started again.",
            by_model,
            registry=registry,
        )
        self._gauges = _Gauges(registry)
        self._kinds: dict[tuple[str, str, int, str], _Counts] = {}
        self._batches: dict[tuple[str, str], _Batches] = {}
        self._restarted: WeakKeyDictionary[Served, int] = WeakKeyDictionary()

    @property
    def shared(self) -> bool:
        """Return whether several processes count together."""
        return self._folder is not None

    def __call__(self, answered: Answered) -> None:
        """Count a request."""
        kind = (answered.path, answered.model, answered.status, answered.code)
        counts = self._kinds.get(kind)
        if counts is None:
            counts = self._counts(answered)
            kept = not answered.route and len(self._kinds) < _REMEMBERED
            if not kept:
                counts.count(answered.time_s)
                return
            self._kinds[kind] = counts
        if self._folder is None:
            counts.add(answered.time_s)
        else:
            counts.count(answered.time_s)

    def batch(self, scored: Scored) -> None:
        """Count rows that were scored at once."""
        found = self._batches.get((scored.model, scored.by))
        if found is None:
            labels = (*_parts(scored.model), scored.by)
            found = _Batches(self._rows.labels(*labels), self._sizes.labels(*labels))
            self._batches[scored.model, scored.by] = found
        if self._folder is None:
            found.add(scored.n_rows)
        else:
            found.count(scored.n_rows)

    def refresh(self, models: Models) -> None:
        """Say how the models are now, and count what was noted."""
        self._settle()
        self._gauges.refresh(models)
        for served in models.loaded():
            restarts = served.answerer.restarts
            new = restarts - self._restarted.get(served, 0)
            self._restarts.labels(*_parts(served.endpoint.version.reference)).inc(new)
            self._restarted[served] = restarts

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return what all processes counted, and its media type.

        Args:
            accept: of the request; OpenMetrics is written for who asks for it.
        """
        registry = self._registry
        if self._folder is not None:
            registry = CollectorRegistry()
            registry.register(_Together(self._folder))
        encode, media = choose_encoder(accept)
        return encode(registry), media

    def close(self) -> None:
        """Keep what was counted; other processes show it."""
        self._settle()

    def _settle(self) -> None:
        for counts in self._kinds.values():
            counts.settle()
        for batches in self._batches.values():
            batches.settle()

    def _counts(self, answered: Answered) -> _Counts:
        name, version = _parts(answered.model)
        route = answered.route or paths.scored(answered.path)
        return _Counts(
            self._requests.labels(name, version, route, str(answered.status)),
            self._seconds.labels(name, version, route),
            self._errors.labels(name, answered.code) if answered.code else None,
        )


class _Gauges:
    """What is so now, of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._info = Gauge(
            "brinery_model_info",
            "1 for the version that answers now, 0 for one that did.",
            ["model", "version", "follows", "by"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._ready = Gauge(
            "brinery_model_ready",
            "1 where the model can answer in every worker.",
            ["model"],
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._queue = Gauge(
            "brinery_queue_requests",
            "Requests that wait to be scored.",
            ["model"],
            multiprocess_mode="livesum",
            registry=registry,
        )
        Gauge(
            "brinery_workers",
            "Server processes that run.",
            multiprocess_mode="livesum",
            registry=registry,
        ).set(1)
        Gauge(
            "brinery_build_info",
            "1, with the version of Brinery.",
            ["version"],
            multiprocess_mode="livemax",
            registry=registry,
        ).labels(metadata.version("brinery")).set(1)
        self._shown: set[tuple[str, str, str, str]] = set()

    def refresh(self, models: Models) -> None:
        """Say how the models are now."""
        waiting = dict.fromkeys(models.targets, 0)
        for served in models.loaded():
            name = served.endpoint.version.name
            waiting[name] = waiting.get(name, 0) + served.answerer.waiting
        for name, n_waiting in waiting.items():
            self._queue.labels(name).set(n_waiting)
        answering = set()
        for name, slot in models.targets.items():
            if slot.current is not None:
                answerer = slot.current.answerer
                self._ready.labels(name).set(float(answerer.ready))
                version = slot.current.endpoint.version
                answering.add((name, str(version.number), slot.follows or "", answerer.by))
        for labels in self._shown - answering:
            self._info.labels(*labels).set(0)
        for labels in answering:
            self._info.labels(*labels).set(1)
        self._shown |= answering


class _Together(Collector):
    """What the processes of a server counted in the files of a folder, summed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Return what is counted now."""
        for path in self._folder.glob("gauge_live*_*.db"):
            if not _runs(int(path.stem.rpartition("_")[2])):
                path.unlink(missing_ok=True)
        files = [str(path) for path in self._folder.glob("*.db") if _written(path)]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return metrics


def _parts(reference: str) -> tuple[str, str]:
    """Return the name of a model and its version; empty where there is none."""
    name, _, version = reference.partition("@")
    return name, version


def _written(path: Path) -> bool:
    """Return whether a process has written into a file; one that it has just made is empty."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:  # another process has just tidied it away
        return False


def _runs(pid: int) -> bool:
    """Return whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
