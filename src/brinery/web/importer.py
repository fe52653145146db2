"""The process that imports what was asked for on the page; told which on standard input."""

from __future__ import annotations

import logging
import sys

from brinery.actions.imports import ImportTask, run
from brinery.records.ready import decoded


def main() -> None:
    """Import, and write down what happens."""
    task = decoded(sys.stdin.buffer.readline(), ImportTask)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    run(task)


if __name__ == "__main__":
    main()
