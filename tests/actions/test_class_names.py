"""What a model's classes are called, where it only numbers them."""

from __future__ import annotations

import numpy as np
import pytest

from brinery.actions.class_names import class_names
from brinery.errors import UnseenClass
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
        type=PredictionType.OTHER,
        classes=classes,
    )


def table(places: np.ndarray) -> Scores:
    """Nameless probabilities whose likeliest class is at these places."""
    return Scores(places, np.eye(2)[places])


def test_sorted_labels_name_a_table_of_probabilities() -> None:
    """Columns nobody named are the labels in sorted order where the data agrees."""
    found = class_names(described(), table(RIGHT), actual=ACTUAL)
    assert found is not None
    assert found.classes == ("no", "yes")
    assert "100.0%" in found.said
    assert not found.doubtful


def test_the_data_overrules_the_sorted_order() -> None:
    """Where another order is right clearly more often, it is taken, and said to be doubtful."""
    found = class_names(described(), table(1 - RIGHT), actual=ACTUAL)
    assert found is not None
    assert found.classes == ("yes", "no")
    assert "100.0%" in found.said
    assert "0.0%" in found.said
    assert found.doubtful


def test_a_label_encoders_numbers_are_named() -> None:
    """A model of 0 and 1 on a target of words gets the words."""
    found = class_names(described(0, 1), Scores(RIGHT, classes=(0, 1)), actual=ACTUAL)
    assert found is not None
    assert found.classes == ("no", "yes")


@pytest.mark.parametrize(
    ("classes", "actual"),
    [
        (("no", "yes"), ACTUAL),
        ((0, 1), RIGHT),
        ((0, 1), RIGHT.astype(str).astype(object)),
        ((0, 1), np.array([0.0, np.nan] * 50)),
        ((0, 1), np.array(["a", "b", "c", "d"] * 25, dtype=object)),
        ((3, 4), ACTUAL),
    ],
)
def test_a_model_that_names_its_classes_is_believed(
    classes: tuple[Scalar, ...], actual: np.ndarray
) -> None:
    """Labels that are the model's own, or too many to be, rename nothing."""
    assert class_names(described(*classes), Scores(RIGHT, classes=classes), actual=actual) is None


def test_a_regression_is_not_renamed() -> None:
    """Answers without probabilities and classes are numbers."""
    assert class_names(described(), Scores(np.linspace(0, 1, 100)), actual=ACTUAL) is None


def test_more_classes_than_labels_cannot_be_named() -> None:
    """A table of three classes on a target of two labels is an error that says so."""
    places = np.array([0, 1, 2, 0] * 25)
    with pytest.raises(UnseenClass, match="3 classes apart"):
        class_names(described(), Scores(places, np.eye(3)[places]), actual=ACTUAL)
