"""The names of classes that a model only numbers: it is described as if it knew them.

A label encoder before a booster, or a table of probabilities without a header, leaves numbers
where people say labels. Which label is which was told by the data when the model was imported;
`answers.named` puts them into its answers.
"""

from __future__ import annotations

from msgspec.structs import replace

from brinery.flavors.answers import type_of
from brinery.records.description import Description
from brinery.records.signature import Scalar


def numbers_classes(description: Description) -> bool:
    """Return whether a model's classes are their own positions: 0, 1 and so on."""
    classes = description.classes
    return bool(classes) and all(
        not isinstance(label, str) and label == place for place, label in enumerate(classes)
    )


def describe(description: Description, classes: tuple[Scalar, ...]) -> Description:
    """Return the description of a model whose classes are called so; as it is without names."""
    if not classes:
        return description
    nameless = not description.classes
    return replace(
        description,
        classes=classes,
        type=type_of(classes),
        gives_probabilities=description.gives_probabilities or nameless,
    )
