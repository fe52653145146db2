from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.evaluate import classification as cls

MEASURES: dict[cls.Measure, Any] = {
    cls.precision: metrics.precision_score,
    cls.recall: metrics.recall_score,
    cls.f1: metrics.f1_score,
}
K = 4

modest = settings(max_examples=80, deadline=None)
# Few values, so that ties abound, beside values at and next to the ends.
score = st.one_of(
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 5e-324, 1e-300, 1e-16, 1 - 1e-16, 0.5 + 1e-16]),
    st.floats(0, 1),
)


@st.composite
def labels(draw: st.DrawFn) -> tuple[cls.Codes, cls.Codes]:
    """Actual and predicted codes, where a class may be rare or absent."""
    code = st.integers(0, draw(st.integers(0, K - 1)))
    rows = draw(st.lists(st.tuples(code, code), min_size=1, max_size=40))
    actual, predicted = np.array(rows, np.intp).T
    return actual, predicted


@st.composite
def ranking(draw: st.DrawFn) -> tuple[cls.Bools, cls.Floats]:
    """A score for rows of both classes, of which one may be rare."""
    rare = draw(st.booleans())
    negatives = draw(st.lists(score, min_size=1, max_size=1 if rare else 30))
    positives = draw(st.lists(score, min_size=1, max_size=30))
    rows = [(False, value) for value in negatives] + [(True, value) for value in positives]
    shuffled = draw(st.permutations(rows))
    turned = draw(st.booleans())
    positive = np.array([actual ^ turned for actual, _ in shuffled], np.bool_)
    return positive, np.array([value for _, value in shuffled], np.float64)


@st.composite
def probabilities(draw: st.DrawFn) -> tuple[cls.Codes, cls.Floats]:
    """Probabilities of K classes that add up to 1, certain and impossible ones among them."""
    weight = st.sampled_from([0.0, 1e-20, 0.1, 1.0, 3.0])
    row = st.lists(weight, min_size=K, max_size=K).filter(lambda weights: max(weights) > 0)
    given = np.array(draw(st.lists(row, min_size=1, max_size=30)), np.float64)
    actual = draw(st.lists(st.integers(0, K - 1), min_size=len(given), max_size=len(given)))
    return np.array(actual, np.intp), given / given.sum(axis=1, keepdims=True)


def confusion(actual: cls.Codes, predicted: cls.Codes) -> cls.Counts:
    return cls.confusion_matrix(actual, predicted, n_classes=K)


@given(labels())
@modest
def test_confusion_matrix_agrees_with_scikit_learn(pair: tuple[cls.Codes, cls.Codes]) -> None:
    """The confusion matrix is scikit-learn's, absent classes included."""
    theirs = metrics.confusion_matrix(*pair, labels=range(K))
    assert confusion(*pair).tolist() == theirs.tolist()


@given(labels())
@modest
def test_accuracies_agree_with_scikit_learn(pair: tuple[cls.Codes, cls.Codes]) -> None:
    """Both accuracies are scikit-learn's."""
    counts = confusion(*pair)
    assert cls.accuracy(counts) == pytest.approx(metrics.accuracy_score(*pair))
    with warnings.catch_warnings():
        # It warns of predicted classes that have no row; leaving them out is what we claim too.
        warnings.simplefilter("ignore", UserWarning)
        theirs = metrics.balanced_accuracy_score(*pair)
    assert cls.balanced_accuracy(counts) == pytest.approx(theirs)


@pytest.mark.parametrize("measure", MEASURES)
@given(pair=labels())
@modest
def test_measures_agree_with_scikit_learn(
    measure: cls.Measure, pair: tuple[cls.Codes, cls.Codes]
) -> None:
    """Precision, recall and F1 are scikit-learn's per class and in both averages."""
    theirs = partial(MEASURES[measure], *pair, zero_division=0)
    counts = confusion(*pair)
    assert measure(counts) == pytest.approx(theirs(labels=range(K), average=None))
    assert cls.macro(measure, counts) == pytest.approx(theirs(average="macro"))
    assert cls.weighted(measure, counts) == pytest.approx(theirs(average="weighted"))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5, 1.0])
@given(pair=ranking())
@modest
def test_measures_at_a_threshold_agree_with_scikit_learn(
    measure: cls.Measure, threshold: float, pair: tuple[cls.Bools, cls.Floats]
) -> None:
    """A score that equals the threshold counts as positive."""
    positive, given_score = pair
    ours = cls.binary(measure, cls.confusion_at(positive, given_score, threshold=threshold))
    theirs = MEASURES[measure](positive, given_score >= threshold, zero_division=0)
    assert ours == pytest.approx(theirs)


@given(ranking())
@modest
def test_ranking_figures_agree_with_scikit_learn(pair: tuple[cls.Bools, cls.Floats]) -> None:
    """ROC AUC and average precision are scikit-learn's, ties and rare classes included."""
    assert cls.roc_auc(*pair) == pytest.approx(metrics.roc_auc_score(*pair))
    assert cls.average_precision(*pair) == pytest.approx(metrics.average_precision_score(*pair))


@given(probabilities())
@modest
def test_roc_auc_per_class_agrees_with_scikit_learn(
    pair: tuple[cls.Codes, cls.Floats],
) -> None:
    """ROC AUC against the rest is scikit-learn's, and NaN where a class has no row or all."""
    actual, given_probabilities = pair
    areas = cls.roc_auc_per_class(actual, given_probabilities)
    for code, area in enumerate(areas):
        positive = actual == code
        if positive.all() or not positive.any():
            assert np.isnan(area)
        else:
            theirs = metrics.roc_auc_score(positive, given_probabilities[:, code])
            assert area == pytest.approx(theirs)


@given(probabilities().filter(lambda pair: np.unique(pair[0]).size == K))
@modest
def test_roc_auc_averages_agree_with_scikit_learn(
    pair: tuple[cls.Codes, cls.Floats],
) -> None:
    """The macro and the weighted ROC AUC are scikit-learn's one-vs-rest."""
    areas = cls.roc_auc_per_class(*pair)
    theirs = partial(metrics.roc_auc_score, *pair, multi_class="ovr")
    assert areas.mean() == pytest.approx(theirs(average="macro"))
    assert cls.roc_auc_weighted(areas, pair[0]) == pytest.approx(theirs(average="weighted"))


@given(probabilities())
@modest
def test_probability_figures_agree_with_scikit_learn(
    pair: tuple[cls.Codes, cls.Floats],
) -> None:
    """Log loss and the multiclass Brier score are scikit-learn's, also for certain mistakes."""
    theirs: dict[str, Any] = {"labels": range(K)}
    assert cls.log_loss(*pair) == pytest.approx(metrics.log_loss(*pair, **theirs))
    brier = metrics.brier_score_loss(*pair, **theirs, scale_by_half=False)
    assert cls.brier_multiclass(*pair) == pytest.approx(brier)


@given(ranking())
@modest
def test_binary_brier_agrees_with_scikit_learn(pair: tuple[cls.Bools, cls.Floats]) -> None:
    """The binary Brier score is scikit-learn's, and half of the multiclass one."""
    positive, chance = pair
    assert cls.brier(*pair) == pytest.approx(metrics.brier_score_loss(*pair))
    both = np.column_stack([1 - chance, chance])
    assert cls.brier_multiclass(positive.astype(np.intp), both) == pytest.approx(
        2 * cls.brier(*pair)
    )


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    """A probability of 0 for the actual class costs -ln(epsilon), about 36, and not infinity."""
    certain = np.array([[1.0, 0.0]])
    assert cls.log_loss(np.array([1]), certain) == pytest.approx(-np.log(np.finfo(float).eps))


@given(ranking())
@modest
def test_best_f1_is_the_best_of_every_cut(pair: tuple[cls.Bools, cls.Floats]) -> None:
    """No distinct score is a better threshold, and no equal one is nearer to 0.5."""
    positive, given_score = pair
    best = cls.best_f1(positive, given_score)
    every = [
        (metrics.f1_score(positive, given_score >= cut), -abs(cut - 0.5), cut)
        for cut in np.unique(given_score)
    ]
    assert (best.f1, -abs(best.threshold - 0.5), best.threshold) == max(every)
    counts = cls.confusion_at(positive, given_score, threshold=best.threshold)
    assert best.counts.tolist() == counts.tolist()


def test_best_f1_prefers_the_threshold_nearest_to_half() -> None:
    """Of two cuts with the same F1 it is the one nearer to 0.5, not the first."""
    positive = np.array([True, False, False, True])
    given_score = np.array([0.99, 0.9, 0.8, 0.45])
    f1_at = {
        cut: cls.binary(cls.f1, cls.confusion_at(positive, given_score, threshold=cut))
        for cut in given_score
    }
    assert f1_at[0.99] == f1_at[0.45]
    assert cls.best_f1(positive, given_score).threshold == 0.45


def test_ranking_needs_both_classes() -> None:
    """ROC AUC of a single class is refused."""
    for positive in (np.array([True, True]), np.array([False, False])):
        with pytest.raises(ValueError, match="one class"):
            cls.roc_auc(positive, np.array([0.1, 0.2]))
    with pytest.raises(ValueError, match="one class"):
        cls.roc_auc_weighted(np.full(2, np.nan), np.array([0, 0]))


@pytest.mark.parametrize("figure", [cls.average_precision, cls.best_f1])
def test_positives_are_needed(figure: Any) -> None:
    """What is measured on the positive rows is refused where there are none."""
    with pytest.raises(ValueError, match="no row is positive"):
        figure(np.array([False, False]), np.array([0.1, 0.2]))


@given(labels(), st.sampled_from([0.5, 1.0, 2.0]))
@modest
def test_f_beta_agrees_with_scikit_learn(pair: tuple[cls.Codes, cls.Codes], beta: float) -> None:
    """F-beta is scikit-learn's per class."""
    theirs = metrics.fbeta_score(*pair, beta=beta, labels=range(K), average=None, zero_division=0)
    assert cls.f_beta(confusion(*pair), beta) == pytest.approx(theirs)


@given(labels())
@modest
def test_agreements_agree_with_scikit_learn(pair: tuple[cls.Codes, cls.Codes]) -> None:
    """The Matthews correlation and Cohen's kappa are scikit-learn's; no kappa is no number."""
    counts = confusion(*pair)
    if np.unique(pair).size == 1:
        assert cls.matthews(counts) == 0.0
        with pytest.raises(ValueError, match="one class"):
            cls.kappa(counts)
    else:
        theirs = metrics.matthews_corrcoef(*pair)
        assert cls.matthews(counts) == pytest.approx(theirs, abs=1e-12)
        theirs = metrics.cohen_kappa_score(*pair, labels=range(K))
        assert cls.kappa(counts) == pytest.approx(theirs, abs=1e-12)
