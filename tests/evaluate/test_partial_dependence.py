from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.inspection import partial_dependence as theirs

from brinery.errors import PredictionRefused
from brinery.evaluate import partial_dependence
from brinery.evaluate.observed import Observed
from brinery.records.effects import Kind, PartialDependence
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores


class Asked:
    """A scikit-learn model as a predictor, which counts the rows it is asked about."""

    def __init__(self, model: Any, classes: tuple[Any, ...] = ()) -> None:
        self.model = model
        self.classes = classes
        self.rows: list[int] = []

    def __call__(self, table: pa.Table, /) -> Scores:
        self.rows.append(table.num_rows)
        frame = table.to_pandas()
        chances = self.model.predict_proba(frame) if self.classes else None
        return Scores(self.model.predict(frame), chances, self.classes)


def iris() -> tuple[Observed, Asked, pd.DataFrame]:
    data = load_iris(as_frame=True)
    model = HistGradientBoostingClassifier(max_iter=5).fit(data.data, data.target)
    asked = Asked(model, (0, 1, 2))
    table = pa.Table.from_pandas(data.data, preserve_index=False)
    return (
        Observed(
            table=table,
            scores=asked(table),
            type=PredictionType.MULTICLASS,
            actual=data.target.to_numpy(),
            classes=(0, 1, 2),
        ),
        asked,
        data.data,
    )


def forest(rows: int = 300) -> tuple[Observed, Asked, pd.DataFrame]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 3)), columns=["a", "b", "c"])
    model = RandomForestRegressor(10, random_state=0).fit(frame, frame["a"] * frame["b"])
    asked = Asked(model)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return Observed(table=table, scores=asked(table), type=PredictionType.REGRESSION), asked, frame


@pytest.mark.parametrize("kind", ["iris", "forest"])
def test_agrees_with_scikit_learn(kind: str) -> None:
    """Mean and lines are scikit-learn's, of a regression and of each class."""
    observed, asked, frame = iris() if kind == "iris" else forest()
    for place, found in enumerate(partial_dependence.run(observed, asked, lines=10_000)):
        grid = np.array([one.value for one in found.bins], np.float64)
        their = theirs(
            asked.model, frame, [place], custom_values={place: grid}, kind="both", method="brute"
        )
        assert np.array(found.mean) == pytest.approx(their["average"])
        lines = their["individual"][:, list(found.line_rows)]
        assert np.array(found.lines) == pytest.approx(lines, abs=1e-6)
        assert found.rows == len(frame)


def test_log_odds_are_of_the_mean() -> None:
    """Beside each mean probability there are its log-odds; a regression has none."""
    observed, asked, _ = iris()
    for found in partial_dependence.run(observed, asked):
        mean = np.array(found.mean)
        assert np.array(found.log_odds, np.float64) == pytest.approx(np.log(mean / (1 - mean)))
    observed, asked, _ = forest(50)
    assert all(not found.log_odds for found in partial_dependence.run(observed, asked))


def test_errors_are_of_the_rows() -> None:
    """The standard error is that of the mean of the lines."""
    observed, asked, _ = forest(100)
    for found in partial_dependence.run(observed, asked, lines=100):
        lines = np.array(found.lines[0])
        assert len(lines) == 100
        assert np.array(found.errors[0]) == pytest.approx(lines.std(axis=0, ddof=1) / 10)


def test_cost_is_known_before() -> None:
    """No more rows are scored than was said, and in calls of bounded size."""
    observed, asked, _ = forest(300)
    asked.rows.clear()
    found = list(partial_dependence.run(observed, asked, max_rows=200, most=9))
    assert 200 * 9 * 3 * 0.95 < sum(asked.rows) <= 200 * 9 * 3
    assert sum(asked.rows) <= partial_dependence.cost(observed, max_rows=200, most=9)
    assert {one.rows for one in found} == {200}
    assert len(asked.rows) == 3


def test_is_the_same_for_a_seed() -> None:
    """The same seed draws the same rows, and each column can be asked alone."""
    observed, asked, _ = forest(100)
    whole = list(partial_dependence.run(observed, asked, max_rows=50, seed=3))
    assert whole == list(partial_dependence.run(observed, asked, max_rows=50, seed=3))
    assert whole[1:2] == list(
        partial_dependence.run(observed, asked, max_rows=50, seed=3, columns=["b"])
    )
    assert whole != list(partial_dependence.run(observed, asked, max_rows=50, seed=4))


def test_lines_are_spread_and_thinned() -> None:
    """Few lines are shown, of rows from the lowest answer to the highest."""
    observed, asked, _ = forest(200)
    (found,) = partial_dependence.run(observed, asked, lines=5, columns=["a"])
    answers = observed.scores.predictions
    shown = answers[list(found.line_rows)]
    assert len(found.lines[0]) == 5
    assert shown.min() == answers.min()
    assert shown.max() == answers.max()


def test_categories_dates_and_gaps() -> None:
    """Each category is put in, dates by their quantiles, and a gap where the data has gaps."""
    days = pd.date_range("2026-01-01", periods=60, freq="D")
    table = pa.table(
        {
            "town": pa.array(["Ulm", "Bonn", None] * 20).dictionary_encode(),
            "day": pa.array(days),
            "note": [f"this is free text number {n}" for n in range(60)],
        }
    )

    def predict(asked: pa.Table) -> Scores:
        assert asked.schema.equals(table.schema)
        town = np.array(asked["town"].to_pylist(), dtype=object)
        day = asked["day"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy() / 86_400e6
        return Scores((town == "Ulm") * 10.0 + (town == None) * 5.0 + day - 20_000)  # noqa: E711 - of each

    observed = Observed(table=table, scores=predict(table), type=PredictionType.REGRESSION)
    town, day, note = partial_dependence.run(observed, predict, most=6)
    assert [one.value for one in town.bins] == ["Ulm", "Bonn", None]
    assert town.bins[-1].missing
    assert np.array(town.mean[0]) - town.mean[0][1] == pytest.approx([10, 0, 5])
    assert day.kind is Kind.DATE
    assert len(day.bins) == 6
    assert np.diff(day.mean[0]) == pytest.approx(np.full(5, 10))
    assert note.kind is Kind.TEXT
    assert note.reason == "the column is free text, which has no grid of values"


def test_what_cannot_be_computed_is_a_reason() -> None:
    """A model that refuses the rows is quoted, and the other columns go on."""
    observed, asked, _ = forest(20)

    def refuse(table: pa.Table) -> Scores:
        if pc.count_distinct(table["b"]).as_py() < 20:
            raise PredictionRefused("b is never so")
        return asked(table)

    found = list(partial_dependence.run(observed, refuse, most=3, max_rows=20))
    assert [one.reason for one in found][1] == "b is never so"
    assert len(found) == 3


def test_weights_count() -> None:
    """The mean is weighted, and rows of weight 0 are not asked about."""
    observed, asked, _ = forest(40)
    weights = np.array([0.0, 1.0, 3.0, 0.5] * 10)
    weighed = Observed(
        table=observed.table, scores=observed.scores, type=observed.type, weights=weights
    )
    (found,) = partial_dependence.run(weighed, asked, lines=100, columns=["a"])
    kept = weights[weights > 0]
    assert found.rows == 30
    assert np.array(found.mean[0]) == pytest.approx(
        np.average(np.array(found.lines[0]), axis=0, weights=kept), abs=1e-6
    )


def test_is_json() -> None:
    """The record can be written as JSON and read back, one row of data included."""
    observed, asked, _ = forest(30)
    one = observed.take(np.array([3]))
    for rows in (observed, one):
        found = list(partial_dependence.run(rows, asked))
        assert (
            msgspec.json.decode(msgspec.json.encode(found), type=list[PartialDependence]) == found
        )
