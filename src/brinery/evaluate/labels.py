"""Which label is which class: labels are compared by their canonical text.

A model keeps its classes in one type and a file gives its target in another: `1` in a notebook is
`1.0` in a csv file with a gap, and `True` is `true`. This module knows when two spellings are the
same label, and which label a class is that nobody named. It must not know what is done with the
classes then.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.errors import UnseenClass
from brinery.specs.names import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brinery.records.signature import Scalar

NO_CLASS: Final = -1

_LISTED: Final = 10
_SMALL: Final = 65_536
_DEVIATIONS: Final = 3.0


class Unseen(NamedTuple):
    """A label that is none of the model's classes.

    Attributes:
        label: its canonical text.
        rows: how many have it.
        first_row: index of the first of them, from 0.
    """

    label: str
    rows: int
    first_row: int


class Order(NamedTuple):
    """The order in which labels are taken for a model's classes, and how well it fits the data.

    Attributes:
        classes: (n_classes,) the labels, one for each of the model's classes in its order.
        agreement: the share of labelled rows for which the model's likeliest class is the label.
        better: another order that fits clearly better; None where there is none.
        better_agreement: the share under that order; `agreement` where there is none.
    """

    classes: tuple[Scalar, ...]
    agreement: float
    better: tuple[Scalar, ...] | None
    better_agreement: float


def canonical(label: object) -> str:
    """Return the text that a label is compared by: `true`, `1` for 1.0, else its `str`."""
    if isinstance(label, str):
        return str(label)
    value = label.item() if isinstance(label, np.generic) else label
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def missing(actual: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Return which labels are missing.

    Args:
        actual: (n_rows,) labels of any type; None, NaN and NaT are missing.

    Returns:
        (n_rows,) bool.
    """
    if actual.dtype != np.object_:
        return np.asarray(np.not_equal(actual, actual))
    if {type(value) for value in actual} <= {str, bool, int}:
        return np.zeros(actual.size, np.bool_)
    return np.fromiter(map(_is_missing, actual), np.bool_, actual.size)


def distinct(actual: npt.NDArray[np.generic]) -> tuple[Scalar, ...]:
    """Return the labels that there are, each once: numbers by size and texts by letter.

    Args:
        actual: (n_rows,) labels of any type; the missing ones are left out.
    """
    found: dict[str, Scalar] = {}
    for label in actual[~missing(actual)].tolist():
        found.setdefault(canonical(label), label)
    values = list(found.values())
    if any(isinstance(value, str) for value in values):
        return tuple(found[text] for text in sorted(found))
    return tuple(sorted(values))


def codes(
    actual: npt.NDArray[np.generic],
    classes: Sequence[Scalar],
) -> npt.NDArray[np.intp]:
    """Return each label as an index into the classes.

    Args:
        actual: (n_rows,) labels of any type.
        classes: (n_classes,) in the model's order.

    Returns:
        (n_rows,) from 0 to n_classes - 1; `NO_CLASS` where the label is missing or unseen.
    """
    index = _index(classes)
    found = np.full(actual.shape, NO_CLASS, np.intp)
    labelled = ~missing(actual)
    texts, inverse = _factorise(actual[labelled])
    found[labelled] = np.array([index.get(text, NO_CLASS) for text in texts], np.intp)[inverse]
    return found


def unseen(
    actual: npt.NDArray[np.generic],
    classes: Sequence[Scalar],
) -> tuple[Unseen, ...]:
    """Return the labels that are no class of the model, in the order in which they appear.

    Args:
        actual: (n_rows,) labels of any type; the missing ones are left out.
        classes: (n_classes,) of the model.
    """
    rows = np.flatnonzero((codes(actual, classes) == NO_CLASS) & ~missing(actual))
    texts, inverse = _factorise(actual[rows])
    _, first, counts = np.unique(inverse, return_index=True, return_counts=True)
    found = map(Unseen, texts, counts.tolist(), rows[first].tolist())
    return tuple(sorted(found, key=lambda label: label.first_row))


def refuse_unseen(actual: npt.NDArray[np.generic], classes: Sequence[Scalar]) -> None:
    """Return only where every label that is not missing is a class of the model.

    Args:
        actual: (n_rows,) labels of any type.
        classes: (n_classes,) of the model.

    Raises:
        UnseenClass: a label is none; the message has each, its count and its first row from 1.
    """
    strangers = unseen(actual, classes)
    if not strangers:
        return
    names = [canonical(label) for label in classes]
    listed = _listing(
        [
            f"{label!r} ({rows:,} {'row' if rows == 1 else 'rows'}, first in row {first + 1:,})"
            for label, rows, first in strangers
        ],
    )
    meant = ((stranger.label, nearest(stranger.label, names)) for stranger in strangers[:_LISTED])
    hints = [f"is {label!r} meant to be {name!r}?" for label, name in meant if name is not None]
    raise UnseenClass(
        f"the target has classes the model never saw: {listed}",
        hint="; ".join([f"the model's classes are {_listing(list(map(repr, names)))}", *hints]),
    )


def order(
    actual: npt.NDArray[np.generic],
    predicted: npt.NDArray[np.integer],
    *,
    n_classes: int,
    candidate: Sequence[Scalar] = (),
) -> Order:
    """Return which label each class of a model is, where the model itself does not say.

    The candidate is what libraries do: labels in sorted order. The data then tells whether another
    order would make the model right clearly more often than chance explains: by more than three
    standard deviations of the rows on which the two orders differ.

    Args:
        actual: (n_rows,) labels of any type; the missing ones are left out.
        predicted: (n_rows,) the index of the class that the model finds likeliest.
        n_classes: how many the model tells apart.
        candidate: the order to check; sorted labels when empty.

    Raises:
        UnseenClass: there are more or fewer labels than classes, so none can be named.
    """
    there = ~missing(actual)
    labels = actual[there]
    classes = tuple(candidate) or distinct(labels)
    if len(classes) != n_classes:
        raise UnseenClass(
            f"the model tells {n_classes} classes apart, and the target has {len(classes)} labels: "
            f"{_listing([repr(label) for label in classes])}",
            hint="name the model's classes in its order, those without a row of data among them",
        )
    refuse_unseen(labels, classes)
    counts = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(counts, (predicted[there], codes(labels, classes)), 1)
    own, other = np.arange(n_classes), _likeliest(counts)
    rows = max(1, int(counts.sum()))
    agreement = counts[own, own].sum() / rows
    moved = own != other
    gained, lost = int(counts[own, other][moved].sum()), int(counts[own, own][moved].sum())
    clearly = gained - lost > _DEVIATIONS * math.sqrt(gained + lost)
    return Order(
        classes=classes,
        agreement=float(agreement),
        better=tuple(classes[place] for place in other) if clearly else None,
        better_agreement=float(agreement + (gained - lost) / rows if clearly else agreement),
    )


def _likeliest(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return for each class of a model the label it is, the clearest pairs first.

    Args:
        counts: (n_classes, n_classes) rows by the model's class, columns by label.
    """
    left = counts.astype(np.float64)
    found = np.zeros(len(left), np.intp)
    for _ in range(len(left)):
        place, label = np.unravel_index(np.argmax(left), left.shape)
        found[place] = label
        left[place, :] = left[:, label] = -1
    return found


def _is_missing(label: object) -> bool:
    return label is None or (isinstance(label, float | np.floating) and math.isnan(label))


def _factorise(values: npt.NDArray[np.generic]) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Return the canonical text of each distinct value, and (n_rows,) which one a row has."""
    if values.dtype.kind in "biuf":
        return _numbers(values)
    # Texts and mixed objects: hashing is faster than the sort of np.unique, and types may mix.
    labels = values.tolist()
    if {type(value) for value in labels} <= {str}:
        texts = list(dict.fromkeys(labels))
        places = {text: place for place, text in enumerate(texts)}
        return texts, np.fromiter(map(places.__getitem__, labels), np.intp, values.size)
    seen: dict[str, int] = {}
    numbers = (seen.setdefault(canonical(value), len(seen)) for value in labels)
    inverse = np.fromiter(numbers, np.intp, values.size)
    return list(seen), inverse


def _numbers(
    values: npt.NDArray[np.generic],
) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Return the same for numbers; small whole ones, which labels mostly are, need no sort."""
    small: npt.NDArray[Any] = values
    if values.dtype.kind == "f" and values.size and np.abs(small).max() <= _SMALL:
        whole = small.astype(np.int32)
        small = whole if np.array_equal(whole, values) else small
    if small.dtype.kind == "f" or not values.size or small.max() > _SMALL or small.min() < -_SMALL:
        distinct, inverse = np.unique(values, return_inverse=True)
        return [canonical(value) for value in distinct], inverse
    places = small.astype(np.intp)
    first = places.min()
    places -= first
    found = np.flatnonzero(np.bincount(places))
    numbers = np.zeros(found[-1] + 1, np.intp)
    numbers[found] = np.arange(found.size)
    texts = [canonical((found + first).astype(values.dtype)[n]) for n in range(found.size)]
    return texts, np.take(numbers, places, out=places)


def _index(classes: Sequence[Scalar]) -> dict[str, int]:
    """Return each text that means a class, and that class's index.

    A truth value is known by its three usual spellings, whether the model keeps it as a bool or
    as a text, unless another class claims that spelling as its own.
    """
    texts = [canonical(label) for label in classes]
    index = {text: code for code, text in reversed(list(enumerate(texts)))}
    for code, text in enumerate(texts):
        if text.lower() in {"true", "false"}:
            for spelling in (text.lower(), text.capitalize(), text.upper()):
                index.setdefault(spelling, code)
    return index


def _listing(items: Sequence[str]) -> str:
    """Return the items on one line, and how many more there are than a line holds."""
    more = len(items) - _LISTED
    return ", ".join(items[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
