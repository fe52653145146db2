"""The ways in which a script reads a dataset: whole, in parts, row by row, or as text."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Tuple

from brinery_shims.gateway import call

from dataiku.core import dataset_frames, dataset_rows
from dataiku.core.dataset_frames import Reading


class DatasetReads:
    """What of a dataset reads it."""

    name: str
    project_key: str
    ignore_flow: bool

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
            yield whole.iloc[first : first + chunksize].copy()  # scripts change it

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

    def _location(self, used: bool = True) -> Dict[str, Any]:
        found: Dict[str, Any] = call(
            "datasets.location",
            name=self.name,
            project=self.project_key,
            readable=dataset_frames.readable(),
            used=used and not self.ignore_flow,
        )
        return found
