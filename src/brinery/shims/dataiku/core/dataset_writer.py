"""Rows that a script writes become a file beside the dataset, which the gateway then commits."""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence

from brinery_shims.errors import DataikuException
from brinery_shims.gateway import call

from dataiku.core import dataset_frames, dataset_schemas

if TYPE_CHECKING:
    from dataiku.core.dataset import Dataset

_ROWS = 100_000


def write_frame(dataset: Dataset, frame: Any, infer_schema: bool) -> None:
    """Write a data frame in place of the rows of a dataset, or after them.

    Args:
        dataset: which is made where it is not there.
        frame: of pandas.
        infer_schema: whether the schema becomes that of the frame.

    Raises:
        Exception: the frame does not fit the schema.
        TypeError: it is no data frame.
    """
    if not hasattr(frame, "to_dict") or not hasattr(frame, "columns"):
        raise TypeError(f"a pandas data frame can be written, and this is a {type(frame).__name__}")
    given = dataset_schemas.schema_of(frame)
    schema = given if infer_schema else fixed_schema(dataset)
    staged = call("datasets.stage", name=dataset.name, project=dataset.project_key)
    try:
        _write(frame, staged, 0, given, schema)
    except BaseException:
        call("datasets.discard", staged=staged)
        raise
    commit(dataset, staged, schema)


def commit(dataset: Dataset, staged: str, schema: Sequence[Mapping[str, Any]]) -> None:
    """Make what was staged the rows of a dataset."""
    call(
        "datasets.commit",
        name=dataset.name,
        project=dataset.project_key,
        staged=staged,
        columns=[dict(each) for each in schema],
        append=bool(dataset.spec_item.get("appendMode")),
        separator=",",
    )


def fixed_schema(dataset: Dataset) -> List[Dict[str, Any]]:
    """Return the schema of a dataset.

    Raises:
        Exception: it has none.
    """
    try:
        columns = dataset.read_schema(raise_if_empty=False)
    except DataikuException as error:
        if "NotFoundException" not in str(error):
            raise
        columns = []
    if not columns:
        raise DataikuException(
            f"the dataset {dataset.full_name} has no schema to write rows by: call write_schema "
            "first, or write_with_schema"
        )
    return columns


def _write(
    frame: Any,
    staged: str,
    number: int,
    given: Sequence[Mapping[str, Any]],
    schema: Sequence[Mapping[str, Any]],
) -> None:
    """Write a data frame as one file of a folder."""
    frame = frame.copy(deep=False)
    frame.columns = [str(name) for name in frame.columns]
    wanted = {each["name"]: each["type"] for each in schema}
    for each in given:
        name, kind = each["name"], each["type"]
        if kind in ("array", "object"):
            frame[name] = [
                None if _gone(one) else json.dumps(one, default=str) for one in frame[name]
            ]
        elif wanted.get(name, kind) == "string" and kind != "string":
            frame[name] = _as_texts(frame[name], kind)
    for name, kind in wanted.items():  # what the frame lacks is empty
        if name not in frame.columns:
            frame[name] = math.nan if kind in ("double", "float") else None
    if "parquet" not in dataset_frames.readable():
        frame.to_csv(f"{staged}/{number:05}.csv", index=False)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = _arrow(frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # A column that mixes kinds of values is a column of texts, as it would be in csv.
        for name, kind in frame.dtypes.items():
            if kind.kind == "O":
                frame[name] = _as_texts(frame[name], "")
        table = _arrow(frame)
    # The least and greatest text of a column helps nobody, and takes a fifth of the time.
    texts = (pa.string(), pa.large_string())
    counted = [one.name for one in table.schema if one.type not in texts]
    pq.write_table(
        table.replace_schema_metadata(None),
        f"{staged}/{number:05}.parquet",
        compression="snappy",
        write_statistics=[name for name in counted if "." not in name] or False,
    )


def _arrow(frame: Any) -> Any:
    """Return a data frame as Arrow has it; what pandas says of pyarrow's ways is not for users."""
    import pyarrow as pa

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pa.Table.from_pandas(frame, preserve_index=False)


def _gone(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _as_texts(values: Any, kind: str) -> List[Optional[str]]:
    missing = values.isna()
    if kind == "boolean":
        return [None if gone else str(each).lower() for each, gone in zip(values, missing)]
    return [None if gone else str(each) for each, gone in zip(values, missing)]


class DatasetWriter:
    """What rows are written through; they are there once it is closed, and not before.

    Args:
        dataset: whose schema is set.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.active_writer = True
        self._schema = fixed_schema(dataset)
        self._names = [each["name"] for each in self._schema]
        self._rows: List[Sequence[Any]] = []
        self._files = 0
        self._staged: Optional[str] = None

    def __enter__(self) -> DatasetWriter:
        """Return the writer."""
        return self

    def __exit__(self, type: Any, value: Any, traceback: Any) -> None:
        """Close the writer; where the block failed, nothing is written."""
        if type is None:
            self.close()
            return
        self.active_writer = False
        if self._staged is not None:
            call("datasets.discard", staged=self._staged)

    def write_tuple(self, row: Sequence[Any]) -> None:
        """Write a row, its values in the order of the schema.

        Raises:
            Exception: it has more or fewer values.
        """
        self._check()
        if len(row) != len(self._names):
            raise DataikuException(
                f"a row of {self.dataset.full_name} has {len(self._names)} values, and this has "
                f"{len(row)}"
            )
        self._rows.append(tuple(row))
        if len(self._rows) >= _ROWS:
            self._flush()

    def write_row_array(self, row: Sequence[Any]) -> None:
        """Write a row; the deprecated name of `write_tuple`."""
        self.write_tuple(row)

    def write_row_dict(self, row_dict: Mapping[str, Any]) -> None:
        """Write a row given by the names of its columns; one that is not named is missing."""
        for name in row_dict:
            if name not in self._names:
                raise DataikuException(
                    f"the dataset {self.dataset.full_name} has no column '{name}'; it has "
                    f"{', '.join(self._names)}"
                )
        self.write_tuple([row_dict.get(name) for name in self._names])

    def write_dataframe(self, df: Any) -> None:
        """Write the rows of a pandas data frame, its columns in the order of the schema."""
        self._check()
        self._flush()
        given = dataset_schemas.schema_of(df)
        if len(given) != len(self._names):
            raise DataikuException(
                f"the data frame has {len(given)} columns, and {self.dataset.full_name} has "
                f"{len(self._names)}"
            )
        _write(df, self._folder(), self._next(), given, self._schema)

    def close(self) -> None:
        """Make what was written the rows of the dataset."""
        if not self.active_writer:
            return
        self._flush()
        if not self._files:
            self._flush(empty=True)
        self.active_writer = False
        commit(self.dataset, self._folder(), self._schema)

    def _check(self) -> None:
        if not self.active_writer:
            raise DataikuException(f"the writer of {self.dataset.full_name} is closed")

    def _flush(self, empty: bool = False) -> None:
        """Write the rows that were gathered to a file."""
        if not self._rows and not empty:
            return
        import pandas as pd

        columns = list(zip(*self._rows)) if self._rows else [() for _ in self._names]
        frame = pd.DataFrame(
            {name: pd.Series(list(one), dtype=object) for name, one in zip(self._names, columns)}
        )
        frame = frame.infer_objects()
        self._rows = []
        given = dataset_schemas.schema_of(frame)
        _write(frame, self._folder(), self._next(), given, self._schema)

    def _folder(self) -> str:
        if self._staged is None:
            self._staged = call(
                "datasets.stage", name=self.dataset.name, project=self.dataset.project_key
            )
        return self._staged

    def _next(self) -> int:
        self._files += 1
        return self._files - 1
