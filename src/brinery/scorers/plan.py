"""A compiled model: the columns it takes, the node that answers, the names of its classes."""

from __future__ import annotations

from msgspec import Struct

from brinery.records.signature import ColumnType, Scalar
from brinery.scorers.interface import Model

# The module that compiles the model that lies in another process, by its name.
COMPILER = "brinery.scorers.child"


class Input(Struct, frozen=True):
    """A column that a model takes.

    Attributes:
        name: as in the data.
        type: of its values.
        given: whether it comes with the data; one that the model does not read need not.
    """

    name: str
    type: ColumnType
    given: bool = True


class Plan(Struct, frozen=True, kw_only=True):
    """What a scorer does.

    Attributes:
        inputs: the columns, in the order of the model.
        model: what answers.
        classes: in the model's order; empty where it has none.
    """

    inputs: tuple[Input, ...]
    model: Model
    classes: tuple[Scalar, ...] = ()
