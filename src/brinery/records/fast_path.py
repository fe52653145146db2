"""Whether a version is scored without its library, and what was compared before it is."""

from __future__ import annotations

from msgspec import Struct


class FastPath(Struct, frozen=True, kw_only=True):
    """How a scorer was made of a model, and how it compares with the library.

    Attributes:
        reason: why it is not used; empty where it is.
        sha256: of the scorer's file; empty where there is none.
        rows: what was compared, such as `evaluation data` or `thresholds`, to the rows of it.
        declined: how many of these rows the scorer left to the library.
        thresholds: how many thresholds of trees were tried, of those that the data reaches.
        reached: how many the data reaches.
        max_difference: the largest absolute difference of a probability or value.
        library: the steps that the library itself is asked for, and why. Such a scorer has no file:
            it is made, and answers, in the model's process.
    """

    reason: str = ""
    sha256: str = ""
    rows: dict[str, int] = {}
    declined: int = 0
    thresholds: int = 0
    reached: int = 0
    max_difference: float = 0.0
    library: tuple[str, ...] = ()

    @property
    def used(self) -> bool:
        """Return whether rows are scored by it, without the model."""
        return bool(self.sha256) and not self.reason

    @property
    def partial(self) -> bool:
        """Return whether rows are scored by it in the model's process, with the library's steps."""
        return bool(self.library) and not self.reason
