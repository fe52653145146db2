from __future__ import annotations

import json
import warnings
from dataclasses import replace
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from brinery.errors import PredictionRefused
from brinery.evaluate import why
from brinery.evaluate.observed import Observed
from brinery.evaluate.predictor import Predictor
from brinery.evaluate.why import Options, Stage, Step
from brinery.records.evaluation import PredictionType
from brinery.records.explanation import Explanation
from brinery.records.scores import Scores

FEW = Options(explained_rows=150, background_rows=10, importance_rows=200, dependence_rows=50)


class Pipeline:
    """A fitted pipeline of scikit-learn as a predictor, which counts what it is asked."""

    def __init__(self, frame: pd.DataFrame, target: pd.Series[int]) -> None:
        columns = make_column_transformer(
            (StandardScaler(), ["age", "income"]),
            (OneHotEncoder(handle_unknown="ignore"), ["town"]),
        )
        self.model = make_pipeline(columns, LogisticRegression()).fit(frame, target)
        self.scored = 0

    def __call__(self, table: pa.Table, /) -> Scores:
        self.scored += table.num_rows
        frame = table.to_pandas()
        return Scores(self.model.predict(frame), self.model.predict_proba(frame), (0, 1))


@pytest.fixture(name="pipeline", scope="module")
def fitted() -> tuple[Observed, Pipeline]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, 400),
            "town": random.choice(["Ulm", "Bonn", "Kiel"], 400),
            "income": random.normal(size=400),
        }
    )
    signal = frame["age"] / 20 - 3 + (frame["town"] == "Ulm") + random.logistic(size=400)
    target = (signal > 0).astype(int)
    pipeline = Pipeline(frame, target)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return Observed(
        table=table,
        scores=pipeline(table),
        type=PredictionType.BINARY,
        actual=target.to_numpy(),
        classes=(0, 1),
    ), pipeline


def steps(observed: Observed, predictor: Predictor, options: Options = FEW) -> list[Step]:
    return list(why.run(observed, predictor, options=options))


def test_every_part_is_there(pipeline: tuple[Observed, Pipeline]) -> None:
    """In the end there is each part, of each column, and what matters is found to matter."""
    found = steps(*pipeline)[-1].explanation
    assert found.importance is not None
    assert found.mean_contributions is not None
    assert [one.column for one in found.effects] == ["age", "town", "income"]
    assert [one.column for one in found.partial_dependence] == ["age", "town", "income"]
    assert [one.column for one in found.dependence] == ["age", "town", "income"]
    assert found.importance.ranked[0].column == "age"
    assert found.mean_contributions.ranked[0].column == "age"
    assert found.mean_contributions.rows == 150
    assert found.mean_contributions.gap < 1e-9
    assert len(found.rows) == 12
    assert found.not_computed == {}


def test_stages_come_in_order_and_keep_what_is_done(pipeline: tuple[Observed, Pipeline]) -> None:
    """Each stage ends complete, and no step knows less than the one before."""
    seen = steps(*pipeline)
    order = list(Stage)
    assert [one.stage for one in seen] == sorted((one.stage for one in seen), key=order.index)
    assert {one.stage for one in seen} == set(order)
    for stage in Stage:
        (*_, final) = [one for one in seen if one.stage == stage]
        assert final.done == final.total
    sizes = [len(msgspec.json.encode(one.explanation)) for one in seen[:10]]
    assert sizes == sorted(sizes)


def test_cost_is_known_before(pipeline: tuple[Observed, Pipeline]) -> None:
    """No more rows are scored than was said, and a budget is kept."""
    observed, predictor = pipeline
    said = why.cost(observed, FEW)
    predictor.scored = 0
    steps(observed, predictor)
    assert 0 < predictor.scored <= sum(said.values())
    assert sum(why.cost(observed, FEW, sampled=False).values()) < sum(said.values())
    fewer = why.within(observed, FEW, budget=5_000)
    predictor.scored = 0
    steps(observed, predictor, fewer)
    assert predictor.scored <= 5_000
    assert why.within(observed, FEW, budget=10**9) == FEW


def test_columns_that_are_not_read_cost_nothing(pipeline: tuple[Observed, Pipeline]) -> None:
    """What a model does not read is not asked about, has no importance, and its effect is there."""
    observed, predictor = pipeline
    more = replace(
        observed,
        table=observed.table.append_column("other", observed.table.column("income")),
        unread=frozenset({"other"}),
    )
    assert why.cost(more, FEW) == why.cost(observed, FEW)
    found = steps(more, predictor)[-1].explanation
    whole = steps(replace(more, unread=frozenset()), predictor)[-1].explanation
    assert found.importance is not None
    assert whole.importance is not None
    assert found.importance.columns[:3] == whole.importance.columns[:3]
    assert found.importance.columns[3].estimate is not None
    assert found.importance.columns[3].estimate.value == 0.0
    assert found.mean_contributions == whole.mean_contributions
    assert found.mean_contributions is not None
    assert found.mean_contributions.columns[3].absolute.value == 0.0
    assert found.effects[3].bins
    reasons = {found.importance.columns[3].reason, found.partial_dependence[3].reason}
    assert reasons == {"the model does not read the column"}


def test_is_the_same_for_a_seed(pipeline: tuple[Observed, Pipeline]) -> None:
    """The same seed gives the same explanation, another one another."""
    first = steps(*pipeline)[-1].explanation
    assert first == steps(*pipeline)[-1].explanation
    other = msgspec.structs.replace(FEW, seed=1)
    assert first != steps(*pipeline, other)[-1].explanation


def test_log_odds_may_be_asked_for(pipeline: tuple[Observed, Pipeline]) -> None:
    """In log-odds a logistic regression is a sum, and sampling finds its terms exactly."""
    observed, predictor = pipeline
    options = msgspec.structs.replace(FEW, log_odds=True)
    found = steps(observed, predictor, options)[-1].explanation
    assert found.mean_contributions is not None
    assert found.mean_contributions.unit == "log_odds"
    assert found.mean_contributions.gap < 1e-9
    (age,) = (one for one in found.dependence if one.column == "age")
    values, added = np.array(age.values, np.float64), np.array(age.contributions[0])
    assert abs(np.corrcoef(values, added)[0, 1]) == pytest.approx(1)


def test_is_json(pipeline: tuple[Observed, Pipeline]) -> None:
    """The whole can be written as JSON and read back."""
    found = steps(*pipeline)[-1].explanation
    assert msgspec.json.decode(msgspec.json.encode(found), type=Explanation) == found


def test_what_a_model_refuses_is_a_reason(pipeline: tuple[Observed, Pipeline]) -> None:
    """A model that refuses every other row leaves the effects, and its own words."""
    observed, _ = pipeline

    def refuse(table: pa.Table) -> Scores:
        raise PredictionRefused(f"not these {table.num_columns} columns")

    found = steps(observed, refuse)[-1].explanation
    assert len(found.effects) == 3
    assert found.importance is not None
    reasons = [one.reason for one in found.importance.columns]
    reasons += [one.reason for one in found.partial_dependence]
    assert set(reasons) == {"not these 3 columns"}
    assert found.not_computed == {"rows": "not these 3 columns"}


def test_without_labels(pipeline: tuple[Observed, Pipeline]) -> None:
    """Where nothing is known to be true there is no importance, and everything else is there."""
    observed, predictor = pipeline
    unknown = Observed(
        table=observed.table, scores=observed.scores, type=observed.type, classes=(0, 1)
    )
    found = steps(unknown, predictor)[-1].explanation
    assert found.not_computed == {"importance": "no row of the data has a label"}
    assert found.mean_contributions is not None
    assert len(found.rows) == 6


def test_answers_that_are_no_numbers_have_a_reason() -> None:
    """Text answers of no classes are explained by nothing, and every part says why."""
    observed = Observed(
        table=pa.table({"x": [1.0, 2.0]}),
        scores=Scores(np.array(["a", "b"])),
        type=PredictionType.OTHER,
    )
    found = steps(observed, lambda _: observed.scores)[-1].explanation
    why_not = "not every prediction of the model is a number"
    assert found.effects[0].reason == found.partial_dependence[0].reason == why_not
    assert found.not_computed["rows"] == found.not_computed["contributions"] == why_not


def test_one_row() -> None:
    """A single row is explained without an error, and without an interval."""
    observed = Observed(
        table=pa.table({"x": [1.0], "y": ["a"]}),
        scores=Scores(np.array([2.0])),
        type=PredictionType.REGRESSION,
        actual=np.array([1.0]),
    )
    found = steps(observed, lambda table: Scores(np.full(table.num_rows, 2.0)))[-1].explanation
    assert found.mean_contributions is not None
    assert found.mean_contributions.columns[0].absolute.interval is None
    assert found.rows[0].contributions[0].amount == 0.0
    msgspec.json.encode(found)


@st.composite
def anything(draw: st.DrawFn) -> tuple[Observed, Predictor]:
    """Rows of any types, with gaps and constants, and a model of any kind that answers for them."""
    rows = draw(st.integers(0, 12))
    kinds: dict[str, tuple[Any, Any]] = {
        "number": (st.floats(allow_nan=True, width=32), pa.float32()),
        "whole": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
        "flag": (st.booleans(), pa.bool_()),
        "text": (st.text(max_size=5), pa.string()),
        "words": (st.sampled_from(["a b c d e", "b b b b", "", "2026-01-01", "x"]), pa.string()),
        "when": (st.datetimes(), pa.timestamp("us")),
        "day": (st.dates(), pa.date32()),
        "list": (st.lists(st.integers(0, 3), max_size=2), pa.list_(pa.int8())),
        "nothing": (st.none(), pa.null()),
        "constant": (st.just(1), pa.int8()),
        "exact": (st.decimals(-9, 9, places=2), pa.decimal128(5, 2)),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), max_size=4, unique=True))
    columns = {}
    for name in chosen:
        values = st.one_of(st.none(), kinds[name][0])
        column = pa.array(
            draw(st.lists(values, min_size=rows, max_size=rows)), kinds[name][1], from_pandas=False
        )
        encoded = kinds[name][1] == pa.string() and draw(st.booleans())
        columns[name] = column.dictionary_encode() if encoded else column
    table = pa.table({**columns, "always": pa.array(range(rows), pa.int16())})
    kind = draw(st.sampled_from(sorted(PredictionType)))
    classes: tuple[str, ...] = {"binary": ("a", "b"), "multiclass": ("a", "b", "c")}.get(kind, ())
    certain = draw(st.booleans())

    def predict(asked: pa.Table) -> Scores:
        assert asked.schema.equals(table.schema)
        values = np.array([crc32(str(row).encode()) for row in asked.to_pylist()], np.float64)
        if not classes:
            return Scores(values)
        chances = np.modf(values[:, np.newaxis] / np.arange(3, 3 + len(classes)))[0] + 1e-3
        chances /= chances.sum(axis=1, keepdims=True)
        named = np.array(classes)[chances.argmax(axis=1)]
        return Scores(named, None if certain else chances, classes)

    truth = st.sampled_from([*classes, None] if classes else [None, 0.0, 1.0, -1e300])
    actual = np.array(draw(st.lists(truth, min_size=rows, max_size=rows)), dtype=object)
    weights = draw(st.lists(st.sampled_from([0.0, 1.0, 0.5]), min_size=rows, max_size=rows))
    return Observed(
        table=table,
        scores=predict(table),
        type=kind,
        actual=actual if draw(st.booleans()) else None,
        classes=classes,
        weights=np.array(weights) if draw(st.booleans()) else None,
    ), predict


@given(anything())
@settings(max_examples=150, deadline=None)
def test_nothing_is_an_error(given_rows: tuple[Observed, Predictor]) -> None:
    """Whatever rows and model are: there is an explanation of each column, or the reason."""
    observed, predictor = given_rows
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = steps(observed, predictor)[-1].explanation
    names = observed.table.column_names
    assert [one.column for one in found.effects] == names
    assert [one.column for one in found.partial_dependence] == names
    assert all(one.bins or one.reason for one in found.effects)
    assert all(one.bins or one.reason for one in found.partial_dependence)
    assert found.importance is not None
    assert found.importance.reason or len(found.importance.columns) == len(names)
    assert all(one.estimate or one.reason for one in found.importance.columns)
    text = json.dumps(msgspec.to_builtins(found), allow_nan=False)
    assert msgspec.json.decode(text, type=Explanation) == found
