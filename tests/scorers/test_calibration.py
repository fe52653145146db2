"""Calibration: every method, of decisions and of probabilities, together and apart."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from tests.conftest import stable
from tests.scorers.agreement import agrees, compiled
from tests.scorers.samples import Fixed, classes, fitted, frame, node_of, numbers, untied

from brinery.scorers.calibration import Calibrated, Calibration, Isotonic, Sigmoid
from brinery.scorers.data import Declined
from brinery.scorers.interface import Answer, Unsupported
from brinery.scorers.responses import Response

METHODS = ("sigmoid", "isotonic", "temperature")
DATA = np.zeros((2, 1))
CURVE = Sigmoid(slope=1.0, offset=0.0, widens=True)


def _estimators() -> list[Any]:
    return [
        None,
        LinearSVC(random_state=0),
        make_pipeline(StandardScaler(), SVC()),
        LogisticRegression(),
        GaussianNB(),
        DecisionTreeClassifier(max_depth=3, random_state=0),
    ]


@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("estimator", _estimators(), ids=stable)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_scores_become_probabilities_as_in_the_library(
    count: int, estimator: Any, method: str, ensemble: Any
) -> None:
    """Far from all scores that were there at the fit, too."""
    model = CalibratedClassifierCV(estimator, method=method, cv=2, ensemble=ensemble)
    fitted(model, classes(count))
    agrees(model, untied(model, numbers()))


@pytest.mark.parametrize("method", METHODS)
def test_a_frozen_classifier_is_calibrated_as_it_is(method: str) -> None:
    """It is read as the estimator within."""
    frozen = FrozenEstimator(fitted(GaussianNB(), classes(3)))
    agrees(fitted(CalibratedClassifierCV(frozen, method=method), classes(3)), numbers())


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_member_may_know_some_of_the_classes_only(method: str) -> None:
    """What it knows are classes in their place, unless it knows two."""
    order = np.argsort(classes(4), kind="stable")
    rows, labels = frame()[list("abc")].iloc[order], classes(4)[order]
    parts = np.arange(len(rows))
    for known, first in ((3, "perhaps"), (2, "so")):
        kept = labels >= first
        splits = [(parts[kept], parts), (parts, parts)]
        model = CalibratedClassifierCV(GaussianNB(), method=method, cv=splits, ensemble=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(rows, labels)
        assert len(model.calibrated_classifiers_[0].estimator.classes_) == known
        if known > 2:
            agrees(model, untied(model, numbers()))
        else:
            with pytest.raises(Unsupported, match="some of the classes"):
                node_of(model)


def test_where_no_class_is_likely_all_are_as_likely() -> None:
    """Every curve may end at 0."""
    curve = Isotonic(scores=np.array([0.0, 1.0]), chances=np.array([0.0, 1.0]))
    member = _calibrated(curves=(curve,) * 3, places=np.arange(3), n_classes=3)
    with_scores = Calibrated(
        model=Fixed(decision=[[-1.0, -1.0, 0.0], [1.0, 2.0, 0.5]]),
        response=Response.DECISION,
        curves=member.curves,
        places=member.places,
        temperature=None,
        n_classes=3,
    )
    np.testing.assert_array_equal(
        with_scores.of(with_scores.scores(DATA)), [[1 / 3] * 3, [0.4, 0.4, 0.2]]
    )


@pytest.mark.parametrize("scores", [[[0.2, 0.5, 0.3]], [[0.2, 0.5, 0.4]], [[2.0, -1.0, 0.0]]])
def test_scores_that_look_like_probabilities_are_taken_for_such(scores: Any) -> None:
    """Temperature scaling takes their logarithms."""
    model = fitted(
        CalibratedClassifierCV(LinearSVC(random_state=0), method="temperature", ensemble=False),
        classes(3),
    )
    calibrator = model.calibrated_classifiers_[0].calibrators[0]
    member = _calibrated(
        model=Fixed(decision=scores), temperature=float(calibrator.beta_), n_classes=3
    )
    np.testing.assert_allclose(
        member.of(member.scores(DATA)), calibrator.predict(np.array(scores)), rtol=0, atol=1e-15
    )


def test_scores_that_a_calibrator_may_refuse_are_declined() -> None:
    """A missing or infinite one; one of float32; one that is not of the classes."""
    places = np.array([1])
    for score in (np.nan, np.inf):
        with pytest.raises(Declined, match="missing or infinite"):
            _calibrated(model=Fixed(decision=[score]), curves=(CURVE,), places=places).scores(DATA)
    keeps = Sigmoid(slope=1.0, offset=0.0, widens=False)
    for fields in ({"curves": (keeps,), "places": places}, {"temperature": 1.0}):
        with pytest.raises(Declined, match="less precision"):
            _calibrated(**fields).of(np.ones((2, 1), np.float32))
    with pytest.raises(Declined, match="not of the classes"):
        _calibrated(curves=(CURVE,), places=places).of(np.ones((2, 3)))
    with pytest.raises(Declined, match="no probabilities"):
        _calibrated(model=Fixed(Answer()), response=Response.PROBABILITIES).scores(DATA)


def test_a_tie_that_rounding_cannot_have_changed_is_taken() -> None:
    """Not one at the end of a flat part of a curve."""
    curve = Isotonic(scores=np.array([0.0, 1.0, 2.0, 3.0]), chances=np.array([0.2, 0.5, 0.5, 0.9]))
    for score, declines in ((1.5, False), (1.0, True), (2.0, True), (1.0 - 1e-15, True)):
        member = _calibrated(model=Fixed(decision=[score]), curves=(curve,), places=np.array([1]))
        node = Calibration(members=(member,), n_classes=2)
        if declines:
            with pytest.raises(Declined, match="tied"):
                node.answer(DATA)
        else:
            assert node.answer(DATA).labels == [0]


def test_scores_of_float32_are_calibrated_in_float64() -> None:
    """Where the library does so."""
    model = fitted(CalibratedClassifierCV(LinearSVC(), ensemble=False), classes(2))
    calibrator = model.calibrated_classifiers_[0].calibrators[0]
    node = compiled(model, numbers()).plan.model
    assert isinstance(node, Calibration)
    scores = np.linspace(-2, 2, 50, dtype=np.float32)
    np.testing.assert_allclose(
        node.members[0].curves[0].of(scores), calibrator.predict(scores), rtol=0, atol=1e-15
    )


def test_calibrators_that_are_not_known_are_not_read() -> None:
    """Of another class, or a curve that has no ends."""
    model = fitted(CalibratedClassifierCV(GaussianNB(), method="isotonic"), classes(2))
    model.calibrated_classifiers_[0].calibrators[0].out_of_bounds = "nan"
    with pytest.raises(Unsupported, match="IsotonicRegression"):
        node_of(model)
    model.calibrated_classifiers_[0].calibrators[0] = GaussianNB()
    with pytest.raises(Unsupported, match="GaussianNB"):
        node_of(model)


def _calibrated(**fields: Any) -> Calibrated:
    usual: dict[str, Any] = {
        "model": Fixed(),
        "response": Response.DECISION,
        "curves": (),
        "places": np.zeros(0, np.int64),
        "temperature": None,
        "n_classes": 2,
    }
    return Calibrated(**{**usual, **fields})


def test_forged_calibrations_are_refused() -> None:
    """Every curve has its class, and points."""
    for places in (np.array([2]), np.array([-1]), np.array([0.0]), np.array([0, 1])):
        with pytest.raises(ValueError, match="class"):
            _calibrated(curves=(CURVE,), places=places)
    for count in (1, 1 << 34):
        with pytest.raises(ValueError, match="one class"):
            _calibrated(n_classes=count)
    with pytest.raises(ValueError, match="nothing"):
        Calibration(members=(), n_classes=2)
    with pytest.raises(ValueError, match="different classes"):
        Calibration(members=(_calibrated(n_classes=3),), n_classes=2)
    with pytest.raises(ValueError, match="without points"):
        Isotonic(scores=np.zeros(0), chances=np.zeros(0))
    with pytest.raises(ValueError, match="heights"):
        Isotonic(scores=np.zeros(2), chances=np.zeros(1))
