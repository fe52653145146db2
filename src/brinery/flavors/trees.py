"""Trees as scikit-learn keeps them: nodes that point at nodes, features and tables by number."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np

from brinery.flavors.corruption import Corrupt, require, table, within

_LEAF = -1
_BOOSTING = frozenset({"sklearn.ensemble._gb", "sklearn.ensemble.gradient_boosting"})


def check_tree(tree: Any, state: dict[str, Any]) -> None:
    """Return only where no node of a decision tree points outside of it, or back.

    Raises:
        Corrupt: one does.
    """
    del state
    count = int(tree.node_count)
    # Its arrays reach as far as it says, so what it says comes first.
    require(
        0 < count <= tree.capacity, f"it says it has {count} nodes, and {tree.capacity} are there"
    )
    left, right = tree.children_left, tree.children_right
    leaf = left == _LEAF
    # Of a leaf the right child is never read.
    numbers = np.arange(count)[~leaf]
    for side, children in (("left", left[~leaf]), ("right", right[~leaf])):
        within(children, 0, stop=count, what=f"its {side} children")
        require((children > numbers).all(), f"a {side} child comes before its parent")
    within(tree.feature[~leaf], 0, stop=int(tree.n_features), what="its features")
    require(
        tree.value.shape == (count, tree.n_outputs, tree.max_n_classes),
        f"its values are of shape {tree.value.shape}",
    )


def check_tree_estimator(model: Any, state: dict[str, Any]) -> None:
    """Return only where an estimator takes as many columns as its tree reads.

    Raises:
        Corrupt: it takes fewer or more.
    """
    del model
    tree, taken = state.get("tree_"), state.get("n_features_in_", state.get("n_features_"))
    if tree is None or taken is None:
        return
    require(
        tree.n_features == taken,
        f"it takes {taken} columns, and its tree {tree.n_features}",
    )


def check_forest(model: Any, state: dict[str, Any]) -> None:
    """Return only where each tree of a forest takes the columns that it is handed unlooked at.

    Raises:
        Corrupt: one takes others, or is no tree.
    """
    del model
    taken = state.get("n_features_in_", state.get("n_features_"))
    chosen = state.get("estimators_features_")
    for number, estimator in enumerate(np.asarray(state.get("estimators_", []), object).ravel()):
        tree: Any = getattr(estimator, "tree_", None)
        require(hasattr(tree, "children_left"), "one of its estimators has no tree")
        if taken is None:
            continue
        wanted = int(taken)
        if chosen is not None:
            within(chosen[number], 0, stop=wanted, what="the columns of a tree")
            wanted = len(chosen[number])
        require(
            tree.n_features == wanted,
            f"tree {number} takes {tree.n_features} columns, and is handed {wanted}",
        )


def check_gradient_boosting(model: Any, state: dict[str, Any]) -> None:
    """Return only where boosting has as many trees per round as it has outputs.

    Raises:
        Corrupt: it has others.
    """
    check_forest(model, state)
    grown = state.get("estimators_")
    if grown is None:
        return
    grown = table(grown, "its table of trees")
    classes = state.get("n_classes_", 0)
    per_round = int(classes) if isinstance(classes, (int, np.integer)) and classes > 2 else 1  # noqa: PLR2004 - two classes need one tree
    said = state.get("n_trees_per_iteration_", per_round)
    require(
        grown.shape[1] == per_round == said,
        f"it has {grown.shape[1]} trees per round, and needs {per_round}",
    )
    for estimator in grown.ravel():
        tree = estimator.tree_
        require(
            tree.n_outputs == 1 and tree.max_n_classes == 1, "a tree of it gives several values"
        )


def guard(names: Collection[str]) -> None:
    """Have boosting's first guess looked at before its trees add to it; call it before unpickling.

    The guess is the answer of any estimator, which may have fewer columns than there are trees in
    a round, and the trees add to what lies behind it.

    Args:
        names: the dotted names that a file asks for.
    """
    modules = {name.rpartition(".")[0] for name in names}
    for module in modules & _BOOSTING:
        try:
            boosting = import_module(module)
        except ImportError:
            continue
        for name in ("predict_stages", "predict_stage"):
            add = getattr(boosting, name, None)
            if add is not None and not hasattr(add, "__wrapped__"):
                setattr(boosting, name, _adding(add))


def _adding(add: Callable[..., Any]) -> Callable[..., Any]:
    """Return what adds trees to a guess, given one column per tree of a round only."""

    @wraps(add)
    def checked(*given: Any, **more: Any) -> Any:
        guess: Any = more.get("out", given[-1] if given else ())
        grown: Any = more.get("estimators", given[0] if given else ())
        per_round = np.shape(grown)[-1]
        if np.ndim(guess) != 2 or np.shape(guess)[1] != per_round:  # noqa: PLR2004 - rows and outputs
            raise ValueError(
                f"the model is corrupt: it first guesses {np.shape(guess)[1:]} outputs, and has "
                f"{per_round} trees per round"
            )
        return add(*given, **more)

    return checked


def check_histogram_boosting(model: Any, state: dict[str, Any]) -> None:
    """Return only where no node of histogram boosting points outside of what it is of.

    Raises:
        Corrupt: one does.
    """
    del model
    rounds, binning = state.get("_predictors"), state.get("_bin_mapper")
    if rounds is None or binning is None:
        return
    bins = vars(binning)
    categorical = np.asarray(bins["is_categorical_"])
    taken = int(state.get("n_features_in_", state.get("_n_features", 0)))
    require(
        categorical.shape == (taken,) and len(bins["bin_thresholds_"]) == taken,
        f"it takes {taken} columns, and bins {categorical.size}",
    )
    for predictor in (predictor for each in rounds for predictor in each):
        _check_predictor(vars(predictor), categorical)


def _check_predictor(state: dict[str, Any], categorical: Any) -> None:
    nodes = state["nodes"]
    require(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and nodes.size, "it has no nodes")
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    chosen = nodes[inner]
    for side in ("left", "right"):
        within(chosen[side], 0, stop=nodes.size, what=f"its {side} children")
        require((chosen[side] > inner).all(), f"a {side} child comes before its parent")
    within(chosen["feature_idx"], 0, stop=categorical.size, what="its features")
    if "is_categorical" not in (nodes.dtype.names or ()):
        return
    sorting = chosen[chosen["is_categorical"] != 0]
    if sorting.size:
        sets = table(state["raw_left_cat_bitsets"], "its table of categories")
        require(sets.shape[1] == 8 and sets.dtype == np.uint32, "its sets of categories are cut")  # noqa: PLR2004 - 256 categories as bits
        within(sorting["bitset_idx"], 0, stop=sets.shape[0], what="its sets of categories")
        require(
            (categorical[sorting["feature_idx"]] != 0).all(),
            "a node sorts a number by category",
        )


def check_ball_tree(tree: Any, state: dict[str, Any]) -> None:
    """Return only where the nodes of a KD tree or ball tree lie in it, and so do their points.

    Raises:
        Corrupt: one does not.
    """
    del state
    kept = tree.__getstate__()
    data, order, nodes, bounds = (np.asarray(part) for part in kept[:4])
    levels, count = int(kept[5]), int(kept[6])
    n_points, n_features = table(data, "its data").shape
    require(order.shape == (n_points,), "it orders other points than it has")
    within(order, 0, stop=n_points, what="its points")
    require(nodes.shape == (count,) and count == 2**levels - 1, f"it has {nodes.size} nodes")
    require(
        bounds.ndim == 3 and bounds.shape[1:] == (count, n_features),  # noqa: PLR2004 - sides, nodes, features
        f"its bounds are of shape {bounds.shape}",
    )
    require(bounds.shape[0] == (2 if "KDTree" in type(tree).__name__ else 1), "its bounds are cut")
    within(nodes["idx_start"], 0, stop=n_points + 1, what="its first points")
    within(nodes["idx_end"], 0, stop=n_points + 1, what="its last points")
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    within(inner, 0, stop=(count - 1) // 2, what="its nodes with children")
    _check_metric(kept[11], n_features)
    weights = kept[12] if len(kept) > 12 else None  # noqa: PLR2004 - older ones keep no weights
    require(weights is None or np.shape(weights) == (n_points,), "its weights are of other points")


def _check_metric(metric: Any, n_features: int) -> None:
    """Raise where a metric has weights for fewer columns than there are."""
    if not type(metric).__module__.startswith("sklearn.metrics."):
        raise Corrupt(f"its metric is a {type(metric).__name__}")
    kept = metric.__getstate__()
    vector, matrix = (np.asarray(kept[place]) for place in (1, 2))
    # One of size 1 is what a metric without weights keeps.
    require(vector.size in (0, 1, n_features), f"its metric has {vector.size} weights")
    require(matrix.size in (0, 1, n_features**2), f"its metric is of shape {matrix.shape}")
    kind = type(metric).__name__
    if kind.startswith("SEuclidean"):
        require(vector.size == n_features, f"its metric has {vector.size} weights")
    if kind.startswith("Mahalanobis"):
        require(matrix.shape == (n_features, n_features), f"its metric is of shape {matrix.shape}")


_FORESTS = (
    "sklearn.ensemble._forest.BaseForest",
    "sklearn.ensemble._iforest.IsolationForest",
    # Before scikit-learn 0.22.
    "sklearn.ensemble.forest.BaseForest",
    "sklearn.ensemble.iforest.IsolationForest",
)

CHECKS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "sklearn.tree._tree.Tree": check_tree,
    "sklearn.tree._classes.BaseDecisionTree": check_tree_estimator,
    **dict.fromkeys(_FORESTS, check_forest),
    "sklearn.ensemble._gb.BaseGradientBoosting": check_gradient_boosting,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.BaseHistGradientBoosting": (
        check_histogram_boosting
    ),
    **dict.fromkeys(
        (
            f"sklearn.neighbors.{module}.{name}"
            for module, name in (
                ("_kd_tree", "KDTree"),
                ("_kd_tree", "KDTree64"),
                ("_kd_tree", "KDTree32"),
                ("_ball_tree", "BallTree"),
                ("_ball_tree", "BallTree64"),
                ("_ball_tree", "BallTree32"),
            )
        ),
        check_ball_tree,
    ),
}
