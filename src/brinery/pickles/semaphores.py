"""Semaphores of one process, in place of the kernel's named ones.

Those lie in a folder of shared memory that is closed to a model's process. joblib's threads and
`multiprocessing.pool.ThreadPool` ask for them nonetheless, and share them with no one: there is
no second process. So that a model with `n_jobs` predicts with threads, they get these.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

_RECURSIVE = 0


class Semaphore:
    """What `_multiprocessing.SemLock` is, made of a condition.

    Args:
        kind: 0 for a lock that its holder may take again, 1 for a semaphore.
        value: how often it can be taken at first.
        maxvalue: how often it can be at most.
        _: its name, and whether that is taken from it at once: of no use here, as `__` is.
    """

    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, kind: int, value: int, maxvalue: int, *_: object, **__: object) -> None:
        self.kind, self.maxvalue = kind, maxvalue
        self.name = None  # there is nothing to clear away at the end
        self.handle = id(self)
        self._left = value
        self._changed = threading.Condition()
        self._holder, self._times = 0, 0

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - the signature is the other's
        """Return whether it was taken, now or within the seconds that are given."""
        me = threading.get_ident()
        if self.kind == _RECURSIVE and self._times and self._holder == me:
            self._times += 1
            return True
        if timeout is not None:
            timeout = max(timeout, 0.0)
        with self._changed:
            if not self._changed.wait_for(lambda: self._left > 0, timeout if block else 0):
                return False
            self._left -= 1
            self._holder = me
            self._times += 1
            return True

    def release(self) -> None:
        """Give it back.

        Raises:
            AssertionError: another thread holds the lock.
            ValueError: it was not taken.
        """
        if self.kind == _RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._times > 1:
                self._times -= 1
                return
        with self._changed:
            if self._left >= self.maxvalue:
                raise ValueError("semaphore or lock released too many times")
            self._left += 1
            self._times -= 1
            self._changed.notify()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _count(self) -> int:
        return self._times

    def _is_mine(self) -> bool:
        return self._times > 0 and self._holder == threading.get_ident()

    def _get_value(self) -> int:
        return self._left

    def _is_zero(self) -> bool:
        return self._left == 0

    def _after_fork(self) -> None:
        """Do nothing: there is no fork."""


def install() -> None:
    """Let `multiprocessing` and joblib use these from now on."""
    module: Any = import_module("_multiprocessing")  # it has no types
    module.SemLock = Semaphore
