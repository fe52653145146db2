"""A scorer: what it reads as numbers and text, and what it leaves to the library."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.scorers.agreement import columns_of, compiled

from brinery.scorers.data import Declined
from brinery.scorers.scorer import Scorer


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"x": rng.normal(size=60), "n": rng.integers(0, 9, 60), "word": rng.choice(["a", "b"], 60)}
    )


@pytest.fixture(scope="module")
def scorer(frame: pd.DataFrame) -> Scorer:
    encode = make_column_transformer((OneHotEncoder(), ["word"]), remainder="passthrough")
    target = np.where(frame["x"] > 0, "over", "under")
    return compiled(make_pipeline(encode, LogisticRegression()).fit(frame, target), frame)


def test_rows_may_come_as_lists_or_arrays(scorer: Scorer, frame: pd.DataFrame) -> None:
    """Of Python's numbers, or of numpy's of any type."""
    expected = scorer.score(columns_of(frame)).probabilities
    arrays = {
        "x": frame["x"].to_numpy(),
        "n": frame["n"].to_numpy(np.int16),
        "word": frame["word"].to_numpy(object),
    }
    np.testing.assert_array_equal(scorer.score(arrays).probabilities, expected)


def test_many_rows_are_answered_as_a_few(scorer: Scorer, frame: pd.DataFrame) -> None:
    """Block by block, in their order; a column that is too short is found out all the same."""
    many = pd.concat([frame] * 150, ignore_index=True)
    expected = scorer.score(columns_of(frame))
    assert expected.probabilities is not None
    lists: dict[str, Any] = {**columns_of(many)}
    arrays: dict[str, Any] = {str(name): many[name].to_numpy() for name in many}
    for given in (lists, arrays):
        found = scorer.score(given)
        assert found.classes == expected.classes
        assert found.predictions.tolist() == expected.predictions.tolist() * 150
        assert found.probabilities is not None
        difference = found.probabilities - np.tile(expected.probabilities, (150, 1))
        assert np.abs(difference).max() < 1e-15
        with pytest.raises(Declined, match="lengths"):
            scorer.score({**given, "word": given["word"][:-1]})


def test_labels_are_the_classes_of_the_model(scorer: Scorer, frame: pd.DataFrame) -> None:
    """In its own words, with its classes in its order."""
    scores = scorer.score(columns_of(frame))
    assert scores.classes == ("over", "under")
    assert set(scores.predictions.tolist()) == {"over", "under"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("x", "3"),
        ("x", None),
        ("x", float("inf")),
        ("n", 2**53 + 1),
        ("n", -(2**60)),
        ("x", 10**400),
        ("x", [1]),
        ("word", 3),
        ("word", b"a"),
    ],
)
def test_what_might_be_read_otherwise_is_declined(
    scorer: Scorer, frame: pd.DataFrame, column: str, value: Any
) -> None:
    """Text for a number, a number for text, and numbers that float64 cannot tell apart."""
    row = columns_of(frame.iloc[:1])
    with pytest.raises(Declined):
        scorer.score({**row, column: [value]})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 2.0**53])
@pytest.mark.parametrize("n_rows", [40, 3000])
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        GaussianNB(),
        QuadraticDiscriminantAnalysis(),
        DecisionTreeClassifier(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(SimpleImputer(), LogisticRegression()),
    ],
    ids=["logistic", "bayes", "quadratic", "tree", "scaled", "imputed"],
)
def test_one_strange_value_among_many_is_not_overlooked(
    model: Any, n_rows: int, value: float
) -> None:
    """Where it is, the library's answer or none; so it is among few rows, where all are seen."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=n_rows), "y": rng.normal(size=n_rows)})
    fitted = clone(model).fit(frame, frame["x"] * frame["y"] > 0)
    scorer = compiled(fitted, frame)
    frame.loc[n_rows - 2, "y"] = value
    given = {str(name): frame[name].to_numpy() for name in frame}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            expected, chances = fitted.predict(frame), fitted.predict_proba(frame)
        except ValueError:
            with pytest.raises(Declined):
                scorer.score(given)
            return
    try:
        found = scorer.score(given)
    except Declined:
        return
    np.testing.assert_array_equal(found.predictions, expected)
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities, chances, rtol=0, atol=1e-9)


def test_a_column_that_is_not_there(scorer: Scorer) -> None:
    """Whoever leaves out a column is told which."""
    with pytest.raises(KeyError, match="word"):
        scorer.score({"x": [1.0], "n": [1]})


def test_a_regression_gives_values(frame: pd.DataFrame) -> None:
    """Without classes or probabilities."""
    numbers = frame[["x", "n"]]
    scores = compiled(LinearRegression().fit(numbers, frame["x"]), numbers).score(
        columns_of(numbers)
    )
    assert scores.probabilities is None
    assert scores.classes == ()
    np.testing.assert_allclose(scores.predictions.astype(float), frame["x"], atol=1e-9)


def test_rows_of_numbers_are_answered_as_their_columns(frame: pd.DataFrame) -> None:
    """To the last bit, alone or together; what a float64 cannot hold is declined either way."""
    numbers = frame[["x", "n"]]
    scorer = compiled(LinearRegression().fit(numbers, frame["x"] * 2 + frame["n"]), numbers)
    rows = [(x, int(n)) for x, n in numbers.itertuples(index=False)]
    expected = scorer.score(columns_of(numbers)).predictions
    together = scorer.score_rows(rows)
    assert together is not None
    np.testing.assert_array_equal(together.predictions, expected)
    for wrong in ((1.0, 2**60), (float("inf"), 1), (1.0, 10**400), ("1", 1)):
        with pytest.raises(Declined):
            scorer.score_rows([*rows, wrong])


def test_rows_with_text_are_given_by_columns(scorer: Scorer) -> None:
    """They are not answered row by row."""
    assert scorer.score_rows([(1.0, 2, "a")]) is None
