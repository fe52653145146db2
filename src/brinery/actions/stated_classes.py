"""The classes that a user states: the model's own, in its order, or refused.

A model that names its classes is believed, whatever order is stated. One that numbers them, or
answers a table without names, is asked: classes in the wrong order would give every row the
probability of another class, and nothing would fail.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from brinery.actions.class_names import ClassNames
from brinery.errors import ClassesMismatch
from brinery.evaluate import labels
from brinery.flavors import naming
from brinery.records.description import Description
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_Labels = npt.NDArray[np.generic]


def stated_classes(
    description: Description,
    scores: Scores,
    *,
    actual: _Labels | None,
    order: tuple[str, ...],
) -> ClassNames | None:
    """Return the names of a model's classes; None where it tells them itself, as they are stated.

    Args:
        description: the model.
        scores: (n_rows,) its answers.
        actual: (n_rows,) the target; None where there is none to check the order by.
        order: the labels as the user states them.

    Raises:
        ClassesMismatch: the model has other classes, the target has a label that is none of them,
            or the data shows that the model has them in another order.
    """
    own = description.classes or scores.classes
    if actual is not None and (strangers := labels.unseen(actual, order)):
        listed = ", ".join(repr(one.label) for one in strangers[:10])
        raise ClassesMismatch(
            f"the target has {listed}, and the classes are stated to be {_listed(order)}",
            hint="state every label of the target, in the model's order, or leave those rows out",
        )
    if own:
        places = labels.codes(np.array(order, object), own)
        if len(order) == len(own) and (places != labels.NO_CLASS).all():
            return _named(own, order, places, tells=bool(description.classes))
        if not naming.numbers_classes(own) or len(order) != len(own):
            raise ClassesMismatch(
                f"the model's classes are {_listed(own)}, and they are stated to be "
                f"{_listed(order)}",
                hint="state them as the model has them: list(model.classes_)",
            )
    elif scores.probabilities is None:
        return None  # it answers labels, which name themselves
    return _numbered(scores, actual=actual, order=order)


def _named(
    own: Sequence[Scalar], order: tuple[str, ...], places: npt.NDArray[np.intp], *, tells: bool
) -> ClassNames | None:
    """Return the names of classes that the model tells itself; its own order counts."""
    same = bool((places == np.arange(len(own))).all())
    if tells and same:
        return None
    said = f"its classes are {_listed(own)}"
    if not same:
        said += f", in this order, and not {_listed(order)}, as is stated: its own order is used"
    return ClassNames(tuple(own), said, doubtful=not same)


def _numbered(scores: Scores, *, actual: _Labels | None, order: tuple[str, ...]) -> ClassNames:
    """Return what is stated of classes that the model numbers, once the data agrees.

    Raises:
        ClassesMismatch: it does not.
    """
    count = len(order) if scores.probabilities is None else scores.probabilities.shape[1]
    if count != len(order):
        raise ClassesMismatch(
            f"the model answers {count} probabilities, and {len(order)} classes are stated: "
            f"{_listed(order)}",
            hint="state every class, in the model's order",
        )
    if actual is None:
        said = f"its classes are {_listed(order)}, as is stated: no target tells whether they are"
        return ClassNames(order, said, doubtful=True)
    if scores.probabilities is None:
        places = np.asarray(scores.predictions).astype(np.intp)
    else:
        places = np.asarray(scores.probabilities).argmax(axis=1)
    found = labels.order(actual, places, n_classes=count, candidate=order)
    if found.better is not None:
        raise ClassesMismatch(
            f"the classes are stated to be {_listed(order)}, and the model is right on "
            f"{found.agreement:.1%} of the rows so; as {_listed(found.better)} it is right on "
            f"{found.better_agreement:.1%}",
            hint=f"state them in the model's order: {list(map(str, found.better))}",
        )
    right = f"right on {found.agreement:.1%} of the rows"
    said = f"its classes are {_listed(order)}, as is stated: {right}"
    return ClassNames(order, said, doubtful=False)


def _listed(classes: Sequence[Scalar]) -> str:
    return ", ".join(map(str, classes[:20]))
