"""The trees of an XGBoost model, as it writes them in its JSON, and as the kernel walks them."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from brinery.scorers.data import Array
from brinery.scorers.interface import Unsupported
from brinery.scorers.trees import Grown, Trees, planted

_WORD = 32
# The largest place that a float32 threshold can hold.
_MOST_WORDS = 1 << 24


def n_outputs(stored: Any) -> int:
    """Return how many sums a stored model makes of each row."""
    sizes = stored["learner"]["learner_model_param"]
    return max(1, int(sizes["num_class"]), int(sizes.get("num_target", "1")))


def read(stored: Any, count: int, *, base: Optional[Array], rounds: int) -> Trees:
    """Return the trees of a booster.

    Args:
        stored: the booster.
        count: of features.
        base: what the sums begin at, where rows are asked for without a `DMatrix`.
        rounds: how many are asked; 0 for all.
    """
    gbm = stored["learner"]["gradient_booster"]
    inner = gbm.get("gbtree", gbm)
    model = inner["model"]
    outputs, sums = model["tree_info"], n_outputs(stored)
    stop = len(outputs)
    if rounds:
        each = sums * max(1, int(model["gbtree_model_param"].get("num_parallel_tree", "1")))
        stop = model["iteration_indptr"][rounds] if "iteration_indptr" in model else rounds * each
    if not stop:
        raise Unsupported("XGBoost without a tree")
    weights = gbm.get("weight_drop") or model.get("weight_drop") or []
    # There `dart` once took the start of the sums off each tree that it had added it to.
    taken = base if weights and base is not None and "weight_drop" in gbm else None
    sets = [np.zeros(1, dtype=np.uint32)]
    grown = []
    for place, tree in enumerate(model["trees"][:stop]):
        weight = np.float32(weights[place] if weights else 1.0)
        start = np.float32(0.0) if taken is None else taken[outputs[place]]
        grown.append(_grown(tree, sets, start=start, weight=weight))
    if sum(map(len, sets)) > _MOST_WORDS:
        raise Unsupported("XGBoost with so many sets of categories")
    return planted(
        grown,
        n_features=count,
        n_outputs=sums,
        outputs=outputs[:stop],
        sets=np.concatenate(sets),
    )


def _grown(tree: Any, sets: list[Array], *, start: Any, weight: Any) -> Grown:
    """Return a tree as it is planted; its sets of categories are added to those before.

    Args:
        tree: as it is stored.
        sets: of the trees before it.
        start: what is added to each leaf and taken off it again, in float32.
        weight: what each leaf is multiplied with.

    Raises:
        Unsupported: its leaves are vectors.
    """
    if int(tree["tree_param"].get("size_leaf_vector", "0")) > 1:
        raise Unsupported("XGBoost with trees of several outputs")
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    missing_left = np.array(tree["default_left"], dtype=bool)
    categories = np.full(len(left), -1, dtype=np.int64)
    asking = tree.get("categories_nodes", ())
    listed = np.array(tree.get("categories", ()), dtype=np.int64)
    for node, first, size in zip(
        asking, tree.get("categories_segments", ()), tree.get("categories_sizes", ())
    ):
        categories[node] = sum(map(len, sets))
        sets.append(_set(listed[first : first + size]))
    # What is in a set goes right: such a node is planted the other way round.
    turned = categories >= 0
    left, right = np.where(turned, right, left), np.where(turned, left, right)
    conditions[turned] = 0.0
    if np.isnan(conditions).any():
        raise Unsupported("XGBoost with a threshold that is no number")
    with np.errstate(over="ignore", under="ignore"):
        grown = Grown(
            left=left,
            right=right,
            feature=np.array(tree["split_indices"]),
            threshold=np.nextafter(conditions, np.float32(-np.inf)),
            values=(((start + conditions) - start) * weight).reshape(-1, 1),
            missing_left=missing_left != turned,
            categories=categories,
        )
    return _compact(grown)


def _compact(tree: Grown) -> Grown:
    """Return a tree without the nodes that pruning cut off, which stay in its table."""
    front = np.zeros(1, dtype=np.int64)
    levels = []
    while len(front):
        levels.append(front)
        inner = front[tree.left[front] >= 0]
        front = np.concatenate([tree.left[inner], tree.right[inner]])
    reached = np.concatenate(levels)
    if len(reached) == len(tree.left):
        return tree
    kept = np.sort(reached)
    new = np.full(len(tree.left) + 1, -1)
    new[kept] = np.arange(len(kept))
    return Grown(
        left=new[tree.left[kept]],
        right=new[tree.right[kept]],
        feature=tree.feature[kept],
        threshold=tree.threshold[kept],
        values=tree.values[kept],
        missing_left=tree.missing_left[kept],
        categories=tree.categories[kept],
    )


def _set(categories: Array) -> Array:
    """Return a set of categories as the kernel reads it: (1 + n_words,) uint32."""
    words = np.zeros(2 + int(categories.max(initial=0)) // _WORD, dtype=np.uint32)
    words[0] = len(words) - 1
    bits = np.uint32(1) << (categories % _WORD).astype(np.uint32)
    np.bitwise_or.at(words, 1 + categories // _WORD, bits)
    return words
