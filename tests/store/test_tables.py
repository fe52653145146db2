"""Data files: formats and separators told by content, values kept exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.errors import (
    DataFileMissing,
    DataUnreadable,
    OutputUnwritable,
    SeparatorUnclear,
)
from brinery.store.tables import fingerprint, read_table, sniff_separator, to_arrow, write_table

FRAME = pd.DataFrame(
    {
        "age": [30, 40, 50],
        "share": [0.1, 1 / 3, 2.2250738585072014e-308],
        "job": ["a", "b, c", "ü"],
        "flag": [True, False, True],
    }
)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl", "a.dat"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    """What is written is read back equal, whatever the name of the file it is read from."""
    written = tmp_path / ("a.parquet" if name == "a.dat" else name)
    write_table(to_arrow(FRAME), written)
    path = written.rename(tmp_path / name)
    pd.testing.assert_frame_equal(read_table(path), FRAME)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found(tmp_path: Path, separator: str) -> None:
    """Each of the four separators is found, with the others inside quoted text."""
    path = tmp_path / "a.csv"
    frame = pd.DataFrame({"a": [1, 2], "b": ["x, y; z|w\tv", "plain"], "c": [0.5, 1.5]})
    frame.to_csv(path, sep=separator, index=False)
    pd.testing.assert_frame_equal(read_table(path), frame)


def test_decimal_commas_do_not_win(tmp_path: Path) -> None:
    """A file of semicolons is not cut at commas that happen to be equally many."""
    path = tmp_path / "a.csv"
    path.write_text("a;b;c\n1,5;2,5;x\n3,5;4,5;y\n")
    assert list(read_table(path).columns) == ["a", "b", "c"]


def test_one_column(tmp_path: Path) -> None:
    """A file of one column needs no separator."""
    path = tmp_path / "a.csv"
    path.write_text("age\n1\n2\n")
    assert list(read_table(path).columns) == ["age"]


def test_an_unclear_separator(tmp_path: Path) -> None:
    """A separator that cannot be told is asked for; said, the file is read."""
    path = tmp_path / "a.csv"
    path.write_text("a^b\nsome text^2\nmore text^3\n")
    with pytest.raises(SeparatorUnclear) as raised:
        read_table(path)
    assert "--sep" in raised.value.hint
    assert list(read_table(path, separator="^").columns) == ["a", "b"]


def test_a_separator_of_two_characters(tmp_path: Path) -> None:
    """A separator of more than one character is refused."""
    path = tmp_path / "a.csv"
    path.write_text("a::b\n1::2\n")
    with pytest.raises(SeparatorUnclear):
        read_table(path, separator="::")


@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(
                    codec="utf-8", exclude_characters="\r\n\0\x1c\x1d\x1e\x85\u2028\u2029\x0b\x0c"
                )
            ),
            min_size=3,
            max_size=3,
        ),
        min_size=2,
        max_size=6,
    ),
    st.sampled_from(",;\t|"),
)
def test_a_found_separator_cuts_every_line_alike(rows: list[list[str]], separator: str) -> None:
    """Whatever the text, the separator that is found is the one it was written with."""
    frame = pd.DataFrame(rows, columns=["one", "two", "three"])
    text = frame.to_csv(sep=separator, index=False, quoting=1)
    try:
        found = sniff_separator(Path("a.csv"), text.encode())
    except SeparatorUnclear:
        return
    assert found == separator


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark, which spreadsheets write, is not part of the first name."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")
    assert list(read_table(path).columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1,\xff\n", "not UTF-8"),
        (b'{"a": 1}\n{"a": \n', "cannot be read"),
        (b'{"a": 1}\n[1]\n', "cannot be read"),
        (b"PAR1 and then not", "cannot be read"),
    ],
)
def test_unreadable(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that is empty, damaged, or in another encoding is refused in words."""
    path = tmp_path / "data"
    path.write_bytes(content)
    with pytest.raises(DataUnreadable, match=message) as raised:
        read_table(path)
    assert raised.value.hint


def test_ragged_lines_are_refused(tmp_path: Path) -> None:
    """A line with too many fields is refused, with its number."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(DataUnreadable, match="line 3"):
        read_table(path, separator=",")


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    """Two columns of one name, which Parquet may hold, are refused."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), path)
    with pytest.raises(DataUnreadable, match=r"two columns|cannot be read"):
        read_table(path)


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is refused with the command that shows what is."""
    with pytest.raises(DataFileMissing) as raised:
        read_table(tmp_path / "no.csv")
    assert raised.value.hint.startswith("ls ")


def test_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    """The same content has the same fingerprint in every format; any change gives another."""
    for name in ("a.csv", "a.parquet", "a.jsonl"):
        write_table(to_arrow(FRAME), tmp_path / name)
    found = {fingerprint(read_table(tmp_path / n)) for n in ("a.csv", "a.parquet", "a.jsonl")}
    assert found == {fingerprint(FRAME)}
    changed = FRAME.copy()
    changed.loc[2, "age"] = 51
    renamed = FRAME.rename(columns={"age": "years"})
    assert len({fingerprint(FRAME), fingerprint(changed), fingerprint(renamed)}) == 3


def test_missing_values_are_null_in_arrow() -> None:
    """NaN, None and NaT are null in every column."""
    frame = pd.DataFrame(
        {
            "number": [1.5, np.nan],
            "text": ["a", None],
            "time": [pd.Timestamp("2026-01-01"), pd.NaT],
        }
    )
    assert [column.null_count for column in to_arrow(frame).columns] == [1, 1, 1]


def test_a_column_of_mixed_types_is_refused() -> None:
    """A column that mixes text and numbers is named."""
    with pytest.raises(DataUnreadable, match="'a' mixes types"):
        to_arrow(pd.DataFrame({"a": [1, "x"]}))


@pytest.mark.parametrize("name", ["a", "a.xlsx", "a.pkl"])
def test_an_unknown_output_format(tmp_path: Path, name: str) -> None:
    """An ending that names no format is refused, and nothing is written."""
    with pytest.raises(OutputUnwritable):
        write_table(pa.table({"a": [1]}), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_writing_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """An old output is replaced in one step; beside it nothing is left."""
    path = tmp_path / "a.csv"
    path.write_text("old")
    write_table(pa.table({"a": [1]}), path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == '"a"\n1\n'
