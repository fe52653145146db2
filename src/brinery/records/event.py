"""What long work yields while it runs; the terminal, the store and the page read the same ones."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Step(StrEnum):
    """The steps of an import, in order; of an evaluation, a comparison, a turn and a package."""

    SCAN = "scan"
    DATA = "data"
    ENVIRONMENT = "environment"
    LOAD = "load"
    CHECK = "check"
    EVALUATE = "evaluate"
    STORE = "store"
    PARITY = "parity"
    REGISTER = "register"
    REPORT = "report"
    COMPARE = "compare"
    GATE = "gate"
    TURN = "turn"
    TRAIN = "train"
    PROMOTE = "promote"
    PACKAGE = "package"
    PROOF = "proof"


class Event(Struct, frozen=True, kw_only=True):
    """A step that is done, or that has something to say.

    Attributes:
        step: which.
        message: one line for people.
        warning: whether it wants attention.
        progress: whether it only says how far a step is; a log need not keep it.
        elapsed_s: seconds since the work began.
    """

    step: Step
    message: str
    warning: bool = False
    progress: bool = False
    elapsed_s: float
