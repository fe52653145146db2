"""What the arguments of a parallel script say to whoever runs it, beside what they say to it.

The script is given all of them: the options are found among its own, and stay where they are.
"""

from __future__ import annotations

from argparse import ArgumentError, ArgumentParser
from collections.abc import Sequence
from typing import NamedTuple

from brinery.records.plan import Parallel


class Limits(NamedTuple):
    """When a parallel step has failed.

    Attributes:
        batches: mini-batches that may fail; -1 for any number.
        items: files or rows that may; -1 for any number.
        percent: of all mini-batches that may fail; 100 for all.
        idle_s: seconds in which one mini-batch must be done; None without end.
        first_s: seconds until a worker must have begun; None without end.
    """

    batches: int
    items: int
    percent: float
    idle_s: float | None
    first_s: float | None

    def exceeded(self, *, batches: int, items: int, of: int) -> str:
        """Return which limit is exceeded, one line; empty where none is.

        Args:
            batches: that failed.
            items: that failed.
            of: mini-batches that there are.
        """
        if 0 <= self.batches < batches:
            return (
                f"{batches} of {of} mini-batches failed, {self.batches} may "
                "(mini_batch_error_threshold)"
            )
        if 0 <= self.items < items:
            return f"{items} files or rows failed, {self.items} may (error_threshold)"
        if of and self.percent < 100 * batches / of:
            return (
                f"{batches} of {of} mini-batches failed, {self.percent:g} % may "
                "(--allowed_failed_percent)"
            )
        return ""


def limits(parallel: Parallel, arguments: Sequence[str]) -> Limits:
    """Return when a step has failed; what it declares itself goes before its arguments.

    Args:
        parallel: the step.
        arguments: of its script.

    Raises:
        ValueError: an option has no number.
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--error_threshold", type=int, default=-1)
    parser.add_argument("--allowed_failed_count", type=int, default=-1)
    parser.add_argument("--allowed_failed_percent", type=float, default=100.0)
    parser.add_argument("--progress_update_timeout", type=float)
    parser.add_argument("--first_task_creation_timeout", type=float)
    try:
        found, _ = parser.parse_known_args(list(arguments))
    except ArgumentError as error:
        raise ValueError(str(error)) from None
    return Limits(
        batches=parallel.batch_errors if parallel.batch_errors >= 0 else found.allowed_failed_count,
        items=parallel.item_errors if parallel.item_errors >= 0 else found.error_threshold,
        percent=found.allowed_failed_percent,
        idle_s=found.progress_update_timeout,
        first_s=found.first_task_creation_timeout,
    )
