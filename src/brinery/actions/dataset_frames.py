"""The rows of a dataset as the libraries of data have them: pandas, pyarrow, polars and DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pandas as pd
import pyarrow as pa

from brinery.errors import LibraryMissing
from brinery.records.dataset import Column, DatasetLocation
from brinery.store.dataset_rows import read_rows


@dataclass(frozen=True)
class DatasetReader:
    """One version of a dataset, ready to be read.

    Attributes:
        location: of its rows.
    """

    location: DatasetLocation

    @property
    def schema(self) -> tuple[Column, ...]:
        """Return the columns."""
        return self.location.columns

    @property
    def version(self) -> str:
        """Return the version of the content."""
        return self.location.version

    def arrow(self, columns: Sequence[str] | None = None, *, limit: int | None = None) -> pa.Table:
        """Return the rows as a table of pyarrow.

        Args:
            columns: that are read, in this order; all when None.
            limit: of the rows, from the first on.

        Raises:
            ColumnMissing: there is no such column.
            DataFileMissing: a file is gone.
        """
        return read_rows(self.location, columns=columns, limit=limit)

    def pandas(
        self, columns: Sequence[str] | None = None, *, limit: int | None = None
    ) -> pd.DataFrame:
        """Return the rows as a data frame of pandas; arguments and errors as of `arrow`."""
        frame: pd.DataFrame = self.arrow(columns, limit=limit).to_pandas()
        return frame

    def polars(self, columns: Sequence[str] | None = None, *, limit: int | None = None) -> Any:
        """Return the rows as a data frame of polars; arguments and errors as of `arrow`.

        Raises:
            LibraryMissing: polars is not installed.
        """
        return _library("polars").from_arrow(self.arrow(columns, limit=limit))

    def duckdb(self, columns: Sequence[str] | None = None, *, limit: int | None = None) -> Any:
        """Return the rows as a relation of DuckDB; arguments and errors as of `arrow`.

        Raises:
            LibraryMissing: DuckDB is not installed.
        """
        return _library("duckdb").from_arrow(self.arrow(columns, limit=limit))


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise LibraryMissing(
            f"reading a dataset with {name} needs {name}, which is not installed",
            hint=f"pip install {name}",
        ) from None
