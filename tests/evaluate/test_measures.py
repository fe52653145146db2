from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.evaluate.measures import Measure, auc, default_measure
from brinery.evaluate.observed import Floats, Observed
from brinery.evaluate.response import Response, response
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores

modest = settings(max_examples=150, deadline=None)
score = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 5e-324, 1 - 1e-16]), st.floats(0, 1))
weight = st.sampled_from([0.25, 1.0, 3.0])


@given(
    st.lists(st.tuples(score, weight), min_size=1, max_size=30),
    st.lists(st.tuples(score, weight), min_size=1, max_size=30),
)
@modest
def test_auc_agrees_with_scikit_learn(
    positives: list[tuple[float, float]], negatives: list[tuple[float, float]]
) -> None:
    """The area is scikit-learn's, ties and weights included; the influences have mean 0."""
    values, weights = np.array([*positives, *negatives]).T
    positive = np.arange(values.size) < len(positives)
    found = auc(positive, values, weights=weights)
    theirs = metrics.roc_auc_score(positive, values, sample_weight=weights)
    assert found.value == pytest.approx(theirs)
    assert found.influence is not None
    assert found.influence.sum() == pytest.approx(0, abs=1e-9)


def measure(kind: str, rows: int, *, seed: int = 0) -> tuple[Measure, Scores, Observed]:
    random = np.random.default_rng(seed)
    weights = random.uniform(0.5, 2, rows)
    classes: tuple[int, ...] = ()
    table = pa.table({"x": np.arange(rows)})
    if kind == "rmse":
        scores = Scores(random.normal(size=rows))
        type_, actual = PredictionType.REGRESSION, random.normal(size=rows)
    else:
        count = 2 if kind == "roc_auc" else 3
        classes = tuple(range(count))
        chances = random.dirichlet(np.ones(count), rows)
        actual = np.array([random.choice(count, p=chance) for chance in chances])
        scores = Scores(chances.argmax(axis=1), None if kind == "error_rate" else chances, classes)
        type_ = PredictionType.BINARY if count == 2 else PredictionType.MULTICLASS
    observed = Observed(
        table=table, scores=scores, type=type_, actual=actual, classes=classes, weights=weights
    )
    made = response(observed)
    assert isinstance(made, Response)
    return default_measure(observed, made), scores, observed


KINDS = ["rmse", "roc_auc", "log_loss", "error_rate"]


def theirs(kind: str, observed: Observed) -> float:
    actual, scores, weights = observed.actual, observed.scores, observed.weights
    if kind == "rmse":
        found = metrics.root_mean_squared_error(actual, scores.predictions, sample_weight=weights)
    elif kind == "error_rate":
        found = 1 - metrics.accuracy_score(actual, scores.predictions, sample_weight=weights)
    elif kind == "log_loss":
        found = metrics.log_loss(actual, scores.probabilities, sample_weight=weights)
    else:
        assert scores.probabilities is not None
        found = metrics.roc_auc_score(actual, scores.probabilities[:, 1], sample_weight=weights)
    return float(found)


@pytest.mark.parametrize("kind", KINDS)
def test_agree_with_scikit_learn(kind: str) -> None:
    """Each measure is scikit-learn's, with weights; so it is of some of the rows."""
    made, scores, observed = measure(kind, 200)
    assert made.name == kind
    assert made(scores).value == pytest.approx(theirs(kind, observed))
    some = np.arange(0, 200, 3)
    assert made.without(scores, some) == pytest.approx(theirs(kind, observed.take(some)))


@pytest.mark.parametrize("kind", KINDS)
def test_influence_is_what_a_row_moves(kind: str) -> None:
    """Leaving a row out moves the figure by its influence, divided by the number of rows."""
    rows = 400
    made, scores, _ = measure(kind, rows)
    whole = made(scores)
    assert whole.influence is not None
    without: Floats = np.array(
        [made.without(scores, np.delete(np.arange(rows), row)) for row in range(rows)]
    )
    moved = (rows - 1) * (whole.value - without)
    assert np.corrcoef(moved, whole.influence)[0, 1] > 0.999
    assert np.std(moved) == pytest.approx(np.std(whole.influence), rel=0.02)
