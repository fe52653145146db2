"""An environment that was built for models, and what it takes."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class BuiltEnvironment(Struct, frozen=True, kw_only=True):
    """An environment.

    Attributes:
        name: of its folder: a digest of what is in it.
        python: its version.
        packages: every distribution in it, such as `numpy==1.23.5`.
        size_bytes: on the disk, without files that another one shares.
        built: when, with time zone.
    """

    name: str
    python: str
    packages: tuple[str, ...]
    size_bytes: int
    built: datetime
