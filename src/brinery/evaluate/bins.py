"""The values of one column, laid out: each row in a bin, and a value that stands for each bin.

Numbers and dates are parted into bins of about as many rows each, and a value that many rows share
has one to itself. Categories are bins, the most frequent first. Text is parted by its number of
words, and no value stands for it. The rows without a value are a bin of their own, the last.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from brinery.evaluate.observed import Floats
from brinery.records.effects import Bin, Kind
from brinery.records.signature import Scalar

MOST_BINS: Final = 20
LONGEST_TEXT: Final = 200

_WORDY: Final = 3.0
_MOSTLY: Final = 0.5
_LOOKED_AT: Final = 1_000
_NO_BIN: Final = -1
_HEAVY_BINS: Final = 4
_KINDS: Final = {
    Kind.CATEGORY: (pa.types.is_boolean,),
    Kind.NUMBER: (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    Kind.DATE: (pa.types.is_timestamp, pa.types.is_date),
}


def _none() -> npt.NDArray[np.intp]:
    return np.zeros(0, np.intp)


@dataclass(frozen=True, eq=False, kw_only=True)
class Bins:
    """A column, laid out.

    Attributes:
        kind: how.
        bins: (n_bins,) in their order.
        codes: (n_rows,) which bin a row is in.
        places: (n_values,) a row that has the value of each of the first bins; those for which no
            value stands are after them. Empty where the values are no grid, as of text.
        reason: why there are no bins; else empty.
    """

    kind: Kind
    bins: tuple[Bin, ...] = ()
    codes: npt.NDArray[np.intp] = field(default_factory=_none)
    places: npt.NDArray[np.intp] = field(default_factory=_none)
    reason: str = ""


@dataclass(frozen=True, eq=False)
class _Sorted:
    """Numbers in bins: the codes, and of each bin its least, middle and greatest value."""

    codes: npt.NDArray[np.intp]
    low: Floats
    middle: Floats
    high: Floats
    rows: npt.NDArray[np.intp]


def lay_out(values: pa.ChunkedArray, *, most: int = MOST_BINS) -> Bins:
    """Return the values of a column in at most so many bins, besides those without a value."""
    column = plain(values)
    kind = kind_of(column)
    if column.null_count == len(column):
        return Bins(kind=kind, reason="no row has a value")
    match kind:
        case Kind.NUMBER | Kind.DATE:
            return _ordered(column, kind, most=most)
        case Kind.CATEGORY:
            return _categories(column, most=most)
        case Kind.TEXT:
            return _by_words(column, most=most)
        case Kind.OTHER:
            return Bins(kind=kind, reason=f"values of type {column.type} have no bins")


def plain(values: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, without a dictionary, in which a missing number is null."""
    column = values.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    return column


def identities(values: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return numbers that are equal where two values are: (n_rows,); the missing are equal.

    Values of a type that cannot be compared, such as lists, are each for itself.
    """
    column = plain(values)
    try:
        encoded = column.dictionary_encode(null_encoding="encode")
    except pa.ArrowNotImplementedError:
        return np.arange(len(column))
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)


def kind_of(column: pa.Array) -> Kind:
    """Return how the values of a column are laid out.

    Text of which every value is a date in ISO 8601 is dates. It is free text where it has more
    than three words on average and most values occur once.
    """
    kind = column.type
    for known, tests in _KINDS.items():
        if any(test(kind) for test in tests):
            return known
    if not _is_text(kind):
        return Kind.OTHER
    if _instants(column) is not None:
        return Kind.DATE
    looked = column.drop_null()[:_LOOKED_AT]
    if not len(looked):
        return Kind.CATEGORY
    words = np.mean(_words(looked))
    many = pc.count_distinct(looked).as_py() > _MOSTLY * len(looked)
    return Kind.TEXT if words > _WORDY and many else Kind.CATEGORY


def shown(value: Any) -> Scalar | None:
    """Return a value as JSON has it: a date in ISO 8601, long text cut short, None if missing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None if value is None or math.isnan(value) else str(value)
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def numbers(column: pa.Array) -> Floats:
    """Return the values of a column of numbers, dates or text as numbers: (n_rows,).

    Dates are microseconds since 1970, text is its number of words, NaN is missing.
    """
    if _is_text(column.type):
        instants = _instants(column)
        column = pa.array(_words(column)) if instants is None else instants
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    cast = column.cast(pa.float64(), safe=False)
    return np.asarray(cast.to_numpy(zero_copy_only=False), np.float64)


def _ordered(column: pa.Array, kind: Kind, *, most: int) -> Bins:
    found = numbers(column)
    parts = _parted(found, most)
    if parts is None:
        return Bins(kind=kind, reason="no value is a finite number")
    places = np.array([int(np.argmax(found == middle)) for middle in parts.middle], np.intp)
    bins = []
    for place, low, high, rows in zip(places, parts.low, parts.high, parts.rows, strict=True):
        ends = [int(np.argmax(found == end)) for end in (low, high)]
        bins.append(
            Bin(
                low=shown(column[ends[0]].as_py()),
                high=shown(column[ends[1]].as_py()),
                value=shown(column[int(place)].as_py()),
                rows=int(rows),
            )
        )
    return _with_missing(Bins(kind=kind, bins=tuple(bins), codes=parts.codes, places=places))


def _by_words(column: pa.Array, *, most: int) -> Bins:
    parts = _parted(numbers(column), most)
    if parts is None:
        return Bins(kind=Kind.TEXT, reason="no row has a value")
    ends = zip(parts.low.tolist(), parts.high.tolist(), parts.rows.tolist(), strict=True)
    bins = tuple(Bin(low=int(low), high=int(high), rows=rows) for low, high, rows in ends)
    return _with_missing(Bins(kind=Kind.TEXT, bins=bins, codes=parts.codes))


def _categories(column: pa.Array, *, most: int) -> Bins:
    encoded = column.dictionary_encode()
    found = encoded.indices.fill_null(_NO_BIN).to_numpy(zero_copy_only=False).astype(np.intp)
    rows = np.bincount(found[found >= 0], minlength=len(encoded.dictionary))
    order = np.lexsort((np.arange(rows.size), -rows))
    kept = order[:most]
    bin_of = np.full(rows.size + 1, kept.size, np.intp)  # the last is of the missing
    bin_of[kept] = np.arange(kept.size)
    bin_of[-1] = _NO_BIN
    bins = [
        Bin(value=shown(encoded.dictionary[int(one)].as_py()), rows=int(rows[one])) for one in kept
    ]
    if rows.size > kept.size:
        bins.append(Bin(rows=int(rows[order[most:]].sum()), other=True))
    first = np.unique(found, return_index=True)
    where = dict(zip(first[0].tolist(), first[1].tolist(), strict=True))
    places = np.array([where[int(one)] for one in kept], np.intp)
    return _with_missing(
        Bins(kind=Kind.CATEGORY, bins=tuple(bins), codes=bin_of[found], places=places)
    )


def _with_missing(bins: Bins) -> Bins:
    """Return bins in which the rows without a value have the last."""
    missing = bins.codes == _NO_BIN
    if not missing.any():
        return bins
    last = Bin(rows=int(np.count_nonzero(missing)), missing=True)
    return Bins(
        kind=bins.kind,
        bins=(*bins.bins, last),
        codes=np.where(missing, len(bins.bins), bins.codes),
        places=bins.places,
    )


def _parted(values: Floats, most: int) -> _Sorted | None:
    """Return numbers in bins of about as many rows each, or None where there is no number."""
    there = np.isfinite(values)
    ranked = np.sort(values[there])
    if not ranked.size:
        return None
    upper = _upper_ends(ranked, most)
    stops = np.searchsorted(ranked, upper, side="right")
    starts = np.concatenate([[0], stops[:-1]])
    codes = np.full(values.size, _NO_BIN, np.intp)
    codes[there] = np.searchsorted(upper, values[there], side="left")
    return _Sorted(
        codes=codes,
        low=ranked[starts],
        middle=ranked[(starts + stops - 1) // 2],
        high=upper,
        rows=stops - starts,
    )


def _upper_ends(ranked: Floats, most: int) -> Floats:
    """Return the greatest value of each bin, of values in order.

    A value that fills a bin ends one, and the value before it ends one too, so that it is alone.
    """
    firsts = np.concatenate([[0], np.flatnonzero(np.diff(ranked)) + 1])
    if firsts.size <= most:
        return np.asarray(ranked[firsts], np.float64)
    counts = np.diff(np.append(firsts, ranked.size))
    heaviest = np.argsort(-counts, kind="stable")[: most // _HEAVY_BINS]
    heavy = np.sort(heaviest[counts[heaviest] * most >= ranked.size])
    alone = ranked[firsts[heavy]]
    before = ranked[firsts[heavy[heavy > 0] - 1]]
    rest: Floats = ranked[~np.isin(ranked, alone)] if alone.size else ranked
    left = max(1, most - 2 * alone.size) if rest.size else 0
    steps = np.ceil(np.arange(1, left + 1) * rest.size / max(left, 1)).astype(np.intp) - 1
    return np.unique(np.concatenate([alone, before, rest[steps]]))


def _instants(column: pa.Array) -> pa.Array | None:
    """Return text as points in time, or None where some of it is none."""
    present = column.drop_null()
    if not len(present) or not _like_a_date(present[0].as_py()):
        return None
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _like_a_date(text: str) -> bool:
    return len(text) >= len("2026-01-01") and text[4] == "-" and text[7] == "-"


def _words(column: pa.Array) -> npt.NDArray[np.float64]:
    """Return how many words each text has: (n_rows,), NaN where missing."""
    counts = pc.count_substring_regex(pc.cast(column, pa.string()), r"\S+")
    return np.asarray(counts.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
