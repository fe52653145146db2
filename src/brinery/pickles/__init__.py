"""Read a pickle without running it; load it only in a child process.

`scan` reads a model file or folder: its pickles with the real pickle machine in which every global
is an inert stub, its archives and the frameworks' own formats without any of their libraries, so
that nothing is imported and nothing is made. `child` starts the process a model lives in and talks
to it in frames; `unpickle` is the one module that loads, and it refuses outside such a child.
This room knows nothing of data, or of what a model is for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brinery.pickles.scanner import scan

__all__ = ["scan"]


def __getattr__(name: str) -> Any:
    """Return `scan`, importing it at its first use: a model's process never needs it."""
    if name == "scan":
        return import_module("brinery.pickles.scanner").scan
    raise AttributeError(f"module 'brinery.pickles' has no attribute '{name}'")
