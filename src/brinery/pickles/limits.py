"""How much a model's process may use, and what of the kernel's means it is held by."""

from __future__ import annotations

from dataclasses import dataclass

GB = 10**9


@dataclass(frozen=True)
class Limits:
    """What one model's process may use.

    Attributes:
        memory_gb: memory from when the model is loaded on, beside what the libraries took before.
        scratch_gb: what it may have written in its folder at a time.
        cpu_s: seconds of processor time, all threads together, until it is ended; None for a
            process that lives on, such as an endpoint's.
        require: whether a layer that is not in force refuses the model.
    """

    memory_gb: float = 8.0
    scratch_gb: float = 4.0
    cpu_s: float | None = None
    require: bool = False


@dataclass(frozen=True)
class Kernel:
    """What of the kernel's means may be used: what it lacks is found out, and reported, anyway.

    Attributes:
        landlock: whether Landlock may be.
        seccomp: whether a filter of system calls may be.
    """

    landlock: bool = True
    seccomp: bool = True
