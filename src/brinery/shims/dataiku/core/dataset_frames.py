"""The rows of a dataset become a pandas data frame, as scripts of the platform are used to it.

There a frame is read from csv, so that texts which are all numbers come as numbers and `NA` is a
missing value. Here rows are stored with their types; what pandas would have guessed of the texts
among them is guessed by the same rules, of their distinct values.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from brinery_shims.errors import DataikuException

from dataiku.core import dataset_copies

# What pandas' reader of csv takes for a missing value.
_MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
_BOOLEANS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False}
_BOOLEANS["false"] = False
_SAMPLE = 50
# More distinct texts than this are looked at row by row, by pandas.
_FEW_TEXTS = 2000
_SEED = 1337
_WHOLE = {"tinyint": "int8", "smallint": "int16", "int": "int32", "bigint": "int64"}
_DTYPES = {**_WHOLE, "float": "float32", "double": "float64", "boolean": "bool"}
_DATES = ("date", "datetimenotz", "dateonly")


class Reading(NamedTuple):
    """How columns are read; the arguments of `Dataset.get_dataframe`.

    Attributes:
        columns: that are read, in this order; all when None.
        infer: whether texts become what pandas would guess.
        parse_dates: whether dates are read as such, or the names of those that are.
        bool_as_str: whether booleans become `true` and `false`.
        int_as_float: whether integers become floats.
        nullable: whether integers become pandas' own that may be missing.
        categoricals: names of columns that become categories, or `all`.
        na_values: texts that are missing values, too.
        default_na: whether pandas' usual texts for missing values are such.
        date_parser: a function of texts, for the dates.
        dtypes: by name.
    """

    columns: Any = None
    infer: bool = True
    parse_dates: Any = True
    bool_as_str: bool = False
    int_as_float: bool = False
    nullable: bool = False
    categoricals: Any = None
    na_values: Any = None
    default_na: bool = True
    date_parser: Any = None
    dtypes: Any = None


class Sampling(NamedTuple):
    """Which rows are read.

    Attributes:
        kind: `head`, `random`, `random-column`, `sort-column`, `tail` or `full`.
        column: of the kinds that go by one.
        limit: rows at most.
        ratio: of the rows, 0 to 1.
        ascending: the order of `sort-column`.
    """

    kind: str = "head"
    column: Optional[str] = None
    limit: Optional[int] = None
    ratio: Optional[float] = None
    ascending: bool = True


def readable() -> List[str]:
    """Return the formats of files that the script's pandas reads."""
    from importlib.util import find_spec

    return ["parquet", "csv", "jsonl"] if find_spec("pyarrow") else ["csv", "jsonl"]


def read_arguments(given: Dict[str, Any]) -> Dict[str, Any]:
    """Return what arguments of `pandas.read_csv` mean here.

    Raises:
        NotImplementedError: one means nothing here.
    """
    ours = {
        "usecols": "columns",
        "dtype": "override_dtypes",
        "nrows": "limit",
        "parse_dates": "parse_dates",
        "na_values": "na_values",
        "keep_default_na": "keep_default_na",
    }
    idle = {"low_memory", "memory_map", "engine", "float_precision", "encoding"}
    other = sorted(set(given) - set(ours) - idle)
    if other:
        raise NotImplementedError(
            f"pandas_read_kwargs {', '.join(other)} means nothing here: rows are not stored as "
            "csv; change the data frame after it is read"
        )
    return {ours[name]: value for name, value in given.items() if name in ours}


def read(where: Dict[str, Any], reading: Reading, sampling: Sampling) -> Any:
    """Return the rows of a dataset as a pandas data frame.

    Args:
        where: as `datasets.location` answers.
        reading: how columns are read.
        sampling: which rows.

    Raises:
        Exception: there is no such column, or rows are of another type than the schema says.
        ValueError: the sampling is none that there is.
    """
    _check(where, reading, sampling)
    types = {each["name"]: each["type"] for each in where["columns"]}
    ready: Set[str] = set()
    frame = _stored(where, reading, sampling, types, ready)
    frame = _sampled(frame, sampling, known=where.get("rows"))
    return _typed(frame, reading, types, ready)


def _check(where: Dict[str, Any], reading: Reading, sampling: Sampling) -> None:
    if sampling.kind not in ("head", "random", "random-column", "sort-column", "tail", "full"):
        raise ValueError(
            f"Unknown sampling: {sampling.kind}; there are head, random, random-column, "
            "sort-column, tail and full"
        )
    if sampling.kind in ("random-column", "sort-column") and not sampling.column:
        raise ValueError(f"sampling {sampling.kind} needs a sampling_column")
    if sampling.kind == "random" and sampling.ratio is None and sampling.limit is None:
        raise ValueError("sampling random needs a ratio or a limit")
    if sampling.kind == "random-column" and sampling.ratio is None and sampling.limit is None:
        raise ValueError("sampling random-column needs a ratio")
    if sampling.ratio is not None and not 0 <= sampling.ratio <= 1:
        raise ValueError(f"ratio is {sampling.ratio}, which is not between 0 and 1")
    if not where["paths"] and not where["columns"]:
        raise DataikuException(f"the dataset {where['full_name']} was never written to")
    known = [each["name"] for each in where["columns"]]
    wanted = [*(reading.columns or ()), *([sampling.column] if sampling.column else ())]
    for name in wanted:
        if name not in known:
            raise DataikuException(
                f"Column not found: the dataset {where['full_name']} has no column '{name}'; it "
                f"has {', '.join(known)}"
            )


def _stored(
    where: Dict[str, Any],
    reading: Reading,
    sampling: Sampling,
    types: Dict[str, str],
    ready: Set[str],
) -> Any:
    """Return the rows that are read, with the types they are stored with.

    Args:
        ready: names of columns of texts that are as they are to be are added to it.
    """
    import pandas as pd

    names = list(reading.columns) if reading.columns is not None else None
    if names is not None and sampling.column and sampling.column not in names:
        names = [*names, sampling.column]
    first = sampling.limit if sampling.kind == "head" else None
    if where["format"] == "parquet" and where["paths"]:
        return _table(where, names, first, reading, ready).to_pandas(date_as_object=False)
    frames = []
    for path in where["paths"]:
        if where["format"] == "jsonl":
            frame = pd.read_json(path, lines=True, nrows=first, convert_dates=False)
        else:
            frame = _csv(path, where, reading, first, types)
        frames.append(frame if names is None else frame[names])
    if not frames:
        frame = pd.DataFrame({name: pd.Series(dtype=_dtype(types[name])) for name in types})
        return frame if names is None else frame[names]
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def _csv(
    path: str, where: Dict[str, Any], reading: Reading, first: Any, types: Dict[str, str]
) -> Any:
    import pandas as pd

    texts = {
        name: str for name, kind in types.items() if kind not in _DTYPES and kind not in _DATES
    }
    frame = pd.read_csv(
        path,
        sep=where["separator"] or ",",
        nrows=first,
        dtype=None if reading.infer else texts,
        na_values=reading.na_values,
        keep_default_na=reading.default_na,
        low_memory=False,
    )
    for name, kind in types.items():
        if kind in _DATES and name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=kind == "date")
    return frame


def _table(where: Dict[str, Any], names: Any, first: Any, reading: Reading, ready: Set[str]) -> Any:
    """Return the rows of Parquet files as a table of Arrow; of a copy, where there is one.

    A copy has texts as they are read by default.
    """
    import pandas as pd

    path = where.get("copy") or ""
    # A later pandas has texts of Arrow's own.
    later = int(pd.__version__.partition(".")[0]) >= 3  # noqa: PLR2004 - the release
    default = reading.infer and reading.default_na and reading.na_values is None
    if not path or not later or not default:
        return _parquet(where["paths"], names, first, reading, ready)
    found = dataset_copies.kept(path)
    if found is None:
        if first is not None:  # no more is read than is asked for
            return _parquet(where["paths"], names, first, reading, ready)
        whole: Set[str] = set()
        found = _parquet(where["paths"], None, None, reading, whole), sorted(whole)
        dataset_copies.keep(path, *found)
    table, as_they_are = found
    ready.update(as_they_are)
    table = table if names is None else table.select(names)
    return table if first is None else table.slice(0, first)


def _parquet(paths: List[str], names: Any, first: Any, reading: Reading, ready: Set[str]) -> Any:
    """Return the rows of Parquet files; texts are read as codes, which is several times faster."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    later = int(pd.__version__.partition(".")[0]) >= 3  # noqa: PLR2004 - the release
    tables = []
    left = first
    for path in paths:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        texts = [
            each.name
            for each in schema
            if pa.types.is_string(each.type) or pa.types.is_large_string(each.type)
        ]
        kept = names
        if kept is None:
            kept = [each for each in schema.names if not each.startswith("__index_level_")]
        if left is None:
            table = pq.ParquetFile(path, read_dictionary=texts).read(columns=kept)
        else:
            batches = file.iter_batches(batch_size=max(1, min(left, 65536)), columns=kept)
            parts, count = [], 0
            for batch in batches:
                parts.append(batch)
                count += batch.num_rows
                if count >= left:
                    break
            table = pa.Table.from_batches(parts) if parts else file.read(columns=kept)
            table = table.slice(0, left)
            left -= table.num_rows
        tables.append(table.select(kept))
        if left is not None and left <= 0:
            break
    whole = tables[0] if len(tables) == 1 else _joined(pa, tables)
    if later:
        whole = _whole_texts(pa, whole, reading, ready)
    return whole.replace_schema_metadata(None)


def _whole_texts(pa: Any, table: Any, reading: Reading, ready: Set[str]) -> Any:
    """Return a table in which texts that pandas would have read as texts are no codes any more.

    What their distinct values tell is found out once for each of these, not for each row.
    """
    missing = _missing(reading)
    for number, one in enumerate(table.schema):
        if not pa.types.is_dictionary(one.type):
            continue
        column = table.column(number)
        few = all(len(each.dictionary) <= _FEW_TEXTS for each in column.chunks)
        distinct = {text for each in column.chunks for text in each.dictionary.to_pylist()}
        texts = pa.large_string()
        if few and distinct and not distinct & missing and not _is_other(distinct, reading):
            ready.add(one.name)
        elif few:
            continue
        table = table.set_column(number, one.name, column.cast(texts))
    return table


def _is_other(distinct: Set[str], reading: Reading) -> bool:
    """Return whether pandas would make numbers or booleans of texts."""
    if not reading.infer:
        return False
    return all(text in _BOOLEANS for text in distinct) or all(_number(text) for text in distinct)


def _joined(pa: Any, tables: List[Any]) -> Any:
    """Return tables one after the other; codes of texts are made the same first."""
    plain = []
    for each in tables:
        table = each
        for number, one in enumerate(each.schema):
            if pa.types.is_dictionary(one.type):
                values = table.column(number).cast(one.type.value_type)
                table = table.set_column(number, one.name, values)
        plain.append(table)
    try:
        return pa.concat_tables(plain, promote_options="permissive")
    except TypeError:  # of pyarrow before 14
        return pa.concat_tables(plain, promote=True)


def _sampled(frame: Any, sampling: Sampling, known: Any) -> Any:
    limit, ratio = sampling.limit, sampling.ratio
    if sampling.kind == "random":
        if ratio is not None:
            frame = frame.sample(frac=ratio, random_state=_SEED).sort_index()
        if limit is not None and limit < len(frame):
            frame = frame.sample(n=limit, random_state=_SEED).sort_index()
    elif sampling.kind == "random-column":
        values = frame[sampling.column].drop_duplicates()
        share = ratio
        if share is None:
            share = min(1.0, (limit or 0) / max(1, len(frame)))
        count = math.ceil(share * len(values))
        chosen = values.sample(n=count, random_state=_SEED)
        frame = frame[frame[sampling.column].isin(set(chosen))]
    elif sampling.kind == "sort-column":
        frame = frame.sort_values(sampling.column, ascending=sampling.ascending, kind="stable")
    if sampling.kind == "tail":
        frame = frame.tail(limit) if limit is not None else frame
    elif limit is not None and sampling.kind != "random":
        frame = frame.head(limit)
    return frame.reset_index(drop=True)


def _typed(frame: Any, reading: Reading, types: Dict[str, str], ready: Set[str]) -> Any:
    """Return a data frame whose columns are what the arguments ask for."""
    import pandas as pd

    if reading.columns is not None:
        frame = frame[list(reading.columns)]
    made = {}
    same = True
    for name in frame.columns:
        forced = (reading.dtypes or {}).get(name) if isinstance(reading.dtypes, dict) else None
        before = values = frame[name]
        if name in ready and forced is None:
            pass
        elif isinstance(values.dtype, pd.CategoricalDtype):
            values = _texts(values.cat.categories, values.cat.codes, reading, forced is not None)
        elif _is_text(values):
            values = _texts_of(values, reading, forced is not None)
        made[name] = _column(values, types.get(name, "string"), name, reading, forced)
        same = same and made[name] is before
    if same:
        return frame
    return pd.DataFrame(made, index=frame.index, columns=frame.columns)


def _is_text(values: Any) -> bool:
    from pandas.api import types

    return bool(types.is_string_dtype(values.dtype) or types.is_object_dtype(values.dtype))


def _texts_of(values: Any, reading: Reading, forced: bool) -> Any:
    """Return a column of texts as pandas would have read it."""
    missing = _missing(reading)
    plain = values.dropna()
    if len(plain) and not all(isinstance(each, str) for each in plain.head(_SAMPLE)):
        return values
    guess = reading.infer and not forced and _may_be_other(plain, missing)
    if not guess:
        return values.mask(values.isin(missing)) if missing else values
    codes, categories = _factorized(values)
    return _texts(categories, codes, reading, forced)


def _factorized(values: Any) -> Tuple[Any, Any]:
    import pandas as pd

    codes, categories = pd.factorize(values)
    return codes, categories


def _may_be_other(plain: Any, missing: Any) -> bool:
    """Return whether the first texts are all of a kind that pandas would make of them."""
    found = [each for each in plain.head(_SAMPLE) if each not in missing]
    return all(each in _BOOLEANS for each in found) or all(_number(each) for each in found)


def _missing(reading: Reading) -> Any:
    given = reading.na_values
    more = [given] if isinstance(given, str) else list(given or ())
    return frozenset([*(_MISSING if reading.default_na else ()), *map(str, more)])


def _texts(categories: Any, codes: Any, reading: Reading, forced: bool) -> Any:
    """Return a column of texts, given by codes, as pandas would have read it.

    Args:
        categories: distinct texts.
        codes: of each row; -1 where it is missing.
        reading: how.
        forced: whether a type was asked for, so that nothing is guessed.
    """
    import numpy as np
    import pandas as pd

    missing = _missing(reading)
    table = np.empty(len(categories) + 1, dtype=object)
    table[:-1] = list(categories)
    table[-1] = None
    for number, text in enumerate(table[:-1]):
        if text in missing:
            table[number] = None
    there = [text for text in table[:-1] if text is not None]
    index = getattr(codes, "index", None)
    codes = np.asarray(codes)
    if reading.infer and not forced:
        if not there:
            return (
                pd.Series(np.nan, index=index, dtype="float64")
                if len(codes)
                else pd.Series(table[codes], index=index, dtype=object)
            )
        if all(text in _BOOLEANS for text in there):
            table = np.array([None if t is None else _BOOLEANS[t] for t in table], dtype=object)
            found = table[codes]
            whole = all(each is not None for each in found)
            return pd.Series(found, index=index, dtype=bool if whole else object)
        if all(_number(text) for text in there):
            numbers = pd.to_numeric(pd.Series(table, dtype=object), errors="coerce").to_numpy()
            found = numbers[codes]
            whole = all(_whole(text) for text in there) and not np.isnan(found).any()
            return pd.Series(found.astype("int64") if whole else found, index=index)
    table[[each is None for each in table]] = np.nan
    return pd.Series(table[codes], index=index)


def _number(text: Any) -> bool:
    try:
        float(text)
    except (TypeError, ValueError):
        return False
    return "_" not in text


def _whole(text: str) -> bool:
    try:
        return -(2**63) <= int(text) < 2**63
    except ValueError:
        return False


def _column(values: Any, kind: str, name: str, reading: Reading, forced: Any) -> Any:
    """Return a column that is what the arguments ask for."""
    from pandas.api import types

    if forced is not None:
        return values.astype(forced)
    if kind in _DATES:
        return _date(values, kind, name, reading)
    if types.is_bool_dtype(values.dtype) or kind == "boolean":
        texts = {True: "true", False: "false"}
        return values.map(lambda each: texts.get(each, each)) if reading.bool_as_str else values
    if types.is_integer_dtype(values.dtype) or (kind in _WHOLE and _is_gappy(values)):
        return _integers(values, kind, name, reading)
    if reading.categoricals and (reading.categoricals == "all" or name in reading.categoricals):
        return values.astype("category") if _is_text(values) else values
    return values.astype("float64") if reading.infer and values.dtype == "float32" else values


def _integers(values: Any, kind: str, name: str, reading: Reading) -> Any:
    """Return a column of integers, some of which may be missing."""
    if reading.int_as_float:
        return values.astype("float64")
    if reading.nullable:
        return values.astype(_WHOLE.get(kind, "int64").replace("int", "Int"))
    if not values.isna().any():
        wide = reading.infer and values.dtype != "int64"
        return values.astype("int64") if wide else values
    if not reading.infer:
        raise ValueError(
            f"Integer column has NA values in column {name}: read it with "
            "use_nullable_integers=True or int_as_float=True"
        )
    return values


def _is_gappy(values: Any) -> bool:
    """Return whether integers became floats because some are missing."""
    from pandas.api import types

    return bool(types.is_float_dtype(values.dtype) and values.isna().any())


def _date(values: Any, kind: str, name: str, reading: Reading) -> Any:
    import pandas as pd

    wanted = reading.parse_dates
    dated = wanted if isinstance(wanted, bool) else name in (wanted or ())
    if dated and reading.date_parser is None:
        return pd.to_datetime(values, utc=kind == "date") if _is_text(values) else values
    forms = {"dateonly": "%Y-%m-%d", "datetimenotz": "%Y-%m-%dT%H:%M:%S"}
    stamps = pd.to_datetime(values, utc=kind == "date")
    if kind == "date":
        texts = stamps.dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3] + "Z"
    else:
        texts = stamps.dt.strftime(forms[kind])
    return texts.map(reading.date_parser) if dated else texts


def frame_schema(schema: Any, reading: Reading) -> Tuple[List[str], Optional[Dict[str, Any]], Any]:
    """Return names of columns, their dtypes by name, and the numbers of those that are dates."""
    known = {each["name"]: each["type"] for each in schema}
    names = list(reading.columns or known)
    for name in names:
        if name not in known:
            raise DataikuException(f"Column not found: {name}")
    dates = [number for number, name in enumerate(names) if known[name] in _DATES]
    found: Dict[str, Any] = {}
    for name in names:
        kind = known[name]
        if kind in _DATES and reading.parse_dates:
            continue
        found[name] = _dtype(kind)
        if kind == "boolean" and reading.bool_as_str:
            found[name] = "str"
        elif kind in _WHOLE and reading.int_as_float:
            found[name] = "float64"
        elif kind in _WHOLE and reading.nullable:
            found[name] = _WHOLE[kind].replace("int", "Int")
        if reading.categoricals and (reading.categoricals == "all" or name in reading.categoricals):
            found[name] = "category"
    return names, (None if reading.infer else found), (dates if reading.parse_dates else False)


def _dtype(kind: str) -> str:
    if kind == "date":
        return "datetime64[ns, UTC]"
    return "datetime64[ns]" if kind in _DATES else _DTYPES.get(kind, "object")
