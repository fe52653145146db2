"""Bagging: averages over trees, and over other models, each of some columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier, ExtraTreeRegressor
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled
from tests.scorers.thresholds import rows_at

from brinery.scorers.bagging import Bagging, Member
from brinery.scorers.data import Columns, Declined
from brinery.scorers.forests import TREES, Forest
from brinery.scorers.interface import Answer, Model, class_name

_ROWS = 150


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return more rows than are fitted on, some of them far away."""
    table = np.random.default_rng(0).normal(size=(300, 5))
    table[:, 1] = np.round(table[:, 1])
    table[_ROWS:] *= 4
    return pd.DataFrame(table, columns=list("abcde"))


def _classes(frame: pd.DataFrame, count: int) -> Any:
    score = frame["a"] + frame["b"]
    return np.array(["x", "y", "z"])[np.digitize(score, [0, 1.9][: count - 1])]


_DRAWS: list[dict[str, Any]] = [
    {},
    {"max_features": 0.5, "bootstrap": False, "max_samples": 0.5},
    {"max_features": 3, "bootstrap_features": True},
    {"max_samples": 6, "max_features": 0.6},
]


@pytest.mark.parametrize("draws", _DRAWS, ids=stable)
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "base",
    [
        None,
        DecisionTreeClassifier(max_depth=2, class_weight="balanced"),
        ExtraTreeClassifier(max_depth=3),
        RandomForestClassifier(3, max_depth=2),
    ],
    ids=stable,
)
def test_a_classifier_answers_as_the_library(
    frame: pd.DataFrame, base: Any, count: int, draws: dict[str, Any]
) -> None:
    """Members that never saw some class included."""
    model = BaggingClassifier(base, n_estimators=9, random_state=0, **draws)
    model.fit(frame[:_ROWS], _classes(frame, count)[:_ROWS])
    scorer = agrees(model, frame)
    if class_name(model.estimators_[0]) in TREES:
        assert isinstance(scorer.plan.model, Forest)
        edges = rows_at(frame, model.estimators_, features=model.estimators_features_)
        agrees(model, edges, scorer=scorer)


@pytest.mark.parametrize("draws", _DRAWS, ids=stable)
@pytest.mark.parametrize(
    "base",
    [
        None,
        ExtraTreeRegressor(max_depth=3),
        RandomForestRegressor(3),
        HistGradientBoostingRegressor(max_iter=3),
    ],
    ids=stable,
)
def test_a_regressor_answers_as_the_library(
    frame: pd.DataFrame, base: Any, draws: dict[str, Any]
) -> None:
    """Whatever its members are, and whichever columns they were given."""
    model = BaggingRegressor(base, n_estimators=7, random_state=0, **draws)
    model.fit(frame[:_ROWS], (frame["a"] - frame["b"])[:_ROWS])
    agrees(model, frame)


def test_missing_values_are_for_the_members(frame: pd.DataFrame) -> None:
    """Trees take them; gradient boosting does not, and the library is asked."""
    holes = frame.mask(np.random.default_rng(1).random(frame.shape) < 0.2)
    classes = _classes(frame, 2)
    agrees(BaggingClassifier(n_estimators=5).fit(holes[:_ROWS], classes[:_ROWS]), holes)
    boosted = BaggingClassifier(GradientBoostingClassifier(n_estimators=2), n_estimators=2)
    boosted.fit(frame, classes)
    with pytest.raises(Declined):
        compiled(boosted, frame).score(columns_of(holes))


def test_the_decision_function_is_an_average(frame: pd.DataFrame) -> None:
    """A member that knows some classes only has another one: the library is asked."""
    model = BaggingClassifier(GradientBoostingClassifier(n_estimators=3), n_estimators=3)
    model.fit(frame[:_ROWS], _classes(frame, 2)[:_ROWS])
    node = compiled(model, frame).plan.model
    columns = Columns(tuple(map(str, frame)), tuple(frame.to_numpy().T), len(frame))
    np.testing.assert_array_equal(node.decision(columns), model.decision_function(frame))
    assert isinstance(node, Bagging)
    fewer = tuple(replace(one, classes=np.array([1])) for one in node.members)
    with pytest.raises(Declined):
        replace(node, members=fewer).decision(columns)


class _Fixed(Model):
    """Answers places without probabilities."""

    def __init__(self, *labels: int) -> None:
        self._labels = np.array(labels)

    def answer(self, data: Any) -> Answer:
        """Return the labels."""
        del data
        return Answer(labels=self._labels)


def test_members_without_probabilities_vote() -> None:
    """For the class that their own place stands for."""
    features = np.array([0])
    members = (
        Member(model=_Fixed(0, 1), features=features, classes=np.array([0, 2])),
        Member(model=_Fixed(1, 1), features=features, classes=np.array([1, 2])),
    )
    answer = Bagging(members=members, n_features=1, n_classes=3).answer(np.zeros((2, 1)))
    assert answer.probabilities is not None
    assert answer.probabilities.tolist() == [[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]
    assert answer.labels is not None
    assert answer.labels.tolist() == [0, 2]


def test_forged_members_are_refused() -> None:
    """Their columns and classes are among those of all."""
    model, one, none = _Fixed(0), np.array([0]), np.zeros(0, np.int64)
    for fields in (
        {"features": np.array([-1]), "classes": none},
        {"features": one, "classes": np.array([-1])},
        {"features": np.array([[0]]), "classes": none},
        {"features": one, "classes": np.array([0.0])},
    ):
        with pytest.raises(ValueError, match="a member of"):
            Member(model=model, **fields)
    for member in (
        Member(model=model, features=np.array([1]), classes=one),
        Member(model=model, features=one, classes=np.array([2])),
    ):
        with pytest.raises(ValueError, match="of other"):
            Bagging(members=(member,), n_features=1, n_classes=2)
    with pytest.raises(ValueError, match="nothing"):
        Bagging(members=(), n_features=1, n_classes=2)
    with pytest.raises(ValueError, match="too many classes"):
        Bagging(
            members=(Member(model=model, features=one, classes=one),),
            n_features=1,
            n_classes=1 << 34,
        )
    bagging = Bagging(
        members=(Member(model=model, features=one, classes=one),), n_features=1, n_classes=1
    )
    with pytest.raises(ValueError, match="other columns"):
        bagging.answer(np.zeros((1, 2)))
