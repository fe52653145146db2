"""Naive Bayes: every setting, dense and sparse, and values that were not there at the fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled

from brinery.scorers.bayes import CategoryBayes, CountBayes, GaussianBayes
from brinery.scorers.catalog import READERS
from brinery.scorers.data import Declined, Sparse
from brinery.scorers.interface import Model, Reader
from brinery.scorers.library import ask_library
from brinery.scorers.linear import Sums


def node_of(model: Any) -> Model:
    """Return the node that a fitted model is read into."""
    return Reader(READERS, ask_library).model(model)


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.poisson([0.2, 1, 3, 0.5, 0, 2], size=(150, 6)), columns=list("abcdef"))


def target_of(frame: pd.DataFrame, count: int) -> Any:
    """Return a class for each row."""
    return np.array(["no", "so", "yes"])[np.minimum(frame["c"].to_numpy() // 2, count - 1)]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("settings", [{}, {"var_smoothing": 1e-3}, {"priors": True}], ids=stable)
def test_normal_columns_tell_the_class(settings: dict[str, Any], count: int) -> None:
    """A few rows and many, near and far."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal([0, 5, -2], [1, 0.01, 1e3], size=(150, 3)), columns=list("abc"))
    target = np.arange(150) % count
    frame["a"] += target
    given = {"priors": np.full(count, 1 / count)} if "priors" in settings else settings
    model = GaussianNB(**given).fit(frame, target)
    scorer = agrees(model, frame)
    agrees(model, frame * 3, scorer=scorer)


def test_a_fit_on_float32_keeps_its_rounding() -> None:
    """What is made of its figures alone is made in float32."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal([0, 5, -2], [1, 3, 0.5], size=(150, 3)), columns=list("abc"))
    agrees(GaussianNB().fit(frame.astype(np.float32), frame["a"] > 0), frame)


MODELS = [
    *(MultinomialNB(**one) for one in ({}, {"alpha": 0.01}, {"fit_prior": False})),
    *(ComplementNB(**one) for one in ({}, {"norm": True}, {"alpha": 3.0})),
    *(BernoulliNB(**one) for one in ({}, {"binarize": 1.0}, {"alpha": 0.1}, {"fit_prior": False})),
]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("model", MODELS, ids=stable)
def test_counts_tell_the_class(counts: pd.DataFrame, model: Any, count: int) -> None:
    """Counts that are larger than those fitted on, too."""
    model.fit(counts, target_of(counts, count))
    agrees(model, counts)
    agrees(model, counts * 7)


def test_ones_and_zeros_are_taken_as_they_are(counts: pd.DataFrame) -> None:
    """Where no threshold is set."""
    ones = (counts > 0).astype(int)
    agrees(BernoulliNB(binarize=None).fit(ones, target_of(counts, 3)), ones)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("model", MODELS, ids=stable)
def test_sparse_counts_tell_the_class(counts: pd.DataFrame, model: Any, count: int) -> None:
    """Added up in scipy's order."""
    table = csr_matrix(counts.to_numpy(dtype=float))
    model.fit(table, target_of(counts, count))
    given = Sparse(
        table.indptr.astype(np.int64), table.indices.astype(np.int64), table.data, width=6
    )
    answer = node_of(model).answer(given)
    assert model.classes_[answer.labels].tolist() == model.predict(table).tolist()
    np.testing.assert_allclose(
        np.asarray(answer.probabilities), model.predict_proba(table), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "settings", [{}, {"alpha": 0.1}, {"min_categories": 20}, {"fit_prior": False}], ids=stable
)
def test_categories_tell_the_class(
    counts: pd.DataFrame, settings: dict[str, Any], count: int
) -> None:
    """A fraction is cut off, as the library does."""
    model = CategoricalNB(**settings).fit(counts, target_of(counts, count))
    scorer = agrees(model, counts)
    agrees(model, counts.clip(0, 0) + 0.9, scorer=scorer)
    agrees(model, counts.clip(0, 0) - 0.9, scorer=scorer)


@pytest.mark.parametrize("value", [-1.0, 99.0, np.nan, 1e300])
def test_a_category_that_was_not_there_is_declined(counts: pd.DataFrame, value: float) -> None:
    """As the library refuses it."""
    model = CategoricalNB().fit(counts, target_of(counts, 2))
    rows = counts.iloc[:3].astype(float)
    rows.iloc[1, 1] = value
    with pytest.raises((ValueError, IndexError)), np.errstate(invalid="ignore"):
        model.predict(rows)
    with pytest.raises(Declined):
        compiled(model, counts).score(columns_of(rows))


@pytest.mark.parametrize(
    "model", [GaussianNB(), MultinomialNB(), ComplementNB(), BernoulliNB()], ids=stable
)
def test_a_missing_value_is_declined(counts: pd.DataFrame, model: Any) -> None:
    """As the library refuses it."""
    model.fit(counts, target_of(counts, 2))
    rows = counts.iloc[:3].astype(float)
    rows.iloc[1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(rows)
    with pytest.raises(Declined):
        compiled(model, counts).score(columns_of(rows))


def test_a_class_that_cannot_be_is_declined(counts: pd.DataFrame) -> None:
    """Without smoothing, the library's own sums are no numbers."""
    model = MultinomialNB(alpha=0.0, force_alpha=True)
    with np.errstate(divide="ignore"):
        model.fit(counts, target_of(counts, 2))
    with pytest.raises(Declined):
        node_of(model).answer(counts.to_numpy(dtype=float))


@pytest.mark.parametrize("model", [GaussianNB(), CategoricalNB()], ids=stable)
def test_a_sparse_table_that_the_library_refuses_is_declined(
    counts: pd.DataFrame, model: Any
) -> None:
    """Where it takes dense ones only."""
    node = node_of(model.fit(counts.to_numpy(), target_of(counts, 2)))
    with pytest.raises((TypeError, ValueError)):
        model.predict(csr_matrix(counts.to_numpy(dtype=float)))
    with pytest.raises(Declined):
        node.answer(
            Sparse(np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), width=6)
        )


def test_a_sparse_table_in_which_zero_would_count_is_declined() -> None:
    """Older versions took a threshold below 0, for dense tables only."""
    node = CountBayes(sums=Sums(weights=np.ones((2, 1)), intercepts=np.zeros(2)), threshold=-1.0)
    assert node.answer(np.zeros((1, 1))).probabilities == pytest.approx(0.5)
    with pytest.raises(Declined):
        node.answer(
            Sparse(np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), width=1)
        )


@pytest.mark.parametrize("n_rows", [1, 20, 3000])
def test_classes_as_good_as_tied_are_declined(n_rows: int) -> None:
    """In which order numpy adds up a row hangs on how the table lies; a label may not."""
    rng = np.random.default_rng(0)
    half = rng.normal(size=(300, 9))
    frame = pd.DataFrame(np.vstack([half + 1, half - 1])).rename(columns="c{}".format)
    model = GaussianNB().fit(frame, np.repeat([0, 1], 300))
    scorer = compiled(model, frame)
    middle = model.theta_.mean(axis=0)  # as far from either class, whose variances are the same
    rows = pd.DataFrame(rng.normal(size=(n_rows, 9)), columns=frame.columns)
    scorer.score(columns_of(rows))
    rows.iloc[n_rows // 2] = middle
    with pytest.raises(Declined, match="tied"):
        scorer.score(columns_of(rows))


def test_figures_that_do_not_fit_are_refused() -> None:
    """A forged file leads outside of no array."""
    with pytest.raises(ValueError, match="variances"):
        GaussianBayes(
            means=np.zeros((2, 3)),
            variances=np.zeros((2, 2)),
            norms=np.zeros(2),
            priors=np.zeros(2),
        )
    with pytest.raises(ValueError, match="figures"):
        GaussianBayes(
            means=np.zeros((2, 3)),
            variances=np.zeros((2, 3)),
            norms=np.zeros(3),
            priors=np.zeros(2),
        )
    with pytest.raises(ValueError, match="other classes"):
        CategoryBayes(chances=(np.zeros((2, 3)), np.zeros((3, 3))), priors=np.zeros(2))
    node = CategoryBayes(chances=(np.zeros((2, 3)),), priors=np.zeros(2))
    with pytest.raises(ValueError, match="other columns"):
        node.answer(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="other columns"):
        CountBayes(sums=Sums(weights=np.zeros((2, 3)), intercepts=np.zeros(2))).answer(
            np.zeros((1, 2))
        )
