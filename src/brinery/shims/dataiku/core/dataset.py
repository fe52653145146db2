"""A dataset, as scripts read and write it."""

from __future__ import annotations

import warnings
from typing import Any, Dict, Iterator, List, Optional, Tuple

from brinery_shims import projects
from brinery_shims.gateway import call

from dataiku.core import dataset_frames, dataset_rows, dataset_schemas
from dataiku.core.dataset_frames import Reading
from dataiku.core.dataset_writer import DatasetWriter, write_frame


class Schema(List[Dict[str, Any]]):
    """The columns of a dataset: a list of `{"name": …, "type": …}`."""


class Dataset:
    """A dataset of the workspace; it need not be there yet.

    Args:
        name: of the dataset, or `PROJECT.name`.
        project_key: of its project; the default one when None.
        ignore_flow: whether reading it is not recorded.
    """

    def __init__(
        self, name: str, project_key: Optional[str] = None, ignore_flow: bool = False
    ) -> None:
        owner, dot, plain = name.partition(".")
        if project_key is None and dot:
            project_key, name = owner, plain
        self.name = name
        self.short_name = name
        self.project_key = project_key or projects.default()
        self.full_name = f"{self.project_key}.{name}"
        self.ignore_flow = ignore_flow
        # `spec_item["appendMode"] = True` has what is written come after what is there.
        self.spec_item: Dict[str, Any] = {"appendMode": False}
        self.writePartition: Optional[str] = None

    def __repr__(self) -> str:
        """Return how it is called."""
        return f"<dataiku.Dataset {self.full_name}>"

    @staticmethod
    def list(project_key: Optional[str] = None) -> List[str]:
        """Return the names of a project's datasets."""
        return [
            each["name"]
            for each in call("datasets.list", project=project_key or projects.default())
        ]

    def get_dataframe(
        self,
        columns: Any = None,
        sampling: str = "head",
        sampling_column: Optional[str] = None,
        limit: Optional[int] = None,
        ratio: Optional[float] = None,
        ascending: bool = True,
        infer_with_pandas: bool = True,
        parse_dates: Any = True,
        bool_as_str: bool = False,
        int_as_float: bool = False,
        use_nullable_integers: bool = False,
        categoricals: Any = None,
        float_precision: Optional[str] = None,
        na_values: Any = None,
        keep_default_na: bool = True,
        print_deep_memory_usage: bool = True,
        skip_additional_data_checks: bool = False,
        date_parser: Any = None,
        override_dtypes: Any = None,
        pandas_read_kwargs: Any = None,
    ) -> Any:
        """Return the rows as a pandas data frame.

        Args:
            columns: that are read, in this order; all when None.
            sampling: `head`, `random`, `random-column`, `sort-column`, `tail` or `full`.
            sampling_column: of the kinds that go by a column.
            limit: rows at most.
            ratio: of the rows, of the random kinds, 0 to 1.
            ascending: the order of `sort-column`.
            infer_with_pandas: whether texts that are all numbers become numbers, as pandas reads
                csv; otherwise the stored schema says what the columns are.
            parse_dates: whether dates are read as such; or the names of those that are.
            bool_as_str: whether booleans become `true` and `false`.
            int_as_float: whether integers become floats.
            use_nullable_integers: whether integers become pandas' own that may be missing.
            categoricals: names of columns that become categories, or `all`.
            float_precision: of no effect: numbers are stored as such.
            na_values: texts that are missing values, too.
            keep_default_na: whether pandas' usual texts for missing values are such.
            print_deep_memory_usage: of no effect.
            skip_additional_data_checks: of no effect.
            date_parser: a function of texts, for the dates.
            override_dtypes: of columns, by name.
            pandas_read_kwargs: of `pandas.read_csv`; `usecols`, `dtype`, `nrows` and those above.
        """
        if pandas_read_kwargs:
            more = dataset_frames.read_arguments(pandas_read_kwargs)
            columns = more.get("columns", columns)
            limit = more.get("limit", limit)
            override_dtypes = more.get("override_dtypes", override_dtypes)
            parse_dates = more.get("parse_dates", parse_dates)
            na_values = more.get("na_values", na_values)
            keep_default_na = more.get("keep_default_na", keep_default_na)
        reading = Reading(
            columns=columns,
            infer=infer_with_pandas,
            parse_dates=parse_dates,
            bool_as_str=bool_as_str,
            int_as_float=int_as_float,
            nullable=use_nullable_integers,
            categoricals=categoricals,
            na_values=na_values,
            default_na=keep_default_na,
            date_parser=date_parser,
            dtypes=override_dtypes,
        )
        sample = dataset_frames.Sampling(
            kind=sampling, column=sampling_column, limit=limit, ratio=ratio, ascending=ascending
        )
        return dataset_frames.read(self._location(), reading, sample)

    def get_fast_path_dataframe(self, auto_fallback: bool = False, **kwargs: Any) -> Any:
        """Return the rows as a pandas data frame of the stored types; every read is fast here.

        Args:
            auto_fallback: of no effect.
            kwargs: of `get_dataframe`.
        """
        return self.get_dataframe(**{"infer_with_pandas": False, **kwargs})

    def iter_dataframes(
        self,
        chunksize: int = 10000,
        infer_with_pandas: bool = True,
        sampling: str = "head",
        sampling_column: Optional[str] = None,
        parse_dates: Any = True,
        limit: Optional[int] = None,
        ratio: Optional[float] = None,
        columns: Any = None,
        bool_as_str: bool = False,
        float_precision: Optional[str] = None,
        na_values: Any = None,
        keep_default_na: bool = True,
        ascending: bool = True,
        int_as_float: bool = False,
        use_nullable_integers: bool = False,
        categoricals: Any = None,
        date_parser: Any = None,
        override_dtypes: Any = None,
        pandas_read_kwargs: Any = None,
    ) -> Iterator[Any]:
        """Yield the rows as pandas data frames of so many rows each; arguments as above."""
        whole = self.get_dataframe(
            columns=columns,
            sampling=sampling,
            sampling_column=sampling_column,
            limit=limit,
            ratio=ratio,
            ascending=ascending,
            infer_with_pandas=infer_with_pandas,
            parse_dates=parse_dates,
            bool_as_str=bool_as_str,
            int_as_float=int_as_float,
            use_nullable_integers=use_nullable_integers,
            categoricals=categoricals,
            float_precision=float_precision,
            na_values=na_values,
            keep_default_na=keep_default_na,
            date_parser=date_parser,
            override_dtypes=override_dtypes,
            pandas_read_kwargs=pandas_read_kwargs,
        )
        for first in range(0, len(whole), chunksize):
            yield whole.iloc[first : first + chunksize]

    def iter_dataframes_forced_types(
        self,
        names: Any,
        dtypes: Any,
        parse_date_columns: Any,
        chunksize: int = 10000,
        sampling: str = "head",
        sampling_column: Optional[str] = None,
        limit: Optional[int] = None,
        ratio: Optional[float] = None,
        float_precision: Optional[str] = None,
        na_values: Any = None,
        keep_default_na: bool = True,
        ascending: bool = True,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Yield the rows as pandas data frames of given types.

        Args:
            names: of the columns, as `get_dataframe_schema_st` returns them.
            dtypes: by name; None for those that pandas guesses.
            parse_date_columns: numbers of the columns that are dates, or False.
            chunksize: rows of each.
            sampling: as of `get_dataframe`, and so all that follow.
        """
        dates = [names[each] for each in parse_date_columns] if parse_date_columns else False
        return self.iter_dataframes(
            chunksize=chunksize,
            infer_with_pandas=dtypes is None,
            sampling=sampling,
            sampling_column=sampling_column,
            parse_dates=dates,
            limit=limit,
            ratio=ratio,
            columns=list(names),
            na_values=na_values,
            keep_default_na=keep_default_na,
            ascending=ascending,
            override_dtypes=dtypes,
        )

    @staticmethod
    def get_dataframe_schema_st(
        schema: Any,
        columns: Any = None,
        parse_dates: bool = True,
        infer_with_pandas: bool = False,
        bool_as_str: bool = False,
        int_as_float: bool = False,
        use_nullable_integers: bool = False,
        categoricals: Any = None,
    ) -> Tuple[List[str], Optional[Dict[str, Any]], Any]:
        """Return names of columns, their dtypes by name, and the numbers of those that are dates.

        Args:
            schema: as `read_schema` returns it.
            columns: that are meant; all when None.
            parse_dates: whether dates are read as such.
            infer_with_pandas: whether pandas guesses the types; the dtypes are None then.
            bool_as_str: as of `get_dataframe`, and so all that follow.
        """
        return dataset_frames.frame_schema(
            schema,
            Reading(
                columns=columns,
                infer=infer_with_pandas,
                parse_dates=parse_dates,
                bool_as_str=bool_as_str,
                int_as_float=int_as_float,
                nullable=use_nullable_integers,
                categoricals=categoricals,
            ),
        )

    def iter_rows(
        self,
        sampling: str = "head",
        sampling_column: Optional[str] = None,
        limit: Optional[int] = None,
        ratio: Optional[float] = None,
        log_every: int = -1,
        timeout: int = 30,
        columns: Any = None,
    ) -> Iterator[Any]:
        """Yield each row, which is like a dict of its columns."""
        names, rows = self._rows(sampling, sampling_column, limit, ratio, columns)
        for row in rows:
            yield dataset_rows.Row(names, row)

    def iter_tuples(
        self,
        sampling: str = "head",
        sampling_column: Optional[str] = None,
        limit: Optional[int] = None,
        ratio: Optional[float] = None,
        log_every: int = -1,
        timeout: int = 30,
        columns: Any = None,
    ) -> Iterator[Tuple[Any, ...]]:
        """Yield each row as a tuple."""
        yield from self._rows(sampling, sampling_column, limit, ratio, columns)[1]

    def raw_formatted_data(
        self,
        sampling: Any = None,
        columns: Any = None,
        format: str = "tsv-excel-noheader",
        format_params: Any = None,
        read_session_id: Optional[str] = None,
    ) -> Any:
        """Return a stream of the rows as text, in bytes.

        Args:
            sampling: a dict with `samplingMethod` and `maxRecords`; all rows when None.
            columns: that are written; all when None.
            format: `tsv-excel-noheader`, `tsv-excel-header`, `csv-excel-noheader`,
                `csv-excel-header` or `json`.
            format_params: `{"separator": …}`.
            read_session_id: of no effect.
        """
        limit = (sampling or {}).get("maxRecords")
        frame = self.get_dataframe(
            columns=columns, limit=limit, infer_with_pandas=False, use_nullable_integers=True
        )
        return dataset_rows.formatted(frame, format, format_params or {})

    def write_with_schema(self, df: Any, drop_and_create: bool = False, **kwargs: Any) -> None:
        """Write a pandas data frame in place of the rows and the schema that are there.

        Args:
            df: whose index is left out.
            drop_and_create: of no effect: the rows are replaced in one step either way.
            kwargs: `dropAndCreate`, its deprecated name.
        """
        if "dropAndCreate" in kwargs:
            warnings.warn("dropAndCreate is now drop_and_create", DeprecationWarning, stacklevel=2)
            kwargs.pop("dropAndCreate")
        if kwargs:
            raise TypeError(
                f"write_with_schema() got an unexpected keyword argument '{next(iter(kwargs))}'"
            )
        write_frame(self, df, infer_schema=True)

    def write_dataframe(
        self, df: Any, infer_schema: bool = False, drop_and_create: bool = False, **kwargs: Any
    ) -> None:
        """Write a pandas data frame in place of the rows that are there.

        Args:
            df: whose index is left out.
            infer_schema: whether the schema becomes that of the data frame.
            drop_and_create: of no effect.
            kwargs: `dropAndCreate`, its deprecated name.
        """
        if infer_schema:
            self.write_with_schema(df, drop_and_create, **kwargs)
            return
        write_frame(self, df, infer_schema=False)

    def write_from_dataframe(self, df: Any, infer_schema: bool = False, **kwargs: Any) -> None:
        """Write a pandas data frame; the deprecated name of `write_dataframe`."""
        self.write_dataframe(df, infer_schema, **kwargs)

    def write_schema(self, columns: Any, drop_and_create: bool = False, **kwargs: Any) -> None:
        """Give the dataset another schema.

        Args:
            columns: each `{"name": …, "type": …}`.
            drop_and_create: of no effect.
        """
        given = [dict(each) for each in columns]
        call("datasets.set_schema", name=self.name, project=self.project_key, columns=given)

    def write_schema_from_dataframe(
        self, df: Any, drop_and_create: bool = False, **kwargs: Any
    ) -> None:
        """Give the dataset the schema of a pandas data frame."""
        self.write_schema(dataset_schemas.schema_of(df))

    def read_schema(self, raise_if_empty: bool = True) -> List[Dict[str, Any]]:
        """Return the columns, each with `name` and `type`.

        Args:
            raise_if_empty: whether a dataset that has none is an error.

        Raises:
            Exception: it has none.
        """
        columns: List[Dict[str, Any]] = self._shown()["columns"]
        if not columns and raise_if_empty:
            raise Exception(
                f"the dataset {self.full_name} has no schema yet: write to it, or write_schema"
            )
        return Schema({key: value for key, value in each.items() if value} for each in columns)

    def get_writer(self) -> DatasetWriter:
        """Return what rows are written through, in place of those that are there.

        Raises:
            Exception: the dataset has no schema.
        """
        return DatasetWriter(self)

    def get_config(self) -> Dict[str, Any]:
        """Return what is known of the dataset."""
        shown = self._shown()
        return {
            "projectKey": shown["project"],
            "name": shown["name"],
            "smartName": shown["name"],
            "type": "Filesystem" if shown["format"] != "sql" else "SQL",
            "managed": not shown["external"],
            "formatType": shown["format"],
            "formatParams": {},
            "params": {"path": shown["uri"], "table": shown["table"]},
            "schema": {"columns": shown["columns"], "userModified": False},
            "partitioning": {"dimensions": []},
            "description": shown["description"],
            "tags": [],
        }

    def get_location_info(self, sensitive_info: bool = False) -> Dict[str, Any]:
        """Return where the rows lie."""
        paths = self._location(used=False)["paths"]
        path = paths[0].rpartition("/")[0] if paths else ""
        return {"locationInfoType": "FS", "info": {"path": path, "quotedPath": f'"{path}"'}}

    def get_files_info(self, partitions: Any = None) -> Dict[str, Any]:
        """Return the files of the rows."""
        import os

        found = []
        for path in self._location(used=False)["paths"]:
            seen = os.stat(path)
            found.append(
                {"path": path, "lastModified": int(seen.st_mtime * 1000), "size": seen.st_size}
            )
        return {"globalPaths": found, "pathsByPartition": {}}

    def list_partitions(self, raise_if_empty: bool = True) -> List[str]:
        """Return the one partition of a dataset that is not partitioned."""
        return ["NP"]

    def add_read_partitions(self, spec: Any) -> None:
        """Refuse: no dataset is partitioned here."""
        raise NotImplementedError(
            "partitions are not supported by Brinery; keep the key as a column and select by it"
        )

    def set_write_partition(self, spec: Any) -> None:
        """Refuse: no dataset is partitioned here."""
        self.add_read_partitions(spec)

    def get_last_metric_values(self, partition: str = "") -> Any:
        """Return what is counted of the dataset as it is now."""
        return dataset_rows.Metrics(self._shown())

    def get_metric_history(self, metric_lookup: Any, partition: str = "") -> Dict[str, Any]:
        """Return the value of a metric as it is now; those of before are not kept."""
        return dataset_rows.Metrics(self._shown()).history(metric_lookup)

    def _rows(
        self, sampling: str, column: Any, limit: Any, ratio: Any, columns: Any
    ) -> Tuple[List[str], Iterator[Tuple[Any, ...]]]:
        frame = dataset_frames.read(
            self._location(),
            Reading(columns=columns, infer=False, nullable=True, default_na=False),
            dataset_frames.Sampling(
                kind=sampling, column=column, limit=limit, ratio=ratio, ascending=True
            ),
        )
        return [str(each) for each in frame.columns], dataset_rows.tuples(frame)

    def _shown(self) -> Dict[str, Any]:
        found: Dict[str, Any] = call("datasets.show", name=self.name, project=self.project_key)
        return found

    def _location(self, used: bool = True) -> Dict[str, Any]:
        found: Dict[str, Any] = call(
            "datasets.location",
            name=self.name,
            project=self.project_key,
            readable=dataset_frames.readable(),
            used=used and not self.ignore_flow,
        )
        return found
