"""Trees as XGBoost and LightGBM keep them, whose loaders do not ask if indices lie in range."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Union

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from brinery.flavors.corruption import Corrupt, Cut, require, within

# Boosters whose text was checked before it was read; a process holds one model for its life.
_CHECKED: set[int] = set()

# What follows the trees; before LightGBM 2.2 the importances did at once.
_ENDS_OF_TREES = ("end of trees", "feature importances:", "feature_importances:")

_Ints = npt.NDArray[np.int64]


class _Tree(Struct):
    """A tree of XGBoost's JSON."""

    left_children: list[int]
    right_children: list[int]
    split_indices: list[int]


class _Trees(Struct):
    """The trees of a model, each with the output that it adds to."""

    trees: list[_Tree] = []
    tree_info: list[int] = []
    weights: list[float] = []
    iteration_indptr: list[int] = []


class _Boosted(Struct):
    """A booster's trees; those of `dart` lie one level deeper."""

    name: str = ""
    model: _Trees = field(default_factory=_Trees)
    gbtree: Union[_Boosted, None] = None
    weight_drop: list[float] = []


class _Sizes(Struct):
    """What a model says of its own size."""

    num_class: str = "0"
    num_feature: str = "0"
    num_target: str = "1"


class _Learner(Struct):
    """A booster, and its sizes."""

    gradient_booster: _Boosted
    learner_model_param: _Sizes


class _Model(Struct):
    """XGBoost's JSON."""

    learner: _Learner


def check_xgboost(booster: Any, state: dict[str, Any]) -> None:
    """Return only where no node of an XGBoost model points outside of it.

    Raises:
        Corrupt: one does.
    """
    if not state.get("handle"):
        return
    learner = msgspec.json.decode(_xgboost_json(booster), type=_Model).learner
    sizes = learner.learner_model_param
    n_features = int(sizes.num_feature)
    outputs = max(1, int(sizes.num_class), int(sizes.num_target))
    boosted = learner.gradient_booster
    model = boosted.gbtree.model if boosted.gbtree is not None else boosted.model
    if boosted.name == "gblinear":
        least = (n_features + 1) * outputs
        require(len(model.weights) == least, f"it has {len(model.weights)} weights of {least}")
        return
    if boosted.gbtree is not None:
        require(len(boosted.weight_drop) == len(model.trees), "it weighs other trees than it has")
    require(len(model.tree_info) == len(model.trees), "it places other trees than it has")
    within(model.tree_info, 0, stop=outputs, what="its trees' outputs")
    if rounds := model.iteration_indptr:
        require(
            rounds[0] == 0 and rounds[-1] == len(model.trees) and (np.diff(rounds) >= 0).all(),
            "its rounds are of other trees than it has",
        )
    for tree in model.trees:
        left, right, features = (
            np.asarray(values, np.int64)
            for values in (tree.left_children, tree.right_children, tree.split_indices)
        )
        require(left.size == right.size == features.size > 0, "a tree's nodes are cut")
        inner = left != -1
        reached = _reached(
            [np.where(inner, left, -1), np.where(inner, right, -1)], n_nodes=left.size
        )
        asking = reached[inner[reached]]
        within(right[asking], 0, stop=left.size, what="its right children")
        within(features[asking], 0, stop=n_features, what="its features")


def guard(names: Collection[str]) -> None:
    """Have LightGBM's boosters checked before LightGBM reads them; call it before unpickling.

    Written out again a booster whose features are out of range ends the process, so that its text
    cannot be had for checking once it is loaded.

    Args:
        names: the dotted names that a pickle asks for.
    """
    if "lightgbm.basic.Booster" not in names:
        return
    try:
        from lightgbm.basic import Booster
    except ImportError:
        return
    restore = Booster.__setstate__

    def checked(self: Any, state: dict[str, Any]) -> None:
        text = state.get("_handle", state.get("handle"))
        if isinstance(text, str):
            check_lightgbm_text(text)
            _CHECKED.add(id(self))
        restore(self, state)

    Booster.__setstate__ = checked  # type: ignore[method-assign]


def check_lightgbm(booster: Any, state: dict[str, Any]) -> None:
    """Return only where no node of a LightGBM model points outside of it.

    Raises:
        Corrupt: one does.
    """
    if (state.get("handle") or state.get("_handle")) and id(booster) not in _CHECKED:
        check_lightgbm_text(booster.model_to_string(num_iteration=-1))


def check_lightgbm_text(text: str) -> None:
    """Return only where no node of a model in LightGBM's text points outside of it.

    Raises:
        Corrupt: one does.
        Cut: the text is cut off.
    """
    _check_lightgbm_whole(text)
    try:
        _check_lightgbm_blocks(text)
    except (KeyError, ValueError, StopIteration) as error:
        raise Corrupt(f"its text is cut: {error}") from None


def _check_lightgbm_whole(text: str) -> None:
    """Return only where every part that the text begins is there to its end.

    LightGBM looks for each tree where `tree_sizes` says, and for the end of the parameters, without
    looking where the text ends.

    Raises:
        Corrupt: the trees lie elsewhere than it says.
        Cut: a part has no end.
    """
    lines = text.splitlines()
    if not any(line.startswith(_ENDS_OF_TREES) for line in lines):
        raise Cut("it ends within its trees, before the line 'end of trees'")
    if "parameters:" in lines and "end of parameters" not in lines:
        raise Cut("it ends within its parameters, before the line 'end of parameters'")
    head, _, trees = text.partition("\nTree=")
    said = [line[11:].split() for line in head.splitlines() if line.startswith("tree_sizes=")]
    if not said:
        return  # LightGBM before 2.1 looks for the trees themselves
    body = f"Tree={trees}".encode()
    sizes = [int(size) if size.isdecimal() else -1 for size in said[0]]
    starts = [0, *np.cumsum(sizes, dtype=np.int64).tolist()]
    require(min(sizes, default=0) >= 0, "it says no size of a tree")
    there = sum(line.startswith("Tree=") for line in lines)
    require(len(sizes) == there, f"it says the sizes of {len(sizes)} trees, and has {there}")
    for place, start in enumerate(starts[:-1]):
        require(
            body.startswith(b"Tree=", start), f"tree {place} is not where it says, at byte {start}"
        )
    require(starts[-1] <= len(body), "its last tree reaches beyond its end")


def _check_lightgbm_blocks(text: str) -> None:
    blocks = _blocks(text)
    head = next(blocks)
    n_features = int(head["max_feature_idx"]) + 1
    per_round, n_classes = int(head["num_tree_per_iteration"]), int(head["num_class"])
    require(per_round == n_classes > 0, f"it has {per_round} trees for {n_classes} outputs")
    objective = head.get("objective", "")
    said = [int(word[10:]) for word in objective.split() if word.startswith("num_class:")]
    require(said in ([], [n_classes]), f"its objective is {objective}, of {n_classes} outputs")
    trees = 0
    for tree in blocks:
        trees += 1
        _check_lightgbm_tree(tree, n_features)
    require(trees % per_round == 0, f"it has {trees} trees in rounds of {per_round}")


def _check_lightgbm_tree(tree: dict[str, str], n_features: int) -> None:
    n_leaves = int(tree["num_leaves"])
    require(len(_values(tree, "leaf_value", np.float64)) == n_leaves > 0, "a tree's leaves are cut")
    if tree.get("is_linear", "0") == "1":
        within(_values(tree, "leaf_features"), 0, stop=n_features, what="its leaves' features")
    if n_leaves == 1:
        return
    left, right = _values(tree, "left_child"), _values(tree, "right_child")
    features, kinds = _values(tree, "split_feature"), _values(tree, "decision_type")
    nodes = n_leaves - 1
    require(
        left.size == right.size == features.size == kinds.size == nodes, "a tree's nodes are cut"
    )
    for children in (left, right):
        within(children, -n_leaves, stop=nodes, what="its children")
    _reached([left, right], n_nodes=nodes)
    within(features, 0, stop=n_features, what="its features")
    sorting = (kinds & 1) == 1
    if sorting.any():
        sets = _values(tree, "threshold", np.float64)[sorting]
        bounds, bits = _values(tree, "cat_boundaries"), _values(tree, "cat_threshold")
        within(sets.astype(np.int64), 0, stop=len(bounds) - 1, what="its sets of categories")
        require(bool((np.diff(bounds) >= 0).all()), "its sets of categories go back")
        within(bounds, 0, stop=len(bits) + 1, what="its sets of categories")


def _reached(children: list[_Ints], *, n_nodes: int) -> _Ints:
    """Return the nodes of a tree that its root leads to; a negative child is a leaf.

    Raises:
        Corrupt: a child is not there, or is led to twice.
    """
    front = np.zeros(1, np.int64)
    reached = [front]
    count = 1
    while front.size:
        front = np.concatenate([each[front] for each in children])
        front = front[front >= 0]
        within(front, 0, stop=n_nodes, what="its children")
        count += front.size
        if count > n_nodes:
            raise Corrupt("its nodes lead to each other in a ring")
        reached.append(front)
    return np.concatenate(reached)


def _xgboost_json(booster: Any) -> bytes:
    """Return an XGBoost model in its own JSON."""
    try:
        return bytes(booster.save_raw(raw_format="json"))
    except TypeError:
        # Before XGBoost 1.6 it was written to files only.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            booster.save_model(str(path))
            return path.read_bytes()


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """Yield the head of a LightGBM text, and then each of its trees."""
    block: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith(_ENDS_OF_TREES):
            break
        key, _, value = line.partition("=")
        if key == "Tree":
            yield block
            block = {}
        block[key] = value
    yield block


def _values(tree: dict[str, str], key: str, dtype: Any = np.int64) -> npt.NDArray[Any]:
    """Return the numbers of one line."""
    return np.array(tree.get(key, "").split(), dtype=dtype)


CHECKS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "xgboost.core.Booster": check_xgboost,
    "lightgbm.basic.Booster": check_lightgbm,
}
