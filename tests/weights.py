"""What the tests of each file take of a processor: measured when asked, and read to order them.

A file's tests stay with one worker: a long one that began last would keep the others waiting. So
the files that take longest begin first, by `tests/weights.json`, which `make weigh` writes anew.
"""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE = Path(__file__).with_suffix(".json")
CPU_S = "cpu_s"
# What a test that was never measured is taken for.
UNKNOWN_S = {"fast": 0.1, "slow": 5.0}

Weights = dict[str, dict[str, float]]


def read() -> Weights:
    """Return the seconds of processor time of each file's tests, slow ones apart."""
    return dict(json.loads(FILE.read_text()))


def part(slow: object) -> str:
    """Return which part of a file's tests a test belongs to."""
    return "slow" if slow else "fast"


def longest_first(items: Iterable[pytest.Item], weights: Weights) -> list[pytest.Item]:
    """Return tests in the order of their files' weights, counting the parts that are asked for."""
    counts: dict[str, Counter[str]] = {}
    for item in items:
        kind = part(item.get_closest_marker("slow"))
        counts.setdefault(_file(item.nodeid), Counter())[kind] += 1
    totals = {
        file: sum(
            weights.get(file, {}).get(kind, count * UNKNOWN_S[kind]) for kind, count in by.items()
        )
        for file, by in counts.items()
    }
    return sorted(items, key=lambda item: -totals[_file(item.nodeid)])


def _file(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]


class Weighing:
    """Measures every phase of every test, its child processes included, and writes the sums.

    With several workers, each measures its own tests, and what it found goes along with its
    reports to the process that writes.

    Args:
        writes: whether this is that process.
    """

    def __init__(self, *, writes: bool) -> None:
        self._writes = writes
        self._before = _spent_s()
        self._found: Weights = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put beside a report what was spent since the one before."""
        report = yield
        now = _spent_s()
        report.user_properties.append((CPU_S, now - self._before))
        self._before = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a report tells to its file."""
        by = self._found.setdefault(_file(report.nodeid), {})
        kind = part("slow" in report.keywords)
        by[kind] = by.get(kind, 0.0) + sum(
            seconds
            for name, seconds in report.user_properties
            if name == CPU_S and isinstance(seconds, float)
        )

    def pytest_sessionfinish(self) -> None:
        """Write what was found, and what is known of the tests that did not run."""
        if not self._writes:
            return
        known = {file: by for file, by in read().items() if (ROOT / file).exists()}
        for file, found in self._found.items():
            known[file] = {
                **known.get(file, {}),
                **{kind: round(seconds, 1) for kind, seconds in found.items()},
            }
        lines = [f"{json.dumps(file)}: {json.dumps(known[file])}" for file in sorted(known)]
        FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _spent_s() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime
