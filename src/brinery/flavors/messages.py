"""What is asked of a model's process, and what it answers."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from brinery.records.description import Description


class Load(Struct, tag=True, frozen=True):
    """Load the model that lies at a path."""

    path: str


class Score(Struct, tag=True, frozen=True):
    """Score the payload's table.

    Attributes:
        columns: the columns the model is given, in order.
        named: whether it is given a frame with names, or a bare array.
    """

    columns: tuple[str, ...]
    named: bool


class ProbeMissing(Struct, tag=True, frozen=True):
    """Say which columns of the payload's one-row table may be missing."""

    columns: tuple[str, ...]
    named: bool


class ListPackages(Struct, tag=True, frozen=True):
    """Say which distributions the model uses, given the modules its pickle names."""

    modules: tuple[str, ...]


class Rewrite(Struct, tag=True, frozen=True):
    """Write the model to a path as a plain pickle."""

    path: str


Request = Load | Score | ProbeMissing | ListPackages | Rewrite


class Loaded(Struct, tag=True, frozen=True):
    """The model is there; `warnings` is what loading it warned of."""

    description: Description
    warnings: tuple[str, ...]


class Scored(Struct, tag=True, frozen=True):
    """The payload holds a column `prediction` and a column per class."""


class Columns(Struct, tag=True, frozen=True):
    """Names of columns."""

    names: tuple[str, ...]


class Packages(Struct, tag=True, frozen=True):
    """Distribution name to version."""

    versions: dict[str, str]


class Written(Struct, tag=True, frozen=True):
    """The file is there."""


class Failed(Struct, tag=True, frozen=True):
    """The request could not be met.

    Attributes:
        error: the class name of the exception in `brinery.errors` that the parent raises.
        message: as the exception's.
        hint: as the exception's.
    """

    error: str
    message: str
    hint: str


Reply = Loaded | Scored | Columns | Packages | Written | Failed

REQUESTS = msgspec.msgpack.Decoder(Request)
REPLIES = msgspec.msgpack.Decoder(Reply)
encode = msgspec.msgpack.encode
