"""An enumeration whose members are text: `enum.StrEnum`, which Python has since 3.11.

The process that holds a model runs on the Python the model was written with, and reads records.
"""

from __future__ import annotations

from enum import Enum


class TextEnum(str, Enum):  # noqa: UP042 - the class it would be is missing before Python 3.11
    """An enumeration of text; a member prints and compares as its value."""

    def __str__(self) -> str:
        """Return the value."""
        return str(self.value)

    def __format__(self, format_spec: str) -> str:
        """Return the value, formatted as text is."""
        return format(str(self.value), format_spec)
