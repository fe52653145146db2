from __future__ import annotations

import copyreg
import json
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import SkipTest

import lightgbm
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xgboost
from sklearn.cluster import BisectingKMeans, KMeans
from sklearn.decomposition import NMF
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer
from sklearn.svm import SVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators
from sklearn.utils._test_common.instance_generator import _construct_instances
from tests.flavors.loaded import opened

from brinery.errors import CorruptModel, PredictionRefused
from brinery.flavors import integrity, loading, messages
from brinery.store.tables import to_arrow

RANDOM = np.random.default_rng(5)
X = np.abs(RANDOM.normal(size=(80, 4)))
LABELS = (X[:, 0] > X[:, 1]).astype(int)
FAR = 2**40

# What a process ends by that reads what is not its own.
_FATAL = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT}


def set_nodes(tree: Any, name: str, value: int) -> None:
    """Change a figure of a decision tree's first node."""
    state = tree.__getstate__()
    state["nodes"][name][0] = value
    tree.__setstate__(state)


def forest() -> Any:
    model = RandomForestClassifier(3, random_state=0).fit(X, LABELS)
    set_nodes(model.estimators_[1].tree_, "left_child", FAR)
    return model


def tree_feature() -> Any:
    model = make_pipeline(DecisionTreeClassifier(random_state=0)).fit(X, LABELS)
    set_nodes(model[-1].tree_, "feature", FAR)
    return model


def isolation() -> Any:
    model = IsolationForest(n_estimators=3, random_state=0).fit(X)
    set_nodes(model.estimators_[0].tree_, "right_child", FAR)
    return model


def wide_tree() -> Any:
    """A forest one of whose trees was fitted on more columns than the forest takes."""
    model = ExtraTreesClassifier(2, random_state=0).fit(X, LABELS)
    wide = np.column_stack([np.zeros((80, 10**6), np.float32), LABELS])
    model.estimators_[0] = DecisionTreeClassifier(max_features=None).fit(wide, LABELS)
    return model


def boosted() -> Any:
    model = GradientBoostingClassifier(n_estimators=2, random_state=0).fit(X, LABELS)
    set_nodes(model.estimators_[0, 0].tree_, "left_child", FAR)
    return model


def histogram() -> Any:
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(X, LABELS)
    model._predictors[0][0].nodes["left"][0] = 2**32 - 5
    return model


def histogram_feature() -> Any:
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(X, LABELS)
    model._predictors[0][0].nodes["feature_idx"][0] = FAR
    return model


def neighbours_tree() -> Any:
    model = KNeighborsClassifier(3, algorithm="kd_tree", leaf_size=5).fit(X, LABELS)
    state = list(model._tree.__getstate__())
    state[1] = state[1] + FAR
    model._tree.__setstate__(tuple(state))
    return model


def kernel() -> Any:
    model = SVC().fit(X, LABELS)
    model.support_vectors_ = np.zeros((2_000_000, 4))
    model._n_support = np.array([1_000_000, 1_000_000], dtype=np.int32)
    return model


def sparse_weights() -> Any:
    model = SGDClassifier(penalty="l1", random_state=0).fit(X, LABELS).sparsify()
    model.coef_.indices[:] = 2**30
    return model


def centres() -> Any:
    model = KMeans(3, n_init=1, random_state=0).fit(X)
    model.cluster_centers_ = np.ascontiguousarray(model.cluster_centers_[:, :1])
    return model


def booster() -> Any:
    model = xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(X, LABELS).get_booster()
    stated = json.loads(model.save_raw("json").decode())
    tree = stated["learner"]["gradient_booster"]["model"]["trees"][0]
    tree["left_children"][0] = 10**8
    made = xgboost.Booster()
    made.load_model(bytearray(json.dumps(stated).encode()))
    return made


def sized_text(model: Any) -> str:
    """Return a LightGBM model's text, which says how long each of its trees is."""
    text: str = model.booster_.model_to_string()
    return text


def light_text(key: str, value: str) -> str:
    """Return a LightGBM model with the figures of one line of its first tree replaced."""
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, min_child_samples=5)
    text = sized_text(model.fit(X, LABELS))
    text = re.sub(rf"^{key}=\S+", f"{key}={value}", text, count=1, flags=re.MULTILINE)
    return re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)


def lists() -> Any:
    model = LogisticRegression().fit(X, LABELS)
    weights = scipy.sparse.lil_matrix(np.ones((1, 4)))
    weights.rows[0] = [10**9] * 4
    model.coef_ = weights
    return model


class Place:
    """Pickles as a source of random numbers that stands far behind those it has made."""

    def __reduce__(self) -> Any:
        source = np.random.RandomState(0)
        state: Any = source.get_state(legacy=False)
        state["state"]["pos"] = 10**8
        return (*source.__reduce__()[:2], state)


def random_place() -> Any:
    model = DummyClassifier(strategy="uniform").fit(X, LABELS)
    model.random_state = Place()
    return model


class Light:
    """Pickles as a booster of LightGBM, which could not write this one out itself."""

    def __reduce__(self) -> Any:
        state = lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, LABELS), 1).__getstate__()
        state["_handle"] = light_text("split_feature", "1000000000")
        return copyreg._reconstructor, (lightgbm.Booster, object, None), state  # type: ignore[attr-defined]


CRASH = """
import pickle, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
with open(sys.argv[1], "rb") as stream:
    model = pickle.load(stream)
given = np.abs(np.random.default_rng(5).normal(size=(80, 4)))
if type(model).__name__ == "Booster" and type(model).__module__.startswith("xgboost"):
    import xgboost
    given = xgboost.DMatrix(given)
model.predict(given)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        forest,
        tree_feature,
        isolation,
        boosted,
        histogram,
        histogram_feature,
        neighbours_tree,
        kernel,
        sparse_weights,
        booster,
        lists,
        random_place,
        Light,
    ],
)
def test_a_crash_is_refused(make: Callable[[], Any], tmp_path: Path) -> None:
    """A pickle of known classes that ends the process that predicts with it is refused instead."""
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(make()))
    unguarded = subprocess.run(
        [sys.executable, "-c", CRASH, str(path)], capture_output=True, check=False
    )
    assert unguarded.returncode in _FATAL, unguarded.stderr
    with pytest.raises(CorruptModel, match=r"model\.pkl is corrupt: "):
        opened(path)


def test_a_first_guess_of_few(tmp_path: Path) -> None:
    """Boosting whose first guess has fewer columns than trees per round is refused at predict.

    Whatever estimator makes the guess: only its answer tells how many columns there are.
    """
    model = GradientBoostingClassifier(n_estimators=2, max_depth=1)
    model.fit(np.repeat(X, 10, axis=0), np.arange(800) % 60)
    model.estimators_ = np.repeat(model.estimators_, 50, axis=0)
    guess = model.init_
    guess.classes_, guess.n_classes_, guess.class_prior_ = np.arange(2), 2, np.ones(2) / 2
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    unguarded = subprocess.run(
        [sys.executable, "-c", CRASH, str(path)], capture_output=True, check=False
    )
    assert unguarded.returncode in _FATAL, unguarded.stderr
    with (
        opened(path) as process,
        pytest.raises(PredictionRefused, match=r"guesses \(2,\) outputs, and has 60 trees"),
    ):
        process.score(to_arrow(pd.DataFrame(X)))


def vocabulary() -> Any:
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(
        ["a1 b1", "c1"] * 5, [0, 1] * 5
    )
    model[0].vocabulary_["a1"] = FAR
    return model


def one_hot() -> Any:
    model = OneHotEncoder().fit(np.array([["a"], ["b"], ["c"]]))
    model._n_features_outs = [1]
    return model


def ring() -> Any:
    model = DecisionTreeClassifier().fit(X, LABELS)
    set_nodes(model.tree_, "left_child", 0)
    return model


def other_columns() -> Any:
    model = DecisionTreeClassifier().fit(X, LABELS)
    model.n_features_in_ = 2
    return model


def rows_of_others() -> Any:
    model = KNeighborsClassifier(3, algorithm="brute").fit(X, LABELS)
    model._fit_X = np.ascontiguousarray(model._fit_X[:, :2])
    return model


def label_of_none() -> Any:
    model = KNeighborsClassifier(3, algorithm="brute").fit(X, LABELS)
    model._y[3] = 99
    return model


def parts() -> Any:
    model = NMF(2, max_iter=500).fit(X)
    model.components_ = model.components_[:1]
    return model


def knots() -> Any:
    model = SplineTransformer().fit(X)
    model.bsplines_[0].t = model.bsplines_[0].t[:3]
    return model


def bisected() -> Any:
    model = BisectingKMeans(3, random_state=0).fit(X)
    model._bisecting_tree.left.center = np.zeros(1)
    return model


def pointers() -> Any:
    matrix = scipy.sparse.csr_array(np.eye(4))
    matrix.indptr[2] = 90
    return matrix


def diagonals() -> Any:
    matrix = scipy.sparse.dia_array(np.eye(4))
    matrix.offsets = np.arange(9, dtype=matrix.offsets.dtype)
    return matrix


def threads() -> Any:
    model = KMeans(3, n_init=1, random_state=0).fit(X)
    model._n_threads = -5
    return model


def shuffled() -> Any:
    source = np.random.Philox(0)
    state: Any = {**source.state, "buffer_pos": 1000}
    source.state = state
    return np.random.Generator(source)


def coordinates() -> Any:
    matrix = scipy.sparse.coo_array(np.eye(4))
    matrix.coords[0][:] = 7
    return matrix


def too_many_trees() -> Any:
    model = GradientBoostingClassifier(n_estimators=2, random_state=0).fit(X, LABELS)
    model.estimators_ = np.column_stack([model.estimators_, model.estimators_])
    return model


def sorted_number() -> Any:
    """A node that looks a number up among the categories of a column that has none."""
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(X, LABELS)
    predictor = model._predictors[0][0]
    predictor.nodes["is_categorical"][0] = 1
    predictor.raw_left_cat_bitsets = np.zeros((1, 8), np.uint32)
    return model


def one_class() -> Any:
    model = OneClassSVM().fit(X)
    model.support_vectors_ = model.support_vectors_[:2]
    return model


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (vocabulary, "CountVectorizer: its words' columns reach"),
        (one_hot, r"OneHotEncoder: it makes \[1\] columns, and needs \[3\]"),
        (ring, "Tree: a left child comes before its parent"),
        (other_columns, "it takes 2 columns, and its tree 4"),
        (wide_tree, "tree 0 takes 1000001 columns, and is handed 4"),
        (rows_of_others, "it takes 4 columns, and compares 2"),
        (label_of_none, "its labels reach from 0 to 99"),
        (centres, "it takes 4 columns, and its centres have 1"),
        (parts, "it has 1 parts of 2"),
        (knots, "BSpline: it has 3 knots"),
        (bisected, "a centre is cut"),
        (pointers, "csr_array: its pointers go back"),
        (coordinates, "coo_array: its coordinates reach from 7 to 7, and 0 to 3 are there"),
        (too_many_trees, "it has 2 trees per round, and needs 1"),
        (sorted_number, "a node sorts a number by category"),
        (diagonals, "dia_array: it places 9 diagonals, and has 1"),
        (threads, "KMeans: its threads reach from -5"),
        (shuffled, "Generator: its places among random numbers reach from 1000"),
        (one_class, "its support vectors are of shape"),
    ],
)
def test_what_does_not_fit_is_named(make: Callable[[], Any], said: str) -> None:
    """Arrays that contradict each other are refused, and the message says which."""
    with pytest.raises(CorruptModel, match=said):
        integrity.check({"deep": [(make(),)]}, file="model.pkl")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("split_feature", "1000000000", "its features reach from"),
        ("left_child", "0", "its nodes lead to each other in a ring"),
        ("right_child", "-1000", "its children reach from -1000"),
        ("num_leaves", "9", "a tree's leaves are cut"),
        ("num_class", "9", "1 trees for 9 outputs"),
        ("num_leaves", "x", "its text is cut"),
    ],
)
def test_text_of_lightgbm(key: str, value: str, said: str, tmp_path: Path) -> None:
    """LightGBM's text is checked before LightGBM reads it."""
    path = tmp_path / "model.txt"
    path.write_text(light_text(key, value))
    with pytest.raises(CorruptModel, match=said):
        loading.load(messages.Load(path=str(path), format="lightgbm-text"))


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ("9", "says the sizes of 1 trees, and has 2"),
        ("", "says the sizes of 0 trees, and has 2"),
        ("10 20", "tree 1 is not where it says, at byte 10"),
        ("0 9999999", "its last tree reaches beyond its end"),
        ("-1 0", "it says no size of a tree"),
    ],
)
def test_sizes_in_text_of_lightgbm(sizes: str, said: str, tmp_path: Path) -> None:
    """LightGBM looks for trees where the text says: each must be there."""
    model = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1, min_child_samples=5)
    text = sized_text(model.fit(X, X[:, 0]))
    path = tmp_path / "model.txt"
    path.write_text(text)
    loading.load(messages.Load(path=str(path), format="lightgbm-text"))
    path.write_text(re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", text, flags=re.MULTILINE))
    with pytest.raises(CorruptModel, match=said):
        loading.load(messages.Load(path=str(path), format="lightgbm-text"))


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("max_feature_idx", "within its trees"),
        ("tree_sizes", "within its trees"),
        ("Tree=0", "within its trees"),
        ("leaf_value", "within its trees"),
        ("Tree=1", "within its trees"),
        ("[boosting", "within its parameters"),
        ("[num_gpu", "within its parameters"),
    ],
)
def test_text_of_lightgbm_that_is_cut_off(last: str, said: str, tmp_path: Path) -> None:
    """A text that ends anywhere but at its end is refused before LightGBM reads it."""
    text = sized_text(lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(X, X[:, 0]))
    path = tmp_path / "model.txt"
    path.write_text(text[: text.index(f"\n{last}") + len(last) + 2])
    with pytest.raises(CorruptModel, match=f"model.txt is cut off: it ends {said}") as caught:
        loading.load(messages.Load(path=str(path), format="lightgbm-text"))
    assert "copy it again" in caught.value.hint


def fitted(cls: Any) -> list[Any]:
    """Return the fitted instances of an estimator, on whatever it can be fitted on."""
    made = []
    try:
        instances = list(_construct_instances(cls))
    except SkipTest:
        return []
    kinds: list[tuple[Any, ...]] = [
        (X, np.arange(80) % 3),
        (X, X[:, 0]),
        (X,),
        (scipy.sparse.csr_array(X), np.arange(80) % 3),
        (X, X[:, :2]),
        (X, (X[:, :2] > 1).astype(int)),
        (X[:, 0], X[:, 1]),
        (["a b", "b c", "c d"] * 20,),
        ([{"a": 1}, {"b": 2}] * 30,),
    ]
    for instance in instances:
        for given in kinds:
            try:
                made.append(pickle.loads(pickle.dumps(instance.fit(*given))))  # noqa: S301, TID251 - made here
            except Exception:  # noqa: BLE001, S112 - not everything fits on everything
                continue
    return made


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_no_honest_estimator_is_refused() -> None:
    """Every estimator of scikit-learn passes, fitted on all that it can be fitted on."""
    checked = set()
    for name, cls in all_estimators():
        for model in fitted(cls):
            integrity.check(model, file=name)
            checked.add(name)
    assert len(checked) > 185


@pytest.mark.parametrize(
    "model",
    [
        xgboost.XGBClassifier(n_estimators=3, booster="dart"),
        xgboost.XGBClassifier(n_estimators=3, booster="gblinear"),
        xgboost.XGBClassifier(n_estimators=3, gamma=5, max_depth=8),
        xgboost.XGBRFClassifier(n_estimators=3),
        xgboost.XGBRegressor(n_estimators=3, grow_policy="lossguide", max_leaves=9),
        lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, boosting_type="dart"),
        lightgbm.LGBMRegressor(n_estimators=3, verbose=-1, linear_tree=True),
        lightgbm.LGBMRegressor(n_estimators=3, verbose=-1, min_child_samples=1000),
        SVC(kernel="precomputed"),
        RandomForestClassifier(3, max_leaf_nodes=4),
        DecisionTreeClassifier(ccp_alpha=0.02),
        IsolationForest(n_estimators=3, max_features=0.5),
        *(
            KNeighborsClassifier(3, algorithm=algorithm, metric=metric)
            for algorithm in ("kd_tree", "ball_tree", "brute")
            for metric in ("minkowski", "chebyshev")
        ),
        KNeighborsClassifier(
            3, algorithm="ball_tree", metric="seuclidean", metric_params={"V": np.ones(4)}
        ),
    ],
    ids=str,
)
def test_no_honest_variant_is_refused(model: Any) -> None:
    """Nor is one with another booster, kernel, metric, or way of growing."""
    given = X @ X.T if getattr(model, "kernel", "") == "precomputed" else X
    integrity.check(model.fit(given, LABELS), file="model.pkl")


class Knot:
    """Holds itself."""

    def __init__(self) -> None:
        object.__setattr__(self, "me", self)
        cells = np.empty(1, dtype=object)
        cells[0] = self
        many = [self, {"me": self}, cells]
        object.__setattr__(self, "many", many)

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked of it")


def test_the_walk_ends_and_runs_nothing() -> None:
    """A model that holds itself is walked once, and none of its methods is called."""
    found = [part for part, _ in integrity.parts(Knot(), file="model.pkl")]
    assert sum(isinstance(part, Knot) for part in found) == 1
