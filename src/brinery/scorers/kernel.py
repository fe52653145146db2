"""The compiled part: loops over trees, narrow models and sparse rows, in C, called through ctypes.

It knows of arrays only and checks none: who calls has checked every index. A call releases the
interpreter's lock, unless it takes some microseconds only: to get the lock back from a thread that
waits for it takes longer. One file serves every Python of the machine, that of an old model too.
"""

from __future__ import annotations

import ctypes
import math
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FILE = Path(__file__).with_name("libkernel.so")

_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_int64
_NOTHING = ctypes.c_char * 0
_ARGUMENTS = {
    "trees": (_POINTER, _POINTER, *[_SIZE] * 2, _POINTER, _SIZE),
    "sparse_dot": (*[_POINTER] * 3, _SIZE, _POINTER, _SIZE, _POINTER),
    "expm1_each": (_POINTER, _SIZE),
    "exponents": (_POINTER, _SIZE),
    "logarithms": (_POINTER, _SIZE),
    "sigmoid_float32": (_POINTER, _SIZE),
    "exponents_float32": (_POINTER, _SIZE),
    "softmax_float32": (_POINTER, _SIZE, _SIZE),
    "squared_distances": (_POINTER, _SIZE, _SIZE, _POINTER, _SIZE, _POINTER),
    "couple": (_POINTER, _SIZE, _SIZE, _POINTER, _POINTER),
    "symmetric": (*[_POINTER] * 5, _SIZE, _POINTER, _SIZE, _POINTER, _SIZE, _POINTER),
    "shapley": (
        *(_POINTER, ctypes.c_int32, _POINTER, _SIZE, _SIZE, _POINTER),
        *(_POINTER, _SIZE, _POINTER, _SIZE, _POINTER, _SIZE, _SIZE, _POINTER),
    ),
    "shapley_rights": (_POINTER, ctypes.c_int32, _SIZE, _POINTER, _SIZE, _POINTER, _SIZE),
    "murmur32": (_POINTER, _POINTER, _SIZE, _POINTER),
    "narrow": (_POINTER, _POINTER, _SIZE, _POINTER, _POINTER),
}
# What those return that return something; it is stated once, for threads may be calling.
_RESULTS = {"narrow": ctypes.c_int32, "shapley": ctypes.c_int32}
# By the type of the features, and that of the sums.
_TREES = {
    ("f4", "f8"): "trees_float32",
    ("f8", "f8"): "trees_float64",
    ("f4", "f4"): "trees_xgboost",
}


# So many additions and multiplications take some ten microseconds.
_BRIEF_STEPS = 20_000
# The most weights of a `Narrow` model.
NARROW = 64
# How many rows of a background `shapley` takes, how many groups it knows on a path, and what it
# returns where there is too little memory.
CROWD = 128
_SLOTS = 64
_NO_MEMORY = 1


@cache
def _weights() -> Array:
    """Return p! q! / (p + q + 1)! of any two: (n_slots + 1, n_slots)."""
    made = [math.factorial(n) for n in range(2 * _SLOTS + 1)]
    rows = [[made[p] * made[q] / made[p + q + 1] for q in range(_SLOTS)] for p in range(_SLOTS + 1)]
    return np.array(rows)


def _library(kind: type[ctypes.CDLL]) -> Optional[ctypes.CDLL]:
    """Return the compiled kernel; None on a platform that it was not built for."""
    try:
        return kind(str(FILE))
    except OSError:
        return None


_LIB = _library(ctypes.CDLL)
# The same, whose calls keep the interpreter's lock.
_BRIEF = _library(ctypes.PyDLL)


def available() -> bool:
    """Return whether the kernel is there."""
    return _LIB is not None


def _function(name: str, *, brief: bool = False) -> Any:
    function = getattr(_BRIEF if brief else _LIB, name)
    function.argtypes = _ARGUMENTS["trees" if name.startswith("trees") else name]
    function.restype = _RESULTS.get(name)
    return function


def node_type(features: str) -> np.dtype[Any]:
    """Return the record of a tree's node, for features of type `f4` or `f8`."""
    return np.dtype([("threshold", features), ("feature", np.int32), ("next", np.int32)])


class _Forest(ctypes.Structure):
    """Where the arrays of `Trees` lie, as the kernel has it."""

    _fields_ = (
        *((name, _POINTER) for name in ("nodes", "roots", "outputs", "depths", "leaves", "sets")),
        ("n_trees", _SIZE),
        ("width", _SIZE),
        ("categories", _SIZE),
    )


class Trees:
    """Trees that are walked together.

    Args:
        nodes: (n_nodes,) of `node_type`.
        roots: (n_trees,) int32.
        outputs: (n_trees,) int32, the first column that each tree adds to.
        depths: (n_trees,) int32, how deep a tree is that is walked level by level; 0 for one whose
            leaves are of many depths.
        leaves: (n_leaves, width), float64 or float32, the type that sums are made in.
        sets: (n_words,) uint32, the sets of categories.
        categories: whether a node asks for one.
    """

    def __init__(
        self,
        *,
        nodes: Array,
        roots: Array,
        outputs: Array,
        depths: Array,
        leaves: Array,
        sets: Array,
        categories: bool,
    ) -> None:
        arrays = nodes, roots, outputs, depths, leaves, sets
        self._kept = arrays
        types = nodes.dtype["threshold"].str[1:], leaves.dtype.str[1:]
        self._walk = _function(_TREES[types])
        addresses = [array.__array_interface__["data"][0] for array in arrays]
        self._forest = _Forest(*addresses, len(roots), leaves.shape[1], categories)
        self._at = ctypes.addressof(self._forest)

    def add(self, x: Array, sums: Array) -> None:
        """Add the leaf of every tree to the sums of each row, in the order of the trees.

        Args:
            x: (n_rows, n_features) of the nodes' type, C-contiguous.
            sums: (n_rows, n_outputs) of the leaves' type, C-contiguous.
        """
        self._walk(self._at, _at(x), *x.shape, _at(sums), sums.shape[1])

    def rights(self, background: Array) -> Array:
        """Return which rows of a background go right at each node: (n_nodes, 2) uint64, a bit each.

        Args:
            background: (n_background, n_features), as `explain` takes it.
        """
        nodes = self._kept[0]
        found = np.zeros((len(nodes), 2), dtype=np.uint64)
        wide = nodes.dtype["threshold"] == np.float64
        rows = background.shape[1], _at(background), len(background)
        _function("shapley_rights")(self._at, wide, *rows, _at(found), len(found))
        return found

    def explain(
        self,
        x: Array,
        sums: Array,
        *,
        background: Array,
        groups: Array,
        depth: int,
        rights: Optional[Array] = None,
    ) -> bool:
        """Add to the sums what each group of features adds to the answer for each row.

        That is its Shapley value, summed over the rows of the background. Return whether it could
        be done: on no path may more than 64 groups be asked for.

        Args:
            x: (n_rows, n_features) of the nodes' type, C-contiguous; at least one row.
            sums: (n_rows, n_groups, n_outputs) float64, C-contiguous.
            background: (n_background, n_features), like `x`; at most `CROWD` rows.
            groups: (n_features,) int32, the group of each feature that a node asks for.
            depth: the most inner nodes on a path.
            rights: of this background; None where nobody looked.

        Raises:
            MemoryError: there is too little.
        """
        explain = _function("shapley")
        wide = self._kept[0].dtype["threshold"] == np.float64
        rows = _at(x), len(x), _at(background), len(background)
        trees = self._at, wide, _at(groups), len(groups), depth, _at(_weights())
        known = None if rights is None else _at(rights)
        status = explain(*trees, *rows, _at(sums), *sums.shape[1:], known)
        if status == _NO_MEMORY:
            raise MemoryError
        return bool(status == 0)


class Levels(NamedTuple):
    """Trees of which all nodes of a level ask the same.

    Attributes:
        columns: (n_levels,) int32, of each level.
        borders: (n_levels,) float32, what is greater goes right.
        right: (n_levels,) bool, whether a missing value does.
        starts: (n_trees + 1,) int64, each tree's first level.
        firsts: (n_trees,) int64, each tree's first row of the leaves.
        leaves: (n_leaves, width) float64, those of a tree in the order of the answers.
    """

    columns: Array
    borders: Array
    right: Array
    starts: Array
    firsts: Array
    leaves: Array

    def add(self, x: Array, sums: Array) -> None:
        """Add the leaf of every tree to the sums of each row, in the order of the trees.

        Args:
            x: (n_features, n_rows) float32, C-contiguous.
            sums: (n_rows, width) float64, C-contiguous.
        """
        *before, leaves = map(_at, self)
        after = len(self.firsts), leaves, self.leaves.shape[1], _at(x), len(sums), _at(sums)
        _function("symmetric")(*before, *after)


class _NarrowModel(ctypes.Structure):
    """Where the arrays of `Narrow` lie, as the kernel has it."""

    _fields_ = (
        *((name, _POINTER) for name in ("numbers", "operations", "weights", "intercepts")),
        ("largest", ctypes.c_double),
        *((name, _SIZE) for name in ("n_steps", "width", "n_sums", "meaning")),
    )


class Operation(IntEnum):
    """What a step of a `Narrow` model does with its numbers."""

    MINUS = 0
    DIVIDED = 1
    TIMES = 2
    PLUS = 3


class Meaning(IntEnum):
    """What the sums of a `Narrow` model are: predictions, or what classes are told by."""

    SUMS = 0
    EXPONENTIALS = 1
    LABELS = 2
    LOGISTIC = 3
    SOFTMAX = 4


class Narrow:
    """A linear model of a few numbers, behind steps that shift and stretch each of them.

    Args:
        numbers: (n_steps, width) float64, C-contiguous, of each step.
        operations: (n_steps,) int32, each an `Operation`.
        weights: (n_sums, width) float64, C-contiguous; `NARROW` at most.
        intercepts: (n_sums,) float64.
        largest: what no number may exceed that is weighted.
        meaning: of the sums.

    Attributes:
        n_values: of a row: its probabilities, or what is predicted.
    """

    def __init__(
        self,
        *,
        numbers: Array,
        operations: Array,
        weights: Array,
        intercepts: Array,
        largest: float,
        meaning: Meaning,
    ) -> None:
        n_sums, self._width = weights.shape
        self._kept = numbers, operations, weights, intercepts
        self._model = _NarrowModel(
            *(array.__array_interface__["data"][0] for array in self._kept),
            *(largest, len(numbers), self._width, n_sums, meaning),
        )
        self._at = ctypes.addressof(self._model)
        self._answers = _function("narrow"), _function("narrow", brief=True)
        self._brief = _BRIEF_STEPS // (self._width * (len(numbers) + n_sums))
        self._classifies = meaning >= Meaning.LABELS
        self.n_values = 2 if self._classifies and n_sums == 1 else n_sums
        self._valued = meaning is not Meaning.LABELS

    def answer(self, table: Array) -> Optional[tuple[Optional[Array], Optional[Array]]]:
        """Return the places of the classes, (n_rows,) int64, and values, (n_rows, n_values).

        Those are probabilities, or what a regressor predicts; either of the two is None where the
        model has none. All is None where one row is for others to answer: a number is missing or
        too large, or classes are as good as tied.

        Args:
            table: (n_rows, width) float64, C-contiguous.
        """
        n_rows, width = table.shape
        if width != self._width:
            return None
        labels = np.empty(n_rows, dtype=np.int64) if self._classifies else None
        values = np.empty((n_rows, self.n_values)) if self._valued else None
        places = None if labels is None else _at(labels), None if values is None else _at(values)
        answer = self._answers[n_rows <= self._brief]
        if answer(self._at, _at(table), n_rows, *places):
            return None
        return labels, values


def sparse_dot(*, starts: Array, columns: Array, values: Array, dense: Array) -> Array:
    """Return a sparse table times a dense one: (n_rows, width) float64.

    Args:
        starts: (n_rows + 1,) int64, where each row's values begin.
        columns: (n_values,) int64.
        values: (n_values,) float64.
        dense: (n_columns, width) float64, C-contiguous.
    """
    n_rows, width = len(starts) - 1, dense.shape[1]
    sums = np.zeros((n_rows, width))
    pointers = _at(starts), _at(columns), _at(values)
    _function("sparse_dot")(*pointers, n_rows, _at(dense), width, _at(sums))
    return sums


def exponents(x: Array) -> Array:
    """Return e^x of each float64, as C has it; numpy's may end in another bit."""
    found = np.array(x, dtype=np.float64, order="C")
    _function("exponents")(_at(found), found.size)
    return found


def logarithms(x: Array) -> Array:
    """Return the logarithm of each float64, as C has it; numpy's may end in another bit."""
    found = np.array(x, dtype=np.float64, order="C")
    _function("logarithms")(_at(found), found.size)
    return found


def expm1(x: Array) -> Array:
    """Return e^x - 1 of each float64, as C has it; numpy's may end in another bit."""
    found = np.array(x, dtype=np.float64, order="C")
    _function("expm1_each")(_at(found), found.size)
    return found


def sigmoid_float32(x: Array) -> None:
    """Put 1 / (1 + e^-x) in the place of each float32, as XGBoost has it."""
    _function("sigmoid_float32")(_at(x), x.size)


def exponents_float32(x: Array) -> None:
    """Put e^x in the place of each float32, as XGBoost has it."""
    _function("exponents_float32")(_at(x), x.size)


def softmax_float32(x: Array) -> None:
    """Put the softmax of each row of float32 in its place, as XGBoost has it."""
    _function("softmax_float32")(_at(x), *x.shape)


def squared_distances(x: Array, points: Array) -> Array:
    """Return the squared distance of each row from each point: (n_rows, n_points) float64.

    Args:
        x: (n_rows, width) float64, C-contiguous.
        points: (width, n_points) float64, C-contiguous.
    """
    found = np.empty((len(x), points.shape[1]))
    _function("squared_distances")(_at(x), *x.shape, _at(points), points.shape[1], _at(found))
    return found


def couple(pairs: Array) -> Array:
    """Return the probabilities of classes, as libsvm couples those of pairs: (n_rows, n_classes).

    Args:
        pairs: (n_rows, n_classes, n_classes) float64, C-contiguous: of two classes, how likely it
            is the first.
    """
    n_rows, count = pairs.shape[:2]
    found, scratch = np.empty((n_rows, count)), np.empty((count + 1, count))
    _function("couple")(_at(pairs), n_rows, count, _at(scratch), _at(found))
    return found


def murmur32(tokens: bytes, starts: Array) -> Array:
    """Return the 32-bit MurmurHash3 of each token: (n_tokens,) int32.

    Args:
        tokens: one behind the other.
        starts: (n_tokens + 1,) int64, where each begins, and the end of the last.
    """
    found = np.empty(len(starts) - 1, dtype=np.int32)
    _function("murmur32")(tokens, _at(starts), len(found), _at(found))
    return found


def _at(array: Any) -> Any:
    """Return the address of an array's first value."""
    try:
        return _NOTHING.from_buffer(array)
    except TypeError:  # nobody may write to it, which this soonest way to its address asks for
        return array.__array_interface__["data"][0]
