"""Votes: hard and soft ones, and means, with every kind of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, inputs_of
from tests.scorers.samples import Fixed, classes, fitted, frame, node_of, numbers, untied, values

from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined
from brinery.scorers.interface import Answer, Unsupported
from brinery.scorers.voting import HardVote, SoftVote, WeightedMean

WEIGHTS = (None, (1, 1, 1), (2, 1, 1), (0.1, 0.3, 0.6), (0, 0, 1))
DATA = np.zeros((2, 1))


def _classifiers() -> list[tuple[str, Any]]:
    return [
        ("tree", DecisionTreeClassifier(max_depth=4, random_state=0)),
        ("line", LogisticRegression(C=0.1)),
        ("bayes", GaussianNB()),
    ]


@pytest.mark.parametrize("weights", WEIGHTS, ids=stable)
@pytest.mark.parametrize("voting", ["hard", "soft"])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_classifiers_vote_as_in_the_library(count: int, voting: str, weights: Any) -> None:
    """Of classes with as many votes the first wins."""
    model = VotingClassifier(_classifiers(), voting=voting, weights=weights)
    fitted(model, classes(count))
    agrees(model, untied(model, numbers()) if voting == "soft" else numbers())


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_a_dropped_estimator_has_no_weight(voting: str) -> None:
    """The weights of the others stay theirs."""
    members = [*_classifiers()[:1], ("none", "drop"), *_classifiers()[1:]]
    model = VotingClassifier(members, voting=voting, weights=[1, 100, 2, 3])
    fitted(model, classes(3))
    agrees(model, untied(model, numbers()) if voting == "soft" else numbers())


@pytest.mark.parametrize("weights", WEIGHTS, ids=stable)
def test_regressors_are_averaged_as_in_the_library(weights: Any) -> None:
    """With weights and without."""
    members = [
        ("tree", DecisionTreeRegressor(max_depth=4)),
        ("line", LinearRegression()),
        ("ridge", Ridge()),
    ]
    agrees(fitted(VotingRegressor(members, weights=weights), values()), numbers())
    members[1] = ("line", "drop")
    agrees(fitted(VotingRegressor(members, weights=weights), values()), numbers())


def test_members_are_given_the_columns_as_they_came() -> None:
    """Text, too, where they are pipelines that take it."""
    encode = make_column_transformer((OneHotEncoder(), ["d"]), remainder="passthrough")
    members = [
        ("line", make_pipeline(encode, LogisticRegression())),
        ("forest", make_pipeline(encode, RandomForestClassifier(5, random_state=0))),
    ]
    model = fitted(VotingClassifier(members, voting="soft"), classes(3), columns="abcd")
    scorer = agrees(model, frame())
    assert len(scorer.splits()) == 1


def test_a_member_that_is_not_known_asks_the_library_alone() -> None:
    """The others are compiled."""
    members = [("line", LogisticRegression()), ("near", KNeighborsClassifier())]
    model = fitted(VotingClassifier(members, voting="soft"), classes(3))
    scorer = compile_model(model, inputs_of(numbers()))
    assert isinstance(scorer.plan.model, SoftVote)
    assert len(scorer.fallbacks) == 1
    agrees(model, untied(model, numbers()), scorer=scorer)


def test_classes_that_are_as_good_as_tied_are_declined() -> None:
    """Rounding tells them apart, unless nothing is rounded, as with trees."""
    for gap, declines in ((1e-16, True), (0.0, True), (1e-9, False)):
        told = np.array([[0.2, 0.4, 0.4 + gap]])
        node = SoftVote(members=(Fixed(Answer(probabilities=told)),), weights=None)
        if declines:
            with pytest.raises(Declined, match="tied"):
                node.answer(DATA)
        else:
            assert node.answer(DATA).labels == [2]
    trees = [
        (str(seed), DecisionTreeClassifier(splitter="random", random_state=seed)) for seed in (0, 1)
    ]
    model = fitted(VotingClassifier(trees, voting="soft"), classes(2))
    assert len(untied(model, numbers())) < len(numbers())
    agrees(model, numbers())


def test_a_missing_value_is_for_the_library_to_refuse() -> None:
    """As the members refuse it."""
    model = fitted(VotingClassifier(_classifiers()), classes(2))
    rows = numbers()[:2].copy()
    rows.iloc[0, 1] = np.nan
    scorer = compile_model(model, inputs_of(rows))
    with pytest.raises(Declined):
        scorer.score(columns_of(rows))


def test_votes_that_are_no_votes_are_not_read() -> None:
    """Negative weights, weights of no sum, members with classes of their own."""
    for voting, weights in (("hard", [1, -1, 2]), ("soft", [1, -1, 0])):
        model = VotingClassifier(_classifiers(), voting=voting, weights=weights)
        with pytest.raises(Unsupported, match="VotingClassifier with"):
            node_of(fitted(model, classes(2)))
    model = fitted(VotingClassifier(_classifiers()), classes(3))
    model.estimators_[0] = _classifiers()[0][1].fit(numbers()[:180], classes(3))
    with pytest.raises(Unsupported, match="different classes"):
        node_of(model)


def test_a_member_without_what_is_averaged_is_declined() -> None:
    """Probabilities, classes or one value for each row."""
    member = (Fixed(Answer()),)
    with pytest.raises(Declined, match="no probabilities"):
        SoftVote(members=member, weights=None).answer(DATA)
    with pytest.raises(Declined, match="no classes"):
        HardVote(members=member, weights=np.ones(1), n_classes=2).answer(DATA)
    with pytest.raises(Declined, match="no single value"):
        WeightedMean(members=member, weights=None).answer(DATA)
    several = (Fixed(Answer(values=np.zeros((2, 2)))),)
    with pytest.raises(Declined, match="no single value"):
        WeightedMean(members=several, weights=None).answer(DATA)


@pytest.mark.parametrize("kind", [SoftVote, WeightedMean])
def test_forged_votes_are_refused(kind: Any) -> None:
    """There is a member, and a weight for each."""
    with pytest.raises(ValueError, match="nobody"):
        kind(members=(), weights=None)
    with pytest.raises(ValueError, match="without weights"):
        kind(members=(Fixed(),), weights=np.ones(2))
    with pytest.raises(ValueError, match="no class"):
        HardVote(members=(Fixed(),), weights=np.ones(1), n_classes=0)
    with pytest.raises(ValueError, match="too many"):
        HardVote(members=(Fixed(),), weights=np.ones(1), n_classes=1 << 34)
