from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from brinery.evaluate.row_hashes import held, repeated, row_hashes

CELLS = st.tuples(
    st.none() | st.integers(-5, 5),
    st.none() | st.sampled_from(["a", "b", "", "a "]),
    st.none() | st.sampled_from([0.0, 0.1, 0.5, 1e300]),
)


@given(st.lists(CELLS, min_size=1, max_size=30))
def test_alike_rows_have_one_number(
    rows: list[tuple[int | None, str | None, float | None]],
) -> None:
    """Two rows have one number just where all their values are the same."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    kinds = (pa.int64(), pa.string(), pa.float64())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    found = row_hashes(pa.table(arrays, names=["i", "t", "f"]), ["i", "t", "f"]).tolist()
    for one, row in zip(found, rows, strict=True):
        for other, twin in zip(found, rows, strict=True):
            assert (one == other) == (row == twin)


def test_a_value_in_another_type() -> None:
    """A number, a category, a time and a gap are the same in any type that holds them."""
    moment = dt.datetime(2024, 1, 1, 12)  # noqa: DTZ001 - no zone is meant
    one = pa.table(
        {
            "n": pa.array([1, None], pa.int8()),
            "z": [0.0, math.nan],
            "t": pa.array(["a", "b"]).dictionary_encode(),
            "at": pa.array([moment, None], pa.timestamp("s")),
            "b": [True, False],
        }
    )
    other = pa.table(
        {
            "b": [1, 0],
            "at": pa.array([moment, None], pa.timestamp("ns")),
            "t": ["a", "b"],
            "z": pa.array([Decimal(0), None]),
            "n": [1.0, math.nan],
        }
    )
    assert (row_hashes(one, one.column_names) == row_hashes(other, other.column_names)).all()


def test_columns_are_told_apart() -> None:
    """The same value in another column is another row."""
    one, other = pa.table({"a": [1], "b": [2]}), pa.table({"a": [2], "b": [1]})
    assert row_hashes(one, ["a", "b"])[0] != row_hashes(other, ["a", "b"])[0]
    assert row_hashes(one, ["a"])[0] != row_hashes(one, ["a", "b"])[0]


def test_numbers_are_the_same_in_every_process() -> None:
    """Numbers of rows may be kept: another process finds the same ones."""
    code = (
        "import pyarrow as pa; from brinery.evaluate.row_hashes import row_hashes;"
        "print(row_hashes(pa.table({'a': ['x', None], 'b': [1.5, 2]}), ['a', 'b']).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    here = row_hashes(pa.table({"a": ["x", None], "b": [1.5, 2]}), ["a", "b"])
    assert done.stdout.strip() == str(here.tolist())


def test_repeated() -> None:
    """A row is repeated where another one has its number."""
    assert repeated(np.array([1, 2, 1, 3], np.uint64)).tolist() == [True, False, True, False]


def test_kinds() -> None:
    """Columns are compared as numbers, times or texts."""
    kinds = (pa.bool_(), pa.date32(), pa.dictionary(pa.int8(), pa.string()), pa.null())
    assert list(map(held, kinds)) == ["numbers", "times", "texts", "texts"]
