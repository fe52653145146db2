"""A scorer beside the library that its model came from, in one process, at five batch sizes.

Both are given what they take: the library a frame, the scorer columns. The library is asked for its
labels and its probabilities, as a server must, and for its probabilities alone, which is less than
what the scorer gives. Equality first: the labels are identical, a probability differs by 1e-9 at
most. Then both are timed in turn, by the time of the thread, which other work on the machine
changes less than the clock's; each figure is the median of the ratios.

Goals: one row of the demo's model 150 times sooner than its probabilities alone; the other models
as the table says; never slower, at any size.
"""

from __future__ import annotations

import platform
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import sklearn
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from brinery import scorers
from brinery.records.signature import ColumnType
from brinery.scorers.plan import Input

BANK = Path(__file__).parent.parent / "examples" / "bank" / "bank.csv"
SIZES = (1, 8, 64, 1024, 45_211)
TOLERANCE = 1e-9
LEAST_RUNS, MOST_RUNS, RUN_S, BLOCK_S = 5, 200, 2.0, 0.01

Model = tuple[str, float, Any, pd.DataFrame, Any]


def bank() -> tuple[pd.DataFrame, Any]:
    """Return the demo's data, as many rows as the whole has, and its target."""
    frame = pd.read_csv(BANK, sep=";")
    frame = pd.concat([frame] * (-(-SIZES[-1] // len(frame))), ignore_index=True).iloc[: SIZES[-1]]
    rng = np.random.default_rng(0)
    # Rows that repeat would be too easy for the branch prediction of both.
    for name in ("age", "balance", "duration"):
        frame[name] += rng.integers(-3, 4, len(frame))
    return frame.drop(columns="y"), (frame["y"] == "yes").to_numpy()


def preparation(*, scaled: bool = True) -> Any:
    """Return the demo's own steps before its forest."""
    numeric = ["age", "balance", "duration", "previous", "campaign"]
    words = ["job", "marital", "education", "default", "housing", "loan", "contact", "poutcome"]
    steps = [SimpleImputer(strategy="median"), *([StandardScaler()] if scaled else [])]
    return make_column_transformer(
        (make_pipeline(*steps), numeric), (OneHotEncoder(handle_unknown="ignore"), words)
    )


def models() -> list[Model]:
    """Return the models: name, goal for one row, fitted, data, and the data as the model has it."""
    frame, target = bank()
    fit, truth = frame.iloc[:4521], target[:4521]
    iris, species = load_iris(return_X_y=True, as_frame=True)
    many = pd.concat([iris] * 302, ignore_index=True).iloc[: SIZES[-1]]
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(SIZES[-1], 20))).rename(columns="c{}".format)
    wide_target = (wide["c0"] * wide["c1"] + wide["c2"] > 0).to_numpy()
    texts, sentiment = reviews()
    forest = RandomForestClassifier(100, random_state=0, n_jobs=1)
    boosted = xgboost.XGBClassifier(n_estimators=100, max_depth=6, n_jobs=1, random_state=0)
    light = lightgbm.LGBMClassifier(n_estimators=100, n_jobs=1, random_state=0, verbose=-1)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    histogram = HistGradientBoostingClassifier(random_state=0)
    text = make_pipeline(TfidfVectorizer(), LogisticRegression())
    text.fit(texts["text"][:4521], sentiment[:4521])
    numbers = frame.select_dtypes("number")
    return [
        ("demo: columns, 100-tree forest", 150, pipe(forest).fit(fit, truth), frame, frame),
        ("iris: scaler, logistic regression", 20, logistic.fit(iris, species), many, many),
        ("XGBoost behind the demo's columns", 3, pipe(boosted).fit(fit, truth), frame, frame),
        (
            "LightGBM on numbers",
            3,
            light.fit(numbers.iloc[:4521], truth),
            numbers,
            numbers,
        ),
        (
            "histogram gradient boosting, 20 columns",
            20,
            histogram.fit(wide[:4521], wide_target[:4521]),
            wide,
            wide,
        ),
        (
            "TF-IDF, logistic regression",
            5,
            text,
            texts,
            texts["text"],
        ),
    ]


def pipe(model: Any) -> Any:
    """Return a model behind the demo's steps."""
    return make_pipeline(preparation(), model)


def reviews() -> tuple[pd.DataFrame, Any]:
    """Return made-up reviews of 5 to 60 words, and whether they praise."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(5000)] + ["good", "fine", "bad", "poor"] * 100)
    texts = [" ".join(rng.choice(words, rng.integers(5, 60))) for _ in range(SIZES[-1])]
    praise = [text.count("good") + text.count("fine") - text.count("bad") for text in texts]
    return pd.DataFrame({"text": texts}), np.array(praise) > 0


def inputs(frame: pd.DataFrame) -> list[Input]:
    """Return the columns of a frame as a scorer is told of them."""
    kinds = {"i": ColumnType.INTEGER, "f": ColumnType.NUMBER}
    return [
        Input(str(name), kinds.get(getattr(frame[name].dtype, "kind", "O"), ColumnType.STRING))
        for name in frame.columns
    ]


def columns(frame: pd.DataFrame, count: int) -> dict[str, Any]:
    """Return rows as a server has them: lists for a few, arrays for many."""
    part = frame.iloc[:count]
    few = count <= SIZES[2]
    return {
        str(name): part[name].tolist() if few else part[name].to_numpy(dtype=_plain(part[name]))
        for name in part.columns
    }


def _plain(column: pd.Series[Any]) -> Any:
    return column.dtype if getattr(column.dtype, "kind", "O") in "if" else object


def check(scorer: scorers.Scorer, model: Any, *, given: Any, frame: pd.DataFrame) -> float:
    """Return the largest difference of a probability; end where a label differs."""
    scores = scorer.score(columns(frame, len(frame)))
    if (scores.predictions != model.predict(given)).any():
        sys.exit("a label differs")
    if scores.probabilities is None:
        sys.exit("the scorer has no probabilities")
    difference = float(np.abs(scores.probabilities - model.predict_proba(given)).max())
    if difference > TOLERANCE:
        sys.exit(f"a probability differs by {difference:g}")
    return difference


def both(model: Any, part: Any) -> None:
    """Ask a library for what a scorer gives."""
    model.predict(part)
    model.predict_proba(part)


def ratios(
    ours: Callable[[], Any], *theirs: Callable[[], Any], run_s: float = RUN_S
) -> list[float]:
    """Return the median of how many times sooner ours is than each of theirs, timed in turn."""
    found: list[list[float]] = [[] for _ in theirs]
    ends = time.monotonic() + run_s
    for run in range(MOST_RUNS):
        if run >= LEAST_RUNS and time.monotonic() > ends:
            break
        seconds = _timed(ours)
        for place, one in enumerate(theirs):
            found[place].append(_timed(one) / seconds)
    return [median(each) for each in found]


def _timed(work: Callable[[], Any]) -> float:
    """Return the seconds of one call, in a block of calls: none begins with another's caches."""
    work()
    began = time.thread_time()
    calls = 0
    while calls == 0 or time.thread_time() - began < BLOCK_S:
        work()
        calls += 1
    return (time.thread_time() - began) / calls


def main() -> None:
    """Check, time, print."""
    versions = f"scikit-learn {sklearn.__version__}, xgboost {xgboost.__version__}"
    print(f"Python {platform.python_version()}; {versions}, lightgbm {lightgbm.__version__}\n")
    heads = " | ".join(f"{size:,}" for size in SIZES)
    print(f"| model | goal | largest difference | {heads} |")
    print(f"|---|--:|--:|{'--:|' * len(SIZES)}")
    missed = []
    for name, goal, model, frame, given in models():
        scorer = scorers.compile(model, inputs(frame))
        if scorer.fallbacks:
            sys.exit(f"{name}: {scorer.fallbacks}")
        difference = check(scorer, model, given=given, frame=frame)
        cells = []
        for size in SIZES:
            rows, part = columns(frame, size), given.iloc[:size]

            alone, together = ratios(
                partial(scorer.score, rows),
                partial(model.predict_proba, part),
                partial(both, model, part),
            )
            cells.append(f"{alone:.1f} ({together:.1f})")
            if alone < (goal if size == 1 else 1):
                missed.append(f"{name} at {size:,} rows: {alone:.2f}")
        print(f"| {name} | {goal:g} | {difference:.0e} | {' | '.join(cells)} |", flush=True)
    if missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
