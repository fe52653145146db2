"""How the libraries' threads behave in tests, said before the first of them is loaded.

Several workers share few processors. A thread of OpenMP that waits by spinning, or one of BLAS
that is given a corner of a small matrix, takes the time of another test and does no work.
"""

from __future__ import annotations

import os

for name, value in (("OMP_WAIT_POLICY", "passive"), ("OPENBLAS_NUM_THREADS", "1")):
    os.environ.setdefault(name, value)  # noqa: TID251 - the libraries read it when they are loaded
