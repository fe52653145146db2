"""scikit-learn's decision trees, and forests of them."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
from msgspec import Struct

from brinery.records.contributions import Unit
from brinery.scorers.across import likeliest
from brinery.scorers.additive import Additive, Leaves, check_single, of_classes, shares
from brinery.scorers.data import (
    Array,
    Data,
    Sparse,
    dense,
    finite,
    fits_single,
    is_bounded,
    single,
    unbounded,
)
from brinery.scorers.interface import Answer, Model, Reader, Splits, Unsupported, require
from brinery.scorers.origin import Origins
from brinery.scorers.trees import Grown, Trees, in_parts, planted

# The classes of single trees.
TREES = tuple(
    f"sklearn.{kind}{what}"
    for kind in ("DecisionTree", "ExtraTree")
    for what in ("Classifier", "Regressor")
)
# Since this version the values of a classifier's node are shares, not counts.
_SHARES = (1, 4)


class Forest(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Trees whose answers are averaged.

    Attributes:
        trees: in the order of the estimators; a column of sums per class or output.
        classifies: whether the sums are of probabilities.
        missing: whether a value may be missing.
    """

    trees: Trees
    classifies: bool
    missing: bool

    def __post_init__(self) -> None:
        """Check that there are trees to average."""
        require(len(self.trees.roots) > 0, "a forest without trees")

    def answer(self, data: Data) -> Answer:
        """Return the average of the trees; the class is the first of the likeliest."""
        sums = in_parts(self._sums, data)
        if len(self.trees.roots) > 1:
            sums /= len(self.trees.roots)
        if self.classifies:
            return Answer(labels=likeliest(sums), probabilities=sums)
        return Answer(values=sums[:, 0] if sums.shape[1] == 1 else sums)

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees."""
        return (Splits(self.trees, origins, self._prepared),)

    def additive(self, origins: Origins) -> Additive:
        """Return the average of the leaves."""
        if not self.classifies:
            check_single(self.trees.n_outputs)
        trees = of_classes(self.trees) if self.classifies else self.trees
        return Additive(
            (Leaves(trees, origins, self._prepared, 1.0 / len(trees.roots)),),
            lambda data: shares(in_parts(self._sums, data)) / len(trees.roots),
            Unit.PROBABILITY if self.classifies else Unit.VALUE,
        )

    def _sums(self, data: Data) -> Array:
        return self.trees.sums(self._prepared(data), 0.0)

    def _prepared(self, data: Data) -> Array:
        return as_float32(data, missing=self.missing)


def as_float32(data: Data, *, missing: bool) -> Array:
    """Return the table that trees compare: (n_rows, n_features) float32.

    Raises:
        Declined: a value is infinite in float32, or missing where none may be.
    """
    table = dense(data)
    if is_bounded(data) or fits_single(table):
        return table.astype(np.float32, order="C")
    table = single(table)
    # Of a sparse table the library takes no missing value, whatever it takes of a dense one.
    return unbounded(table) if missing and not isinstance(data, Sparse) else finite(table)


def read_tree(estimator: Any, _: Reader) -> Model:
    """Return the node of a fitted decision tree."""
    return _forest(estimator, [estimator])


def read_forest(forest: Any, _: Reader) -> Model:
    """Return the node of a fitted forest."""
    return _forest(forest, forest.estimators_)


def _forest(estimator: Any, trees: Any) -> Forest:
    classifies = hasattr(estimator, "classes_")
    if classifies and estimator.n_outputs_ != 1:
        raise Unsupported("a classifier of several outputs")
    grown_trees = [grown(tree, classifies=classifies) for tree in trees]
    count = int(estimator.n_features_in_)
    outputs = int(grown_trees[0].values.shape[1])
    return Forest(
        trees=planted(grown_trees, n_features=count, n_outputs=outputs),
        classifies=classifies,
        missing=takes_missing(estimator, count),
    )


def grown(estimator: Any, *, classifies: bool) -> Grown:
    """Return a fitted decision tree of scikit-learn as it is planted.

    Args:
        estimator: the tree.
        classifies: whether it has classes, the shares of which are its values.

    Raises:
        Unsupported: its class and the likeliest one differ by rounding.
    """
    tree = estimator.tree_
    values = tree.value[:, 0, :] if classifies else tree.value[:, :, 0]
    if classifies and library_version() < _SHARES:
        total = values.sum(axis=1, keepdims=True)
        shares = values / np.where(total == 0.0, 1.0, total)
        if (shares.argmax(axis=1) != values.argmax(axis=1)).any():
            raise Unsupported("a tree with classes that are as good as tied")
        values = shares
    return Grown(
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        values=values,
        missing_left=getattr(tree, "missing_go_to_left", None),
    )


def library_version() -> tuple[int, ...]:
    """Return the major and the minor version of the scikit-learn that is loaded."""
    version = sys.modules["sklearn"].__version__
    return tuple(int(number) for number in str(version).split(".")[:2])


def takes_missing(estimator: Any, n_features: int) -> bool:
    """Return whether an estimator answers a row of nothing but missing values."""
    with warnings.catch_warnings():
        # That the row comes without names does not matter here.
        warnings.simplefilter("ignore")
        try:
            estimator.predict(np.full((1, n_features), np.nan, dtype=np.float32))
        except ValueError:
            return False
    return True


NODES = (Forest,)
READERS = {
    "sklearn.DecisionTreeClassifier": read_tree,
    "sklearn.DecisionTreeRegressor": read_tree,
    "sklearn.ExtraTreeClassifier": read_tree,
    "sklearn.ExtraTreeRegressor": read_tree,
    "sklearn.RandomForestClassifier": read_forest,
    "sklearn.RandomForestRegressor": read_forest,
    "sklearn.ExtraTreesClassifier": read_forest,
    "sklearn.ExtraTreesRegressor": read_forest,
}
