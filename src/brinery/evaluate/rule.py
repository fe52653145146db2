"""Which rows some rows are: a rule over the inputs, as a filter that people and programs read.

A shallow tree is grown on one half of the rows; the leaf that describes them best becomes a rule,
and the other half says how well it does. Its conditions are those of `brinery.specs.filters`, so
that it can be typed again; a row without a value meets no comparison of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import hypergeom
from sklearn.tree import DecisionTreeClassifier

from brinery.evaluate import grouping
from brinery.records.comparison import Rule
from brinery.specs.filters import Comparison, Operator, Value

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]

_MOST_ROWS: Final = 50_000
_FEWEST: Final = 10
_DEPTH: Final = 3
_LEAST_LEAF: Final = 0.005
_MOST_CATEGORIES: Final = 50
_CHANCE: Final = 0.01
_DIGITS: Final = 17
# A rule may lose this much of its fit for being shorter.
_AS_WELL: Final = 0.99

_FEW: Final = "too few rows to find a rule on one half of them and to measure it on the other"
_NONE: Final = "no rule over the inputs tells these rows from the others better than chance"


class _Numbers(NamedTuple):
    """A column of numbers: (n_rows,) NaN where there is no value."""

    column: str
    values: Floats
    whole: bool

    def split(self, told: Bools) -> Floats:
        """Return the numbers; that there is none is another feature, so a gap is in the middle."""
        del told
        middle = np.nanmedian(self.values) if not np.isnan(self.values).all() else 0.0
        return np.where(np.isnan(self.values), middle, self.values)


class _Gap(NamedTuple):
    """Whether a column has a value: (n_rows,) 1 where it has none."""

    column: str
    values: Floats

    def split(self, told: Bools) -> Floats:
        del told
        return self.values


class _Categories(NamedTuple):
    """A column of categories.

    Attributes:
        column: its name.
        names: (n_names,) of the frequent ones.
        codes: (n_rows,) of the names; n_names where it is another, n_names + 1 where there is none.
    """

    column: str
    names: tuple[Value, ...]
    codes: Codes

    def split(self, told: Bools) -> Floats:
        """Return for each row how often its category is among the chosen, by the rows told of.

        Of all ways to part categories in two, the best is one of this order (Breiman et al. 1984).
        """
        return self.rates(told)[self.codes]

    def rates(self, told: Bools) -> Floats:
        known = self.codes[: told.size]
        size = len(self.names) + 2
        hits = np.bincount(known, told, minlength=size)
        return np.asarray((hits + told.mean()) / (np.bincount(known, minlength=size) + 1))


_Feature = _Numbers | _Gap | _Categories


class _Condition(NamedTuple):
    """A comparison, and which rows meet it: (n_rows,)."""

    comparison: Comparison
    met: Bools


def describe(chosen: Bools, inputs: pa.Table, *, seed: int = 0) -> Rule | str:
    """Return the rule that tells some rows best from the others; or why there is none.

    Args:
        chosen: (n_rows,) which rows.
        inputs: (n_rows, n_features) what the rule is told by.
        seed: of the halves, and of the sample where there are more than 50,000 rows.

    Source: Breiman et al. 1984 for the tree.
    """
    rows = np.random.default_rng(seed).permutation(chosen.size)[:_MOST_ROWS]
    half = rows.size // 2
    told, held = chosen[rows[:half]], chosen[rows[half:]]
    if min(np.count_nonzero(each) for each in (told, ~told, held, ~held)) < _FEWEST:
        return _FEW
    features = list(_features(inputs.take(pa.array(rows))))
    if not features:
        return "no column of the inputs can be split"
    columns = np.column_stack([feature.split(told) for feature in features])
    tree = DecisionTreeClassifier(
        max_depth=_DEPTH,
        min_samples_leaf=max(_FEWEST, int(half * _LEAST_LEAF)),
        class_weight="balanced",
        random_state=seed,
    ).fit(columns[:half], told)
    leaves = [_conditions(path, features, told=told) for path in _paths(tree)]
    rules = [_pruned(leaf, told) for leaf in leaves if leaf]
    if not rules:
        return _NONE
    best = max(rules, key=lambda leaf: _f1(_met(leaf)[:half], told))
    return _measured(best, held, half=half)


def _pruned(leaf: list[_Condition], told: Bools) -> list[_Condition]:
    """Return a rule without the conditions that it does as well without."""
    kept = leaf
    while len(kept) > 1:
        shorter = [[one for one in kept if one is not gone] for gone in kept]
        fits = [_f1(_met(rule)[: told.size], told) for rule in shorter]
        if max(fits) < _f1(_met(kept)[: told.size], told) * _AS_WELL:
            break
        kept = shorter[int(np.argmax(fits))]
    return kept


def _measured(leaf: list[_Condition], held: Bools, *, half: int) -> Rule | str:
    """Return the rule, and how well it does on the rows it was not found on."""
    met = _met(leaf)[half:]
    rows, both = int(np.count_nonzero(met)), int(np.count_nonzero(met & held))
    all_chosen = int(np.count_nonzero(held))
    by_chance = hypergeom.sf(both - 1, held.size, all_chosen, rows)
    if not both or by_chance > _CHANCE:
        return _NONE
    return Rule(
        conditions=tuple(str(each.comparison) for each in leaf),
        precision=both / rows,
        recall=both / all_chosen,
        rows=rows,
        share_elsewhere=(all_chosen - both) / max(1, held.size - rows),
        measured_on=held.size,
    )


def _met(leaf: Sequence[_Condition]) -> Bools:
    return np.asarray(np.logical_and.reduce([each.met for each in leaf]))


def _f1(met: Bools, told: Bools) -> float:
    whole = np.count_nonzero(met) + np.count_nonzero(told)
    return 2 * np.count_nonzero(met & told) / whole


def _features(inputs: pa.Table) -> Iterator[_Feature]:
    """Yield what the columns can be split by."""
    for name in inputs.column_names:
        values = grouping.plain(inputs.column(name))
        kind = values.type
        if values.null_count == len(values):
            continue
        numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        if numbers or pa.types.is_decimal(kind):
            found = grouping.floats(values)
            found = np.where(np.isinf(found), np.nan, found)
            whole = not np.mod(found[~np.isnan(found)], 1).any()
            gap = np.isnan(found)
            yield _Numbers(name, found, whole)
        elif grouping.is_text(kind) or pa.types.is_boolean(kind):
            names, codes, counts = grouping.tally(values)
            gap = codes == len(names)
            kept = np.argsort(-counts[:-1], kind="stable")[:_MOST_CATEGORIES]
            place = np.full(len(names) + 1, kept.size, np.intp)
            place[kept] = np.arange(kept.size)
            place[-1] = kept.size + 1
            yield _Categories(name, tuple(names[at] for at in kept.tolist()), place[codes])
        else:
            continue
        if gap.any():
            yield _Gap(name, gap.astype(np.float64))


class _Step(NamedTuple):
    """One split on the way to a leaf: the place of its feature, where it is split, and the side."""

    feature: int
    at: float
    above: bool


def _paths(tree: DecisionTreeClassifier) -> Iterator[tuple[_Step, ...]]:
    """Yield the way to every leaf in which the chosen rows are more than their share."""
    inner = tree.tree_
    chosen = int(np.flatnonzero(tree.classes_)[0])
    waiting: list[tuple[int, tuple[_Step, ...]]] = [(0, ())]
    while waiting:
        node, path = waiting.pop()
        left, right = int(inner.children_left[node]), int(inner.children_right[node])
        if left == right:
            value = inner.value[node][0]
            if value[chosen] >= value.sum() / 2:
                yield path
            continue
        feature, at = int(inner.feature[node]), float(inner.threshold[node])
        waiting.append((left, (*path, _Step(feature, at, above=False))))
        waiting.append((right, (*path, _Step(feature, at, above=True))))


def _conditions(
    path: Sequence[_Step], features: Sequence[_Feature], *, told: Bools
) -> list[_Condition]:
    """Return what a row must meet to come to a leaf, at most two comparisons for each feature."""
    found: list[_Condition] = []
    for place in dict.fromkeys(step.feature for step in path):
        steps = [step for step in path if step.feature == place]
        low = max((step.at for step in steps if step.above), default=-np.inf)
        high = min((step.at for step in steps if not step.above), default=np.inf)
        match features[place]:
            case _Numbers(column, values, whole):
                for at, operator in ((low, Operator.AT_LEAST), (high, Operator.LESS)):
                    if np.isfinite(at):
                        cut = _round(values, at, whole=whole)
                        met = values >= cut if operator is Operator.AT_LEAST else values < cut
                        said = int(cut) if whole and cut.is_integer() else cut
                        found.append(_Condition(Comparison(column, operator, (said,)), met))
            case _Gap(column, values):
                gone = low > 0
                operator = Operator.MISSING if gone else Operator.NOT_MISSING
                found.append(_Condition(Comparison(column, operator), values == float(gone)))
            case _Categories() as feature:
                inside = (feature.rates(told) > low) & (feature.rates(told) <= high)
                found += _chosen(feature, inside)
    return found


def _chosen(feature: _Categories, inside: Bools) -> Iterator[_Condition]:
    """Yield the comparison that some categories meet; none where every one does."""
    named = inside[:-2]
    # Where every category has a name, the shorter list is told.
    rare = (feature.codes == len(feature.names)).any()
    others = bool(inside[-2]) if rare else 2 * np.count_nonzero(named) > named.size
    listed = np.flatnonzero(named != others)
    if not listed.size:
        return
    values = tuple(feature.names[at] for at in listed.tolist())
    if len(values) == 1:
        operator = Operator.UNEQUAL if others else Operator.EQUAL
    else:
        operator = Operator.NOT_IN if others else Operator.IN
    among = np.isin(feature.codes, listed)
    there = feature.codes <= len(feature.names)
    yield _Condition(
        Comparison(feature.column, operator, values), there & ~among if others else among
    )


def _round(values: Floats, at: float, *, whole: bool) -> float:
    """Return the number with the fewest digits that parts values as another one does.

    Args:
        values: (n_rows,) NaN allowed.
        at: values above it are parted from the rest.
        whole: whether the number is to be a whole one, as the values are.
    """
    low = np.max(values, where=values <= at, initial=-np.inf)
    high = np.min(values, where=values > at, initial=np.inf)
    for digits in range(1, _DIGITS):
        number = float(f"{high if whole else at:.{digits}g}")
        if low < number <= high:
            return number
    return float(high)
