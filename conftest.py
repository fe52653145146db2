"""How the libraries' threads behave in tests, said before the first of them is loaded.

Several workers share few processors. A thread of OpenMP that waits by spinning, or one of BLAS
that is given a corner of a small matrix, takes the time of another test and does no work.
"""

from __future__ import annotations

import gc
import os

for name, value in (("OMP_WAIT_POLICY", "passive"), ("OPENBLAS_NUM_THREADS", "1")):
    os.environ.setdefault(name, value)  # noqa: TID251 - the libraries read it when they are loaded

# Libraries and collected tests are a million objects that stay: to look through them for garbage
# again and again takes a tenth of all tests.
OBJECTS = 50_000


def pytest_configure() -> None:
    """Have the collector of cycles begin later."""
    gc.set_threshold(OBJECTS)


def pytest_collection_finish() -> None:
    """Have it look no more at what was imported and collected."""
    gc.freeze()
