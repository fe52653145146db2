"""Steps before a model: the answers of whole pipelines, the scorer of each read from its file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.feature_selection import RFE, SelectKBest, VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier
from tests.conftest import stable
from tests.scorers.agreement import agrees

STEPS = (
    Normalizer(),
    Binarizer(),
    KBinsDiscretizer(3),
    KBinsDiscretizer(3, encode="ordinal"),
    PowerTransformer(),
    QuantileTransformer(n_quantiles=20, output_distribution="normal"),
    PolynomialFeatures(2),
    SplineTransformer(extrapolation="linear", sparse_output=True),
    FunctionTransformer(np.arctan),
    PCA(3, whiten=True),
    IncrementalPCA(2),
    TruncatedSVD(2),
    SelectKBest(k=2),
    VarianceThreshold(),
    RFE(DecisionTreeClassifier(random_state=0)),
)
MODELS = (LogisticRegression(), DecisionTreeClassifier(max_depth=4, random_state=0))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return numbers, a category, and the places of both."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
    return frame.assign(kind=rng.choice(["x", "y", "z"], 200))


def _target(frame: pd.DataFrame) -> Any:
    return np.asarray(frame["a"] * frame["b"] + frame["c"] > 0)


@pytest.mark.parametrize("step", STEPS, ids=stable)
@pytest.mark.parametrize("model", MODELS, ids=["linear", "tree"])
def test_a_model_behind_a_step_answers_as_the_library(
    frame: pd.DataFrame, step: Any, model: Any
) -> None:
    """Rows that were not fitted on, too."""
    pipeline = make_pipeline(StandardScaler(), step, model)
    numbers = frame[list("abcd")]
    agrees(pipeline.fit(numbers[:150], _target(frame)[:150]), numbers)


def test_steps_side_by_side_answer_as_the_library(frame: pd.DataFrame) -> None:
    """Products of categories, sparse, beside dense columns and a category's target."""
    preparation = make_column_transformer(
        (make_pipeline(OneHotEncoder(), PolynomialFeatures(2, interaction_only=True)), ["kind"]),
        (TargetEncoder(), ["kind"]),
        (make_pipeline(SimpleImputer(), PowerTransformer()), ["a", "b"]),
        (MissingIndicator(), ["a"]),
        (make_union(FunctionTransformer(np.tanh), Binarizer()), ["c", "d"]),
    )
    holed = frame.assign(a=frame["a"].mask(frame["a"] > 1))
    model = make_pipeline(preparation, LogisticRegression())
    agrees(model.fit(holed[:150], _target(frame)[:150]), holed)
