from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

from brinery.errors import PredictionRefused
from brinery.evaluate import importance
from brinery.evaluate.measures import Metric
from brinery.evaluate.observed import Floats, Observed
from brinery.records.evaluation import PredictionType
from brinery.records.importance import Importances
from brinery.records.scores import Scores

Predictor = Callable[[pa.Table], Scores]


def features(rows: int, *, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "strong": random.normal(size=rows),
        "weak": random.normal(size=rows),
        "unused": random.normal(size=rows),
    }


def matrix(table: pa.Table) -> Floats:
    return np.column_stack([column.to_numpy() for column in table.columns[:3]])


def binary(rows: int, *, seed: int = 0, kind: str = "") -> tuple[Observed, Predictor]:
    """A logistic regression that reads two columns of three."""
    table = pa.table(features(rows, seed=seed))
    signal = 2 * matrix(table)[:, 0] + 0.5 * matrix(table)[:, 1]
    noise = np.random.default_rng(seed + 1).logistic(size=rows)
    actual = (signal + noise > 0).astype(np.int64)
    model = logistic(matrix(table), actual)

    def predict(asked: pa.Table) -> Scores:
        chances = None if kind == "labels" else model.predict_proba(matrix(asked))
        return Scores(model.predict(matrix(asked)), chances, (0, 1))

    kept = PredictionType.MULTICLASS if kind == "multiclass" else PredictionType.BINARY
    return Observed(
        table=table, scores=predict(table), type=kept, actual=actual, classes=(0, 1)
    ), predict


def logistic(rows: Floats, actual: Any) -> LogisticRegression:
    model = LogisticRegression(C=np.inf).fit(rows, actual)
    model.coef_[0, 2] = 0.0
    return model


def linear(rows: int, *, seed: int = 0, slope: float = 2.0) -> tuple[Observed, Predictor]:
    """A known straight line: its RMSE is 1, and what a shuffle costs follows from the slope."""
    table = pa.table(features(rows, seed=seed))

    def predict(asked: pa.Table) -> Scores:
        return Scores(slope * asked["strong"].to_numpy() + 0.5 * asked["weak"].to_numpy())

    noise = np.random.default_rng(seed + 1).normal(size=rows)
    scores = predict(table)
    actual = np.asarray(scores.predictions, np.float64) + noise
    return Observed(table=table, scores=scores, type=PredictionType.REGRESSION, actual=actual), (
        predict
    )


def last(observed: Observed, predictor: Predictor, **options: Any) -> Importances:
    *_, found = importance.run(observed, predictor, **options)
    return found


def values(found: Importances) -> list[float]:
    return [one.estimate.value for one in found.columns if one.estimate is not None]


def test_agrees_with_scikit_learn() -> None:
    """Shuffled often, it is scikit-learn's permutation importance, of its own scorer."""
    observed, predict = binary(2_000)
    assert observed.actual is not None
    rows = matrix(observed.table)
    model = logistic(rows, observed.actual)
    theirs = permutation_importance(
        model, rows, observed.actual, scoring="roc_auc", n_repeats=200, random_state=1
    )
    ours = last(observed, predict, repeats=200)
    assert ours.metric == "roc_auc"
    assert ours.baseline == pytest.approx(
        roc_auc_score(observed.actual, model.decision_function(rows))
    )
    assert values(ours) == pytest.approx(theirs.importances_mean, abs=4e-3)
    assert values(ours)[2] == 0.0
    assert [one.column for one in ours.ranked] == ["strong", "weak", "unused"]


def test_is_what_arithmetic_says_of_a_straight_line() -> None:
    """Without a column of slope b the squared error grows by 2 b² of its variance."""
    observed, predict = linear(20_000)
    found = last(observed, predict, max_rows=20_000)
    expected = [np.sqrt(1 + 2 * slope**2) - 1 for slope in (2.0, 0.5, 0.0)]
    assert found.metric == "rmse"
    assert values(found) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("kind", ["", "multiclass", "labels"])
def test_metric_suits_the_model(kind: str) -> None:
    """AUC where binary, log loss where there are classes, errors where there is no probability."""
    observed, predict = binary(300, kind=kind)
    assert observed.actual is not None
    found = last(observed, predict)
    if kind == "":
        assert (found.metric, found.greater_is_better) == ("roc_auc", True)
    elif kind == "labels":
        wrong = np.mean(observed.scores.predictions != observed.actual)
        assert found.metric == "error_rate"
        assert found.baseline == pytest.approx(wrong)
    else:
        theirs = log_loss(observed.actual, observed.scores.probabilities)
        assert found.metric == "log_loss"
        assert found.baseline == pytest.approx(theirs)
    assert values(found)[0] > values(found)[1] > values(found)[2] == 0.0


def test_one_class_is_measured_by_log_loss() -> None:
    """Where every row is of one class there is no AUC, and log loss takes its place."""
    observed, predict = binary(500)
    assert observed.actual is not None
    found = last(observed.take(np.flatnonzero(observed.actual == 1)), predict)
    assert found.metric == "log_loss"
    assert len(values(found)) == 3


def test_any_metric_may_be_asked_for() -> None:
    """A metric of one's own has an interval too, and it is near that of the closed form."""
    observed, predict = linear(3_000)

    def error(scores: Scores, actual: Any, weights: Floats | None) -> float:
        assert weights is None
        return float(root_mean_squared_error(actual, scores.predictions))

    metric = Metric(name="mine", function=error, greater_is_better=False)
    ours, theirs = last(observed, predict, metric=metric), last(observed, predict)
    assert ours.metric == "mine"
    assert values(ours) == pytest.approx(values(theirs))
    for one, other in zip(ours.columns[:2], theirs.columns[:2], strict=True):
        assert one.estimate is not None
        assert other.estimate is not None
        assert one.estimate.interval is not None
        assert other.estimate.interval is not None
        assert one.estimate.interval.method == "jackknife"
        width = one.estimate.interval.high - one.estimate.interval.low
        assert width == pytest.approx(
            other.estimate.interval.high - other.estimate.interval.low, rel=0.6
        )


def test_weights_count() -> None:
    """A row of weight 2 counts as two, and one of weight 0 not at all."""
    observed, predict = linear(400)
    weights = np.random.default_rng(3).integers(0, 3, 400).astype(np.float64)
    weighed = Observed(
        table=observed.table,
        scores=observed.scores,
        type=observed.type,
        actual=observed.actual,
        weights=weights,
    )
    assert observed.actual is not None
    found = last(weighed, predict)
    theirs = root_mean_squared_error(
        observed.actual, observed.scores.predictions, sample_weight=weights
    )
    assert found.baseline == pytest.approx(theirs)
    assert found.rows == np.count_nonzero(weights)


def test_rows_are_drawn_and_said() -> None:
    """More rows than allowed are drawn; the record says how many were used."""
    observed, predict = binary(1_000)
    found = last(observed, predict, max_rows=200)
    assert found.rows == 200
    assert found != last(observed, predict, max_rows=200, seed=1)


def test_is_the_same_for_a_seed() -> None:
    """The same seed gives the same figures, whichever columns are asked about."""
    observed, predict = binary(300)
    whole = last(observed, predict, seed=7)
    assert whole == last(observed, predict, seed=7)
    assert last(observed, predict, seed=7, columns=["weak"]).columns == whole.columns[1:2]


def test_comes_column_by_column() -> None:
    """Each step knows one column more, so that whoever stops keeps what is done."""
    observed, predict = binary(100)
    steps = list(importance.run(observed, predict))
    assert [len(step.columns) for step in steps] == [1, 2, 3]
    assert steps[2].columns[:2] == steps[1].columns


def test_cost_is_known_before() -> None:
    """No more rows are scored than was said; none that are as before."""
    observed, predict = binary(150)
    table = observed.table.append_column("constant", pa.array([1.0] * 150))
    observed = Observed(
        table=table,
        scores=observed.scores,
        type=observed.type,
        actual=observed.actual,
        classes=(0, 1),
    )
    scored = []

    def counted(asked: pa.Table) -> Scores:
        scored.append(asked.num_rows)
        return predict(asked)

    found = last(observed, counted, repeats=3)
    assert 150 * 3 * 3 * 0.95 < sum(scored) <= 150 * 3 * 3
    assert importance.cost(observed, repeats=3) == 150 * 3 * 4
    assert found.columns[3].reason == "the column has the same value in every row"
    assert values(found)[3] == 0.0


def test_what_cannot_be_computed_is_a_reason() -> None:
    """No label, one row, a refusal, answers that are no numbers: each is said in words."""
    observed, predict = linear(10)
    assert observed.actual is not None
    unknown = Observed(table=observed.table, scores=observed.scores, type=observed.type)
    assert last(unknown, predict).reason == "no row of the data has a label"
    (single,) = importance.run(observed.take(np.array([0])), predict, columns=["strong"])
    assert single.columns[0].reason == "the column has the same value in every row"

    def refuse(asked: pa.Table) -> Scores:
        del asked
        raise PredictionRefused("the model refuses")

    assert {one.reason for one in last(observed, refuse).columns} == {"the model refuses"}

    def never(asked: pa.Table) -> Scores:
        return Scores(np.full(asked.num_rows, np.nan))

    assert "not finite" in last(observed, never).columns[0].reason


def test_metric_that_is_not_defined_is_a_reason() -> None:
    """Where a metric of one's own raises, what it says is the reason."""
    observed, predict = linear(30)

    def raising(scores: Scores, actual: Any, weights: Floats | None) -> float:
        del actual, weights
        raise ValueError(f"not of {len(scores)} rows")

    found = last(observed, predict, metric=Metric(name="mine", function=raising))
    assert found.reason == "mine cannot be computed: not of 30 rows"

    def picky(scores: Scores, actual: Any, weights: Floats | None) -> float:
        del actual, weights
        if scores.predictions is observed.scores.predictions:
            raise AssertionError
        if not np.array_equal(scores.predictions, observed.scores.predictions):
            raise ZeroDivisionError("divided by zero")
        return 1.0

    found = last(observed, predict, metric=Metric(name="mine", function=picky))
    assert found.columns[0].reason == "the metric cannot be computed: divided by zero"
    assert found.baseline == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["linear", "binary"])
@pytest.mark.parametrize("repeats", [1, 5])
def test_interval_covers(kind: str, repeats: int) -> None:
    """Of 2,000 data sets, 93 to 97 % of the intervals hold the truth; of one shuffle more."""
    true = np.sqrt(1 + 2 * 0.25) - 1
    big = _known_auc_drop() if kind == "binary" else true
    held = 0
    for seed in range(2_000):
        observed, predict = _known(400, seed) if kind == "binary" else linear(400, seed=2 * seed)
        (found,) = importance.run(observed, predict, repeats=repeats, seed=seed, columns=["weak"])
        assert found.columns[0].estimate is not None
        interval = found.columns[0].estimate.interval
        assert interval is not None
        held += interval.low <= big <= interval.high
    assert 0.93 <= held / 2_000 <= (0.97 if repeats > 1 else 1.0)


def _known(rows: int, seed: int) -> tuple[Observed, Predictor]:
    """A logistic model whose figures are known beforehand, for it is not fitted."""
    table = pa.table(features(rows, seed=2 * seed))

    def predict(asked: pa.Table) -> Scores:
        signal = asked["strong"].to_numpy() + asked["weak"].to_numpy()
        chance = 1 / (1 + np.exp(-signal))
        return Scores((chance > 0.5).astype(int), np.column_stack([1 - chance, chance]), (0, 1))

    scores = predict(table)
    assert scores.probabilities is not None
    drawn = np.random.default_rng(2 * seed + 1).uniform(size=rows)
    actual = (drawn < scores.probabilities[:, 1]).astype(np.int64)
    return Observed(
        table=table,
        scores=scores,
        type=PredictionType.BINARY,
        actual=actual,
        classes=(0, 1),
    ), predict


def _known_auc_drop() -> float:
    observed, predict = _known(1_000_000, 12345)
    (found,) = importance.run(observed, predict, max_rows=1_000_000, columns=["weak"])
    assert found.columns[0].estimate is not None
    return found.columns[0].estimate.value
