"""What a model's classes are called, where it does not tell itself: asked of the data, not assumed.

It may number them, as after a label encoder; answer a table of probabilities, whose columns a frame
names; or answer labels and nothing else, as a function does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.errors import PredictionRefused, UnseenClass
from brinery.evaluate import labels
from brinery.flavors import naming
from brinery.records.description import Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_LISTED = 10
_TWO = 2
_ZERO_ONE = {"0", "1"}

_Labels = npt.NDArray[np.generic]


class ClassNames(NamedTuple):
    """Names of a model's classes.

    Attributes:
        classes: in the model's order.
        said: how they were found, for people.
        doubtful: whether they are not in sorted order, as libraries have it.
        labels: whether the model answers them, or their positions, and no probabilities.
    """

    classes: tuple[Scalar, ...]
    said: str
    doubtful: bool
    labels: bool = False


def class_names(
    description: Description,
    scores: Scores,
    *,
    actual: _Labels | None,
    stated: PredictionType | None = None,
) -> ClassNames | None:
    """Return the names of a model's classes that it does not tell itself; None where it needs none.

    Labels are taken for the classes in sorted order, unless the data shows another order to fit
    clearly better. A frame of probabilities names its columns, and is believed where the target
    has no other label.

    Args:
        description: the model.
        scores: (n_rows,) its answers.
        actual: (n_rows,) the target; None where there is none.
        stated: what the user says that it predicts.

    Raises:
        UnseenClass: the model tells more or fewer classes apart than the target has labels, or
            its answers are others than these.
        PredictionRefused: some of its labels are missing.
    """
    named = not description.classes and bool(scores.classes)
    if actual is None:
        return _by_answers(scores) if named else None
    if not description.classes and scores.probabilities is None:
        asked = stated in (PredictionType.BINARY, PredictionType.MULTICLASS)
        fits = asked and description.type is PredictionType.OTHER
        return _of_labels(scores.predictions, actual, stated=stated) if fits else None
    own = description.classes or scores.classes
    if own and not _strange(own, actual):
        return _checked(scores, actual) if named else None
    count = len(own) or scores.probabilities.shape[1]  # type: ignore[union-attr]
    places = np.asarray(scores.predictions).astype(np.intp)
    return _ordered(actual, places, n_classes=count)


def _ordered(actual: _Labels, places: npt.NDArray[np.intp], *, n_classes: int) -> ClassNames:
    """Return the labels of the target as the classes that a model numbers."""
    found = labels.order(actual, places, n_classes=n_classes)
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


def _by_answers(scores: Scores) -> ClassNames:
    """Return the classes that the columns of a model's answers name."""
    said = f"its classes are {_listed(scores.classes)} by the columns of its answers"
    return ClassNames(scores.classes, said, doubtful=False)


def _checked(scores: Scores, actual: _Labels) -> ClassNames:
    """Return the classes that the columns of a model's answers name, once the target fits them.

    Raises:
        UnseenClass: the target has a label that is none of them.
    """
    try:
        labels.refuse_unseen(actual, scores.classes)
    except UnseenClass as error:
        names = _listed(map(repr, labels.distinct(actual)))
        raise UnseenClass(
            f"the columns of the model's answers name its classes "
            f"{_listed(map(repr, scores.classes))}, and {error.message}",
            hint=f"name these columns as the target does: {names}; or answer an array without "
            "names (.to_numpy()), whose columns are then taken for the target's labels; or leave "
            "--target out",
        ) from None
    return _by_answers(scores)


def _of_labels(predicted: _Labels, actual: _Labels, *, stated: PredictionType | None) -> ClassNames:
    """Return the labels of the target as the classes of a model that answers labels alone."""
    if absent := int(np.count_nonzero(labels.missing(predicted))):
        raise PredictionRefused(
            f"the model answers nothing (NaN) for {absent:,} of {len(predicted):,} rows",
            hint=f"a {stated} model answers every row with a label; leave --type out where "
            "this one need not",
        )
    names = labels.distinct(actual)
    if predicted.dtype.kind == "b" and set(map(labels.canonical, names)) == _ZERO_ONE:
        predicted = predicted.astype(np.intp)
    strangers = labels.unseen(predicted, names)
    if len(strangers) == len(labels.distinct(predicted)):
        if not positions(predicted, names):
            raise _no_labels(predicted, names)
        found = _ordered(actual, predicted.astype(np.intp), n_classes=len(names))
        return found._replace(labels=True)
    if strangers:
        # Text that the target happens not to have is one more class; numbers may be anything.
        names = labels.distinct(np.array([*names, *(one.label for one in strangers)], object))
        if predicted.dtype.kind != "O" or (stated is PredictionType.BINARY and len(names) > _TWO):
            raise _no_labels(predicted[[one.first_row for one in strangers]], names)
    codes = labels.codes(predicted, names)
    first = {code: row for row, code in reversed(list(enumerate(codes.tolist())))}
    answered = predicted.tolist()
    classes = tuple(
        answered[first[code]] if code in first else _like(label, predicted)
        for code, label in enumerate(names)
    )
    said = f"its classes are {_listed(classes)}, the labels of the target"
    return ClassNames(classes, said, doubtful=False, labels=True)


def positions(predicted: _Labels, names: tuple[Scalar, ...]) -> bool:
    """Return whether answers are places among labels, none of which is a place itself.

    Truth values are places among 0 and 1 too.

    Args:
        predicted: (n_rows,) without a missing one.
        names: of the target.
    """
    places = {str(place) for place in range(len(names))}
    own = set(map(labels.canonical, names))
    if predicted.dtype.kind == "b" and own == _ZERO_ONE:
        return True
    if predicted.dtype.kind not in "biuf" or places & own:
        return False
    return bool(np.isin(predicted.astype(np.float64), range(len(names))).all())


def _like(label: Scalar, predicted: _Labels) -> Scalar:
    """Return a label of the target that the model did not answer yet, as it would answer it."""
    match predicted.dtype.kind:
        case "b":
            return labels.canonical(label).lower() == "true"
        case "O":
            return labels.canonical(label)
        case _:
            return float(label) if isinstance(label, str) else label


def _no_labels(predicted: _Labels, names: tuple[Scalar, ...]) -> UnseenClass:
    return UnseenClass(
        f"the model answers {predicted.tolist()[0]!r}, which is no label of the target: it has "
        f"{_listed(map(repr, names))}",
        hint="name the column that the model predicts with --target, or leave --type out",
    )


def _strange(classes: tuple[Scalar, ...], actual: _Labels) -> bool:
    """Return whether the classes are 0, 1, … and the target has as many labels, all others."""
    if not naming.numbers_classes(classes):
        return False
    found = set(map(labels.canonical, labels.distinct(actual)))
    own = set(map(labels.canonical, classes))
    return len(found) == len(own) and not found & own


def _listed(classes: Iterable[Scalar]) -> str:
    found = list(classes)
    more = len(found) - _LISTED
    shown = ", ".join(str(label) for label in found[:_LISTED])
    return f"{shown} and {more} more" if more > 0 else shown
