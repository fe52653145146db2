"""Whole processes timed in pairs: A B A B …, and the ratio of each pair.

These machines are shared; a ratio within a pair holds where a time alone does not.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Command = Sequence[str]


@dataclass(frozen=True)
class Pairs:
    """Seconds of A and of B, pair by pair."""

    a_s: tuple[float, ...]
    b_s: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Return the median of A/B."""
        return median(a / b for a, b in zip(self.a_s, self.b_s, strict=True))

    def row(self, a: str, b: str) -> str:
        """Return the figures as a row of a table."""
        return f"| {a} | {median(self.a_s):.3f} | {b} | {median(self.b_s):.3f} | {self.ratio:.2f} |"


def pair(a: Command, b: Command, *, runs: int, prepare: Callable[[], None] = lambda: None) -> Pairs:
    """Return the times of two commands run in turn, after one uncounted run of each.

    Args:
        a: a command that must succeed.
        b: its peer.
        runs: counted pairs.
        prepare: called before every run, outside the clock.
    """
    counted: dict[int, list[float]] = {0: [], 1: []}
    for number in range(runs + 1):
        for side, command in enumerate((a, b)):
            prepare()
            seconds = _timed(command)
            if number:
                counted[side].append(seconds)
    return Pairs(tuple(counted[0]), tuple(counted[1]))


def header() -> str:
    """Return the machine, and the head of the table."""
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    columns = "| A | median s | B (the peer) | median s | median A/B |\n|---|--:|---|--:|--:|"
    return f"{machine}, load {os.getloadavg()[0]:.1f}\n\n{columns}"


def _timed(command: Command) -> float:
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return seconds
