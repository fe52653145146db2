"""Linear models: every one, dense and sparse, and what each setting makes of the sums."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn import linear_model as lm
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC, LinearSVR
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled, inputs_of

from brinery.scorers.catalog import READERS
from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined, Sparse
from brinery.scorers.interface import Model, Reader, Unsupported
from brinery.scorers.library import ask_library
from brinery.scorers.linear import LinearClassifier, LinearRegressor, Sums
from brinery.scorers.rows import Link

COUNTS = (2, 3)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        rng.normal([0, 2, -3, 0], [1, 3, 0.1, 1], size=(240, 4)), columns=list("abcd")
    )
    frame["e"] = 1.0
    return frame


def classes(frame: pd.DataFrame, count: int) -> Any:
    """Return a class for each row, which the columns tell but for noise."""
    noise = np.random.default_rng(2).normal(size=len(frame))
    ranks = (frame["a"] + frame["b"] / 3 + noise / 2).rank(pct=True)
    return np.array(["no", "so", "yes"])[np.minimum((ranks * count).astype(int), count - 1)]


def fitted(model: Any, x: Any, y: Any) -> Any:
    """Return a model that was fitted; that it is not done yet is no matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)
        return model.fit(x, y)


def node_of(model: Any) -> Model:
    """Return the node that a fitted model is read into."""
    return Reader(READERS, ask_library).model(model)


def far(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows among which are zeros, and values far from all that were fitted."""
    rows = frame.iloc[:12].copy()
    rows.iloc[1:3] = [[1e6] * 5, [-1e6] * 5]
    rows.iloc[3:5] = [[0.0] * 5, [1e300] * 5]
    return rows


CLASSIFIERS = [
    *(
        lm.LogisticRegression(solver=one)
        for one in ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga")
    ),
    lm.LogisticRegression(fit_intercept=False, C=1e-3),
    lm.LogisticRegression(class_weight="balanced", C=1e4),
    lm.LogisticRegressionCV(
        Cs=2, cv=2, scoring="accuracy", use_legacy_attributes=False, l1_ratios=(0.0,)
    ),
    *(
        lm.SGDClassifier(loss=one, random_state=0)
        for one in ("hinge", "log_loss", "modified_huber")
    ),
    *(
        lm.SGDClassifier(loss=one, random_state=0)
        for one in ("squared_hinge", "perceptron", "huber")
    ),
    lm.SGDClassifier(loss="modified_huber", average=True, penalty="l1", random_state=0),
    lm.Perceptron(random_state=0),
    lm.RidgeClassifier(),
    lm.RidgeClassifierCV(fit_intercept=False),
    LinearSVC(random_state=0),
    LinearSVC(multi_class="crammer_singer", random_state=0),
    LinearSVC(fit_intercept=False, random_state=0),
    LinearDiscriminantAnalysis(),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    LinearDiscriminantAnalysis(solver="eigen", priors=None, shrinkage=0.3),
]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("model", CLASSIFIERS, ids=stable)
def test_a_classifier_tells_the_class_and_how_likely_it_is(
    frame: pd.DataFrame, model: Any, count: int
) -> None:
    """With two classes and with three, and for rows far away."""
    columns = (
        frame if not isinstance(model, LinearDiscriminantAnalysis) else frame.drop(columns="e")
    )
    model = fitted(model, columns, classes(frame, count))
    scorer = agrees(model, columns)
    agrees(model, far(frame)[list(columns)].drop(index=4), scorer=scorer)


@pytest.mark.parametrize("model", CLASSIFIERS, ids=stable)
def test_a_decision_function_is_the_librarys(frame: pd.DataFrame, model: Any) -> None:
    """Of two classes one number for each row, of three a number for each class."""
    columns = frame.drop(columns="e").to_numpy()
    for count in COUNTS:
        model = fitted(model, columns, classes(frame, count))
        np.testing.assert_allclose(
            node_of(model).decision(columns), model.decision_function(columns), atol=1e-9
        )


def test_a_classifier_of_liblinear_is_logistic(frame: pd.DataFrame) -> None:
    """It takes two classes only."""
    for penalty in (0.0, 1.0):
        model = lm.LogisticRegression(solver="liblinear", l1_ratio=penalty)
        agrees(fitted(model, frame, classes(frame, 2)), frame)


@pytest.mark.parametrize("kind", [lm.PassiveAggressiveClassifier, lm.PassiveAggressiveRegressor])
def test_a_passive_aggressive_model_is_a_linear_one(frame: pd.DataFrame, kind: Any) -> None:
    """The library is about to drop it, and says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = kind(random_state=0)
        model.fit(frame, classes(frame, 3) if "Classifier" in kind.__name__ else frame["a"] * 2)
    agrees(model, frame)


class _OldLogistic(lm.LogisticRegression):  # type: ignore[misc]
    """A regression whose version takes each class on its own."""

    def predict_proba(self, X: Any) -> Any:  # noqa: N803 - the library's name
        return self._predict_proba_lr(X)


def test_a_logistic_regression_of_each_class_is_told_by_its_answers(frame: pd.DataFrame) -> None:
    """Which link a version uses is asked of the version."""
    model = fitted(_OldLogistic(), frame, classes(frame, 3))
    node = READERS["sklearn.LogisticRegression"](model, Reader(READERS, ask_library))
    assert isinstance(node, LinearClassifier)
    assert node.link is Link.LOGISTIC
    np.testing.assert_allclose(
        np.asarray(node.answer(frame.to_numpy()).probabilities),
        model.predict_proba(frame),
        atol=1e-12,
    )


class _OddLogistic(lm.LogisticRegression):  # type: ignore[misc]
    """A regression of no version that there is."""

    def predict_proba(self, X: Any) -> Any:  # noqa: N803 - the library's name
        return super().predict_proba(X) ** 2


def test_a_logistic_regression_of_an_unknown_kind_is_not_guessed(frame: pd.DataFrame) -> None:
    """Its probabilities are neither of the two that are known."""
    model = fitted(_OddLogistic(), frame, classes(frame, 3))
    with pytest.raises(Unsupported, match="another kind"):
        READERS["sklearn.LogisticRegression"](model, Reader(READERS, ask_library))


REGRESSORS = [
    lm.LinearRegression(),
    lm.LinearRegression(fit_intercept=False, positive=True),
    lm.Ridge(),
    lm.Ridge(solver="sag", random_state=0),
    lm.RidgeCV(),
    lm.Lasso(alpha=0.01),
    lm.LassoCV(cv=2),
    lm.ElasticNet(alpha=0.01),
    lm.ElasticNetCV(cv=2, fit_intercept=False),
    lm.Lars(),
    lm.LarsCV(cv=2),
    lm.LassoLars(alpha=0.01),
    lm.LassoLarsCV(cv=2),
    lm.LassoLarsIC(),
    lm.OrthogonalMatchingPursuit(n_nonzero_coefs=2),
    lm.OrthogonalMatchingPursuitCV(cv=2),
    lm.BayesianRidge(),
    lm.ARDRegression(),
    lm.HuberRegressor(),
    lm.TheilSenRegressor(random_state=0, max_subpopulation=100),
    lm.RANSACRegressor(random_state=0),
    lm.RANSACRegressor(lm.Ridge(), random_state=0, min_samples=10),
    lm.QuantileRegressor(alpha=0.01),
    lm.SGDRegressor(random_state=0),
    lm.SGDRegressor(loss="huber", average=True, random_state=0),
    LinearSVR(random_state=0),
    PLSRegression(),
    PLSRegression(n_components=1, scale=False),
]


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning:sklearn")
@pytest.mark.parametrize("model", REGRESSORS, ids=stable)
def test_a_regressor_gives_the_sums(frame: pd.DataFrame, model: Any) -> None:
    """For rows far away, too."""
    columns = frame.drop(columns="e")
    target = columns @ np.array([1.0, -2.0, 0.5, 0.0]) + np.random.default_rng(3).normal(
        size=len(frame)
    )
    scorer = agrees(fitted(model, columns, target), columns)
    agrees(model, far(frame)[list(columns)].drop(index=4), scorer=scorer)


@pytest.mark.parametrize(
    "model",
    [
        lm.PoissonRegressor(),
        lm.PoissonRegressor(fit_intercept=False, alpha=0.0),
        lm.GammaRegressor(),
        *(lm.TweedieRegressor(power=power) for power in (0, 1, 1.5, 2, 3)),
        *(lm.TweedieRegressor(power=power, link="log") for power in (0, 1.5)),
        lm.TweedieRegressor(power=0, link="identity"),
    ],
    ids=stable,
)
def test_a_generalized_regressor_follows_its_link(frame: pd.DataFrame, model: Any) -> None:
    """Some predict what the sum is the logarithm of."""
    target = np.exp(frame["a"] / 2 + frame["b"] / 9)
    agrees(fitted(model, frame, target), frame)


@pytest.mark.parametrize(
    "model",
    [
        lm.LinearRegression(),
        lm.Ridge(),
        lm.RidgeCV(),
        lm.MultiTaskLasso(alpha=0.01),
        lm.MultiTaskLassoCV(cv=2),
        lm.MultiTaskElasticNet(alpha=0.01),
        lm.MultiTaskElasticNetCV(cv=2),
        lm.Lars(),
        lm.OrthogonalMatchingPursuit(n_nonzero_coefs=2),
        PLSRegression(),
    ],
    ids=stable,
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_regressor_of_several_outputs_gives_a_table(
    frame: pd.DataFrame, model: Any, count: int
) -> None:
    """One of a single column gives what the library gives, which is not the same for all."""
    columns = frame.drop(columns="e")
    noise = np.random.default_rng(5).normal(size=(len(frame), 2))
    target = (np.column_stack([columns["a"] * 2, columns["b"] - columns["c"]]) + noise)[:, :count]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        agrees(model.fit(columns, target), columns)


def test_an_outlier_detector_tells_inliers_from_outliers(frame: pd.DataFrame) -> None:
    """As 1 and -1; one at the border is an inlier."""
    for settings in ({}, {"nu": 0.1}, {"fit_intercept": False}):
        model = lm.SGDOneClassSVM(random_state=0, **settings).fit(frame.to_numpy())
        rows = frame.to_numpy()
        agrees(model, frame, given=rows)
        np.testing.assert_allclose(
            node_of(model).decision(rows), model.decision_function(rows), atol=1e-9
        )


@pytest.mark.parametrize(
    "model",
    [
        lm.LogisticRegression(),
        lm.SGDClassifier(loss="log_loss", random_state=0),
        lm.RidgeClassifier(),
        LinearSVC(random_state=0),
        lm.Ridge(),
        lm.Lasso(alpha=0.001),
        lm.SGDRegressor(random_state=0),
        lm.PoissonRegressor(),
    ],
    ids=stable,
)
@pytest.mark.parametrize("count", COUNTS)
def test_a_sparse_table_is_added_up_as_scipy_does(model: Any, count: int) -> None:
    """To the last bit, as it is the same sum."""
    rng = np.random.default_rng(4)
    table = csr_matrix(rng.poisson(0.3, size=(80, 30)) * rng.normal(size=(80, 30)))
    target = np.arange(80) % count
    fitted(
        model,
        table,
        target + 0.5
        if hasattr(model, "score") and not hasattr(model, "decision_function")
        else target,
    )
    given = Sparse(
        table.indptr.astype(np.int64), table.indices.astype(np.int64), table.data, width=30
    )
    answer = node_of(model).answer(given)
    if answer.labels is None:
        np.testing.assert_array_equal(answer.values, model.predict(table))
        return
    np.testing.assert_array_equal(model.classes_[answer.labels], model.predict(table))
    np.testing.assert_array_equal(node_of(model).decision(given), model.decision_function(table))


@pytest.mark.parametrize("count", COUNTS)
def test_weights_that_are_kept_sparse_are_the_same(frame: pd.DataFrame, count: int) -> None:
    """`sparsify` changes how they are kept only."""
    model = lm.SGDClassifier(loss="log_loss", penalty="l1", alpha=0.05, random_state=0)
    agrees(fitted(model, frame, classes(frame, count)).sparsify(), frame)


def test_weights_that_were_fitted_in_float32_are_the_same(frame: pd.DataFrame) -> None:
    """They are multiplied in float64, as the rows are."""
    model = lm.LogisticRegression().fit(frame.to_numpy(dtype=np.float32), classes(frame, 3))
    agrees(model, frame, given=frame.to_numpy())


def test_a_class_without_any_chance_is_shared_out(frame: pd.DataFrame) -> None:
    """Where no class has one in the modified Huber loss, each has the same."""
    model = fitted(
        lm.SGDClassifier(loss="modified_huber", random_state=0), frame, classes(frame, 3)
    )
    model.intercept_ -= 1e4
    agrees(model, frame)
    assert model.predict_proba(frame).min() == pytest.approx(1 / 3)


def test_what_the_library_refuses_is_declined(frame: pd.DataFrame) -> None:
    """A missing value, and numbers that it would add up in float32."""
    model = fitted(lm.LogisticRegression(), frame, classes(frame, 2))
    rows = frame.iloc[:3].copy()
    rows.iloc[1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(rows)
    with pytest.raises(Declined):
        compiled(model, frame).score(columns_of(rows))
    with pytest.raises(Declined):
        node_of(model).answer(frame.to_numpy(dtype=np.float32))


def test_a_sum_that_no_class_follows_from_is_declined() -> None:
    """Versions of the library answer it in two ways."""
    sums = Sums(weights=np.zeros((3, 1)), intercepts=np.full(3, -1e4))
    with pytest.raises(Declined):
        LinearClassifier(sums=sums, link=Link.LOGISTIC).answer(np.zeros((1, 1)))


def test_a_classifier_of_several_labels_is_not_supported(frame: pd.DataFrame) -> None:
    """A row would have several answers."""
    target = np.column_stack([frame["a"] > 0, frame["b"] > 0]).astype(int)
    with pytest.raises(Unsupported):
        compile_model(lm.RidgeClassifier().fit(frame, target), inputs_of(frame))


def test_weights_of_other_shapes_are_refused() -> None:
    """They would be read outside of the array, by the sparse sum."""
    with pytest.raises(ValueError, match="intercepts"):
        Sums(weights=np.zeros((2, 3)), intercepts=np.zeros(3))
    with pytest.raises(ValueError, match="table"):
        Sums(weights=np.zeros(3), intercepts=np.zeros(3))
    sums = Sums(weights=np.zeros((1, 3)), intercepts=np.zeros(1))
    wide = Sparse(np.array([0, 1]), np.array([8]), np.ones(1), width=9)
    for data in (wide, np.zeros((1, 9))):
        with pytest.raises(ValueError, match="other columns"):
            LinearRegressor(sums=sums, flat=True).answer(data)


def test_one_hot_columns_reach_a_linear_model_sparse() -> None:
    """Through a pipeline, with categories that repeat."""
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415

    frame = pd.DataFrame({"a": list("xyzzy") * 8, "b": list("pqrstuvw") * 5})
    model = make_pipeline(OneHotEncoder(), lm.LogisticRegression()).fit(frame, frame["a"] == "z")
    agrees(model, frame)
