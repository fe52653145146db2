"""Each family of steps and models beside its library, in one process, at five batch sizes.

What `bench_score.py` does for whole pipelines this does for each family alone: a step before a
small linear model, or a model on ten columns. Equality first, then both in turn; a figure is how
many times sooner the scorer is than the library's `predict_proba` alone, or than its `predict`
where it has no probabilities.

Goal: never slower, at any size.
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from bench_score import SIZES, columns, inputs, ratios
from sklearn import discriminant_analysis, ensemble, linear_model, naive_bayes, neural_network
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import make_pipeline
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
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from brinery import scorers

FIT_ROWS = 2_000
# Figures near 1 lie on either side of it from run to run, on a machine with other work.
LEAST = 0.9


def numbers() -> tuple[pd.DataFrame, Any]:
    """Return ten columns of numbers, and three classes."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(SIZES[-1], 10))).rename(columns="c{}".format)
    return frame, np.digitize(frame["c0"] + frame["c1"] * frame["c2"], [-0.5, 0.5])


def words() -> pd.DataFrame:
    """Return four columns of words."""
    rng = np.random.default_rng(0)
    kinds = [f"kind {place}" for place in range(12)]
    return pd.DataFrame({f"w{place}": rng.choice(kinds, SIZES[-1]) for place in range(4)})


def cases() -> list[tuple[str, Any, pd.DataFrame, Any]]:
    """Return what is measured: name, not yet fitted, data, target."""
    frame, target = numbers()
    texts = words()
    binary, value = target > 0, frame["c0"].to_numpy() * 2 + 1
    on_numbers = [
        *(StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler(), Normalizer()),
        *(SimpleImputer(), SelectKBest(k=4), PCA(4), TruncatedSVD(4), PolynomialFeatures(2)),
        *(PowerTransformer(), QuantileTransformer(n_quantiles=200), SplineTransformer()),
        KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf"),
    ]
    on_words = [OneHotEncoder(), OrdinalEncoder(), TargetEncoder()]
    models = [
        (linear_model.LogisticRegression(), target),
        (linear_model.LogisticRegression(), binary),
        (linear_model.LinearRegression(), value),
        (linear_model.Ridge(), value),
        (linear_model.RidgeClassifier(), target),
        (linear_model.SGDClassifier(random_state=0), target),
        (linear_model.PoissonRegressor(), np.abs(value)),
        (LinearSVC(), target),
        (OneVsOneClassifier(LinearSVC()), target),
        (OneVsOneClassifier(linear_model.LogisticRegression()), target),
        (OneVsRestClassifier(linear_model.LogisticRegression()), target),
        (discriminant_analysis.LinearDiscriminantAnalysis(), target),
        (discriminant_analysis.QuadraticDiscriminantAnalysis(), target),
        (naive_bayes.GaussianNB(), target),
        (neural_network.MLPClassifier((20,), random_state=0), target),
        (DecisionTreeClassifier(random_state=0), target),
        (ensemble.RandomForestClassifier(30, random_state=0, n_jobs=1), target),
        (ensemble.ExtraTreesClassifier(30, random_state=0, n_jobs=1), target),
        (ensemble.GradientBoostingClassifier(n_estimators=30, random_state=0), binary),
        (ensemble.AdaBoostClassifier(n_estimators=20, random_state=0), binary),
        (ensemble.HistGradientBoostingClassifier(max_iter=30, random_state=0), binary),
    ]
    plain = linear_model.Ridge
    return [
        *((type(one).__name__, make_pipeline(one, plain()), frame, value) for one in on_numbers),
        *((type(one).__name__, make_pipeline(one, plain()), texts, value) for one in on_words),
        *(
            (f"{_name(model)}, {len(np.unique(y[:FIT_ROWS]))} values", model, frame, y)
            if y is not value
            else (_name(model), model, frame, y)
            for model, y in models
        ),
    ]


def _name(model: Any) -> str:
    within = getattr(model, "estimator", None)
    return type(model).__name__ + (f" of {type(within).__name__}" if within is not None else "")


def check(scorer: scorers.Scorer, model: Any, frame: pd.DataFrame) -> None:
    """End where the answers differ."""
    found = scorer.score(columns(frame, len(frame))).predictions
    wanted = model.predict(frame)
    same = (
        np.allclose(found, wanted, rtol=1e-9, atol=1e-9)
        if wanted.dtype.kind == "f"
        else np.array_equal(found, wanted)
    )
    if not same:
        sys.exit("the answers differ")


def main() -> None:
    """Check, time, print."""
    heads = " | ".join(f"{size:,}" for size in SIZES)
    print(f"| family | {heads} |\n|---|{'--:|' * len(SIZES)}")
    missed = []
    asked = sys.argv[1:]
    for name, model, frame, target in cases():
        if asked and not any(word in name for word in asked):
            continue
        model.fit(frame.iloc[:FIT_ROWS], target[:FIT_ROWS])
        scorer = scorers.compile(model, inputs(frame))
        if scorer.fallbacks:
            sys.exit(f"{name}: {scorer.fallbacks}")
        check(scorer, model, frame)
        cells = []
        for size in SIZES:
            rows, part = columns(frame, size), frame.iloc[:size]
            asks = getattr(model, "predict_proba", model.predict)
            (sooner,) = ratios(partial(scorer.score, rows), partial(asks, part), run_s=0.3)
            cells.append(f"{sooner:.1f}")
            if sooner < LEAST:
                missed.append(f"{name} at {size:,} rows: {sooner:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
