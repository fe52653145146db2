from __future__ import annotations

import threading
import time

import pytest

from brinery.pickles.semaphores import Semaphore

LOCK, COUNTING = 0, 1


def made(kind: int = COUNTING, value: int = 1, most: int = 1) -> Semaphore:
    return Semaphore(kind, value, most, "/name", unlink=True)


def test_counting() -> None:
    """A semaphore is taken as often as it counts, and no more until it is given back."""
    semaphore = made(value=2, most=2)
    assert semaphore.acquire()
    assert semaphore.acquire(block=False)
    assert semaphore._is_zero()
    assert not semaphore.acquire(block=False)
    semaphore.release()
    assert semaphore._get_value() == 1
    semaphore.release()
    with pytest.raises(ValueError, match="too many times"):
        semaphore.release()


def test_timeout() -> None:
    """Waiting ends when the time is over."""
    semaphore = made(value=0)
    late = threading.Timer(60, semaphore.release)  # one that still waits then takes it
    late.start()
    began = time.monotonic()
    try:
        assert not semaphore.acquire(timeout=0.05)
        assert time.monotonic() - began >= 0.05
        assert not semaphore.acquire(timeout=-1)
    finally:
        late.cancel()


def test_waiting() -> None:
    """One that waits is woken when another gives back."""
    semaphore = made()
    semaphore.acquire()
    threading.Timer(0.05, semaphore.release).start()
    assert semaphore.acquire(timeout=240)


def test_lock_that_is_taken_again() -> None:
    """The holder of a lock may take it again; another may not, nor give it back."""
    lock = made(LOCK)
    with lock:
        assert lock.acquire()
        assert lock._count() == 2
        assert lock._is_mine()
        others: list[object] = []

        def other() -> None:
            others.append(lock.acquire(block=False))
            try:
                lock.release()
            except AssertionError as error:
                others.append(error)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert others[0] is False
        assert "not owned" in str(others[1])
        lock.release()
    assert not lock._is_mine()
    assert lock._get_value() == 1
