"""Turn a fitted model into a scorer: the library's own numbers, many times sooner.

`compile` reads the figures of a fitted pipeline into nodes, each of which does the arithmetic of
one estimator, in the library's order and precision. A `Scorer` is data: it is made in the process
that holds the model, written to a file, and used where neither the model nor its library is.
What no node stands for is asked of the library, and said. This room knows nothing of files of
models, of requests, or of what a version is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brinery.scorers.compiler import compile_model as compile  # noqa: A004 - its name in the room
    from brinery.scorers.scorer import Scorer

__all__ = ["Scorer", "compile"]

_PLACES = {"Scorer": ("scorer", "Scorer"), "compile": ("compiler", "compile_model")}


def __getattr__(name: str) -> Any:
    """Return a name of the room, importing it at its first use."""
    if name not in _PLACES:
        raise AttributeError(f"module 'brinery.scorers' has no attribute '{name}'")
    module, found = _PLACES[name]
    return getattr(import_module(f"brinery.scorers.{module}"), found)
