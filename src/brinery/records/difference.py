"""How the environment at hand differs from the one a model was written with."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

PYTHON = "Python"


class Level(StrEnum):
    """How much a difference matters, worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Difference(Struct, frozen=True, kw_only=True):
    """One distribution, or Python itself, that is not what the model was written with.

    Attributes:
        distribution: its name; `Python` for the interpreter.
        written: the version that wrote the model; empty where that is not known.
        present: the version that is here; empty where it is not installed.
        level: error where the model is not loaded here.
        reason: why it matters, in a few words; empty for a note.
        fix: the command that mends it; empty where nothing needs mending.
    """

    distribution: str
    written: str
    present: str
    level: Level
    reason: str = ""
    fix: str = ""

    @property
    def elsewhere(self) -> str:
        """Return it as one sentence, where the model is then loaded in another environment."""
        if not (self.written and self.present):
            return str(self)
        said = f"written by {self.distribution} {self.written}, installed here is {self.present}"
        return f"{said}: {self.reason}" if self.reason else said

    def __str__(self) -> str:
        """Return it as one sentence, where the model is loaded in this environment."""
        wrote = f"written by {self.distribution} {self.written}" if self.written else ""
        if not self.present:
            missing = f"{self.distribution} is not installed"
            return f"{wrote}, and {missing}" if wrote else missing
        loaded = f"{wrote}, loaded by {self.present}"
        return f"{loaded}: {self.reason}" if self.reason else loaded
