from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.evaluate import margins
from brinery.evaluate.margins import Codes, Figure, Floats

modest = settings(max_examples=80, deadline=None)
K = 4

THEIRS: dict[str, tuple[Figure, Any]] = {
    "accuracy": (margins.accuracy, metrics.accuracy_score),
    "balanced_accuracy": (margins.balanced_accuracy, metrics.balanced_accuracy_score),
    "mcc": (margins.mcc, metrics.matthews_corrcoef),
    "precision_macro": (
        partial(margins.macro, measure=margins.precision),
        partial(metrics.precision_score, average="macro", zero_division=0),
    ),
    "recall_weighted": (
        partial(margins.weighted, measure=margins.recall),
        partial(metrics.recall_score, average="weighted", zero_division=0),
    ),
    "f1_macro": (
        partial(margins.macro, measure=margins.f_beta),
        partial(metrics.f1_score, average="macro", zero_division=0),
    ),
    "f2_weighted": (
        partial(margins.weighted, measure=partial(margins.f_beta, beta=2.0)),
        partial(metrics.fbeta_score, beta=2.0, average="weighted", zero_division=0),
    ),
}


@st.composite
def labels(draw: st.DrawFn) -> tuple[Codes, Codes, Floats]:
    """Actual and predicted codes and weights, where a class may be rare or absent."""
    code = st.integers(0, draw(st.integers(0, K - 1)))
    row = st.tuples(code, code, st.sampled_from([0.5, 1.0, 2.5]))
    actual, predicted, weights = zip(*draw(st.lists(row, min_size=1, max_size=40)), strict=True)
    return np.array(actual, np.intp), np.array(predicted, np.intp), np.array(weights)


@pytest.mark.parametrize("name", THEIRS)
@given(rows=labels())
@modest
def test_figures_agree_with_scikit_learn(name: str, rows: tuple[Codes, Codes, Floats]) -> None:
    """Every figure of the margins is scikit-learn's, with weights."""
    actual, predicted, weights = rows
    figure, theirs = THEIRS[name]
    found = figure(margins.tally(actual, predicted, weights=weights, n_classes=K))
    with warnings.catch_warnings():
        # It warns of predicted classes that have no row.
        warnings.simplefilter("ignore", UserWarning)
        expected = theirs(actual, predicted, sample_weight=weights)
    assert float(found) == pytest.approx(expected, abs=1e-12)


@given(rows=labels())
@modest
def test_kappa_agrees_with_scikit_learn(rows: tuple[Codes, Codes, Floats]) -> None:
    """Kappa is scikit-learn's where it is defined."""
    actual, predicted, weights = rows
    if len({*actual.tolist(), *predicted.tolist()}) > 1:
        found = margins.kappa(margins.tally(actual, predicted, weights=weights, n_classes=K))
        theirs = metrics.cohen_kappa_score(actual, predicted, sample_weight=weights)
        assert float(found) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 4, 30])
def test_draws_are_those_of_rows(n_classes: int, *, weighted: bool) -> None:
    """Differences over draws of compressed rows spread as over draws of the rows themselves."""
    random = np.random.default_rng(3)
    rows = 600
    actual = random.integers(0, n_classes, rows)
    said = [
        np.where(random.random(rows) < right, actual, random.integers(0, n_classes, rows))
        for right in (0.75, 0.65)
    ]
    weights = random.gamma(2.0, size=rows) if weighted else np.ones(rows)
    pair = margins.draw(
        actual,
        base=said[0],
        other=said[1],
        weights=weights,
        n_classes=n_classes,
        draws=4000,
        random=np.random.default_rng(0),
    )
    figure = partial(margins.macro, measure=margins.f_beta)
    found = figure(pair[1]) - figure(pair[0])
    brute = np.empty(1500)
    for draw in range(brute.size):
        taken = random.integers(0, rows, rows)
        one, other = (
            figure(
                margins.tally(
                    actual[taken], each[taken], weights=weights[taken], n_classes=n_classes
                )
            )
            for each in said
        )
        brute[draw] = float(other - one)
    assert found.std() == pytest.approx(brute.std(), rel=0.1)
    assert found.mean() == pytest.approx(brute.mean(), abs=0.2 * brute.std())


def test_draws_of_a_seed_are_the_same() -> None:
    """The same seed gives the same draws."""
    actual = np.array([0, 1, 1, 0, 1])
    drawn = [
        margins.draw(
            actual,
            base=actual,
            other=1 - actual,
            weights=np.ones(5),
            n_classes=2,
            draws=50,
            random=np.random.default_rng(7),
        )[1].actual
        for _ in range(2)
    ]
    assert np.array_equal(drawn[0], drawn[1])
    assert (drawn[0].sum(axis=1) == 5).all()
