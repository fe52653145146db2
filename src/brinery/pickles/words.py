"""What a model's process says, made fit to be shown: bounded, and without control characters."""

from __future__ import annotations

import unicodedata

MOST_CHARACTERS = 2000

# Controls (terminal escapes begin with one), and marks that turn the order of what follows.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def plain(text: str) -> str:
    """Return a text as one line without what a terminal or a reader could be misled by."""
    cut = text[:MOST_CHARACTERS]
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(" " if sign in "\n\r\t" else sign for sign in cut if not hidden(sign))


def steers(sign: str) -> bool:
    """Return whether a character is a control, as terminal escapes begin with; not a line end."""
    return sign not in "\n\r\t" and unicodedata.category(sign) == "Cc"


def hidden(sign: str) -> bool:
    """Return whether a character has no place in what is shown; line ends and tabs have."""
    return sign not in "\n\r\t" and unicodedata.category(sign) in _HIDDEN


def too_little_memory(gb: float) -> str:
    """Return that a model needs more memory than it may have."""
    return (
        f"it needs more than {gb:g} GB of memory: memory_gb in brinery.toml, [sandbox], allows "
        "it more"
    )
