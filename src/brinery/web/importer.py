"""The process that imports what was asked for on the page; told which on standard input."""

from __future__ import annotations

import logging
import sys

import msgspec

from brinery.actions.imports import ImportTask, run


def main() -> None:
    """Import, and write down what happens."""
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=ImportTask)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    run(task)


if __name__ == "__main__":
    main()
