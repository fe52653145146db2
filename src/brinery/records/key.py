"""A key that a server asks for: all that is kept of it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Key(Struct, frozen=True, kw_only=True):
    """A key, without the key.

    Attributes:
        name: unique in its workspace.
        sha256: of the key, in hexadecimal; the key itself is nowhere.
        created: with time zone.
        who: created it.
    """

    name: str
    sha256: str
    created: datetime
    who: str
