"""The encoders of categories: known, infrequent, unknown and missing ones, text or numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled

from brinery.scorers.categories import Lookup, OneHot
from brinery.scorers.data import Declined

pytestmark = pytest.mark.filterwarnings("ignore:Found unknown categories")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    color = rng.choice(
        ["red", "green", "blue", "rare", "rarer"], 300, p=[0.4, 0.3, 0.27, 0.02, 0.01]
    )
    return pd.DataFrame(
        {
            "color": color.astype(object),
            "binary": rng.choice(["yes", "no"], 300).astype(object),
            "count": rng.choice([1, 2, 30], 300),
            "flag": rng.choice([True, False], 300),
        }
    )


@pytest.fixture(scope="module")
def target() -> Any:
    return np.random.default_rng(1).integers(0, 2, 300)


def fitted(encoder: Any, frame: pd.DataFrame, target: Any) -> Any:
    return make_pipeline(encoder, LogisticRegression()).fit(frame, target)


@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(),
        OneHotEncoder(sparse_output=False),
        OneHotEncoder(drop="first"),
        OneHotEncoder(drop="if_binary", sparse_output=False),
        OneHotEncoder(drop=["red", "no", 30, False]),
        OneHotEncoder(min_frequency=20),
        OneHotEncoder(max_categories=2, drop="first"),
        OneHotEncoder(min_frequency=0.05, drop="if_binary"),
        OrdinalEncoder(),
        OrdinalEncoder(min_frequency=20),
    ],
    ids=stable,
)
def test_known_categories(frame: pd.DataFrame, target: Any, encoder: Any) -> None:
    """Each setting gives the library's columns; what it never saw is for the library to refuse."""
    scorer = agrees(fitted(encoder, frame, target), frame)
    with pytest.raises(Declined):
        scorer.score(columns_of(frame.assign(color="new")))
    with pytest.raises(Declined):
        scorer.score(columns_of(frame.assign(count=4)))


@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(handle_unknown="ignore", drop="first"),
        OneHotEncoder(handle_unknown="ignore", min_frequency=20),
        OneHotEncoder(handle_unknown="infrequent_if_exist"),
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20),
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, drop="first"),
        OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3, drop="if_binary"),
        OneHotEncoder(handle_unknown="warn", min_frequency=20),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=99, max_categories=3),
    ],
    ids=stable,
)
def test_unknown_categories(frame: pd.DataFrame, target: Any, encoder: Any) -> None:
    """They are nothing, or infrequent, or the value that the encoder was told."""
    scorer = agrees(fitted(encoder, frame, target), frame)
    model = fitted(encoder, frame, target)
    changed = frame.copy()
    changed.loc[::3, "color"] = "never seen"
    changed.loc[1::3, "count"] = -7
    changed.loc[2::3, "binary"] = np.nan
    agrees(model, changed, scorer=scorer)


@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(),
        OneHotEncoder(drop="first", sparse_output=False),
        OneHotEncoder(min_frequency=20),
        OrdinalEncoder(encoded_missing_value=-5),
        OrdinalEncoder(encoded_missing_value=-5, max_categories=3),
    ],
    ids=stable,
)
def test_missing_values_that_were_there_at_the_fit(
    frame: pd.DataFrame, target: Any, encoder: Any
) -> None:
    """Then a missing value is one of the categories, in columns of text and of numbers."""
    holed = frame[["color", "count"]].astype({"count": float})
    holed.loc[::5, "color"] = np.nan
    holed.loc[1::4, "count"] = np.nan
    agrees(fitted(encoder, holed, target), holed)


def test_numbers_that_are_equal_are_one_category(frame: pd.DataFrame, target: Any) -> None:
    """A whole number, the same as a float, and True find the category that equals them."""
    scorer = compiled(fitted(OneHotEncoder(), frame, target), frame)
    one = columns_of(frame.iloc[:1])
    same = [
        scorer.score({**one, "count": [1], "flag": [True]}),
        scorer.score({**one, "count": [1.0], "flag": [1]}),
    ]
    assert np.array_equal(np.asarray(same[0].probabilities), np.asarray(same[1].probabilities))


def test_a_code_outside_of_the_columns_is_refused() -> None:
    """A forged lookup cannot write beside its columns."""
    lookup = Lookup(values=("a",), codes=np.array([3]), unknown=-1, missing=-1)
    with pytest.raises(ValueError, match="too narrow"):
        OneHot(lookups=(lookup,), width=3, sparse=False)
    with pytest.raises(ValueError, match="too wide"):
        OneHot(lookups=(lookup,), width=1 << 34, sparse=False)
    with pytest.raises(ValueError, match="without codes"):
        Lookup(values=("a",), codes=np.array([-9]), unknown=-1, missing=-1)
    with pytest.raises(ValueError, match="another number"):
        Lookup(values=("a", "b"), codes=np.array([0]), unknown=-1, missing=-1)
