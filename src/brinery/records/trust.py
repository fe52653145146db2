"""What a user vouched for when a model was imported."""

from __future__ import annotations

from msgspec import Struct


class Trust(Struct, frozen=True, kw_only=True):
    """The user's word for one file, by its digest.

    Attributes:
        sha256: of the file or folder the word was given for.
        given: as it was said: dotted names, or `package.*`.
        granted: the names the file asks for that it covered, sorted; none of them is known safe.
    """

    sha256: str
    given: tuple[str, ...]
    granted: tuple[str, ...]
