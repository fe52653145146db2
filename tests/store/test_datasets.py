"""Data files in blocks: the rows of the whole, from any row on, whatever the format."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from brinery.errors import DataUnreadable
from brinery.store.datasets import MISSING_WORDS, Wanted, find, fragment
from brinery.store.tables import TableFormat, to_arrow, write_table

ROWS = 23
FRAME = pd.DataFrame(
    {"n": range(ROWS), "t": [f"t{place}\n" for place in range(ROWS)], "x": [0.1] * ROWS}
)


def test_the_words_for_missing_are_those_of_pandas() -> None:
    """A csv file in blocks has the missing values that the same file has as a whole."""
    assert set(MISSING_WORDS) == import_module("pandas._libs.parsers").STR_NA_VALUES


@pytest.mark.parametrize("form", list(TableFormat))
@pytest.mark.parametrize(("size", "start"), [(1, 0), (5, 0), (5, 7), (100, 22), (4, 23)])
def test_blocks(tmp_path: Path, form: TableFormat, size: int, start: int) -> None:
    """Blocks are no larger than asked, hold every row from the start on, and the columns asked."""
    path = tmp_path / f"a.{form}"
    write_table(to_arrow(FRAME), path)
    file = fragment(path)
    assert file.columns == ("n", "t", "x")
    assert file.rows in (None, ROWS)
    found: list[int] = []
    read = 0.0
    for block, now in file.blocks(Wanted(("t", "n"), text=frozenset("t")), size, start=start):
        frame = block.to_pandas() if isinstance(block, pa.Table) else block
        assert 0 < len(frame) <= size
        assert read <= now <= 1
        read = now
        assert set(frame.columns) == {"t", "n"}
        found.extend(frame["n"].tolist())
    assert found == list(range(start, ROWS))


def test_row_groups_that_are_done_are_not_read(tmp_path: Path) -> None:
    """A Parquet file is read from the row group on that the first row lies in."""
    path = tmp_path / "a.parquet"
    pq.write_table(to_arrow(FRAME), path, row_group_size=10)
    damaged = bytearray(path.read_bytes())
    end = pq.read_metadata(path).row_group(1).column(0).dictionary_page_offset
    damaged[4:end] = b"\0" * (end - 4)
    path.write_bytes(damaged)
    wanted = Wanted(("n",))
    rows = [block.num_rows for block, _ in fragment(path).blocks(wanted, 100, start=12)]
    assert sum(rows) == ROWS - 12
    with pytest.raises(DataUnreadable, match="cannot be read"):
        list(fragment(path).blocks(wanted, 100))


def test_names_that_come_late(tmp_path: Path) -> None:
    """A column that only late rows of a JSON lines file name is one of its columns."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n' * 2500 + '{"a": 1, "late": 2}\n')
    file = fragment(path)
    assert file.columns == ("a",)
    assert file.columns_with(("late",)) == ("a", "late")
    last = [block for block, _ in file.blocks(Wanted(("late",)), 1000)][-1]
    assert last["late"].tolist()[-1] == 2


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    """A Parquet file with two columns of one name is refused."""
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataUnreadable, match="two columns named 'a'"):
        fragment(tmp_path / "a.parquet")


def test_find(tmp_path: Path) -> None:
    """A file whose name looks like a pattern is that file."""
    odd = tmp_path / "a[1].csv"
    odd.write_text("a\n1\n")
    assert find(str(odd)) == (odd,)
