"""Pipelines that nobody thought of: steps and models put together by chance answer alike."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from tests.scorers.agreement import compiled, inputs_of, same

from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined

ROWS = 160
NUMBERS = ("a", "b", "c", "d")
WORDS = ("color", "size")

SCALERS = st.sampled_from(
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        MinMaxScaler(clip=True),
        MaxAbsScaler(),
        RobustScaler(),
        PowerTransformer(),
        QuantileTransformer(n_quantiles=20),
        QuantileTransformer(n_quantiles=20, output_distribution="normal"),
        KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"),
        SplineTransformer(n_knots=4),
        PolynomialFeatures(2),
        Normalizer(),
        PCA(2),
        TruncatedSVD(2),
        SelectKBest(k=2),
        VarianceThreshold(),
        FeatureUnion([("one", StandardScaler()), ("two", PCA(1))]),
        "passthrough",
    ]
)
IMPUTERS = st.sampled_from(
    [
        SimpleImputer(),
        SimpleImputer(strategy="median", add_indicator=True),
        SimpleImputer(strategy="constant", fill_value=-3.0),
    ]
)
ENCODERS = st.sampled_from(
    [
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, drop="first"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        TargetEncoder(cv=2, random_state=0),
    ]
)
MODELS = st.sampled_from(
    [
        LogisticRegression(),
        RidgeClassifier(),
        SGDClassifier(loss="log_loss", random_state=0),
        LinearSVC(random_state=0),
        SVC(random_state=0),
        GaussianNB(),
        DecisionTreeClassifier(max_depth=5, random_state=0),
        RandomForestClassifier(7, random_state=0),
        ExtraTreesClassifier(7, random_state=0),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
        AdaBoostClassifier(n_estimators=5, random_state=0),
        BaggingClassifier(n_estimators=3, random_state=0),
    ]
)


@st.composite
def pipelines(draw: Any) -> Any:
    """Imputers and scalers for the numbers, encoders for the words, a step behind, and a model."""
    numeric = Pipeline(
        [("fill", draw(IMPUTERS)), ("first", draw(SCALERS)), ("second", draw(SCALERS))]
    )
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), draw(ENCODERS))
    columns = ColumnTransformer(
        [("numbers", numeric, list(NUMBERS)), ("words", words, list(WORDS))],
        sparse_threshold=draw(st.sampled_from([0.0, 0.3, 1.0])),
    )
    behind = draw(st.sampled_from(["passthrough", MaxAbsScaler(), VarianceThreshold()]))
    return Pipeline([("columns", columns), ("behind", behind), ("model", draw(MODELS))])


def data(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = rng.normal(scale=[1, 100, 1e-3, 5], size=(ROWS, 4)).round(3)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    frame = pd.DataFrame(numbers, columns=list(NUMBERS))
    for name, known in zip(WORDS, (["red", "green", "blue", "rare"], ["s", "m", "l"]), strict=True):
        words = rng.choice(known, ROWS).astype(object)
        words[rng.random(ROWS) < 0.05] = np.nan
        frame[name] = words
    return frame


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(model=pipelines(), seed=st.integers(0, 9), classes=st.sampled_from([2, 3]))
def test_any_pipeline_answers_as_its_library(model: Any, seed: int, classes: int) -> None:
    """On the rows it was fitted on, on others, and on words that it never saw."""
    frame = data(seed)
    target = (pd.Series(frame["b"].fillna(0.0)).rank(pct=True) * classes).astype(int) % classes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = clone(model).fit(frame, target)
        except (TypeError, ValueError):
            return  # scikit-learn refuses some: a sparse table for a step that takes none
    scorer = compile_model(model, inputs_of(frame))
    if not scorer.fallbacks:  # a few settings are for the library
        scorer = compiled(model, frame)
    other = data(seed + 100)
    other.loc[::7, "color"] = "never seen"
    for rows in (frame, other, other.iloc[:1]):
        columns = {
            str(name): [None if pd.isna(one) else one for one in rows[name]] for name in rows
        }
        try:
            scores = scorer.score(columns)
        except Declined:
            continue
        same(model, rows, scores)
