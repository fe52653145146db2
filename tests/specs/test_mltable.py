from __future__ import annotations

from pathlib import Path

import pytest

from brinery.errors import InvalidTable
from brinery.specs import mltable


def _read(folder: Path, text: str) -> mltable.Table:
    (folder / "MLTable").write_text(text)
    return mltable.read(folder)


def test_whole(tmp_path: Path) -> None:
    """Everything that a table may declare is read, in its order."""
    table = _read(
        tmp_path,
        """
$schema: https://example.org/MLTable.schema.json
type: mltable
metadata: {owner: me}
paths:
  - file: ./one.csv
  - folder: ./more
  - pattern: ./deep/**/*.csv
transformations:
  - keep_columns: [a, b, c]
  - read_delimited:
      delimiter: "\\t"
      encoding: latin1
      header: from_first_file
  - extract_columns_from_partition_format:
      partition_format: /{c}/data.csv
  - drop_columns: b
""",
    )
    assert table.paths == (
        ("file", "./one.csv"),
        ("folder", "./more"),
        ("pattern", "./deep/**/*.csv"),
    )
    assert isinstance(table.reader, mltable.Delimited)
    assert (table.reader.delimiter, table.reader.header) == ("\t", "from_first_file")
    assert table.partition_format == "/{c}/data.csv"
    assert table.columns == (("keep", ("a", "b", "c")), ("drop", ("b",)))


@pytest.mark.parametrize(
    ("transformation", "reader"),
    [
        ("- read_parquet", mltable.Parquet),
        ("- read_parquet:", mltable.Parquet),
        ("- read_json_lines: {invalid_lines: drop}", mltable.JsonLines),
        ("- read_delimited:", mltable.Delimited),
    ],
)
def test_readers(tmp_path: Path, transformation: str, reader: type) -> None:
    """A reader without settings reads as is usual."""
    table = _read(tmp_path, f"paths:\n  - folder: ./\ntransformations:\n  {transformation}\n")
    assert isinstance(table.reader, reader)


def test_files_alone(tmp_path: Path) -> None:
    """A table that nothing reads is a list of files."""
    assert _read(tmp_path, "paths:\n  - folder: ./\n").reader is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("paths: []", "paths"),
        ("paths:\n  - file: a\n    folder: b", "MLTable:2: paths[1] is one of file, folder and"),
        ("paths:\n  - fil: a", "did you mean file?"),
        (
            "paths:\n  - file: a\ntransformations:\n  - take: 5",
            "MLTable:4: transformations[1].take",
        ),
        (
            "paths:\n  - file: a\ntransformations:\n  - read_delimited: {header: first}",
            "read_delimited.header",
        ),
        (
            "paths:\n  - file: a\ntransformations:\n  - read_parquet\n  - read_delimited",
            "MLTable:5: transformations[2]: files are read once already",
        ),
        (
            "paths:\n  - file: a\ntransformations:\n  - drop_columns: [a]",
            "nothing reads the files, so there are no columns",
        ),
    ],
)
def test_refused(tmp_path: Path, text: str, why: str) -> None:
    """What is not read here is refused, with its line and its name."""
    with pytest.raises(InvalidTable) as refused:
        _read(tmp_path, text)
    assert why in str(refused.value)


def test_missing(tmp_path: Path) -> None:
    """A folder without the file is no table."""
    with pytest.raises(InvalidTable, match="cannot be read"):
        mltable.read(tmp_path)
