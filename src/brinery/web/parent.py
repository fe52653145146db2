"""The process that started this one, and would tell it more."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable


def end_with_parent(on_word: Callable[[], None] | None = None) -> None:
    """Have this process end, its answers given, when nobody is there to tell it anything.

    It would be told on standard input. That is read without a buffer, whose lock would be held when
    the interpreter ends.

    Args:
        on_word: called, in a thread, when the parent says that the end is near.
    """
    told = sys.stdin.fileno()
    threading.Thread(target=_wait, args=(told, on_word), name="parent", daemon=True).start()


def _wait(told: int, on_word: Callable[[], None] | None) -> None:
    while os.read(told, 1):
        if on_word is not None:
            on_word()
    os.kill(os.getpid(), signal.SIGTERM)
