from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.evaluate.options import Options
from brinery.evaluate.run import complete, run
from brinery.records.curves import ClassCurves, Curves, Cuts
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.threshold import Aim, Gains

BINARY, MULTICLASS = PredictionType.BINARY, PredictionType.MULTICLASS
REGRESSION, OTHER = PredictionType.REGRESSION, PredictionType.OTHER
CLASSES = ("no", "yes")
modest = settings(max_examples=50, deadline=None)
score = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)


def answers(chance: npt.NDArray[np.float64]) -> Scores:
    labels = np.where(chance >= 0.5, "yes", "no")
    return Scores(predictions=labels, probabilities=np.column_stack([1 - chance, chance]))


def curves(family: PredictionType, actual: npt.NDArray[Any], **given_too: Any) -> Curves:
    return complete(family, actual, **given_too)[1]


def drawn(positive: npt.NDArray[np.bool_], chance: Any, **options: Any) -> ClassCurves:
    actual = np.where(positive, "yes", "no")
    options = {"draws": 20} | options
    found = curves(
        BINARY, actual, scores=answers(chance), classes=CLASSES, options=Options(**options)
    )
    return found.classes[0]


def many(n_rows: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    source = np.random.default_rng(0)
    chance = source.beta(1, 3, n_rows)
    return source.random(n_rows) < chance, chance


@given(
    positives=st.lists(score, min_size=1, max_size=20),
    negatives=st.lists(score, min_size=1, max_size=20),
)
@modest
def test_few_rows_are_drawn_whole(positives: list[float], negatives: list[float]) -> None:
    """With few distinct scores the curves are scikit-learn's, point by point."""
    positive = np.repeat([True, False], [len(positives), len(negatives)])
    chance = np.array(positives + negatives)
    found = drawn(positive, chance)
    assert found.roc is not None
    assert found.precision_recall is not None
    alarms, hits, cuts = metrics.roc_curve(positive, chance, drop_intermediate=False)
    assert found.roc.x == pytest.approx(alarms)
    assert found.roc.y == pytest.approx(hits)
    assert found.roc.threshold[1:] == pytest.approx(cuts[1:])
    precision, recall, cuts = metrics.precision_recall_curve(positive, chance)
    assert found.precision_recall.x == pytest.approx(recall[-2::-1])
    assert found.precision_recall.y == pytest.approx(precision[-2::-1])
    assert found.precision_recall.threshold == pytest.approx(cuts[::-1])
    per_cut(found.cuts, positive, chance)


def per_cut(cuts: Cuts | None, positive: npt.NDArray[np.bool_], chance: Any) -> None:
    """Check each row of a per-cut table against scikit-learn."""
    assert cuts is not None
    theirs: dict[str, Any] = {
        "accuracy": metrics.accuracy_score,
        "balanced_accuracy": metrics.balanced_accuracy_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "f1": metrics.f1_score,
        "f_beta": lambda a, p: metrics.fbeta_score(a, p, beta=2),
        "mcc": metrics.matthews_corrcoef,
        "kappa": metrics.cohen_kappa_score,
        "specificity": lambda a, p: metrics.recall_score(~a, ~p),
        "predicted_positive": lambda _, p: p.mean(),
        "lift": lambda a, p: metrics.precision_score(a, p) / a.mean(),
    }
    assert {*theirs, "net_benefit"} == {*cuts.metrics}
    assert list(cuts.threshold) == sorted(cuts.threshold)
    for place in np.linspace(0, len(cuts.threshold) - 1, 5).astype(int):
        caught = chance >= cuts.threshold[place]
        for name, figure in theirs.items():
            value = cuts.metrics[name][place]
            assert value == pytest.approx(figure(positive, caught), abs=1e-12), name
        counts = metrics.confusion_matrix(positive, caught)
        ((spared, alarms), (missed, hits)) = counts.tolist()
        assert cuts.true_positives[place] == hits
        assert cuts.false_positives[place] == alarms
        assert cuts.false_negatives[place] == missed
        assert cuts.true_negatives[place] == spared
        cut = cuts.threshold[place]
        if cut < 1:
            worth = (hits - alarms * cut / (1 - cut)) / positive.size
            assert cuts.metrics["net_benefit"][place] == pytest.approx(worth)
        else:
            assert cuts.metrics["net_benefit"][place] is None


def test_many_rows_are_thinned() -> None:
    """Of many points a few hundred are kept: exact ones, without a step longer than a part."""
    positive, chance = many(20_000)
    found = drawn(positive, chance)
    assert found.roc is not None
    assert found.cuts is not None
    assert found.precision_recall is not None
    alarms, hits, _ = metrics.roc_curve(positive, chance, drop_intermediate=False)
    every = {*zip(hits.round(12), alarms.round(12), strict=True)}
    assert {*zip(np.round(found.roc.y, 12), np.round(found.roc.x, 12), strict=True)} <= every
    assert len(found.roc.x) <= 202
    assert max(np.diff(found.roc.x) + np.diff(found.roc.y)) < 2.1 / 200
    area = np.trapezoid(found.roc.y, found.roc.x)
    assert area == pytest.approx(metrics.roc_auc_score(positive, chance), abs=1e-3)
    assert len(found.precision_recall.x) <= 202
    assert len(found.cuts.threshold) <= 202
    assert found.cuts.total == 20_000
    per_cut(found.cuts, positive, chance)
    assert {each.threshold for each in found.thresholds} <= {*found.cuts.threshold}
    assert [each.aim for each in found.thresholds] == [a for a in Aim if a is not Aim.GAIN]
    assert len(msgspec.json.encode(found)) < 150_000


def test_gains_are_drawn() -> None:
    """With gains the per-cut table has the gain of a row, and a threshold is best for it."""
    positive, chance = many(500)
    found = drawn(positive, chance, gains=Gains(true_positive=3, false_positive=-1))
    assert found.cuts is not None
    best = found.thresholds[-1]
    assert best.aim is Aim.GAIN
    place = found.cuts.threshold.index(best.threshold)
    assert found.cuts.metrics["gain"][place] == pytest.approx(best.naive)
    gain = 3 * found.cuts.true_positives[place] - found.cuts.false_positives[place]
    assert best.naive == pytest.approx(gain / 500)


def test_lift_and_gain() -> None:
    """The cumulative lift at deciles is the rate there by the rate of all, with intervals."""
    positive, chance = many(1000)
    found = drawn(positive, chance)
    assert found.deciles is not None
    assert found.lift is not None
    assert found.gain is not None
    order = np.argsort(-chance)
    for share, lift, gain in zip(
        found.deciles.share, found.deciles.lift, found.deciles.gain, strict=True
    ):
        top = positive[order[: round(share * 1000)]]
        assert lift.value == pytest.approx(top.mean() / positive.mean())
        assert gain.value == pytest.approx(top.sum() / positive.sum())
        if share < 1:
            assert lift.interval is not None
            assert lift.interval.low < lift.value <= lift.interval.high
    assert found.deciles.lift[-1].reason == "all rows hold all positive rows"
    assert found.gain.y[-1] == found.gain.x[-1] == found.lift.y[-1] == 1.0
    assert (found.gain.x[0], found.gain.y[0]) == (0.0, 0.0)
    assert found.lift.y == pytest.approx(np.divide(found.gain.y[1:], found.gain.x[1:]))


def test_densities() -> None:
    """The density of each class integrates to 1, and is numpy's."""
    positive, chance = many(3000)
    found = drawn(positive, chance).density
    assert found is not None
    assert found.names == ("yes", "rest")
    for density, rows in zip(found.density, (chance[positive], chance[~positive]), strict=True):
        theirs, _ = np.histogram(rows, found.edges, density=True)
        assert density == pytest.approx(theirs)
        assert np.sum(np.multiply(density, np.diff(found.edges))) == pytest.approx(1)


@pytest.mark.parametrize("label", CLASSES)
def test_one_class(label: str) -> None:
    """Data of one class has its density and its bins, and says why it has no curve."""
    actual = np.array([label] * 3)
    found = curves(BINARY, actual, scores=answers(np.array([0.1, 0.2, 0.2])), classes=CLASSES)
    each = found.classes[0]
    assert each.density is not None
    assert each.calibration is not None
    assert each.roc is None
    which = "every row" if label == "yes" else "no row"
    assert set(each.not_computed.values()) == {f"{which} of the data is of class 'yes'"}


def test_without_probabilities() -> None:
    """Classifiers without probabilities have no curve, for that reason."""
    for family, classes in ((BINARY, CLASSES), (MULTICLASS, (*CLASSES, "maybe"))):
        actual = np.array(["no", "yes"])
        found = curves(family, actual, scores=Scores(predictions=actual), classes=classes)
        assert found.not_computed == {"curves": "the model gives no probabilities"}
    found = curves(OTHER, np.array(["x"]), scores=Scores(predictions=np.array(["x"])))
    assert found.not_computed == {"curves": "the model is neither a classifier nor a regression"}


def test_constant_probabilities() -> None:
    """A model that gives every row the same probability has curves of one cut."""
    found = drawn(np.array([True, False, False]), np.full(3, 0.3))
    assert found.roc is not None
    assert found.cuts is not None
    assert (found.roc.x, found.roc.y) == ((0.0, 1.0), (0.0, 1.0))
    assert found.cuts.threshold == (0.3,)


def test_each_class_of_several() -> None:
    """Each class of several has the curves that it has as the positive one of two."""
    source = np.random.default_rng(0)
    chances = source.dirichlet(np.ones(3), 300)
    classes = ("a", "b", "c")
    actual = np.array(classes)[source.integers(0, 3, 300)]
    scores = Scores(np.array(classes)[chances.argmax(axis=1)], chances)
    found = curves(MULTICLASS, actual, scores=scores, classes=classes)
    assert [each.label for each in found.classes] == [*classes]
    for code, each in enumerate(found.classes):
        alone = drawn(actual == classes[code], chances[:, code])
        assert (each.roc, each.cuts is None) == (alone.roc, False)
        assert (each.calibration, each.deciles) == (alone.calibration, alone.deciles)
        assert each.thresholds == ()


def test_very_many_classes() -> None:
    """Of very many classes the most frequent are drawn, and the others counted."""
    n_classes = 30
    actual = np.repeat(np.arange(n_classes), np.arange(1, n_classes + 1))
    chances = np.full((actual.size, n_classes), 1 / n_classes)
    found = curves(
        MULTICLASS,
        actual,
        scores=Scores(predictions=actual, probabilities=chances),
        classes=tuple(range(n_classes)),
    )
    assert [each.label for each in found.classes] == [*range(10, 30)]
    assert found.classes_left_out == 10


def test_weights_count_in_every_curve() -> None:
    """A row of weight 2 draws what two such rows draw."""
    positive, chance = many(100)
    repeats = np.random.default_rng(1).integers(0, 3, 100)
    actual = np.where(positive, "yes", "no")
    rows = np.repeat(np.arange(100), repeats)
    options = Options(draws=0)
    weighed = curves(
        BINARY,
        actual,
        scores=answers(chance),
        classes=CLASSES,
        weights=repeats,
        options=options,
    ).classes[0]
    again = curves(
        BINARY, actual[rows], scores=answers(chance[rows]), classes=CLASSES, options=options
    ).classes[0]
    assert weighed.roc == again.roc
    assert weighed.cuts == again.cuts
    assert weighed.density == again.density
    assert weighed.calibration is not None
    assert again.calibration is not None
    assert weighed.calibration.observed == pytest.approx(again.calibration.observed)


def test_a_regression() -> None:
    """A regression has a sample of rows that names them, its errors, a QQ plot and groups."""
    source = np.random.default_rng(0)
    target = source.normal(5, 2, 5000)
    predicted = target + source.normal(0.5, 1, 5000)
    actual = np.append(target, np.nan)
    scores = Scores(predictions=np.append(predicted, 0.0))
    found = curves(REGRESSION, actual, scores=scores)
    assert found.rows == 5000
    shown = found.regression
    assert shown is not None
    assert (len(shown.scatter.row), shown.scatter.of) == (2000, 5000)
    assert shown.scatter.actual == pytest.approx(target[list(shown.scatter.row)])
    assert shown.scatter.predicted == pytest.approx(predicted[list(shown.scatter.row)])
    density = shown.errors.density[0]
    assert np.sum(np.multiply(density, np.diff(shown.errors.edges))) == pytest.approx(1)
    assert shown.quantiles.y[49] == pytest.approx(np.quantile(predicted - target, 0.495))
    assert np.abs(np.subtract(shown.quantiles.x, shown.quantiles.y)).max() < 0.3
    assert len(shown.by_prediction.x) == 20
    assert np.less(shown.by_prediction_low, shown.by_prediction.y).all()
    assert np.less(shown.by_prediction.y, shown.by_prediction_high).all()
    assert np.mean(shown.by_prediction.y) == pytest.approx((predicted - target).mean())


@pytest.mark.parametrize("n_rows", [1, 2, 25])
def test_a_regression_without_error(n_rows: int) -> None:
    """A perfect regression, of one row too, is drawn like any other."""
    values = np.arange(n_rows, dtype=np.float64)
    found = curves(REGRESSION, values, scores=Scores(predictions=values))
    assert found.regression is not None
    assert set(found.regression.quantiles.y) == {0.0}
    again = msgspec.json.decode(msgspec.json.encode(found), type=Curves)
    assert again == found


def test_the_figures_are_those_without_curves() -> None:
    """The figures of the pass that draws are those of the one that does not."""
    positive, chance = many(400)
    actual = np.where(positive, "yes", "no")
    asked: Any = {"scores": answers(chance), "classes": CLASSES, "options": Options(draws=20)}
    assert complete(BINARY, actual, **asked)[0] == run(BINARY, actual, **asked)
