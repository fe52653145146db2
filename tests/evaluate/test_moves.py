from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from brinery.evaluate import moves
from brinery.evaluate.moves import Bools, Floats, Moved, Order
from brinery.evaluate.regression import ordered

modest = settings(max_examples=60, deadline=None)
Value = Callable[[Floats], float]
# Few values, so that ties abound.
value = st.integers(-4, 4).map(lambda whole: whole / 2)


@st.composite
def ranked(draw: st.DrawFn) -> tuple[Bools, Floats, Floats]:
    """Labels of both kinds, scores with ties and weights, (n_rows,) each."""
    rows = draw(st.lists(st.tuples(st.booleans(), value, weight), min_size=2, max_size=25))
    positive, score, weights = (np.array(each) for each in zip(*rows, strict=True))
    positive[:2] = True, False
    return positive, score, weights


weight = st.sampled_from([0.5, 1.0, 2.0, 3.25])


@st.composite
def numbers(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """Targets and predictions with ties, neither constant, and weights, (n_rows,) each."""
    rows = draw(st.lists(st.tuples(value, value, weight), min_size=3, max_size=25))
    actual, predicted, weights = (np.array(each) for each in zip(*rows, strict=True))
    actual[:2], predicted[:2] = (0.0, 1.5), (1.0, -0.5)
    return actual, predicted, weights


def slopes(figure: Value, weights: Floats) -> Floats:
    """Return the derivative of a figure by each weight, by central differences."""
    found = np.empty(weights.size)
    for row in range(weights.size):
        step = np.zeros(weights.size)
        step[row] = 1e-5
        found[row] = (figure(weights + step) - figure(weights - step)) / 2e-5
    return found


def check(found: Moved, figure: Value, *, weights: Floats) -> None:
    assert found.value == pytest.approx(figure(weights), abs=1e-9)
    assert found.slope == pytest.approx(slopes(figure, weights), abs=1e-6)
    assert weights @ found.slope == pytest.approx(0.0, abs=1e-9)


@given(ranked())
@modest
def test_rankings_move_as_scikit_learns_do(rows: tuple[Bools, Floats, Floats]) -> None:
    """AUC and average precision, and what each row moves, are those of scikit-learn's functions."""
    positive, score, weights = rows
    order = Order.of(score)

    def area(given: Floats) -> float:
        return float(metrics.roc_auc_score(positive, score, sample_weight=given))

    def precision(given: Floats) -> float:
        return float(metrics.average_precision_score(positive, score, sample_weight=given))

    check(moves.roc_auc(positive, order, weights=weights), area, weights=weights)
    check(moves.average_precision(positive, order, weights=weights), precision, weights=weights)


@given(ranked())
@modest
def test_ks_is_scipys(rows: tuple[Bools, Floats, Floats]) -> None:
    """The gap is that of scipy's one-sided two-sample statistic, and its moves sum to nothing."""
    positive, score, _ = rows
    even = np.ones(score.size)
    found = moves.ks(positive, Order.of(score), weights=even)
    theirs = stats.ks_2samp(score[positive], score[~positive], alternative="less", method="asymp")
    assert found.value == pytest.approx(theirs.statistic, abs=1e-12)
    assert found.slope.sum() == pytest.approx(0.0, abs=1e-12)


def test_ks_moves_as_its_cut_does() -> None:
    """Where one cut is clearly the best, the moves are the derivatives."""
    random = np.random.default_rng(0)
    positive = random.random(60) < 0.4
    score, weights = random.random(60) + positive, random.random(60) + 0.5

    def gap(given: Floats) -> float:
        return max(
            float(
                np.average(score[positive] >= cut, weights=given[positive])
                - np.average(score[~positive] >= cut, weights=given[~positive])
            )
            for cut in score
        )

    check(moves.ks(positive, Order.of(score), weights=weights), gap, weights=weights)


@pytest.mark.parametrize(
    ("theirs", "centred"),
    [(metrics.r2_score, False), (metrics.explained_variance_score, True)],
    ids=["r2", "explained_variance"],
)
@given(rows=numbers())
@modest
def test_explained_shares_move_as_scikit_learns_do(
    rows: tuple[Floats, Floats, Floats], theirs: Callable[..., float], *, centred: bool
) -> None:
    """R2 and explained variance, and what each row moves, are those of scikit-learn."""
    actual, predicted, weights = rows

    def share(given: Floats) -> float:
        return float(theirs(actual, predicted, sample_weight=given))

    found = moves.explained(actual, actual - predicted, weights=weights, centred=centred)
    check(found, share, weights=weights)


@given(rows=numbers())
@modest
def test_means_move_as_scikit_learns_do(rows: tuple[Floats, Floats, Floats]) -> None:
    """MAE and RMSE, and what each row moves, are those of scikit-learn."""
    actual, predicted, weights = rows

    def mae(given: Floats) -> float:
        return float(metrics.mean_absolute_error(actual, predicted, sample_weight=given))

    def rmse(given: Floats) -> float:
        return float(metrics.root_mean_squared_error(actual, predicted, sample_weight=given))

    wrong = actual - predicted
    check(moves.mean(np.abs(wrong), weights), mae, weights=weights)
    check(moves.root_mean(np.square(wrong), weights), rmse, weights=weights)


@given(rows=numbers())
@modest
def test_correlations_move_as_by_definition(rows: tuple[Floats, Floats, Floats]) -> None:
    """Pearson and Spearman are scipy's, and each row moves them by their derivative."""
    actual, predicted, weights = rows

    def ranks(values: Floats, given: Floats) -> Floats:
        below = [given[values < each].sum() + given[values == each].sum() / 2 for each in values]
        return np.array(below)

    def linear(one: Floats, other: Floats, given: Floats) -> float:
        spread = np.cov(one, other, aweights=given)
        return float(spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1]))

    even = np.ones(actual.size)
    one, two = stats.pearsonr(actual, predicted), stats.spearmanr(actual, predicted)
    pearson = moves.pearson(actual, predicted, weights=even)
    spearman = moves.spearman(actual, predicted, weights=even)
    assert pearson.value == pytest.approx(one.statistic, abs=1e-9)
    assert spearman.value == pytest.approx(two.statistic, abs=1e-9)
    check(
        moves.pearson(actual, predicted, weights=weights),
        lambda given: linear(actual, predicted, given),
        weights=weights,
    )
    check(
        moves.spearman(actual, predicted, weights=weights),
        lambda given: linear(ranks(actual, given), ranks(predicted, given), given),
        weights=weights,
    )


@given(rows=st.lists(st.tuples(st.integers(0, 2), weight), min_size=6, max_size=25))
@modest
def test_a_mean_that_rows_weight_moves_with_its_shares(
    rows: list[tuple[int, float]],
) -> None:
    """The mean AUC of the classes, weighted by their rows, moves also by what the rows weigh."""
    codes, weights = (np.array(each) for each in zip(*rows, strict=True))
    codes[:3] = 0, 1, 2
    chances = np.random.default_rng(0).random((codes.size, 3)).round(1)

    def areas(given: Floats) -> float:
        each = [
            metrics.roc_auc_score(codes == code, chances[:, code], sample_weight=given)
            for code in range(3)
        ]
        return float(np.average(each, weights=np.bincount(codes, given)))

    parts, shares = [], []
    for code in range(3):
        own: npt.NDArray[np.bool_] = codes == code
        parts.append(moves.roc_auc(own, Order.of(chances[:, code]), weights=weights))
        shares.append(moves.mean(own.astype(np.float64), weights))
    check(moves.weighted_mean_of(tuple(parts), tuple(shares)), areas, weights=weights)


@pytest.mark.parametrize("weighted", [False, True])
def test_what_moves_with_its_cut_spreads_as_drawn_rows_do(*, weighted: bool) -> None:
    """Lift and median, whose cut rows move too, spread over drawn rows as their moves say."""
    random = np.random.default_rng(0)
    rows = 800
    positive = random.random(rows) < 0.3
    score = random.normal(size=rows) + positive
    weights = random.gamma(3.0, size=rows) if weighted else np.ones(rows)

    def figures(taken: npt.NDArray[np.intp]) -> tuple[Moved, Moved]:
        given = weights[taken]
        at = ordered(score[taken], given).at(0.5)
        return (
            moves.lift(positive[taken], Order.of(score[taken]), weights=given, share=0.1),
            moves.quantile(score[taken], given, share=0.5, at=at),
        )

    drawn = [figures(random.integers(0, rows, rows)) for _ in range(1000)]
    for place, found in enumerate(figures(np.arange(rows))):
        assert weights @ found.slope == pytest.approx(0.0, abs=1e-9)
        spread = float(np.std([each[place].value for each in drawn]))
        assert np.linalg.norm(weights * found.slope) == pytest.approx(spread, rel=0.15)
