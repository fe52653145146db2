"""Some rows with the answers that a model gave them, kept to ask again: the same in every place."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from brinery.errors import ModelFileError
from brinery.flavors import tables
from brinery.records.scores import Scores

_ROWS = 100


class _Sample(msgspec.Struct, frozen=True):
    """Two Arrow streams.

    Attributes:
        rows: (n_rows, n_columns) what was asked.
        scores: what was answered.
    """

    rows: bytes
    scores: bytes


def write(path: Path, table: pa.Table, *, scores: Scores) -> None:
    """Keep rows spread evenly over a table, up to 100 of them.

    Args:
        path: of the file.
        table: (n_rows, n_columns).
        scores: (n_rows,) the answers.
    """
    kept = np.unique(np.linspace(0, table.num_rows - 1, _ROWS).astype(np.int64))
    kept = kept[kept >= 0]
    sample = _Sample(
        bytes(tables.pack(table.take(kept).combine_chunks())),
        bytes(tables.pack_scores(scores.take(kept))),
    )
    path.write_bytes(msgspec.msgpack.encode(sample))


def read(path: Path) -> tuple[pa.Table, Scores]:
    """Return the rows that were kept, and their answers.

    Raises:
        ModelFileError: the file is not what `write` wrote.
    """
    try:
        sample = msgspec.msgpack.decode(path.read_bytes(), type=_Sample)
        return tables.unpack(sample.rows), tables.unpack_scores(tables.unpack(sample.scores), ())
    except (OSError, KeyError, msgspec.MsgspecError, pa.ArrowException):
        raise ModelFileError(f"{path.name} holds no rows with their answers") from None
