"""Which label is which class: labels are compared by their canonical text.

A model keeps its classes in one type and a file gives its target in another: `1` in a notebook is
`1.0` in a csv file with a gap, and `True` is `true`. This module knows when two spellings are the
same label. It must not know what is done with the classes then.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from brinery.errors import UnseenClass
from brinery.specs.names import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brinery.records.signature import Scalar

NO_CLASS: Final = -1

_LISTED: Final = 10


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
    return np.fromiter(map(_is_missing, actual), np.bool_, actual.size)


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


def _is_missing(label: object) -> bool:
    return label is None or (isinstance(label, float | np.floating) and math.isnan(label))


def _factorise(values: npt.NDArray[np.generic]) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Return the canonical text of each distinct value, and (n_rows,) which one a row has."""
    if values.dtype.kind in "biuf":
        distinct, inverse = np.unique(values, return_inverse=True)
        return [canonical(value) for value in distinct], inverse
    # Texts and mixed objects: hashing is faster than the sort of np.unique, and types may mix.
    seen: dict[str, int] = {}
    numbers = (seen.setdefault(canonical(value), len(seen)) for value in values.tolist())
    inverse = np.fromiter(numbers, np.intp, values.size)
    return list(seen), inverse


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
