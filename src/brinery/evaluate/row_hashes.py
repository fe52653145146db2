"""A number for each row, the same for the same values: which rows occur twice, here or elsewhere.

A number is the same whether it is kept as an integer or as a float, a category is its text, and a
gap is like any other gap. The numbers are the same in every process, so those of training data may
be kept in its place. Two rows that differ share one with a chance of 1 in 10 to the 19.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b, sha256
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.evaluate.grouping import floats, is_text, plain, tally

Hashes = npt.NDArray[np.uint64]

_GAP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0x243F6A8885A308D3)


def row_hashes(table: pa.Table, columns: Sequence[str]) -> Hashes:
    """Return a number for each row: (n_rows,).

    Args:
        table: of any columns.
        columns: whose values count, in any order.
    """
    found = np.full(table.num_rows, _FIRST, np.uint64)
    for name in sorted(columns):
        found = _mixed(found ^ _hashed(plain(table.column(name))))
    return found


def digest(table: pa.Table) -> str:
    """Return the sha256 of a table's rows and columns, in whatever order they are."""
    content = sha256("\0".join(sorted(table.column_names)).encode())
    content.update(np.sort(row_hashes(table, table.column_names)).tobytes())
    return content.hexdigest()


def repeated(hashes: Hashes) -> npt.NDArray[np.bool_]:
    """Return which rows have another one like them: (n_rows,)."""
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] > 1)


def held(kind: pa.DataType) -> str:
    """Return as what the values of a column are compared: numbers, times, or texts."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "times"
    return "numbers" if _is_number(kind) else "texts"


def _is_number(kind: pa.DataType) -> bool:
    such = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(is_such(kind) for is_such in such)


def _hashed(values: pa.Array) -> Hashes:
    """Return a number for each value of a column: (n_rows,)."""
    kind = values.type
    if _is_number(kind):
        return _of_numbers(floats(values))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = getattr(kind, "tz", None)
        moments = values.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
        return _of_numbers(floats(moments))
    if not is_text(kind):
        values = pa.array([None if one is None else str(one) for one in values.to_pylist()])
    texts, codes, _ = tally(values)
    known = [blake2b(str(text).encode(), digest_size=8).digest() for text in texts]
    return np.append(np.frombuffer(b"".join(known), np.uint64), _GAP)[codes]


def _of_numbers(numbers: npt.NDArray[np.float64]) -> Hashes:
    # -0.0 becomes 0.0, and every NaN the same gap.
    bits = _mixed((numbers + 0.0).view(np.uint64))
    bits[np.isnan(numbers)] = _GAP
    return bits


def _mixed(bits: Hashes) -> Hashes:
    """Return numbers whose bits all depend on each other. Source: Steele et al. 2014, SplitMix."""
    mixed = bits + _GAP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
