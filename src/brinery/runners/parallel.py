"""A parallel step: mini-batches that workers take from a folder, and their rows put together.

A worker is a plain command, `PYTHON parallel_entry.py FOLDER NUMBER`, which takes mini-batches out
of the folder until there are none: it may run wherever the folder can be seen. The step is told
apart from its workers by a callable of the caller's, which runs one command to its end. What a
mini-batch came to lies in the folder, so that a step that is begun again repeats none that is done.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from brinery.records.plan import DataType, Parallel


class Worker(NamedTuple):
    """One worker that is to be run, once.

    Attributes:
        number: from 0; one that takes the place of another has a new one.
        arguments: of the step's Python: a script of ours, a folder, a number.
        variables: of its environment, beside those of the step.
        stop: is set when it is to be killed.
    """

    number: int
    arguments: Sequence[str]
    variables: dict[str, str]
    stop: threading.Event


class Workers(Protocol):
    """What runs workers."""

    def run(self, worker: Worker, /) -> int:
        """Run a worker in a copy of the step's code, to its end; return its exit status."""


class Job(NamedTuple):
    """A parallel step with all that it needs found.

    Attributes:
        parallel: what is declared.
        data: absolute path of the input.
        type: what lies there, or what the port declares.
        arguments: that the script is started with, rendered.
        output: absolute path of what `append_row_to` names; None where nothing is.
        output_file: whether that is a file; a folder gets one file.
        instances: of the machine that the step asks for.
    """

    parallel: Parallel
    data: Path
    type: DataType
    arguments: str
    output: Path | None
    output_file: bool = True
    instances: int = 1


class Ran(NamedTuple):
    """What became of a parallel step.

    Attributes:
        error: why it failed, one line; empty where it did not.
        batches: mini-batches that there were.
        failed: of them.
        items: files or rows that there were in those that were read.
        rows: that were written to the output.
        notes: what a reader should know, a line each.
    """

    error: str
    batches: int
    failed: int
    items: int
    rows: int
    notes: tuple[str, ...] = ()


def run(job: Job, workers: Workers, *, folder: Path, stop: threading.Event) -> Ran:
    """Return what became of a step; its rows are then in the output.

    Args:
        job: the step.
        workers: what runs a worker.
        folder: of the step's own, which may hold what an earlier attempt did.
        stop: cancels every worker when set; the result's error then says so.
    """
