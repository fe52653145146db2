"""A dataset: a named table with a stored schema, and the versions of its content."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from msgspec import Struct

from brinery.records.text_enum import TextEnum


class ColumnType(TextEnum):
    """What the values of a column are, in the terms of the scripts that read them."""

    STRING = "string"
    BIGINT = "bigint"
    INT = "int"
    SMALLINT = "smallint"
    TINYINT = "tinyint"
    DOUBLE = "double"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME_NO_TZ = "datetimenotz"
    DATE_ONLY = "dateonly"
    ARRAY = "array"
    MAP = "map"
    OBJECT = "object"
    GEOPOINT = "geopoint"
    GEOMETRY = "geometry"


class DatasetFormat(TextEnum):
    """What the rows of a dataset are kept in."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    SQL = "sql"


class Column(Struct, frozen=True, kw_only=True):
    """A column of a dataset's schema.

    Attributes:
        name: unique in the dataset.
        type: of its values.
        comment: in the user's words.
    """

    name: str
    type: ColumnType
    comment: str = ""


class DatasetVersion(Struct, frozen=True, kw_only=True):
    """The content of a dataset between two writes.

    Attributes:
        version: the first 16 hexadecimal digits of the BLAKE3 of its rows' files: the same content
            is the same version.
        created: with time zone; when it was written last.
        who: wrote it.
        rows: count; None where nobody counted.
        size_bytes: of its files.
        files: names of its files, relative to the version's folder, in the order of the rows.
        columns: the schema that it was written with.
        run: of the recipe that wrote it; empty where a person did.
    """

    version: str
    created: datetime
    who: str = ""
    rows: Optional[int] = None
    size_bytes: int = 0
    files: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    run: str = ""


class Dataset(Struct, frozen=True, kw_only=True):
    """A dataset of a project.

    Attributes:
        project: its key.
        name: unique in the project.
        created: with time zone.
        who: created it.
        format: of its rows.
        uri: absolute path, or address, of rows that are not ours to move: an external dataset, or
            the database of a table; empty where we keep the rows.
        table: of the database, where the format is `sql`.
        separator: of csv; empty where it is found in the first lines.
        columns: the schema; empty where nothing was written yet.
        versions: that are kept, oldest first; of an external dataset none.
        current: version that is read; empty where nothing was written yet.
        source: path or URI that it was made from, for people.
        description: in the user's words.
    """

    project: str
    name: str
    created: datetime
    who: str = ""
    format: DatasetFormat = DatasetFormat.PARQUET
    uri: str = ""
    table: str = ""
    separator: str = ""
    columns: tuple[Column, ...] = ()
    versions: tuple[DatasetVersion, ...] = ()
    current: str = ""
    source: str = ""
    description: str = ""

    @property
    def full_name(self) -> str:
        """Return `PROJECT.name`."""
        return f"{self.project}.{self.name}"

    @property
    def external(self) -> bool:
        """Return whether its rows lie where the user keeps them."""
        return bool(self.uri)

    @property
    def content(self) -> Optional[DatasetVersion]:
        """Return the version that is read; None where nothing was written yet."""
        return next((one for one in self.versions if one.version == self.current), None)


class DatasetLocation(Struct, frozen=True, kw_only=True):
    """Where a dataset can be read on this machine now, and how.

    Attributes:
        full_name: `PROJECT.name`.
        paths: absolute, of its files in the order of the rows; none where nothing was written.
        format: of the files: `parquet`, `csv` or `jsonl`; of a table of a database, `parquet`.
        separator: of csv.
        columns: the schema; of an external dataset as it was declared or found.
        version: of the content, for the record of what was read.
        rows: count; None where nobody counted.
    """

    full_name: str
    paths: tuple[str, ...]
    format: DatasetFormat
    separator: str = ""
    columns: tuple[Column, ...] = ()
    version: str = ""
    rows: Optional[int] = None
