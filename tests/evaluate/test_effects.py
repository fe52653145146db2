from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brinery.evaluate import effects
from brinery.evaluate.observed import Observed
from brinery.records.effects import Effect, Kind
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores


def regression(rows: int, **known: Any) -> Observed:
    random = np.random.default_rng(0)
    table = pa.table(
        {
            "size": random.normal(size=rows),
            "town": random.choice(["Ulm", "Bonn", "Kiel"], rows),
            "level": random.integers(0, 4, rows),
        }
    )
    predicted = table["size"].to_numpy() + (table["level"].to_numpy() == 2)
    known = {"actual": predicted + random.normal(size=rows), **known}
    return Observed(table=table, scores=Scores(predicted), type=PredictionType.REGRESSION, **known)


def of(effects_of: Observed, column: str, **options: Any) -> Effect:
    (found,) = (one for one in effects.run(effects_of, **options) if one.column == column)
    return found


def test_are_pandas_means() -> None:
    """The means of a category are those of a pandas group, and so are the standard errors."""
    observed = regression(500)
    found = of(observed, "town")
    frame = pd.DataFrame(
        {
            "town": observed.table["town"].to_numpy(),
            "predicted": observed.scores.predictions,
            "actual": observed.actual,
        }
    )
    groups = frame.groupby("town")
    names = [str(one.value) for one in found.bins]
    assert found.kind is Kind.CATEGORY
    assert found.rows == 500
    assert [one.rows for one in found.bins] == groups.size()[names].tolist()
    assert found.predicted[0] == pytest.approx(groups["predicted"].mean()[names].tolist())
    assert found.actual[0] == pytest.approx(groups["actual"].mean()[names].tolist())
    assert found.actual_errors[0] == pytest.approx(groups["actual"].sem()[names].tolist())


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_whole_weights_are_repeated_rows(rows: list[tuple[int, int]]) -> None:
    """The means of weighted rows are those of rows that are there as often."""
    levels, weights = (np.array(column) for column in zip(*rows, strict=True))
    predicted = np.arange(len(rows), dtype=np.float64)
    weighed = Observed(
        table=pa.table({"level": levels}),
        scores=Scores(predicted),
        type=PredictionType.REGRESSION,
        actual=-predicted,
        weights=weights.astype(np.float64),
    )
    (found,) = effects.run(weighed)
    for one, mean, true in zip(found.bins, found.predicted[0], found.actual[0], strict=True):
        repeated = np.repeat(predicted[levels == one.value], weights[levels == one.value])
        if repeated.size:
            assert mean == pytest.approx(repeated.mean())
            assert true == pytest.approx(-repeated.mean())
        else:
            assert mean is None
            assert true is None


def test_of_classes() -> None:
    """A binary model has the positive class, a multiclass one each; shares add up to 1."""
    random = np.random.default_rng(1)
    chances = random.dirichlet([1, 1, 1], 200)
    actual = np.array(["a", "b", "c"])[random.integers(0, 3, 200)]
    table = pa.table({"x": random.normal(size=200)})
    many = Observed(
        table=table,
        scores=Scores(actual, chances, ("a", "b", "c")),
        type=PredictionType.MULTICLASS,
        actual=actual,
        classes=("a", "b", "c"),
    )
    (found,) = effects.run(many, most=4)
    assert found.classes == ("a", "b", "c")
    assert np.sum(np.array(found.predicted), axis=0) == pytest.approx(np.ones(4))
    assert np.sum(np.array(found.actual, np.float64), axis=0) == pytest.approx(np.ones(4))
    two = Observed(
        table=table,
        scores=Scores(actual, chances[:, :2], ("a", "b")),
        type=PredictionType.BINARY,
        actual=np.array([None if one == "c" else one for one in actual], dtype=object),
        classes=("a", "b"),
    )
    (found,) = effects.run(two, most=4)
    assert found.classes == ("b",)
    assert found.unit == "probability"
    assert np.mean([one for one in found.actual[0] if one is not None]) == pytest.approx(
        0.5, abs=0.15
    )


def test_labels_are_shares() -> None:
    """Where there is no probability it is the share of rows that the model names the class for."""
    observed = Observed(
        table=pa.table({"x": [1, 1, 2]}),
        scores=Scores(np.array(["no", "yes", "yes"])),
        type=PredictionType.BINARY,
        classes=("no", "yes"),
    )
    (found,) = effects.run(observed)
    assert found.unit == "label"
    assert found.predicted == ((0.5, 1.0),)
    assert found.actual == ((None, None),)


def test_missing_values_have_a_bin() -> None:
    """Rows without a value are told apart, at the end."""
    observed = Observed(
        table=pa.table({"x": [1.0, None, 1.0]}),
        scores=Scores(np.array([1.0, 5.0, 3.0])),
        type=PredictionType.REGRESSION,
    )
    (found,) = effects.run(observed)
    assert found.bins[-1].missing
    assert found.predicted == ((2.0, 5.0),)


def test_many_classes_are_those_that_matter() -> None:
    """Of 30 classes the ten likeliest are shown."""
    chances = np.random.default_rng(0).dirichlet(np.arange(1, 31), 50)
    observed = Observed(
        table=pa.table({"x": np.arange(50)}),
        scores=Scores(chances.argmax(axis=1), chances),
        type=PredictionType.MULTICLASS,
        classes=tuple(range(30)),
    )
    (found,) = effects.run(observed)
    assert found.classes == tuple(sorted(np.argsort(-chances.mean(axis=0))[:10].tolist()))


def test_what_cannot_be_computed_is_a_reason() -> None:
    """Answers that are no numbers, several of them, or none at all, are said in words."""
    table = pa.table({"x": [1.0, 2.0]})

    def reason(scores: Scores, kind: PredictionType = PredictionType.REGRESSION) -> str:
        (found,) = effects.run(Observed(table=table, scores=scores, type=kind))
        return found.reason

    assert reason(Scores(np.array(["a", "b"]))) == "not every prediction of the model is a number"
    assert reason(Scores(np.ones((2, 3)))) == "the model answers each row with 3 values"
    assert "1 of 2 rows with no number" in reason(Scores(np.array([1.0, np.nan])))


def test_are_json() -> None:
    """The record can be written as JSON and read back."""
    found = list(effects.run(regression(50)))
    assert msgspec.json.decode(msgspec.json.encode(found), type=list[Effect]) == found
