"""The rows that a scorer is tried on: each threshold from both sides, holes, news and extremes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.scorers.agreement import compiled

from brinery.scorers.probes import Kind, Probe, Probes, probes
from brinery.scorers.scorer import Scorer


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": rng.normal(size=400),
            "n": rng.integers(0, 50, 400),
            "word": rng.choice(["a", "b"], 400),
        }
    )


def by_kind(scorer: Scorer, frame: pd.DataFrame) -> dict[Kind, Probes]:
    columns = {str(name): np.asarray(frame[name]) for name in frame}
    return {one.kind: one for one in probes(scorer, columns, n_rows=len(frame))}


def flips(scorer: Scorer, frame: pd.DataFrame, tried: list[Probe]) -> bool:
    """Return whether a scorer answers the probes of one threshold in two ways."""
    rows = [{**frame.iloc[probe.row].to_dict(), probe.column: probe.value} for probe in tried]
    columns = {str(name): [row[name] for row in rows] for name in frame}
    return len(np.unique(np.asarray(scorer.score(columns).probabilities), axis=0)) > 1


@pytest.mark.parametrize("scaled", [False, True])
def test_each_threshold_is_tried_from_both_sides(frame: pd.DataFrame, *, scaled: bool) -> None:
    """Of a tree on numbers, scaled or not, every split of the data is found to the last digit."""
    target = (frame["x"] * 7 + frame["n"]) % 3 > 1
    numbers = frame[["x"]]
    tree = DecisionTreeClassifier(max_depth=6, random_state=0)
    model = (make_pipeline(StandardScaler(), tree) if scaled else tree).fit(numbers, target)
    scorer = compiled(model, numbers)
    found = by_kind(scorer, numbers)[Kind.THRESHOLDS]
    inner = int((tree.tree_.children_left >= 0).sum())
    assert found.thresholds == found.reached == inner
    each = len(found.probes) / inner
    assert 2 <= each <= 4
    rows = {(probe.row, round(probe.value, 6)) for probe in found.probes}
    groups = [[p for p in found.probes if (p.row, round(p.value, 6)) == key] for key in rows]
    assert sum(flips(scorer, numbers, group) for group in groups) >= 0.9 * len(groups)


def test_whole_numbers_are_tried_as_such(frame: pd.DataFrame) -> None:
    """A threshold between 3 and 4 is tried with 3 and 4, for nothing else can come."""
    numbers = frame[["n"]]
    model = DecisionTreeClassifier(random_state=0).fit(numbers, frame["n"] % 4 > 1)
    found = by_kind(compiled(model, numbers), numbers)[Kind.THRESHOLDS]
    assert all(type(probe.value) is int for probe in found.probes)
    assert {probe.value for probe in found.probes} >= {1, 2, 3, 4}


def test_other_trees_too(frame: pd.DataFrame) -> None:
    """Histogram ones, which compare in float64, and forests behind encoders of words."""
    target = frame["x"] + frame["n"] / 25 > 1
    numbers = frame[["x", "n"]]
    histogram = HistGradientBoostingClassifier(max_iter=5).fit(numbers, target)
    assert by_kind(compiled(histogram, numbers), numbers)[Kind.THRESHOLDS].thresholds > 20
    encode = make_column_transformer((OneHotEncoder(), ["word"]), remainder="passthrough")
    forest = make_pipeline(encode, RandomForestClassifier(5, random_state=0)).fit(frame, target)
    found = by_kind(compiled(forest, frame), frame)[Kind.THRESHOLDS]
    assert {probe.column for probe in found.probes} == {"x", "n"}


def test_holes_news_and_extremes(frame: pd.DataFrame) -> None:
    """Every column without a value, every word unheard of, every number as large as it gets."""
    encode = make_column_transformer((OneHotEncoder(), ["word"]), remainder="passthrough")
    model = make_pipeline(encode, DecisionTreeClassifier()).fit(frame, frame["x"] > 0)
    found = by_kind(compiled(model, frame), frame)
    assert {probe.column for probe in found[Kind.MISSING].probes} == {"x", "n", "word"}
    assert {probe.column for probe in found[Kind.UNSEEN].probes} == {"word"}
    assert {type(probe.value) for probe in found[Kind.EXTREMES].probes if probe.column == "n"} == {
        int
    }
    largest = max(probe.value for probe in found[Kind.EXTREMES].probes)
    assert largest == 1e300
