"""Shapley values of trees themselves: any tree, long paths, and what is refused."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.scorers.kernel import CROWD
from brinery.scorers.trees import Grown, Trees, planted

_TOLERANCE = 1e-9
_VALUES = (-1.0, 0.0, 0.5, 1.0, 2.0, math.nan)
_THRESHOLDS = (-1.0, 0.0, 0.75, 1.0)
_FEATURES = 5
# A count of words and a word: the categories 0 and 2, and none.
_SETS = (1, 5, 1, 0)
_LEAVES = st.floats(-4, 4, allow_subnormal=False)
_TREES = st.recursive(
    _LEAVES,
    lambda deeper: st.tuples(
        st.integers(0, _FEATURES - 1),
        st.sampled_from([*_THRESHOLDS, "some", "none"]),
        st.booleans(),
        deeper,
        deeper,
    ),
    max_leaves=24,
)


def _grown(tree: Any) -> Grown:
    """Return a tree of tuples as a library would keep it."""
    table: list[list[Any]] = []

    def add(node: Any) -> int:
        place = len(table)
        table.append([-1, -1, 0, 0.0, 0.0, False, -1])
        if isinstance(node, float):
            table[place][4] = node
            return place
        feature, asks, missing_left, left, right = node
        sets = {"some": 0, "none": 2}.get(asks, -1)
        threshold = asks if sets < 0 else 0.0
        children = [add(left), add(right)]
        table[place] = [*children, feature, threshold, 0.0, missing_left, sets]
        return place

    add(tree)
    left, right, feature, threshold, values, missing, sets = map(np.array, zip(*table, strict=True))
    return Grown(
        left=left,
        right=right,
        feature=feature,
        threshold=threshold,
        values=values.reshape(-1, 1),
        missing_left=missing,
        categories=sets,
    )


def _contributed(trees: Trees, x: Any, background: Any, groups: Any, *, rights: Any = None) -> Any:
    """Return what the kernel adds up: (n_rows, n_groups)."""
    sums = np.zeros((len(x), int(groups.max()) + 1, trees.n_outputs))
    assert trees.contribute(x, sums, background=background, groups=groups, rights=rights)
    return sums[:, :, 0]


def _by_definition(trees: Trees, x: Any, background: Any, groups: Any) -> Any:
    """Return the same by all orders of the groups, summed over the background."""
    count = int(groups.max()) + 1
    found = np.zeros((len(x), count))
    orders = list(itertools.permutations(range(count)))
    for order in orders:
        mixed = np.repeat(background[np.newaxis], len(x), axis=0)
        before = trees.sums(mixed.reshape(-1, _FEATURES), 0.0).reshape(len(x), -1)
        for group in order:
            mixed[:, :, groups == group] = x[:, np.newaxis, groups == group]
            after = trees.sums(mixed.reshape(-1, _FEATURES), 0.0).reshape(len(x), -1)
            found[:, group] += (after - before).sum(axis=1) / len(orders)
            before = after
    return found


@given(
    st.lists(_TREES, min_size=1, max_size=3),
    st.lists(st.lists(st.sampled_from(_VALUES), min_size=5, max_size=5), min_size=2, max_size=9),
    st.lists(st.integers(0, 3), min_size=5, max_size=5),
    st.integers(1, 8),
    st.sampled_from(["f4", "f8"]),
)
def test_any_trees_are_explained_as_all_orders_explain_them(
    grown: Any, rows: Any, groups: Any, cut: int, features: str
) -> None:
    """With values at the thresholds, missing ones, sets of categories, features of one column.

    One row by itself has what it has among others, and so it has against a background that was
    looked at before.
    """
    trees = planted(
        [_grown(tree) for tree in grown],
        n_features=_FEATURES,
        n_outputs=1,
        features=features,
        sets=np.array(_SETS, dtype=np.uint32),
    )
    table, owners = np.array(rows), np.array(groups)
    x, background = table[: min(cut, len(rows) - 1)], table[min(cut, len(rows) - 1) :]
    found = _contributed(trees, x, background, owners)
    wanted = _by_definition(trees, x, background, owners)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=_TOLERANCE)
    rights = trees.rights(background)
    again = _contributed(trees, x, background, owners, rights=rights)
    np.testing.assert_array_equal(again, found)
    alone = [_contributed(trees, row[None], background, owners, rights=rights)[0] for row in x]
    np.testing.assert_allclose(np.array(alone), wanted, rtol=0, atol=_TOLERANCE)


def _line(columns: Any) -> Trees:
    """Return one tree that asks for a column after the other; all but the last leaf are 0."""
    count = len(columns)
    inner = 2 * np.arange(count)
    left, right, feature = (np.full(2 * count + 1, -1) for _ in range(3))
    left[inner], right[inner], feature[inner] = inner + 1, inner + 2, columns
    values = np.zeros(2 * count + 1)
    values[-1] = 1.0
    line = Grown(
        left=left, right=right, feature=feature, threshold=np.zeros(len(left)), values=values
    )
    return planted([line], n_features=max(columns) + 1, n_outputs=1)


def test_a_path_may_be_long() -> None:
    """It takes no more memory, and the columns on it share what its leaf is worth."""
    trees = _line(np.arange(20_000) % 64)
    found = _contributed(trees, np.ones((3, 64)), np.zeros((2, 64)), np.arange(64))
    np.testing.assert_allclose(found, np.full((3, 64), 2 / 64), rtol=_TOLERANCE)


def test_more_than_64_columns_on_a_path_are_too_many() -> None:
    """They are one more than there is room for; columns that share a group are one."""
    trees, sums = _line(np.arange(65)), np.zeros((1, 65, 1))
    x, background = np.ones((1, 65)), np.zeros((1, 65))
    assert not trees.contribute(x, sums, background=background, groups=np.arange(65))
    shared = np.maximum(np.arange(65) - 1, 0)
    found = _contributed(trees, x, background, shared)
    np.testing.assert_allclose(found, np.full((1, 64), 1 / 64), rtol=_TOLERANCE)


@pytest.mark.parametrize(
    "groups", [np.zeros(1), np.full(2, -1), np.full(2, 2)], ids=["few", "none", "too many"]
)
def test_groups_that_are_not_there_are_refused(groups: Any) -> None:
    """The kernel checks none."""
    trees, sums = _line(np.arange(2)), np.zeros((1, 2, 1))
    with pytest.raises(ValueError, match=r"trees of other groups|sums of others"):
        trees.contribute(np.ones((1, 2)), sums, background=np.ones((1, 2)), groups=groups)


def test_turns_of_other_trees_are_refused() -> None:
    """The kernel would read what is not there."""
    trees, sums, groups = _line(np.arange(2)), np.zeros((1, 2, 1)), np.arange(2)
    row, others = np.ones((1, 2)), _line(np.arange(1)).rights(np.ones((1, 1)))
    with pytest.raises(ValueError, match="turns of other trees"):
        trees.contribute(row, sums, background=row, groups=groups, rights=others)


@pytest.mark.parametrize("count", [0, CROWD + 1])
def test_a_background_has_a_bit_for_each_row(count: int) -> None:
    """There must be one, and not more than there are bits."""
    trees, sums, groups = _line(np.arange(2)), np.zeros((1, 2, 1)), np.arange(2)
    with pytest.raises(ValueError, match="a background of too many rows"):
        trees.contribute(np.ones((1, 2)), sums, background=np.ones((count, 2)), groups=groups)


def test_a_full_background_is_compared_with() -> None:
    """The last bit counts like the others."""
    trees, rng = _line(np.arange(5)), np.random.default_rng(0)
    x, background = rng.normal(size=(30, 5)), rng.normal(size=(CROWD, 5))
    found = _contributed(trees, x, background, np.arange(5))
    wanted = _by_definition(trees, x, background, np.arange(5))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=_TOLERANCE)
