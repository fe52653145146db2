"""The table of trees: walks end where the library's do, and a forged table is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import asdict, replace
from tests.conftest import stable

from brinery.scorers.data import Sparse
from brinery.scorers.trees import Grown, Trees, down, in_parts, moved, planted

_COLUMN = 0x1FFFFFFF
_CATEGORIES = 0x20000000
_MISSING_LEFT = 0x40000000


def stump(threshold: float = 0.0, **more: Any) -> Grown:
    """Return a tree of one question about column 0: at most `threshold` adds 1, above it 10."""
    return Grown(
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        feature=np.array([0, -2, -2]),
        threshold=np.array([threshold, -2.0, -2.0]),
        values=np.array([[0.0], [1.0], [10.0]]),
        **more,
    )


def leaf(value: float) -> Grown:
    """Return a tree that asks nothing."""
    alone = np.array([-1])
    return Grown(left=alone, right=alone, feature=alone, threshold=alone, values=[[value]])


def chain(depth: int) -> Grown:
    """Return a tree that asks whether column 0 is at most 0, 1, 2 and so on, one after the other.

    A value of at most i, but above i - 1, adds i.
    """
    count = 2 * depth + 1
    left, right = np.full(count, -1), np.full(count, -1)
    threshold, values = np.zeros(count), np.zeros((count, 1))
    for step in range(depth):
        left[2 * step], right[2 * step] = 2 * step + 1, 2 * step + 2
        threshold[2 * step] = values[2 * step + 1] = step
    values[-1] = depth
    feature = np.where(left < 0, -2, 0)
    return Grown(left=left, right=right, feature=feature, threshold=threshold, values=values)


def trees_of(*grown: Grown, features: str = "f4", **more: Any) -> Trees:
    """Return trees of two columns with one sum."""
    return planted(grown, n_features=2, n_outputs=1, features=features, **more)


@pytest.mark.parametrize("n_rows", [0, 1, 2, 15, 16, 17, 33, 4095, 4096, 4113])
@pytest.mark.parametrize("n_trees", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("features", ["f4", "f8"])
def test_every_row_meets_every_tree(n_rows: int, n_trees: int, features: str) -> None:
    """Whatever their number: lanes are left over, blocks too, and some trees are a leaf."""
    grown = [(chain(9), stump(3.0), leaf(0.5))[place % 3] for place in range(n_trees)]
    x = np.random.default_rng(n_rows).integers(-3, 12, size=(n_rows, 2)).astype(float)
    sums = trees_of(*grown, features=features).sums(x, np.array([100.0]))
    steps = np.clip(np.ceil(x[:, 0]), 0, 9)
    kinds = [steps, np.where(x[:, 0] <= 3, 1.0, 10.0), np.full(n_rows, 0.5)]
    expected = 100.0 + sum(kinds[place % 3] for place in range(n_trees))
    assert sums.shape == (n_rows, 1)
    np.testing.assert_array_equal(sums[:, 0], expected)


@pytest.mark.parametrize("threshold", [0.1, -0.1, 1e-40, 1e300, -1e300, np.inf, 16777217.0])
def test_a_threshold_parts_float32_as_in_float64(threshold: float) -> None:
    """The rounded threshold stands for that of the library at each float32 beside it."""
    middle = np.float32(np.clip(threshold, -3e38, 3e38))
    values = [middle]
    for to in (-np.inf, np.inf):
        one = middle
        for _ in range(3):
            one = np.nextafter(one, np.float32(to))
            values.append(one)
    x = np.column_stack([values, values]).astype(np.float32)
    sums = trees_of(stump(threshold)).sums(x, 0.0)
    left = x[:, 0].astype(np.float64) <= threshold
    np.testing.assert_array_equal(sums[:, 0], np.where(left, 1.0, 10.0))
    assert down(np.array([threshold])).astype(np.float64)[0] <= threshold


def test_a_missing_value_goes_where_it_went_at_the_fit() -> None:
    """To the left where the node says so, else to the right."""
    row = np.array([[np.nan, 0.0]])
    assert trees_of(stump(missing_left=[1, 0, 0])).sums(row, 0.0) == 1.0
    assert trees_of(stump(missing_left=[0, 0, 0])).sums(row, 0.0) == 10.0
    assert trees_of(stump()).sums(row, 0.0) == 10.0


def test_a_category_goes_left_if_it_is_in_the_set() -> None:
    """A value that no set can hold goes right."""
    sets = np.array([2, 1 << 3, 1 << 1], dtype=np.uint32)
    trees = trees_of(stump(categories=np.array([0, -1, -1])), features="f8", sets=sets)
    values = [3.0, 33.0, 2.0, 64.0, -1.0, 1e300, 3.5]
    sums = trees.sums(np.column_stack([values, values]), 0.0)
    assert sums[:, 0].tolist() == [1.0, 1.0, 10.0, 10.0, 10.0, 10.0, 1.0]


def full(depth: int, rng: np.random.Generator) -> Grown:
    """Return a tree that asks as often on every way down, of either column."""
    inner = 2**depth - 1
    places = np.arange(2 * inner + 1)
    return Grown(
        left=np.where(places < inner, 2 * places + 1, -1),
        right=np.where(places < inner, 2 * places + 2, -1),
        feature=np.where(places < inner, rng.integers(0, 2, len(places)), -2),
        threshold=rng.normal(size=len(places)),
        values=rng.normal(size=(len(places), 1)),
        missing_left=rng.integers(0, 2, len(places)),
        categories=np.where((places == 0) & (depth % 2 == 0), 0, -1),
    )


@pytest.mark.parametrize("missing", [0.0, 0.5])
@pytest.mark.parametrize("depths", [(1, 3, 5), (2, 4, 6)], ids=stable)
@pytest.mark.parametrize("features", ["f4", "f8"])
def test_a_row_among_many_ends_where_it_does_alone(
    features: str, depths: tuple[int, ...], missing: float
) -> None:
    """Trees that are walked level by level, with and without missing values and categories."""
    rng = np.random.default_rng(0)
    sets = np.array([1, 0b1011], dtype=np.uint32)
    trees = trees_of(*(full(depth, rng) for depth in depths), features=features, sets=sets)
    x = np.where(rng.random((61, 2)) < missing, np.nan, rng.normal(size=(61, 2)) * 2)
    alone = np.concatenate([trees.sums(x[place : place + 1], 0.5) for place in range(len(x))])
    np.testing.assert_array_equal(trees.sums(x, 0.5), alone)
    x.flags.writeable = False
    np.testing.assert_array_equal(trees.sums(x.astype(features), 0.5), alone)


def test_each_tree_adds_to_its_own_sums() -> None:
    """The sums begin at the same number, at one for each, or at one for each row and sum."""
    grown = (leaf(1.0), leaf(2.0), leaf(4.0))
    trees = planted(grown, n_features=1, n_outputs=2, outputs=[0, 1, 0])
    x = np.zeros((2, 1))
    assert trees.sums(x, 0.0).tolist() == [[5.0, 2.0], [5.0, 2.0]]
    assert trees.sums(x, np.array([1.0, 0.0])).tolist() == [[6.0, 2.0], [6.0, 2.0]]
    assert trees.sums(x, np.array([[1.0, 0.0], [0.0, 8.0]])).tolist() == [[6.0, 2.0], [5.0, 10.0]]


def test_a_tree_of_some_columns_is_one_of_all() -> None:
    """Its features are those of the whole table."""
    trees = trees_of(moved(stump(), np.array([1])))
    assert trees.sums(np.array([[5.0, -1.0], [-1.0, 5.0]]), 0.0)[:, 0].tolist() == [1.0, 10.0]


def test_a_large_sparse_table_is_made_dense_in_parts() -> None:
    """The parts give what the whole would."""
    width = 1 << 20
    starts = np.array([0, 1, 1, 3, 3, 4, 6])
    columns = np.array([0, 5, width - 1, 7, 0, 1])
    table = Sparse(starts, columns, np.arange(1.0, 7.0), width=width)
    heights: list[int] = []

    def total(part: Any) -> Any:
        heights.append(part.n_rows)
        return part.dense().sum(axis=1)

    assert in_parts(total, table).tolist() == [1.0, 0.0, 5.0, 0.0, 4.0, 11.0]
    assert heights == [4, 2]


def test_trees_of_other_columns_are_refused() -> None:
    """A narrower row is not read beyond its end."""
    with pytest.raises(ValueError, match="other columns"):
        trees_of(stump()).sums(np.zeros((1, 1)), 0.0)


def _with_node(trees: Trees, place: int, **fields: Any) -> Trees:
    table = trees.table.copy()
    for name, value in fields.items():
        table[name][place] = value
    return replace(trees, nodes=table.view(trees.nodes.dtype).reshape(trees.nodes.shape))


@pytest.mark.parametrize("features", ["f4", "f8"])
@pytest.mark.parametrize(
    ("place", "fields"),
    [
        (0, {"next": 0}),
        (0, {"next": -1}),
        (0, {"next": 2}),
        (0, {"next": 2**31 - 1}),
        (0, {"feature": 2}),
        (0, {"feature": 2 | _MISSING_LEFT}),
        (0, {"feature": _COLUMN}),
        (1, {"next": 2}),
        (1, {"next": -1}),
        (1, {"feature": 0, "next": 1}),
        (0, {"feature": _CATEGORIES, "threshold": -1.0}),
        (0, {"feature": _CATEGORIES, "threshold": 1.0}),
        (0, {"feature": _CATEGORIES, "threshold": np.nan}),
        (0, {"feature": _CATEGORIES, "threshold": np.inf}),
        (0, {"feature": _CATEGORIES, "threshold": 1e30}),
    ],
    ids=stable,
)
def test_a_forged_node_is_refused(features: str, place: int, fields: dict[str, Any]) -> None:
    """No walk leads back, ends nowhere, or reads beside a row, the leaves or the sets."""
    with pytest.raises(ValueError, match=r"^a (leaf|node) "):
        _with_node(trees_of(stump(), features=features), place, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"roots": np.array([3], np.int32)},
        {"roots": np.array([-1], np.int32)},
        {"roots": np.array([0, 0], np.int32)},
        {"roots": np.array([0], np.int64)},
        {"roots": np.zeros((1, 1), np.int32)},
        {"outputs": np.array([1], np.int32)},
        {"outputs": np.array([-1], np.int32)},
        {"outputs": np.zeros((1, 1), np.int32)},
        {"leaves": np.zeros((1, 1))},
        {"leaves": np.zeros(2)},
        {"leaves": np.zeros((2, 2))},
        {"leaves": np.zeros((2, 1), np.int64)},
        {"nodes": np.zeros((3, 3), np.int64)},
        {"nodes": np.zeros((3, 4), np.int32)},
        {"nodes": np.zeros((3, 3), np.float32)},
        {"nodes": np.zeros((3, 3), np.int32)},
        {"sets": np.zeros(1, np.int64)},
        {"sets": np.zeros((1, 1), np.uint32)},
        {"n_outputs": 0},
        {"n_outputs": 1 << 40},
        {"n_outputs": 1 << 30, "outputs": np.array([(1 << 30) - 1], np.int32)},
        {"n_outputs": 1 << 30, "roots": np.zeros(0, np.int32), "outputs": np.zeros(0, np.int32)},
        {"roots": np.array([0, 1], np.int32), "outputs": np.array([0, 0], np.int32)},
        {"n_features": 0},
        {"n_features": -1},
    ],
    ids=repr,
)
def test_a_forged_table_is_refused(fields: dict[str, Any]) -> None:
    """Types and shapes are those that the kernel reads, and every place is within."""
    trees = asdict(trees_of(stump()))
    with pytest.raises(ValueError, match=r"tree|leaf|node|output"):
        Trees(**{**trees, **fields})


def test_a_set_that_is_longer_than_the_sets_is_refused() -> None:
    """Its count of words is checked against those that are there."""
    categories = np.array([0, -1, -1])
    for words in ([1], [2, 0], [2**32 - 1, 0, 0]):
        with pytest.raises(ValueError, match="without its categories"):
            trees_of(stump(categories=categories), sets=np.array(words, dtype=np.uint32))
