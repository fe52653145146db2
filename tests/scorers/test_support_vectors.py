"""Support vector machines: every kernel, votes and ties, probabilities of pairs."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled, inputs_of

from brinery.scorers.catalog import READERS
from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined, Sparse
from brinery.scorers.interface import Model, Reader, Unsupported
from brinery.scorers.library import ask_library
from brinery.scorers.support_vectors import Kernel, VectorClassifier, Vectors

KERNELS = [
    {"kernel": "linear"},
    {"kernel": "rbf"},
    {"kernel": "rbf", "gamma": "auto"},
    {"kernel": "poly"},
    {"kernel": "poly", "degree": 2, "coef0": 1.0, "gamma": 0.3},
    {"kernel": "sigmoid", "coef0": -0.5},
]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(160, 4)) * [1, 2, 0.5, 1], columns=list("abcd"))


def target_of(frame: pd.DataFrame, count: int) -> Any:
    """Return a class for each row, with noise."""
    noise = np.random.default_rng(1).normal(size=len(frame)) / 2
    ranks = (frame["a"] * frame["b"] + noise).rank().to_numpy().astype(int)
    return np.array(["k", "l", "m", "n"])[ranks * count // (len(frame) + 1)]


def fitted(model: Any, x: Any, y: Any) -> Any:
    """Return a model that was fitted; that its probabilities are about to go is no matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return model.fit(x, y)


def node_of(model: Any) -> Model:
    """Return the node that a fitted model is read into."""
    return Reader(READERS, ask_library).model(model)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("settings", KERNELS, ids=stable)
@pytest.mark.parametrize("kind", [SVC, NuSVC])
def test_a_classifier_votes_as_libsvm(
    frame: pd.DataFrame, kind: Any, settings: dict[str, Any], count: int
) -> None:
    """Far from all vectors, where votes are tied, too."""
    given = {**settings, "nu": 0.2} if kind is NuSVC else settings
    model = fitted(kind(**given), frame, target_of(frame, count))
    scorer = agrees(model, frame)
    agrees(model, frame * 40, scorer=scorer)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("settings", KERNELS, ids=stable)
def test_probabilities_are_coupled_as_by_libsvm(
    frame: pd.DataFrame, settings: dict[str, Any], count: int
) -> None:
    """They may name another class than the votes."""
    model = fitted(
        SVC(probability=True, random_state=0, **settings), frame, target_of(frame, count)
    )
    scorer = agrees(model, frame)
    agrees(model, frame * 40, scorer=scorer)


@pytest.mark.parametrize("shape", ["ovr", "ovo"])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_decision_function_is_the_librarys(frame: pd.DataFrame, shape: str, count: int) -> None:
    """Of each class, or of each pair."""
    model = SVC(decision_function_shape=shape).fit(frame, target_of(frame, count))
    found = node_of(model).decision(frame.to_numpy())
    np.testing.assert_allclose(found, model.decision_function(frame), rtol=0, atol=1e-12)


@pytest.mark.parametrize("count", [2, 4])
def test_ties_are_broken_by_the_decision(frame: pd.DataFrame, count: int) -> None:
    """Where that is asked for."""
    model = SVC(break_ties=True, kernel="sigmoid").fit(frame, target_of(frame, count))
    agrees(model, frame)
    agrees(model, frame * 40)


@pytest.mark.parametrize("settings", KERNELS, ids=stable)
@pytest.mark.parametrize("model", [SVR(), NuSVR(), OneClassSVM(nu=0.3)], ids=stable)
def test_a_regressor_and_a_detector_add_up(
    frame: pd.DataFrame, model: Any, settings: dict[str, Any]
) -> None:
    """The values, or 1 for an inlier and -1 for an outlier."""
    model = type(model)(**{**model.get_params(), **settings})
    model.fit(frame, frame["a"] * 2 + frame["b"])
    scorer = agrees(model, frame)
    agrees(model, frame * 3, scorer=scorer)
    if isinstance(model, OneClassSVM):
        found = node_of(model).decision(frame.to_numpy())
        np.testing.assert_allclose(found, model.decision_function(frame), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("settings", KERNELS, ids=stable)
def test_vectors_that_were_sparse_are_compared(
    frame: pd.DataFrame, settings: dict[str, Any]
) -> None:
    """With a sparse table, and with a dense one."""
    table = csr_matrix(np.where(frame > 0.3, frame, 0.0))
    model = SVC(**settings).fit(table, target_of(frame, 3))
    given = Sparse(
        table.indptr.astype(np.int64), table.indices.astype(np.int64), table.data, width=4
    )
    for rows in (given, table.toarray()):
        assert (
            model.classes_[node_of(model).answer(rows).labels].tolist()
            == model.predict(table).tolist()
        )
        np.testing.assert_allclose(
            node_of(model).decision(rows), model.decision_function(table), atol=1e-12
        )


def test_many_rows_are_compared_in_parts(frame: pd.DataFrame) -> None:
    """So that memory stays bounded; each gets its own answer."""
    model = SVC().fit(frame, target_of(frame, 3))
    rows = pd.concat([frame] * 60, ignore_index=True)
    agrees(model, rows)


def test_what_the_library_refuses_is_declined(frame: pd.DataFrame) -> None:
    """A missing value, and a sparse table after a fit on a dense one."""
    model = SVC().fit(frame, target_of(frame, 3))
    rows = frame.iloc[:3].copy()
    rows.iloc[1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(rows)
    with pytest.raises(Declined):
        compiled(model, frame).score(columns_of(rows))
    with pytest.raises(Declined):
        node_of(model).answer(
            Sparse(np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), width=4)
        )


def _twofold(x: Any, y: Any) -> Any:
    return 2 * (x @ y.T)


@pytest.mark.parametrize("kernel", ["precomputed", _twofold], ids=["precomputed", "function"])
def test_a_kernel_of_ones_own_is_not_supported(frame: pd.DataFrame, kernel: Any) -> None:
    """It needs the rows of the fit, or code."""
    rows = frame.to_numpy()
    model = SVC(kernel=kernel).fit(
        rows @ rows.T if kernel == "precomputed" else rows, target_of(frame, 2)
    )
    with pytest.raises(Unsupported, match="precomputed"):
        compile_model(model, inputs_of(frame))


def test_ties_of_pairs_are_not_supported(frame: pd.DataFrame) -> None:
    """The library refuses to predict."""
    model = SVC(break_ties=True, decision_function_shape="ovo").fit(frame, target_of(frame, 3))
    with pytest.raises(Unsupported, match="breaks ties"):
        compile_model(model, inputs_of(frame))


def vectors(**changes: Any) -> Vectors:
    """Return vectors of three groups, with some figures forged."""
    figures: dict[str, Any] = {
        "rows": np.zeros((5, 2)),
        "weights": np.zeros((2, 5)),
        "starts": np.array([0, 2, 3, 5]),
        "kernel": Kernel.RBF,
        "gamma": 1.0,
        "offset": 0.0,
        "degree": 3,
        "sparse": False,
    }
    return Vectors(**{**figures, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.zeros((2, 4))},
        {"starts": np.array([0, 2, 3, 6])},
        {"starts": np.array([0, 4, 3, 5])},
        {"starts": np.array([1, 2, 3, 5])},
        {"starts": np.array([0])},
        {"rows": np.zeros((5, 2), dtype=np.float32)},
        {"rows": np.zeros(5)},
        {"degree": -1},
    ],
    ids=stable,
)
def test_vectors_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    """A forged file leads outside of no array, and no power takes forever."""
    with pytest.raises(ValueError, match=r"vectors|groups|power"):
        vectors(**changes)


def test_pairs_without_figures_are_refused() -> None:
    """Three classes make three pairs."""
    settings: dict[str, Any] = {"vectors": vectors(), "each": True, "breaks_ties": False}
    with pytest.raises(ValueError, match="pairs without"):
        VectorClassifier(intercepts=np.zeros(2), **settings)
    crowd = vectors(starts=np.array([0] * 300 + [5]), weights=np.zeros((299, 5)))
    with pytest.raises(ValueError, match="too many"):
        VectorClassifier(intercepts=np.zeros(44850), **{**settings, "vectors": crowd})
    with pytest.raises(ValueError, match="half"):
        VectorClassifier(intercepts=np.zeros(3), slopes=np.zeros(3), **settings)
    with pytest.raises(ValueError, match="without sums"):
        VectorClassifier(
            intercepts=np.zeros(3), **{**settings, "vectors": vectors(weights=np.zeros((3, 5)))}
        )
    node = VectorClassifier(intercepts=np.zeros(3), **settings)
    with pytest.raises(ValueError, match="other columns"):
        node.answer(np.zeros((1, 3)))
