"""Which rows of a dataset are used: the first, all, or a random sample with a fixed seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

_SEED: Final = 1337
_METHODS: Final = ("HEAD_SEQUENTIAL", "FULL", "RANDOM_FIXED_NB", "RANDOM_FIXED_RATIO")


def selected(
    read: Callable[[int | None], pa.Table], selection: Mapping[str, Any] | None
) -> pa.Table:
    """Return the rows that a selection means, in the order of the data; all where there is none.

    Args:
        read: returns so many of the first rows; all of them for None.
        selection: `samplingMethod`, and `maxRecords` or `targetRatio` with it.

    Raises:
        ValueError: there is no such method, or its number is missing.
        NotImplementedError: it selects partitions or filters.
    """
    if not selection:
        return read(None)
    method = str(selection.get("samplingMethod", "FULL"))
    if method not in _METHODS:
        raise ValueError(f"samplingMethod is one of {', '.join(_METHODS)}, and not {method!r}")
    if selection.get("selectedPartitions") or dict(selection.get("filter") or {}).get("enabled"):
        raise NotImplementedError(
            "partitions and filters of a selection are not read: write a dataset of these rows "
            "(Dataset.write_with_schema) and name it"
        )
    if method == "FULL":
        return read(None)
    if method == "HEAD_SEQUENTIAL":
        return read(_number(selection, "maxRecords"))
    table = read(None)
    count = table.num_rows
    if method == "RANDOM_FIXED_NB":
        wanted = min(count, _number(selection, "maxRecords"))
    else:
        wanted = round(count * float(selection.get("targetRatio", 0.1)))
    drawn = np.random.default_rng(_SEED).choice(count, size=wanted, replace=False)
    return table.take(pa.array(np.sort(drawn)))


def _number(selection: Mapping[str, Any], name: str) -> int:
    """Return a number of rows.

    Raises:
        ValueError: it is missing, or not from 1.
    """
    found = selection.get(name)
    if not isinstance(found, int) or found < 1:
        raise ValueError(f"a selection by {selection['samplingMethod']} needs {name}, from 1")
    return found
