"""Where one version is better or worse than another: the difference of their losses, by groups.

Every group of every column is one sum over rows; which groups there are, `grouping` knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import t as student

from brinery.evaluate import corrections
from brinery.evaluate.grouping import Grouping, Ungrouped, group
from brinery.records.comparison import SubpopulationDifference, Verdict
from brinery.records.estimate import Estimate, Interval

Floats = npt.NDArray[np.float64]

_FEWEST: Final = 10
_METHOD: Final = "paired t"


class Gains(NamedTuple):
    """What subpopulations gain and lose.

    Attributes:
        found: the smallest p-value first.
        left_out: column to the reason why it makes no groups.
    """

    found: tuple[SubpopulationDifference, ...]
    left_out: dict[str, str]


def gains(
    base: Floats, other: Floats, *, inputs: pa.Table, weights: Floats, level: float = 0.95
) -> Gains:
    """Return the difference of two losses in the groups that each column makes.

    Args:
        base: (n_rows,) what each row costs with the version that is compared with.
        other: (n_rows,) what it costs with the other one.
        inputs: (n_rows, n_features) what groups are made of.
        weights: (n_rows,) above 0.
        level: of the intervals.

    Source: Student 1908, of the differences of pairs; Benjamini & Hochberg 1995.
    """
    cuts = [group(inputs, name) for name in inputs.column_names]
    left_out = {cut.columns[0]: cut.reason for cut in cuts if isinstance(cut, Ungrouped)}
    found = [
        each
        for cut in cuts
        if isinstance(cut, Grouping)
        for each in _of(cut, base, other, weights=weights, level=level)
    ]
    told = sorted(_corrected(found, level=level), key=_certainty)
    return Gains(tuple(told), left_out)


def _of(
    cut: Grouping, base: Floats, other: Floats, *, weights: Floats, level: float
) -> Iterator[SubpopulationDifference]:
    """Yield what each group of a column gains."""
    groups = len(cut.groups)

    def sums(amounts: Floats) -> Floats:
        return np.bincount(cut.codes, amounts, minlength=groups).astype(np.float64, copy=False)

    rows = np.bincount(cut.codes, minlength=groups)
    total = sums(weights)
    before, after = sums(weights * base) / total, sums(weights * other) / total
    gain = before - after
    off = weights * (base - other - gain[cut.codes])
    few = np.maximum(rows, 2)
    deviation = np.sqrt(sums(off**2) * few / (few - 1)) / total
    for place, one in enumerate(cut.groups):
        estimate, p_value = _tested(
            float(gain[place]), float(deviation[place]), rows=int(rows[place]), level=level
        )
        yield SubpopulationDifference(
            group=one,
            rows=int(rows[place]),
            share=float(total[place] / weights.sum()),
            base=float(before[place]),
            other=float(after[place]),
            gain=estimate,
            p_value=p_value,
        )


def _tested(
    gain: float, deviation: float, *, rows: int, level: float
) -> tuple[Estimate, float | None]:
    if rows < _FEWEST:
        said = f"{rows} rows are too few: it takes {_FEWEST}"
        return Estimate(value=gain, reason=said), None
    if not deviation:
        if not gain:
            return Estimate(value=0.0, reason="both answer alike on every row"), 1.0
        return Estimate(value=gain, reason="every row gains the same"), None
    half = float(student.isf((1 - level) / 2, rows - 1)) * deviation
    p_value = float(2 * student.sf(abs(gain) / deviation, rows - 1))
    interval = Interval(low=gain - half, high=gain + half, level=level, method=_METHOD)
    return Estimate(value=gain, interval=interval), p_value


def _corrected(
    found: Sequence[SubpopulationDifference], *, level: float
) -> Iterator[SubpopulationDifference]:
    tested = np.array([each.p_value for each in found if each.p_value is not None])
    corrected = iter(corrections.benjamini_hochberg(tested).tolist())
    for each in found:
        if each.p_value is None:
            yield each
            continue
        p_corrected = next(corrected)
        verdict = Verdict.ALIKE
        if p_corrected < 1 - level:
            verdict = Verdict.BETTER if each.gain.value > 0 else Verdict.WORSE
        yield msgspec.structs.replace(each, p_corrected=p_corrected, verdict=verdict)


def _certainty(each: SubpopulationDifference) -> tuple[float, float]:
    p_value = 2.0 if each.p_value is None else each.p_value
    return p_value, -abs(each.gain.value)
