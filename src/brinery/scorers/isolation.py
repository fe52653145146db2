"""How few splits set a row apart: scikit-learn's `IsolationForest`."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from brinery.scorers.data import Array, Data
from brinery.scorers.forests import as_float32, grown, takes_missing
from brinery.scorers.interface import Answer, Model, Reader, Splits, Unsupported, require
from brinery.scorers.origin import Origins
from brinery.scorers.trees import Trees, in_parts, moved, planted


class Isolation(Struct, Model, frozen=True, kw_only=True, tag=True):
    """Trees whose leaves tell how deep they lie.

    Attributes:
        trees: in the order of the estimators.
        usual: the sum of the depths of a usual row.
        offset: the score below which a row is an outlier.
        missing: whether a value may be missing.
    """

    trees: Trees
    usual: float
    offset: float
    missing: bool

    def __post_init__(self) -> None:
        """Check that there is one sum, and what divides it."""
        require(self.trees.n_outputs == 1 and self.usual > 0, "an isolation forest without depths")

    def answer(self, data: Data) -> Answer:
        """Return -1 for the outliers, and 1 for the others."""
        return Answer(values=np.where(self.decision(data) < 0, -1, 1))

    def decision(self, data: Data) -> Array:
        """Return the scores, shifted so that those of outliers are negative."""
        depths = in_parts(self._depths, data)[:, 0]
        scores = 2 ** (-(depths / self.usual))
        shifted: Array = -scores - self.offset
        return shifted

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees."""
        return (Splits(self.trees, origins, self._prepared),)

    def _depths(self, data: Data) -> Array:
        return self.trees.sums(self._prepared(data), 0.0)

    def _prepared(self, data: Data) -> Array:
        return as_float32(data, missing=self.missing)


def read_isolation_forest(forest: Any, _: Reader) -> Model:
    """Return the node of a fitted `IsolationForest`."""
    count = int(forest.n_features_in_)
    samples = getattr(forest, "_max_samples", None)
    usual = len(forest.estimators_) * _usual_depth(np.array([samples or forest.max_samples_]))[0]
    if not usual > 0:
        raise Unsupported("IsolationForest of single rows")
    trees = [
        replace(moved(grown(tree, classifies=False), features), values=_depths(tree.tree_))
        for tree, features in zip(forest.estimators_, forest.estimators_features_)
    ]
    return Isolation(
        trees=planted(trees, n_features=count, n_outputs=1),
        usual=float(usual),
        offset=float(forest.offset_),
        missing=takes_missing(forest, count),
    )


def _depths(tree: Any) -> Array:
    """Return how deep each node of a tree lies, its rows set apart as usual: (n_nodes, 1)."""
    steps = np.ones(tree.node_count)
    for node in range(tree.node_count):
        if tree.children_left[node] >= 0:
            steps[tree.children_left[node]] = steps[tree.children_right[node]] = steps[node] + 1
    depths: Array = steps + _usual_depth(tree.n_node_samples) - 1.0
    return depths.reshape(-1, 1)


def _usual_depth(counts: Array) -> Array:
    """Return the depth at which a tree sets one of so many rows apart, on average.

    Source: Liu, Ting, Zhou 2008, Isolation Forest, equation 1.
    """
    many = np.maximum(counts, 3).astype(np.float64)
    depths = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    usual: Array = np.where(counts <= 1, 0.0, np.where(counts == 2, 1.0, depths))  # noqa: PLR2004
    return usual


NODES = (Isolation,)
READERS = {"sklearn.IsolationForest": read_isolation_forest}
