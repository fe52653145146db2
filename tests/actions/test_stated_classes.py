"""The classes that a user states, beside what the model and the data say."""

from __future__ import annotations

import numpy as np
import pytest

from brinery.actions.stated_classes import stated_classes
from brinery.errors import ClassesMismatch
from brinery.records.description import Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

ACTUAL = np.array(["no", "yes"] * 50, dtype=object)
RIGHT = np.array([0, 1] * 50)


def described(*classes: Scalar) -> Description:
    """A model with these classes."""
    return Description(
        framework="x",
        framework_version="1",
        outline="X",
        type=PredictionType.BINARY,
        classes=classes,
    )


def table(places: np.ndarray) -> Scores:
    """Nameless probabilities whose likeliest class is at these places."""
    return Scores(places, np.eye(2)[places])


def test_what_the_model_tells_itself_needs_no_name() -> None:
    """Classes that are stated as the model has them change nothing."""
    scores = Scores(ACTUAL, classes=("no", "yes"))
    asked = stated_classes(described("no", "yes"), scores, actual=ACTUAL, order=("no", "yes"))
    assert asked is None


def test_the_models_own_order_counts() -> None:
    """A model that names its classes is believed, and the difference is said."""
    scores = Scores(ACTUAL, classes=("no", "yes"))
    found = stated_classes(described("no", "yes"), scores, actual=ACTUAL, order=("yes", "no"))
    assert found is not None
    assert found.classes == ("no", "yes")
    assert found.doubtful
    assert "not yes, no, as is stated" in found.said


@pytest.mark.parametrize("stated", [("false", "true"), ("False", "True")])
def test_truth_values_are_the_same_in_every_spelling(stated: tuple[str, ...]) -> None:
    """A model of False and True has the classes that a script writes in either spelling."""
    actual = np.array([False, True] * 50)
    scores = Scores(actual, classes=(False, True))
    assert stated_classes(described(*scores.classes), scores, actual=actual, order=stated) is None


def test_numbers_have_the_stated_labels_by_their_place() -> None:
    """A model of 0 and 1 on a target of words has the stated words, in that order."""
    scores = Scores(RIGHT, classes=(0, 1))
    found = stated_classes(described(0, 1), scores, actual=ACTUAL, order=("no", "yes"))
    assert found is not None
    assert found.classes == ("no", "yes")


def test_an_order_that_the_data_contradicts_is_refused() -> None:
    """Probabilities would be those of another class, and nothing else would fail."""
    with pytest.raises(ClassesMismatch, match=r"as no, yes it is right on 100\.0%") as caught:
        stated_classes(described(), table(RIGHT), actual=ACTUAL, order=("yes", "no"))
    assert "['no', 'yes']" in caught.value.hint


@pytest.mark.parametrize(
    ("classes", "order", "why"),
    [
        (("no", "yes"), ("no", "maybe"), "target has 'yes'"),
        (("a", "b"), ("no", "yes"), "the model's classes are a, b"),
        ((), ("no", "yes", "maybe"), "answers 2 probabilities"),
    ],
)
def test_other_classes_are_refused(
    classes: tuple[str, ...], order: tuple[str, ...], why: str
) -> None:
    """What is stated must be what the model has and what the target holds."""
    with pytest.raises(ClassesMismatch, match=why):
        stated_classes(described(*classes), table(RIGHT), actual=ACTUAL, order=order)


def test_without_a_target_the_order_is_believed_and_doubtful() -> None:
    """Nothing can tell whether it is right, and that is said."""
    found = stated_classes(described(), table(RIGHT), actual=None, order=("no", "yes"))
    assert found is not None
    assert found.doubtful
