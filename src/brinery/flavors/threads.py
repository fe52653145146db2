"""Parallel work in a model's process, which may have threads and no other processes."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any


def prefer() -> None:
    """Let joblib use threads where a model asks for workers without saying which."""
    with suppress(ImportError):
        import joblib

        if hasattr(joblib, "parallel_config"):
            joblib.parallel_config(backend="threading")
        else:  # before joblib 1.3
            joblib.parallel_backend("threading", n_jobs=1)
        _know_processors()


def _know_processors() -> None:
    """Tell joblib how many processors there are, which it would ask a program."""
    with suppress(ImportError, AttributeError):
        from joblib.externals.loky.backend import context

        known: Any = context
        if known.physical_cores_cache is None:
            known.physical_cores_cache = os.cpu_count() or 1
