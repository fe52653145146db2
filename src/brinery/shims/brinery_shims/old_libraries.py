"""`old-libraries`: a script that fails because its libraries are newer than it is told so.

pandas and numpy took names away that older scripts use; that is no fault of ours, and the error of
the library stays as it is. A line says where releases are listed that the script runs with.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, Callable

from brinery_shims import notes, scripts

STEP = "old-libraries"
_GONE = (
    "module 'numpy' has no attribute",
    "module 'pandas' has no attribute",
    "'DataFrame' object has no attribute 'append'",
    "'DataFrame' object has no attribute 'iteritems'",
    "'Series' object has no attribute 'append'",
    "'Series' object has no attribute 'iteritems'",
)


def install() -> Callable[[], None]:
    """Watch for what ends the script, and for pandas' warning; return what stops it."""
    ended, warned = sys.excepthook, warnings.showwarning

    def hook(kind: Any, error: Any, *more: Any) -> None:
        ended(kind, error, *more)
        if issubclass(kind, AttributeError) and str(error).startswith(_GONE) and scripts.asks():
            _tell("a library took away a name that the script uses")

    def show(message: Any, category: Any, *given: Any, **named: Any) -> None:
        warned(message, category, *given, **named)
        if category.__name__ == "ChainedAssignmentError" and scripts.asks():
            _tell("pandas 3 changes a copy where the script means the data frame itself")

    sys.excepthook, warnings.showwarning = hook, show

    def undo() -> None:
        sys.excepthook, warnings.showwarning = ended, warned

    return undo


def _tell(what: str) -> None:
    notes.tell(
        STEP,
        f"{what}: it was written for older releases; docs/how-to/dataiku.md lists those of the "
        "tutorials, for brinery run --environment FILE",
    )
