"""Decision trees as one table, walked by the compiled kernel; scikit-learn's forests of them.

scikit-learn compares a value that was rounded to float32 with a float64 threshold. As no float32
lies between a threshold and the float32 below it, the thresholds are rounded down, and the
comparison stays the same in half the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Optional, Union

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from brinery.scorers import kernel
from brinery.scorers.data import Array, Data, Sparse
from brinery.scorers.interface import Unsupported, require

# Of a node's feature: two flags, as the kernel has them.
COLUMN = 0x1FFFFFFF
_CATEGORIES = 0x20000000
_MISSING_LEFT = 0x40000000
_LEAF = -1
_WORD = 32
_TABLE = 2
# By how many levels the deepest leaf of a tree may lie below the average one for the tree to be
# walked level by level: to foresee where a walk ends costs about as much as these steps.
_UNEVEN = 3.0
# How many values of a sparse table are made dense at once.
_MOST_VALUES = 1 << 22
# The type and the row of a table of nodes, and the type of its leaves, that the kernel walks.
_LAYOUTS = {("i4", (3,), "f8"), ("i4", (3,), "f4"), ("i8", (2,), "f8")}


class Trees(Struct, frozen=True, kw_only=True, dict=True):
    """Trees whose leaves are added up.

    Attributes:
        nodes: (n_nodes, 3) int32 or (n_nodes, 2) int64, each row the bytes of a `kernel.node_type`
            for float32 or float64 features.
        roots: (n_trees,) int32.
        outputs: (n_trees,) int32, the first output that each adds to.
        leaves: (n_leaves, width) float64 or float32.
        sets: (n_words,) uint32, sets of categories: a count of words, then the words.
        n_features: how many columns they read.
        n_outputs: how many sums there are.
    """

    nodes: np.ndarray
    roots: np.ndarray
    outputs: np.ndarray
    leaves: np.ndarray
    sets: np.ndarray
    n_features: int
    n_outputs: int

    def __post_init__(self) -> None:
        """Check that every walk ends at a leaf, and reads nothing outside of the table."""
        types = (self.nodes.dtype.str[1:], self.nodes.shape[1:], self.leaves.dtype.str[1:])
        require(types in _LAYOUTS, "trees of another layout")
        require(self.leaves.ndim == _TABLE, "trees whose leaves are no table")
        require(self.roots.dtype == self.outputs.dtype == np.int32, "trees of strange roots")
        require(
            self.roots.ndim == self.outputs.ndim == self.sets.ndim == 1, "trees in strange rows"
        )
        require(self.sets.dtype == np.uint32, "trees of strange categories")
        _check(self)

    @property
    def table(self) -> Array:
        """Return the nodes as records: (n_nodes,) of threshold, feature and next."""
        return self.nodes.view(kernel.node_type(self.features)).reshape(-1)

    @property
    def features(self) -> str:
        """Return the type of its features: `f4` or `f8`."""
        return "f4" if self.nodes.dtype == np.int32 else "f8"

    @cached_property
    def _kernel(self) -> tuple[kernel.Trees, np.dtype[Any]]:
        asks = self.table["feature"] & _CATEGORIES != 0
        walk = kernel.Trees(
            nodes=np.ascontiguousarray(self.table),
            roots=np.ascontiguousarray(self.roots),
            outputs=np.ascontiguousarray(self.outputs),
            depths=_even(*_depths(self.table, self.roots)),
            leaves=np.ascontiguousarray(self.leaves),
            sets=np.ascontiguousarray(self.sets),
            categories=bool(((self.table["feature"] >= 0) & asks).any()),
        )
        return walk, np.dtype(self.features)

    def goes_right(self, at: Array, x: Array) -> Array:
        """Return which rows go right: (n_rows,) booleans.

        Args:
            at: (n_rows,) the inner node that each row is at.
            x: (n_rows, n_features) of the type of its features.
        """
        nodes = self.table[at]
        values = x[np.arange(len(x)), nodes["feature"] & COLUMN]
        right = values > nodes["threshold"]
        missing = np.isnan(values)
        right[missing] = nodes["feature"][missing] & _MISSING_LEFT == 0
        asks = (nodes["feature"] & _CATEGORIES != 0) & ~missing
        for row in np.flatnonzero(asks).tolist():
            right[row] = not self._holds(int(nodes["threshold"][row]), float(values[row]))
        return right

    def _holds(self, place: int, value: float) -> bool:
        """Return whether a set has a category."""
        words = int(self.sets[place])
        if not 0 <= value < words * _WORD:
            return False
        word, bit = divmod(int(value), _WORD)
        return bool(self.sets[place + 1 + word] >> np.uint32(bit) & 1)

    def sums(self, x: Array, base: Union[Array, float]) -> Array:
        """Return the sum of the leaves of each row: (n_rows, n_outputs).

        Args:
            x: (n_rows, n_features) of any float type.
            base: what the sums begin at: one number, (n_outputs,) or (n_rows, n_outputs).
        """
        require(x.shape[1] == self.n_features, "trees of other columns")
        walk, features = self._kernel
        sums = np.zeros((len(x), self.n_outputs), dtype=self.leaves.dtype)
        if isinstance(base, np.ndarray) or base:
            sums[:] = base
        walk.add(np.ascontiguousarray(x, dtype=features), sums)
        return sums

    @cached_property
    def depth(self) -> int:
        """Return how many inner nodes are at most on the way to a leaf."""
        return int(_depths(self.table, self.roots)[0].max(initial=0))

    @cached_property
    def asked(self) -> Array:
        """Return the features that a node asks for, each once, rising."""
        feature = self.table["feature"]
        return np.unique(feature[feature >= 0] & COLUMN)

    def rights(self, background: Array) -> Array:
        """Return which rows of a background go right at each node, for `contribute`.

        Args:
            background: (n_background, n_features), 1 to `kernel.CROWD` rows.
        """
        require(background.shape[1] == self.n_features, "trees of other columns")
        require(0 < len(background) <= kernel.CROWD, "a background of too many rows, or of none")
        walk, features = self._kernel
        return walk.rights(np.ascontiguousarray(background, dtype=features))

    def contribute(
        self,
        x: Array,
        sums: Array,
        *,
        background: Array,
        groups: Array,
        rights: Optional[Array] = None,
    ) -> bool:
        """Add to the sums what each group of features adds to the sum of the leaves of each row.

        That is its Shapley value, summed over the rows of a background. Return whether it could be
        done: on no path may more than 64 groups be asked for.

        Args:
            x: (n_rows, n_features) of any float type.
            sums: (n_rows, n_groups, n_outputs) float64, C-contiguous.
            background: (n_background, n_features), 1 to `kernel.CROWD` rows.
            groups: (n_features,) int32, the group of each feature that is asked for.
            rights: of this very background, where it is asked again and again.
        """
        for table in (x, background):
            require(table.shape[1] == self.n_features, "trees of other columns")
        require(0 < len(background) <= kernel.CROWD, "a background of too many rows, or of none")
        require(groups.shape == (self.n_features,), "trees of other groups")
        within = (groups[self.asked] >= 0) & (groups[self.asked] < sums.shape[1])
        require(within.all() and sums.shape[::2] == (len(x), self.n_outputs), "sums of others")
        walk, features = self._kernel
        if rights is not None:
            fits = rights.shape == (len(self.table), 2) and rights.dtype == np.uint64
            require(fits and rights.flags.c_contiguous, "turns of other trees")
        return walk.explain(
            np.ascontiguousarray(x, dtype=features),
            sums,
            background=np.ascontiguousarray(background, dtype=features),
            groups=np.ascontiguousarray(groups, dtype=np.int32),
            depth=self.depth,
            rights=rights,
        )


def _check(trees: Trees) -> None:
    """Raise where a walk would not end, or would read outside of an array."""
    table = trees.table
    leaf = table["feature"] < 0
    _within(table["next"][leaf], len(trees.leaves), "a leaf without values")
    inner = np.flatnonzero(~leaf)
    features, following = table["feature"][inner], table["next"][inner]
    require((following > inner).all(), "a node that leads back")
    _within(following, len(table) - 1, "a node without children")
    _within(features & COLUMN, trees.n_features, "a node of a column that is not there")
    require(len(trees.roots) == len(trees.outputs), "trees without outputs")
    _within(trees.roots, len(table), "a tree without a root")
    last = trees.n_outputs - trees.leaves.shape[1]
    _within(trees.outputs, last + 1, "a tree of an output that is not there")
    require(len(trees.outputs) == 0 or trees.outputs.max() == last, "an output without a tree")
    most = len(trees.outputs) * trees.leaves.shape[1]
    require(trees.n_outputs <= most, "an output without a tree")
    # Trees that share nodes could be walked for as long as there are pairs of them.
    led_to = np.concatenate([trees.roots, following, following + 1])
    require(np.bincount(led_to).max(initial=0) <= 1, "a node of two trees")
    places = table["threshold"][inner[features & _CATEGORIES != 0]]
    _within(places, len(trees.sets), "a node without its categories")
    words = trees.sets[places.astype(np.int64)]
    require((places + words < len(trees.sets)).all(), "a node without its categories")


def _depths(table: Array, roots: Array) -> tuple[Array, Array]:
    """Return how deep each tree is, and how deep its leaves are on average: (n_trees,) each."""
    deepest = np.zeros(len(roots), dtype=np.int32)
    leaves, levels = np.zeros(len(roots)), np.zeros(len(roots))
    feature, following = table["feature"], table["next"]
    at, tree, level = roots, np.arange(len(roots)), 0
    while len(at):
        inner = feature[at] >= 0
        ended = np.bincount(tree[~inner], minlength=len(roots))
        leaves += ended
        levels += ended * level
        deepest[tree] = level
        children, tree = following[at[inner]], tree[inner]
        at, tree, level = np.concatenate([children, children + 1]), np.tile(tree, 2), level + 1
    return deepest, levels / leaves


def _even(deepest: Array, average: Array) -> Array:
    """Return how deep each tree is whose leaves are about equally deep; 0 of any other."""
    return np.where(deepest <= average + _UNEVEN, deepest, 0).astype(np.int32)


def _within(places: Array, stop: int, what: str) -> None:
    require(((places >= 0) & (places < stop)).all(), what)


class Grown(Struct, frozen=True, kw_only=True):
    """One tree as its library keeps it: a row per node.

    Attributes:
        left: (n_nodes,) the left child; negative for a leaf.
        right: (n_nodes,) the right child.
        feature: (n_nodes,) which column an inner node asks for.
        threshold: (n_nodes,) what is at most this goes left.
        values: (n_nodes, width) what a leaf adds.
        missing_left: (n_nodes,) whether a missing value goes left; None where none does.
        categories: (n_nodes,) the place of the node's set; negative where it has a threshold.
    """

    left: Any
    right: Any
    feature: Any
    threshold: Any
    values: Any
    missing_left: Any = None
    categories: Any = None


def moved(tree: Grown, places: Array) -> Grown:
    """Return a tree that was grown on some columns of a table, as one of the whole table.

    Args:
        tree: as its library keeps it.
        places: (n_columns,) where in the table its columns lie.
    """
    feature = np.asarray(tree.feature)
    return replace(tree, feature=np.asarray(places)[np.where(feature < 0, 0, feature)])


def planted(
    grown: Sequence[Grown],
    *,
    n_features: int,
    n_outputs: int,
    outputs: Optional[Sequence[int]] = None,
    features: str = "f4",
    sets: Optional[Array] = None,
) -> Trees:
    """Return trees as the kernel walks them: the children of a node side by side.

    Args:
        grown: the trees, in the order their leaves are added.
        n_features: how many columns they read.
        n_outputs: how many sums there are.
        outputs: the first output that each tree adds to; 0 when None.
        features: the type of the values that are compared: `f4` or `f8`.
        sets: the sets of categories.

    Raises:
        Unsupported: there is no kernel on this platform.
    """
    if not kernel.available():
        raise Unsupported("trees, for which there is no kernel on this platform")
    tables, leaves, roots = [], [], []
    first_node = first_leaf = 0
    for tree in grown:
        table, values = _planted(tree, features, first_node=first_node, first_leaf=first_leaf)
        tables.append(table)
        leaves.append(values)
        roots.append(first_node)
        first_node += len(table)
        first_leaf += len(values)
    nodes = np.concatenate(tables)
    plain, width = (np.int32, 3) if features == "f4" else (np.int64, 2)
    return Trees(
        nodes=nodes.view(plain).reshape(-1, width),
        roots=np.array(roots, dtype=np.int32),
        outputs=np.array(outputs if outputs is not None else [0] * len(grown), dtype=np.int32),
        leaves=np.concatenate(leaves),
        sets=np.zeros(1, dtype=np.uint32) if sets is None else sets,
        n_features=n_features,
        n_outputs=n_outputs,
    )


def _planted(
    tree: Grown, features: str, *, first_node: int, first_leaf: int
) -> tuple[Array, Array]:
    """Return the table of one tree, and the values of its leaves.

    The two children of the i-th inner node lie at 1 + 2 i and behind it, so that nodes that follow
    each other in the library's order, depth first, stay near each other.
    """
    left, right = np.asarray(tree.left), np.asarray(tree.right)
    inner = np.flatnonzero(left >= 0)
    leaf = np.flatnonzero(left < 0)
    new = np.zeros(len(left), dtype=np.int64)
    pairs = 1 + 2 * np.arange(len(inner))
    new[left[inner]], new[right[inner]] = pairs, pairs + 1
    table = np.zeros(len(left), dtype=kernel.node_type(features))
    at = new[inner]
    flags = np.zeros(len(inner), dtype=np.int64)
    thresholds = np.asarray(tree.threshold, dtype=np.float64)[inner]
    if features == "f4":
        thresholds = down(thresholds).astype(np.float64)
    if tree.missing_left is not None:
        flags |= np.where(np.asarray(tree.missing_left, dtype=bool)[inner], _MISSING_LEFT, 0)
    if tree.categories is not None:
        sets = np.asarray(tree.categories, dtype=np.int64)[inner]
        flags |= np.where(sets >= 0, _CATEGORIES, 0)
        thresholds = np.where(sets >= 0, sets, thresholds)
    table["threshold"][at] = thresholds
    table["feature"][at] = np.asarray(tree.feature, dtype=np.int64)[inner] | flags
    table["next"][at] = first_node + pairs
    table["feature"][new[leaf]] = _LEAF
    table["next"][new[leaf]] = first_leaf + np.arange(len(leaf))
    values = np.asarray(tree.values)
    return table, np.ascontiguousarray(values.reshape(len(left), -1)[leaf])


def in_parts(function: Callable[[Data], Array], data: Data) -> Array:
    """Return what a function makes of a table, of a large sparse one a part at a time.

    Args:
        function: from a table to an array with a row for each of its rows.
        data: the table.
    """
    if not isinstance(data, Sparse) or data.n_rows * data.width <= _MOST_VALUES:
        return function(data)
    count = max(1, _MOST_VALUES // data.width)
    parts = [data.part(at, at + count) for at in range(0, data.n_rows, count)]
    return np.concatenate([function(part) for part in parts])


def plain(feature: int) -> bool:
    """Return whether a node with such a feature asks for a threshold, not for a category."""
    return feature >= 0 and not feature & _CATEGORIES


def down(thresholds: Array) -> Array:
    """Return the largest float32 that is at most each threshold."""
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
    above = rounded > thresholds
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded
