"""What a model's classes are called, where it only numbers them: asked of the data, not assumed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.evaluate import labels
from brinery.flavors import naming
from brinery.records.description import Description
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_LISTED = 10


class ClassNames(NamedTuple):
    """Names of a model's classes.

    Attributes:
        classes: in the model's order.
        said: how they were found, for people.
        doubtful: whether they are not in sorted order, as libraries have it.
    """

    classes: tuple[Scalar, ...]
    said: str
    doubtful: bool


def class_names(
    description: Description, scores: Scores, *, actual: npt.NDArray[np.generic]
) -> ClassNames | None:
    """Return the names that the target gives to a model's classes; None where it needs none.

    Labels are taken for the classes in sorted order, unless the data shows another order to fit
    clearly better.

    Args:
        description: the model.
        scores: (n_rows,) its answers.
        actual: (n_rows,) the target.

    Raises:
        UnseenClass: the model tells more or fewer classes apart than the target has labels.
    """
    nameless = not description.classes and scores.probabilities is not None
    if not nameless and not _strange(description, actual):
        return None
    count = len(description.classes) or scores.probabilities.shape[1]  # type: ignore[union-attr]
    places = np.asarray(scores.predictions).astype(np.intp)
    found = labels.order(actual, places, n_classes=count)
    if found.better is None:
        return ClassNames(
            found.classes,
            f"its classes are {_listed(found.classes)} by the target, in sorted order, which is "
            f"right on {found.agreement:.1%} of the rows",
            doubtful=False,
        )
    return ClassNames(
        found.better,
        f"its classes are {_listed(found.better)} by the target: in this order it is right on "
        f"{found.better_agreement:.1%} of the rows, in sorted order on {found.agreement:.1%}",
        doubtful=True,
    )


def _strange(description: Description, actual: npt.NDArray[np.generic]) -> bool:
    """Return whether the classes are 0, 1, … and the target has as many labels, all others."""
    if not naming.numbers_classes(description):
        return False
    there = actual[~labels.missing(actual)]
    found = {labels.canonical(label) for label in there.tolist()}
    own = {labels.canonical(label) for label in description.classes}
    return len(found) == len(own) and not found & own


def _listed(classes: tuple[Scalar, ...]) -> str:
    more = len(classes) - _LISTED
    shown = ", ".join(str(label) for label in classes[:_LISTED])
    return f"{shown} and {more} more" if more > 0 else shown
