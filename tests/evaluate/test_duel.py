"""A version and the champion on the same rows: every figure, on any rows, at any threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from brinery.evaluate import run
from brinery.evaluate.duel import Asked, Duel, Side
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.specs.filters import Filter
from brinery.specs.metrics import WITHOUT_DIRECTION, is_of_labels

RANDOM = np.random.default_rng(7)
ROWS = 150
# Only a whole evaluation has them: it is made many times.
WHOLE = ("f1_best", "ece", "roc_auc_micro", "average_precision_micro")
CLASSES: dict[PredictionType, tuple[str, ...]] = {
    PredictionType.BINARY: ("no", "yes"),
    PredictionType.MULTICLASS: ("a", "b", "c"),
    PredictionType.REGRESSION: (),
}


def side(kind: PredictionType, actual: Any, *, noise: float, name: str) -> Side:
    classes = CLASSES[kind]
    if not classes:
        return Side(name=name, scores=Scores(actual + noise * RANDOM.normal(size=actual.size)))
    seen = 1.0 * (actual[:, None] == np.array(classes)) + RANDOM.normal(size=(ROWS, len(classes)))
    chances = np.exp(seen / noise)
    chances /= chances.sum(axis=1, keepdims=True)
    labels = np.array(classes)[chances.argmax(axis=1)]
    return Side(name=name, scores=Scores(labels, chances, classes), classes=classes)


def truth(kind: PredictionType) -> Any:
    classes = CLASSES[kind]
    return RANDOM.choice(np.array(classes), ROWS) if classes else 5 + RANDOM.gamma(3, size=ROWS)


def duel(kind: PredictionType, *, alone: bool = False) -> tuple[Duel, Any, list[Side]]:
    actual = truth(kind)
    sides = [
        side(kind, actual, noise=0.3, name="m@2"),
        side(kind, actual, noise=2.0, name="m@1"),
    ]
    champion = None if alone else sides[1]
    inputs = pa.table({"row": np.arange(ROWS), "half": np.arange(ROWS) % 2 == 0})
    return Duel(kind, actual, candidate=sides[0], champion=champion, inputs=inputs), actual, sides


@pytest.mark.parametrize("kind", CLASSES)
def test_every_figure_is_that_of_an_evaluation(kind: PredictionType) -> None:
    """Each metric of an evaluation is a figure of a duel, with the same value for both sides."""
    found, actual, sides = duel(kind)
    own, theirs = (
        run.run(kind, actual, scores=one.scores, classes=one.classes).metrics for one in sides
    )
    for metric in run.METRICS[kind]:
        figure = found.figure(Asked(metric))
        assert not isinstance(figure, str), figure
        assert figure.candidate == pytest.approx(own[metric], abs=1e-9), metric
        assert figure.champion == pytest.approx(theirs[metric], abs=1e-9), metric
        assert figure.rows == ROWS


@pytest.mark.parametrize(
    ("kind", "slow"),
    [
        *((kind, False) for kind in CLASSES),
        pytest.param(PredictionType.BINARY, True, marks=pytest.mark.slow),
        pytest.param(PredictionType.MULTICLASS, True, marks=pytest.mark.slow),
    ],
)
def test_every_metric_with_a_direction_is_tested(kind: PredictionType, *, slow: bool) -> None:
    """Each has a difference with an interval around it, and a p-value against the champion."""
    found, _, _ = duel(kind)
    for metric in run.METRICS[kind]:
        if metric in WITHOUT_DIRECTION or (metric in WHOLE) is not slow:
            continue
        tested = found.tested(Asked(metric), above=0.0, level=0.95)
        assert not isinstance(tested, str), tested
        figure, test = tested
        assert figure.champion is not None
        assert test.estimate.value == pytest.approx(figure.candidate - figure.champion, abs=1e-9)
        assert test.p_value is not None
        assert test.estimate.interval is not None
        assert test.estimate.interval.low <= test.estimate.value <= test.estimate.interval.high
        worse = found.worse(Asked(metric), level=0.95)
        assert not isinstance(worse, str)
        assert (worse.estimate.p_value or 0.0) + test.p_value == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    "metric", [m for m in run.METRICS[PredictionType.BINARY] if is_of_labels(m)]
)
def test_a_threshold_makes_the_labels(metric: str) -> None:
    """A figure at a threshold is that of the labels which it makes of probabilities."""
    found, actual, (own, _) = duel(PredictionType.BINARY)
    chances = own.scores.probabilities
    assert chances is not None
    certain = (chances[:, 1] >= 0.7).astype(float)
    cut = Scores(
        np.where(certain == 1, "yes", "no"), np.column_stack((1 - certain, certain)), own.classes
    )
    expected = run.run(PredictionType.BINARY, actual, scores=cut, classes=own.classes)
    figure = found.figure(Asked(metric, threshold=0.7))
    assert not isinstance(figure, str)
    assert figure.candidate == pytest.approx(expected.metrics[metric])


def test_a_figure_of_some_rows() -> None:
    """A figure of some rows is that of an evaluation of them alone."""
    found, actual, (own, _) = duel(PredictionType.BINARY)
    rows = RANDOM.random(ROWS) < 0.5
    chosen = own.scores.take(np.flatnonzero(rows))
    expected = run.run(PredictionType.BINARY, actual[rows], scores=chosen, classes=own.classes)
    for metric in ("roc_auc", "f1", "ece"):
        figure = found.figure(Asked(metric, rows=rows))
        assert not isinstance(figure, str)
        assert figure.candidate == pytest.approx(expected.metrics[metric])
    assert found.figure(Asked("f1", rows=np.zeros(ROWS, np.bool_))) == "no row is of that kind"


def test_classes_in_another_order_are_the_same_classes() -> None:
    """The champion's order decides which class is positive; a version may answer in another."""
    actual = truth(PredictionType.BINARY)
    own = side(PredictionType.BINARY, actual, noise=1.0, name="m@2")
    assert own.scores.probabilities is not None
    turned = Side(
        name="m@3",
        scores=Scores(own.scores.predictions, own.scores.probabilities[:, ::-1], own.classes[::-1]),
        classes=own.classes[::-1],
    )
    inputs = pa.table({"row": np.arange(ROWS)})
    found = Duel(PredictionType.BINARY, actual, candidate=turned, champion=own, inputs=inputs)
    for metric in ("roc_auc", "recall", "f1_best", "ece"):
        figure = found.figure(Asked(metric))
        assert not isinstance(figure, str)
        assert figure.candidate == pytest.approx(figure.champion), metric


@pytest.mark.parametrize("silent", ["candidate", "champion"])
def test_the_headline_without_probabilities(silent: str) -> None:
    """Where one of two binary models gives no probabilities, both are held to their accuracy."""
    actual = truth(PredictionType.BINARY)
    sides = {
        name: side(PredictionType.BINARY, actual, noise=1.0, name=name)
        for name in ("candidate", "champion")
    }
    labels = sides[silent].scores.predictions
    sides[silent] = Side(name=silent, scores=Scores(labels), classes=("no", "yes"))
    found = Duel(
        PredictionType.BINARY,
        actual,
        candidate=sides["candidate"],
        champion=sides["champion"],
        inputs=pa.table({"row": np.arange(ROWS)}),
    )
    figure = found.figure(Asked("headline"))
    assert not isinstance(figure, str)
    assert figure.metric == "accuracy"


def test_what_cannot_be_told_has_a_reason() -> None:
    """No label, a class that nobody saw, other classes, a metric of others: each is told."""
    found, actual, (own, theirs) = duel(PredictionType.BINARY)
    inputs = pa.table({"row": np.arange(ROWS)})

    def fault(actual: Any, candidate: Side = own) -> str:
        return Duel(
            PredictionType.BINARY, actual, candidate=candidate, champion=theirs, inputs=inputs
        ).fault

    assert found.fault == ""
    assert fault(np.full(ROWS, None)) == "no row of the data has a label"
    assert "maybe" in fault(np.where(actual == "no", "maybe", "yes"))
    strange = Side(name="m@2", scores=own.scores, classes=("no", "perhaps"))
    assert "perhaps" in fault(actual, strange)
    assert found.figure(Asked("mae")) == "a binary model has no mae"
    assert isinstance(found.chosen(Filter.parse("rwo > 3")), str)
    assert found.groups("rwo") == "the data has no column 'rwo': did you mean 'row'?"


def test_missing_labels_are_left_out() -> None:
    """Rows without a label count in no figure, and filters choose among the others."""
    kind = PredictionType.BINARY
    actual = truth(kind).astype(object)
    own = side(kind, actual, noise=1.0, name="m@2")
    actual[::3] = None
    inputs = pa.table({"row": np.arange(ROWS)})
    found = Duel(kind, actual, candidate=own, champion=None, inputs=inputs)
    assert found.rows == 100
    figure = found.figure(Asked("accuracy"))
    assert not isinstance(figure, str)
    expected = run.run(kind, actual, scores=own.scores, classes=own.classes)
    assert figure.candidate == pytest.approx(expected.metrics["accuracy"])
