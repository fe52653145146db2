"""Mini-batches of a parallel step that were worked on, and what all of them came to."""

from __future__ import annotations

from msgspec import Struct


class Done(Struct, frozen=True, kw_only=True):
    """What one mini-batch came to.

    Attributes:
        index: from 0.
        items: files or rows that it had.
        rows: that the script returned.
        error: of its last try, one line; empty where it did not fail.
        tries: how often the script was called with it.
        seconds: that all tries took.
    """

    index: int
    items: int
    rows: int
    error: str = ""
    tries: int = 1
    seconds: float = 0.0


class Batches(Struct, frozen=True, kw_only=True):
    """What a parallel step came to.

    Attributes:
        batches: mini-batches that there were.
        done: of them, those that failed included.
        failed: of them.
        items: files or rows of those that are done.
        failed_items: of them.
        rows: that were returned.
        error: why the step failed, one line; empty where it did not.
        failures: what failed, a line each, up to twenty.
    """

    batches: int
    done: int
    failed: int
    items: int
    failed_items: int
    rows: int
    error: str = ""
    failures: tuple[str, ...] = ()
