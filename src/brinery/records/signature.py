"""What a model takes, and the values it answers with where they are several: names and types."""

from __future__ import annotations

from typing import Optional, Union

from msgspec import Struct

from brinery.records.text_enum import TextEnum

Scalar = Union[str, int, float, bool]


class ColumnType(TextEnum):
    """The type of a column, in words that JSON, Arrow and people share."""

    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    DATETIME = "datetime"


class Column(Struct, frozen=True, kw_only=True):
    """One input column.

    Attributes:
        name: as in the data.
        type: of its values.
        required: whether the model reads it; a column it does not read may be left out.
        nullable: whether the model answers when the value is missing.
        categories: the values the model knows, where its encoder lists them; else None.
        categorical: whether the data held it as a pandas categorical.
    """

    name: str
    type: ColumnType
    required: bool = True
    nullable: bool = False
    categories: Optional[tuple[Scalar, ...]] = None
    categorical: bool = False


class Output(Struct, frozen=True, kw_only=True):
    """One of the several values that a model answers each row with.

    Attributes:
        name: as the model calls it, or `output_0`, `output_1` and so on.
        type: of its values.
        framed: whether the model's answer is a frame, of which it is a column.
    """

    name: str
    type: ColumnType
    framed: bool = False


class Signature(Struct, frozen=True, kw_only=True):
    """The input columns in the order of the data, and one row that is known to work.

    Attributes:
        columns: every column of the data but the target.
        example: column name to value; a missing value is None.
        outputs: of a model that answers each row with several values; else empty.
    """

    columns: tuple[Column, ...]
    example: dict[str, Optional[Scalar]]
    outputs: tuple[Output, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)
