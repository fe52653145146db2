"""Tables as a program has them: pandas', or those of any library that speaks Arrow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, runtime_checkable

import pandas as pd
import pyarrow as pa


@runtime_checkable
class ArrowTable(Protocol):
    """A table of any library that gives it away by Arrow's C stream: polars, pyarrow, DuckDB.

    Source: the Arrow PyCapsule interface.
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the stream of its rows."""
        ...


# A file, or a table in memory.
Data = str | os.PathLike[str] | pd.DataFrame | ArrowTable


def given(data: Data) -> Path | pd.DataFrame:
    """Return the path of a file, or a table in memory as pandas has it."""
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, ArrowTable):
        frame: pd.DataFrame = pa.table(data).to_pandas()
        return frame
    return Path(data)
