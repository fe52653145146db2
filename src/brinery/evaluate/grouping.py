"""Which group of rows each row of a column is in: a value, a range, a period, or a gap.

Numbers are cut so that the groups are of like size, at the roundest numbers near to where that
would be; few distinct numbers, categories and truth values are a group each; times are cut into
years, quarters, months, days or hours. A gap is a group of its own. What cannot be cut is a value
with its reason. The module must not know what is then computed of the groups.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from brinery.records.group import Group, GroupKind
from brinery.records.signature import Scalar
from brinery.specs.filters import Comparison, Filter, Operator, Value

Codes = npt.NDArray[np.intp]

BINS: Final = 5
LEVELS: Final = 20

# A cut may move by this share of the rows, for the sake of a round number.
# Of a number in the label of a group.
_DIGITS: Final = 6
_TOLERANCE: Final = 0.02
# Of more values than this, the frequent ones must hold this share of the rows to be categories.
_FEW: Final = 50
_FREQUENT: Final = 0.5
_DECADES: Final = 18
_EXACT: Final = 2.0**53
_PERIODS: Final = 12
_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
_YEAR_S: Final = 365.25 * _DAY_S
# A day from the ends, for a zone may move a time by as much.
_YEAR_1_US: Final = -62_135_510_400 * 10**6
_YEAR_9999_US: Final = 253_402_214_400 * 10**6
_ISO_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?:$|[T ])")
# Each with its length, and how its start is told.
_UNITS: Final = (
    ("hour", 1, _HOUR_S, "%Y-%m-%d %H:00"),
    ("day", 1, _DAY_S, "%Y-%m-%d"),
    ("month", 1, _YEAR_S / 12, "%Y-%m"),
    ("quarter", 1, _YEAR_S / 4, "quarter from %Y-%m"),
    ("year", 1, _YEAR_S, "%Y"),
    *(("year", many, many * _YEAR_S, f"{many} years from %Y") for many in (2, 5, 10, 20, 50, 100)),
    ("year", 1000, 1000 * _YEAR_S, "1000 years from %Y"),
)

_CONSTANT: Final = "every row has the same value"
_NO_VALUES: Final = "no row has a value"


class Grouping(NamedTuple):
    """A column, or two, cut into groups.

    Attributes:
        columns: one, or two where their groups are crossed.
        groups: (n_groups,) each with at least one row of the table that was cut.
        codes: (n_rows,) index into the groups.
    """

    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    codes: Codes


class Ungrouped(NamedTuple):
    """A column that cannot be cut, or is not worth it.

    Attributes:
        columns: one, or two.
        reason: why, as the end of a sentence.
    """

    columns: tuple[str, ...]
    reason: str


def group(
    table: pa.Table,
    column: str,
    *,
    bins: int = BINS,
    levels: int = LEVELS,
) -> Grouping | Ungrouped:
    """Return the groups of one column.

    Args:
        table: of the inputs.
        column: one of its columns.
        bins: into how many ranges numbers are cut, at most, and above how many distinct ones.
        levels: how many categories have a group of their own; the rarer ones share one.
    """
    cut = _cut(plain(table.column(column)), column, bins=bins, levels=levels)
    if isinstance(cut, str):
        return Ungrouped((column,), cut)
    grouping = _compact((column,), cut.groups, cut.codes)
    return grouping if len(grouping.groups) > 1 else Ungrouped((column,), _CONSTANT)


def plain(values: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, of a type that Arrow computes with: no dictionary, no half."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_float16(kind):
        kind = pa.float32()
    if pa.types.is_string_view(kind):
        kind = pa.string()
    values = values.cast(kind)
    return pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], kind)


def floats(values: pa.Array) -> npt.NDArray[np.float64]:
    """Return a column of numbers or truth values: (n_rows,), NaN where there is none."""
    return np.asarray(
        values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64
    )


def cross(one: Grouping, other: Grouping) -> Grouping:
    """Return the groups of two columns together: the pairs that some row has.

    Args:
        one: the groups of a column.
        other: those of another column, of the same rows.
    """
    columns = (*one.columns, *other.columns)
    pairs, codes = np.unique(one.codes * len(other.groups) + other.codes, return_inverse=True)
    groups = []
    for pair in pairs.tolist():
        first, second = (
            one.groups[pair // len(other.groups)],
            other.groups[pair % len(other.groups)],
        )
        label = (
            f"{', '.join(one.columns)}: {first.label}; {', '.join(other.columns)}: {second.label}"
        )
        where = f"{first.where} and {second.where}"
        groups.append(Group(columns=columns, label=label, where=where, kind=GroupKind.CROSSED))
    return Grouping(columns, tuple(groups), codes.reshape(-1))


class _Cut(NamedTuple):
    groups: tuple[Group, ...]
    codes: Codes


def _cut(values: pa.Array, column: str, *, bins: int, levels: int) -> _Cut | str:
    """Return the groups of a column, or why there are none."""
    kind = values.type
    if values.null_count == len(values):
        return _NO_VALUES
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _numbers(values, column, bins=bins)
    if is_text(kind) or pa.types.is_boolean(kind):
        return _categories(values, column, levels=levels)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _periods(values, column)
    return f"values of type {kind} are not cut"


def is_text(kind: pa.DataType) -> bool:
    """Return whether the values of a type are text."""
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_such(kind) for is_such in texts)


def _numbers(values: pa.Array, column: str, *, bins: int) -> _Cut | str:
    numbers = floats(values)
    gap = np.isnan(numbers)
    distinct, counts = np.unique(numbers[~gap], return_counts=True)
    if not distinct.size:
        return _NO_VALUES
    if len(distinct) <= bins and np.isfinite(distinct).all():
        codes = np.searchsorted(distinct, numbers)
        groups = [_value(column, _shortest(value)) for value in distinct.tolist()]
        return _with_gap(column, groups, codes=codes, gap=gap)
    finite = distinct[np.isfinite(distinct)]
    whole = bool((np.abs(finite) < _EXACT).all()) and not np.mod(finite, 1).any()
    cuts = _cuts(distinct, counts, bins=bins, whole=whole)
    codes = np.searchsorted(cuts, numbers, side="right")
    ranges = pairwise([None, *cuts, None])
    groups = [_range(column, low, high, whole=whole) for low, high in ranges]
    return _with_gap(column, groups, codes=codes, gap=gap)


def _shortest(value: float) -> int | float:
    """Return a whole number as such, up to where floating-point numbers leave some out."""
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _cuts(
    distinct: npt.NDArray[np.float64],
    counts: npt.NDArray[np.intp],
    *,
    bins: int,
    whole: bool,
) -> list[float]:
    """Return where numbers are cut: rising, each the least number of a new range.

    A number that many rows have is a range of its own, or the end of one, and what is left is
    shared out again among the ranges that are left.
    """
    upto = np.cumsum(counts)
    slack = _TOLERANCE * upto[-1]
    cuts: list[float] = []
    start = 0
    for left in range(bins, 1, -1):
        before = upto[start - 1] if start else 0
        goal = before + (upto[-1] - before) / left
        end = int(np.searchsorted(upto, goal)) + 1
        # Of the two cuts around the goal the nearer one, but every range has a number.
        if end - 1 > start and goal - upto[end - 2] < upto[end - 1] - goal:
            end -= 1
        if end >= len(distinct):
            break
        low = max(int(np.searchsorted(upto, upto[end - 1] - slack)), start)
        high = int(np.searchsorted(upto, upto[end - 1] + slack, side="right"))
        highest = min(max(high, end), len(distinct) - 1)
        cut = _rounded(distinct[end], low=distinct[low], high=distinct[highest], whole=whole)
        cuts.append(cut)
        start = int(np.searchsorted(distinct, cut))
    return cuts


def _rounded(wanted: float, *, low: float, high: float, whole: bool) -> float:
    """Return the roundest number above `low` and up to `high`, near to the wanted one."""
    finite = [abs(end) for end in (wanted, low, high) if math.isfinite(end)]
    if not math.isfinite(wanted):
        wanted = 2 * finite[0] + 1 if finite else 0.0
    decade = math.floor(math.log10(max(*finite, abs(wanted), 1e-300))) + 1
    for power in range(decade, decade - _DECADES, -1):
        for step in (float(f"1e{power}"), float(f"5e{power - 1}")):
            if (whole and step < 1) or not (step and math.isfinite(step + wanted / step)):
                continue
            number = float(f"{math.floor(wanted / step + 0.5) * step:.15g}")
            if low < number <= high:
                return number
    return float(wanted)


def _categories(values: pa.Array, column: str, *, levels: int) -> _Cut | str:
    names, codes, counts = tally(values)
    filled = len(codes) - int(counts[-1])
    # The most frequent first; of equal ones, in the order of their names.
    order = sorted(range(len(names)), key=lambda code: (-int(counts[code]), str(names[code])))
    kept = order if len(names) <= levels else order[:levels]
    if len(names) > _FEW and counts[kept].sum() < _FREQUENT * filled:
        days = _days(names)
        if days is not None:
            return _periods(days.take(pa.array(codes, mask=codes == len(names))), column)
        return f"it is text with {len(names):,} different values in {filled:,} rows"
    place = np.full(len(names) + 1, len(kept), np.intp)
    place[kept] = np.arange(len(kept))
    groups = [_value(column, names[code]) for code in kept]
    if len(kept) < len(names):
        groups.append(_other(column, [names[code] for code in kept], more=len(names) - len(kept)))
    return _with_gap(column, groups, codes=place[codes], gap=codes == len(names))


def _days(names: list[Any]) -> pa.Array | None:
    """Return texts as days where each begins with one, in ISO 8601; as texts they sort alike."""
    if not all(isinstance(name, str) and _ISO_DAY.match(name) for name in names):
        return None
    try:
        return pa.array([dt.date.fromisoformat(name[:10]) for name in names])
    except ValueError:
        return None


def tally(values: pa.Array) -> tuple[list[Any], Codes, Codes]:
    """Return the distinct values of a column, (n_rows,) which one a row has, and how many have it.

    Rows without a value have the code after the last; the counts end with theirs.
    """
    coded = values.dictionary_encode()
    codes = coded.indices.fill_null(len(coded.dictionary)).to_numpy(zero_copy_only=False)
    codes = codes.astype(np.intp)
    counts = np.bincount(codes, minlength=len(coded.dictionary) + 1)
    return coded.dictionary.to_pylist(), codes, counts


def _periods(values: pa.Array, column: str) -> _Cut | str:
    """Return the groups of times: the finest of hour to millennium that makes a dozen or so."""
    daily = pa.types.is_date(values.type)
    values = values.cast(pa.timestamp("us", None if daily else values.type.tz), safe=False)
    ends = pc.min_max(values)
    span_s = (ends["max"].value - ends["min"].value) / 1e6
    unit, multiple, _, told = next(
        one for one in _UNITS[int(daily) :] if span_s <= _PERIODS * one[2] or one is _UNITS[-1]
    )
    floors, codes, _ = tally(pc.floor_temporal(values, multiple, unit=unit).cast(pa.int64()))
    rank = np.argsort(floors)
    place = np.full(len(floors) + 1, len(floors), np.intp)
    place[rank] = np.arange(len(floors))
    floor = pa.array(np.array(floors, np.int64)[rank]).cast(values.type)
    starts = _moments(floor)
    ends = _moments(pc.ceil_temporal(floor, multiple, unit=unit, ceil_is_strictly_greater=True))
    groups = [
        Group(
            columns=(column,),
            label=start.strftime(told) if start else "the earliest",
            where=_between(column, _iso(start, daily=daily), _iso(end, daily=daily)),
            kind=GroupKind.PERIOD,
        )
        for start, end in zip(starts, ends, strict=True)
    ]
    return _with_gap(column, groups, codes=place[codes], gap=codes == len(floors))


def _moments(values: pa.Array) -> list[dt.datetime | None]:
    """Return points in time as Python's; None for those before year 1 or after 9999."""
    us = values.cast(pa.int64())
    known = pc.and_(pc.greater_equal(us, _YEAR_1_US), pc.less_equal(us, _YEAR_9999_US))
    moments: list[dt.datetime | None] = pc.if_else(known, values, None).to_pylist()
    return moments


def _iso(moment: dt.datetime | None, *, daily: bool) -> str | None:
    if moment is None:
        return None
    return (moment.date() if daily else moment).isoformat()


def _with_gap(
    column: str,
    groups: list[Group],
    *,
    codes: Codes,
    gap: npt.NDArray[np.bool_],
) -> _Cut:
    """Return the groups with that of the rows without a value, which comes last."""
    if not gap.any():
        return _Cut(tuple(groups), codes)
    where = str(Comparison(column, Operator.MISSING))
    group = Group(columns=(column,), label="missing", where=where, kind=GroupKind.MISSING)
    return _Cut((*groups, group), np.where(gap, len(groups), codes))


def _compact(columns: tuple[str, ...], groups: Sequence[Group], codes: Codes) -> Grouping:
    """Return the groups that have rows, numbered anew."""
    counts = np.bincount(codes, minlength=len(groups))
    place = np.cumsum(counts > 0) - 1
    kept = tuple(group for group, count in zip(groups, counts, strict=True) if count)
    return Grouping(columns, kept, place[codes])


def _value(column: str, value: Scalar) -> Group:
    shown = f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)
    text = shown.lower() if isinstance(value, bool) else shown
    return Group(
        columns=(column,),
        label=text if text.strip() else "(empty)",
        where=str(Comparison(column, Operator.EQUAL, (value,))),
        kind=GroupKind.VALUE,
        value=value,
    )


def _other(column: str, named: list[Scalar], *, more: int) -> Group:
    return Group(
        columns=(column,),
        label=f"{more:,} other values",
        where=str(Comparison(column, Operator.NOT_IN, tuple(named))),
        kind=GroupKind.OTHER,
    )


def _range(column: str, low: float | None, high: float | None, *, whole: bool) -> Group:
    ends = [int(end) if whole and end is not None else end for end in (low, high)]
    return Group(
        columns=(column,),
        label=_told(*ends, whole=whole),
        where=_between(column, *ends),
        kind=GroupKind.RANGE,
        low=low,
        high=high,
    )


def _told(low: float | None, high: float | None, *, whole: bool) -> str:
    """Return a range in words; of whole numbers, the last that is in it ends it."""
    if high is None:
        return "every value" if low is None else f"{low:,.12g} and above"
    if low is None:
        return f"below {high:,.12g}"
    if whole:
        return f"{low:,}" if high - low == 1 else f"{low:,} to {high - 1:,}"
    return f"{low:,.12g} to below {high:,.12g}"


def _between(column: str, low: Value | None, high: Value | None) -> str:
    if low is None and high is None:
        return str(Comparison(column, Operator.NOT_MISSING))
    ends = ((Operator.AT_LEAST, low), (Operator.LESS, high))
    return str(Filter(tuple(Comparison(column, op, (end,)) for op, end in ends if end is not None)))
