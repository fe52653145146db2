from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from brinery.evaluate import contender
from brinery.evaluate.contender import Answers, Truth
from brinery.evaluate.moves import Floats
from brinery.evaluate.pairing import Entrant, Pair, Terms
from brinery.records.comparison import MetricDifference, Verdict
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores

modest = settings(max_examples=40, deadline=None)
NAMES = ("no", "yes")
Made = tuple[Truth, Answers, Answers]


def binary(
    positive: npt.NDArray[np.bool_], *chances: Floats, weights: Floats | None = None
) -> Made:
    """Return labels and the answers of two classifiers of two classes."""
    truth = Truth(
        type=PredictionType.BINARY,
        codes=positive.astype(np.intp),
        values=np.zeros(0),
        weights=np.ones(positive.size) if weights is None else weights,
        classes=NAMES,
    )
    said = []
    for each in chances:
        labels = np.where(each >= 0.5, "yes", "no")
        scores = Scores(labels, np.column_stack([1 - each, each]), NAMES)
        found = contender.answers(scores, truth, rows=np.ones(each.size, np.bool_), classes=NAMES)
        assert isinstance(found, Answers)
        said.append(found)
    return truth, said[0], said[1]


def regression(actual: Floats, *predicted: Floats) -> Made:
    """Return targets and the answers of two regressions."""
    truth = Truth(
        type=PredictionType.REGRESSION,
        codes=np.zeros(0, np.intp),
        values=actual,
        weights=np.ones(actual.size),
    )
    said = []
    for each in predicted:
        rows = np.ones(each.size, np.bool_)
        found = contender.answers(Scores(each), truth, rows=rows, classes=())
        assert isinstance(found, Answers)
        said.append(found)
    return truth, said[0], said[1]


def pair(made: Made, terms: Terms = Terms()) -> Pair:  # noqa: B008 - it is frozen
    truth, base, other = made
    return Pair(
        truth,
        Entrant.of("m@1", truth, said=base, beta=terms.beta),
        Entrant.of("m@2", truth, said=other, beta=terms.beta),
        terms,
    )


def by_name(made: Made) -> dict[str, MetricDifference]:
    found, absent = pair(made).differences()
    assert not absent
    return {each.metric: each for each in found}


chances = st.lists(
    st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.5, 1.0, 3.0])),
    min_size=4,
    max_size=60,
)


@given(rows=chances, weighted=st.booleans())
@modest
def test_values_are_scikit_learns(
    rows: list[tuple[bool, float, float, float]], *, weighted: bool
) -> None:
    """Both values of every figure are scikit-learn's, and the difference is theirs."""
    positive, one, other, weights = (np.array(each) for each in zip(*rows, strict=True))
    positive[:2] = True, False
    weights = weights if weighted else np.ones(positive.size)
    found = by_name(binary(positive, one, other, weights=weights))
    for column, score in (("base", one), ("other", other)):
        given_ = {"sample_weight": weights}
        labels = score >= 0.5
        expected = {
            "accuracy": metrics.accuracy_score(positive, labels, **given_),
            "roc_auc": metrics.roc_auc_score(positive, score, **given_),
            "average_precision": metrics.average_precision_score(positive, score, **given_),
            "brier": metrics.brier_score_loss(positive, score, **given_),
            "log_loss": metrics.log_loss(positive, score, **given_),
            "precision": metrics.precision_score(positive, labels, zero_division=0, **given_),
            "recall": metrics.recall_score(positive, labels, **given_),
            "f1": metrics.f1_score(positive, labels, **given_),
            "mcc": metrics.matthews_corrcoef(positive, labels, **given_),
        }
        for name, value in expected.items():
            assert getattr(found[name], column) == pytest.approx(value, abs=1e-9), name
    for each in found.values():
        assert each.difference.value == pytest.approx(each.other - each.base, abs=1e-9)


def test_areas_are_compared_by_delong() -> None:
    """Interval and p-value of the difference of two areas are those of every pair of rows."""
    random = np.random.default_rng(5)
    positive = random.random(120) < 0.4
    one = np.clip(random.random(120) * 0.7 + 0.2 * positive, 0, 1).round(2)
    other = np.clip(random.random(120) * 0.7 + 0.3 * positive, 0, 1).round(2)
    kernels = []
    for score in (one, other):
        high, low = score[positive][:, np.newaxis], score[~positive]
        kernels.append((high > low) + 0.5 * (high == low))
    gaps = kernels[1] - kernels[0]
    rows, columns = gaps.shape
    variance = gaps.mean(axis=1).var(ddof=1) / rows + gaps.mean(axis=0).var(ddof=1) / columns
    found = by_name(binary(positive, one, other))["roc_auc"]
    assert found.test == "DeLong"
    assert found.p_value == pytest.approx(
        2 * stats.norm.sf(abs(gaps.mean()) / np.sqrt(variance)), rel=1e-9
    )
    assert found.difference.interval is not None
    half = (found.difference.interval.high - found.difference.interval.low) / 2
    assert half == pytest.approx(stats.norm.isf(0.025) * np.sqrt(variance), rel=1e-9)


def test_directions_are_those_of_the_metric() -> None:
    """A clearly better version is better in every figure, whether higher or lower is better."""
    random = np.random.default_rng(2)
    positive = random.random(3000) < 0.3
    shift = np.where(positive, 1.0, -1.0)
    one = 1 / (1 + np.exp(-(shift * 0.4 + random.normal(size=3000))))
    other = 1 / (1 + np.exp(-(shift * 2.5 + random.normal(size=3000))))
    for each in by_name(binary(positive, one, other)).values():
        assert each.verdict is Verdict.BETTER, each.metric
        assert (each.difference.value > 0) is each.higher_is_better
        assert each.p_better is not None
        assert each.p_worse is not None
        assert each.p_corrected is not None
        assert each.p_value is not None
        assert each.p_better < 0.01
        assert each.p_worse > 0.9
        assert each.p_value <= each.p_corrected < 0.05


def test_turned_around_a_difference_is_its_opposite() -> None:
    """With base and other exchanged, differences change their sign, and the p-values their side."""
    random = np.random.default_rng(4)
    actual = random.normal(size=200) + 5
    one, other = (actual + random.normal(size=200) * spread for spread in (1.0, 1.1))
    there, back = by_name(regression(actual, one, other)), by_name(regression(actual, other, one))
    for name, each in there.items():
        turned = back[name]
        assert turned.difference.value == pytest.approx(-each.difference.value)
        assert turned.p_value == pytest.approx(each.p_value)
        assert turned.p_better == pytest.approx(each.p_worse)


def test_one_version_beside_itself_is_alike() -> None:
    """The same answers have no difference, a p-value of 1, and are not distinguishable."""
    random = np.random.default_rng(6)
    score = random.random(80)
    for each in by_name(binary(random.random(80) < score, score, score)).values():
        assert each.difference.value == 0.0
        assert each.p_value == 1.0
        assert each.verdict is Verdict.ALIKE


def drawn_binary(random: np.random.Generator) -> Made:
    """Return two versions that are as good as each other, and err alike in part."""
    rows = 800
    positive = random.random(rows) < 0.35
    common = random.normal(size=rows) + 1.2 * positive
    one, other = (
        1 / (1 + np.exp(-(common + 0.7 * random.normal(size=rows) - 0.8))) for _ in range(2)
    )
    return binary(positive, one, other)


def drawn_weighted(random: np.random.Generator) -> Made:
    truth, base, other = drawn_binary(random)
    weights = random.gamma(2.0, size=truth.rows)
    return (
        Truth(
            type=truth.type,
            codes=truth.codes,
            values=truth.values,
            weights=weights,
            classes=truth.classes,
        ),
        base,
        other,
    )


def drawn_regression(random: np.random.Generator) -> Made:
    rows = 400
    actual = 10 + random.normal(size=rows)
    common = random.normal(size=rows)
    return regression(
        actual,
        *(actual + 0.5 * common + 0.5 * random.normal(size=rows) for _ in range(2)),
    )


def drawn_multiclass(random: np.random.Generator) -> Made:
    """Return two versions of three classes that are as good as each other."""
    rows = 800
    actual = random.integers(0, 3, rows)
    common = random.normal(size=(rows, 3)) + 1.5 * np.eye(3)[actual]
    truth = Truth(
        type=PredictionType.MULTICLASS,
        codes=actual,
        values=np.zeros(0),
        weights=np.ones(rows),
        classes=(0, 1, 2),
    )
    said = []
    for _ in range(2):
        odds = np.exp(common + 0.7 * random.normal(size=(rows, 3)))
        scores = Scores(odds.argmax(axis=1), odds / odds.sum(axis=1, keepdims=True), (0, 1, 2))
        every = np.ones(rows, np.bool_)
        found = contender.answers(scores, truth, rows=every, classes=(0, 1, 2))
        assert isinstance(found, Answers)
        said.append(found)
    return truth, said[0], said[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "drawn", [drawn_binary, drawn_weighted, drawn_multiclass, drawn_regression]
)
def test_p_values_are_uniform_where_there_is_no_difference(
    drawn: Callable[[np.random.Generator], Made],
) -> None:
    """Over 2,000 samples, 5 in 100 p-values are below 0.05, 50 below a half, and intervals cover.

    The gap of two distributions has its cut where the rows put it, which its test does not know:
    it may err to the safe side.
    """
    random = np.random.default_rng(11)
    samples = 2000
    small: dict[str, list[bool]] = {}
    half: dict[str, list[bool]] = {}
    covered: dict[str, list[bool]] = {}
    for _ in range(samples):
        found, _absent = pair(drawn(random), Terms(draws=400)).differences()
        for each in found:
            assert each.p_value is not None
            interval = each.difference.interval
            assert interval is not None
            small.setdefault(each.metric, []).append(each.p_value < 0.05)
            half.setdefault(each.metric, []).append(each.p_value < 0.5)
            covered.setdefault(each.metric, []).append(interval.low <= 0 <= interval.high)
    rates = {name: float(np.mean(each)) for name, each in small.items()}
    covering = {name: float(np.mean(each)) for name, each in covered.items()}
    medians = {name: float(np.mean(each)) for name, each in half.items()}
    assert rates.pop("ks", 0.05) <= 0.07
    assert covering.pop("ks", 0.95) >= 0.93
    medians.pop("ks", None)
    assert all(0.03 <= rate <= 0.07 for rate in rates.values()), rates
    assert all(0.93 <= rate <= 0.97 for rate in covering.values()), covering
    assert all(0.44 <= rate <= 0.56 for rate in medians.values()), medians
