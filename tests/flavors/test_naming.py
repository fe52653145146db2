"""The names of classes that a model only numbers."""

from __future__ import annotations

import numpy as np
import pytest

from brinery.errors import PredictionRefused
from brinery.flavors import answers, naming
from brinery.records.artifact import Artifact
from brinery.records.description import Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar


def described(*classes: Scalar) -> Description:
    """A model with these classes."""
    return Description(
        framework="x",
        framework_version="1",
        outline="X",
        type=PredictionType.OTHER,
        classes=classes,
    )


def kept(*classes: Scalar, labels: bool = False) -> Artifact:
    """What is stored of a model whose classes were named so."""
    return Artifact(flavor="x", format="x", file="x", sha256="", classes=classes, labels=labels)


@pytest.mark.parametrize("classes", [(0, 1), (0, 1, 2), (0.0, 1.0), (False, True)])
def test_positions(classes: tuple[Scalar, ...]) -> None:
    """Classes that are 0, 1, … in any type number themselves."""
    assert naming.numbers_classes(classes)


@pytest.mark.parametrize("classes", [(), (1, 2), (1, 0), ("0", "1"), ("no", "yes"), (0, 2)])
def test_no_positions(classes: tuple[Scalar, ...]) -> None:
    """Classes that are anything else do not."""
    assert not naming.numbers_classes(classes)


def test_a_table_of_probabilities_gets_labels() -> None:
    """Indices of probabilities become labels, and the probabilities stay as they are."""
    table = np.array([[0.9, 0.1], [0.2, 0.8]])
    named = answers.named(Scores(np.array([0, 1]), table), ("no", "yes"))
    assert named.predictions.tolist() == ["no", "yes"]
    assert named.classes == ("no", "yes")
    assert named.probabilities is table
    description = naming.describe(described(), kept("no", "yes"))
    assert description.classes == ("no", "yes")
    assert description.type is PredictionType.BINARY
    assert description.gives_probabilities


@pytest.mark.parametrize("kind", [np.int64, np.float64, np.bool_, np.uint8])
def test_numbers_of_any_type(kind: type[np.generic]) -> None:
    """A label encoder's numbers are positions in whatever type the model answers."""
    scores = Scores(np.array([1, 0, 1]).astype(kind), classes=(0, 1))
    assert answers.named(scores, (10, 20)).predictions.tolist() == [20, 10, 20]


@pytest.mark.parametrize("answer", [[0, 2], [-1, 0], [0.5, 1.0], ["0", "1"], [np.nan, 1]])
def test_what_is_no_class_is_refused(answer: list[Scalar]) -> None:
    """An answer that is no position is refused, never taken for the last class."""
    with pytest.raises(PredictionRefused, match="none of its 2 classes"):
        answers.named(Scores(np.array(answer), classes=(0, 1)), ("no", "yes"))


def test_numbers_without_probabilities_or_classes_are_refused() -> None:
    """A model that gave probabilities at import and gives numbers now is not understood."""
    with pytest.raises(PredictionRefused):
        answers.named(Scores(np.array([0, 1])), ("no", "yes"))


def test_a_model_with_names_stays_as_it_is() -> None:
    """Without names to give, the description is the model's own."""
    own = described("a", "b")
    assert naming.describe(own, kept()) is own
    scores = Scores(np.array([0, 1]))
    assert naming.given(scores, kept()) is scores


def test_labels_alone_have_no_probabilities() -> None:
    """A model that answers labels is described by its classes, and gives no probabilities."""
    artifact = kept("no", "yes", labels=True)
    description = naming.describe(described(), artifact)
    assert description.classes == ("no", "yes")
    assert description.type is PredictionType.BINARY
    assert not description.gives_probabilities
    scores = naming.given(Scores(np.array(["yes", "no"], object)), artifact)
    assert scores.predictions.tolist() == ["yes", "no"]
    assert scores.classes == ("no", "yes")
