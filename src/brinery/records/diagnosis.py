"""What this machine can do to hold a model back, as `brinery doctor` found by trying."""

from __future__ import annotations

from msgspec import Struct

from brinery.records.sandbox import Sandbox


class Trial(Struct, frozen=True, kw_only=True):
    """One thing that was tried from within a model's process.

    Attributes:
        layer: that should refuse it.
        tried: what, such as `read a file outside its folders`.
        stopped: whether it was refused.
        said: what the system said to it.
    """

    layer: str
    tried: str
    stopped: bool
    said: str


class Diagnosis(Struct, frozen=True, kw_only=True):
    """This machine, and the sandbox on it.

    Attributes:
        python: version of the Python that models are loaded in.
        system: the kernel and its version, with the architecture.
        uv: version of what builds environments; empty where it is not installed.
        sandbox: its layers; one whose trial was not stopped is not in force.
        trials: everything that was tried.
    """

    python: str
    system: str
    uv: str
    sandbox: Sandbox
    trials: tuple[Trial, ...]
