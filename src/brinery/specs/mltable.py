"""An `MLTable` file: which files a table is made of, how they are read, which columns are kept.

Knows what is declared, not what lies at the paths. What a table may do beyond this is refused with
its name, because rows that were read otherwise than declared are worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from brinery.errors import InvalidTable
from brinery.specs import yaml_file, yaml_model

NAME: Final = "MLTable"

_REFUSAL: Final = yaml_file.Refusal(InvalidTable, "docs/how-to/parallel.md says what is read")

Encoding = Literal["utf8", "utf16", "utf8bom", "ascii", "latin1", "iso88591", "windows1252"]
Header = Literal[
    "no_header", "from_first_file", "all_files_different_headers", "all_files_same_headers"
]


def _columns(value: object) -> object:
    return [value] if isinstance(value, str) else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_columns)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Location(_Strict):
    """One of the places that a table's files lie at; exactly one is given."""

    file: str | None = None
    folder: str | None = None
    pattern: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("is one of file, folder and pattern")
        return self


class Delimited(_Strict):
    """Text with a delimiter."""

    delimiter: str = Field(",", min_length=1)
    encoding: Encoding = "utf8"
    header: Header = "all_files_same_headers"
    empty_as_string: bool = False
    include_path_column: bool = False
    infer_column_types: bool = True
    support_multi_line: bool = False


class JsonLines(_Strict):
    """A JSON object in each line."""

    encoding: Encoding = "utf8"
    invalid_lines: Literal["error", "drop"] = "error"
    include_path_column: bool = False


class Parquet(_Strict):
    """Parquet."""

    include_path_column: bool = False


class Partition(_Strict):
    """Columns that stand in the paths of the files."""

    partition_format: str


class Transformation(_Strict):
    """One step of reading; exactly one is given."""

    read_delimited: Delimited | None = None
    read_json_lines: JsonLines | None = None
    read_parquet: Parquet | None = None
    extract_columns_from_partition_format: Partition | None = None
    drop_columns: Columns | None = None
    keep_columns: Columns | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        if isinstance(value, str):
            return {value: {}}
        # `- read_parquet:` with nothing behind it reads as is usual.
        if isinstance(value, dict):
            return {key: {} if each is None else each for key, each in value.items()}
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("is one transformation; each has its own dash")
        return self


class MLTable(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: str | None = Field(None, alias="$schema")
    type: Literal["mltable"] = "mltable"
    metadata: Mapping[str, Any] | None = None
    paths: tuple[Location, ...] = Field(min_length=1)
    transformations: tuple[Transformation, ...] = ()


class Table(NamedTuple):
    """A table as it is to be read.

    Attributes:
        paths: `file`, `folder` or `pattern`, and what stands there, relative to the table's folder.
        reader: how files are read; None where the table is a list of files.
        partition_format: of columns that stand in paths; empty where there are none.
        columns: `drop` or `keep` and the columns, in the order declared.
    """

    paths: tuple[tuple[str, str], ...]
    reader: Delimited | JsonLines | Parquet | None
    partition_format: str
    columns: tuple[tuple[Literal["drop", "keep"], tuple[str, ...]], ...]


def read(folder: Path) -> Table:
    """Return the table whose `MLTable` lies in a folder.

    Raises:
        InvalidTable: the file cannot be read, or declares what is not read here; every fault.
    """
    declared = yaml_model.read(folder / NAME, MLTable, refusal=_REFUSAL, check=_check)
    readers: list[Delimited | JsonLines | Parquet] = []
    partition = ""
    columns: list[tuple[Literal["drop", "keep"], tuple[str, ...]]] = []
    for each in declared.transformations:
        reader = each.read_delimited or each.read_json_lines or each.read_parquet
        if reader is not None:
            readers.append(reader)
        elif each.extract_columns_from_partition_format is not None:
            partition = each.extract_columns_from_partition_format.partition_format
        elif each.drop_columns is not None:
            columns.append(("drop", each.drop_columns))
        elif each.keep_columns is not None:
            columns.append(("keep", each.keep_columns))
    paths = tuple(
        (kind, str(value))
        for path in declared.paths
        for kind, value in path.model_dump(exclude_unset=True).items()
    )
    return Table(paths, readers[0] if readers else None, partition, tuple(columns))


def _check(declared: MLTable, document: yaml_file.Document) -> yaml_file.Faults:
    readers = [
        at
        for at, each in enumerate(declared.transformations)
        if each.model_fields_set & {"read_delimited", "read_json_lines", "read_parquet"}
    ]
    for at in readers[1:]:
        line = document.lines.get(("transformations", at), 1)
        yield line, f"transformations[{at + 1}]: files are read once already"
    for at, each in enumerate(declared.transformations):
        if not readers and (each.drop_columns or each.keep_columns):
            line = document.lines.get(("transformations", at), 1)
            yield (
                line,
                f"transformations[{at + 1}]: nothing reads the files, so there are no columns",
            )
