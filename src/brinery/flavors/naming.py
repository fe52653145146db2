"""The classes and outputs that a model does not tell itself: it is described as if it knew them.

A label encoder before a booster, or a table of probabilities without a header, leaves numbers
where people say labels; a function that answers labels does not say which there are. Which label
is which was told by the data when the model was imported; `given` puts them into its answers.
So were the names of the several values that a model answers each row with.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from brinery.errors import PredictionRefused
from brinery.flavors import answers, outputs
from brinery.records.artifact import Artifact
from brinery.records.description import Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar, Signature


def numbers_classes(classes: tuple[Scalar, ...]) -> bool:
    """Return whether a model's classes are their own positions: 0, 1 and so on."""
    return bool(classes) and all(
        not isinstance(label, str) and label == place for place, label in enumerate(classes)
    )


def describe(description: Description, artifact: Artifact) -> Description:
    """Return the description of a model whose classes are called so; as it is without names.

    What answers each row with several values is *other*, and has no classes.
    """
    if artifact.outputs:
        return replace(
            description, classes=(), type=PredictionType.OTHER, gives_probabilities=False
        )
    classes = artifact.classes
    if not classes:
        return description
    tells = description.gives_probabilities or not (description.classes or artifact.labels)
    return replace(
        description,
        classes=classes,
        type=answers.type_of(classes),
        gives_probabilities=tells,
    )


def given(scores: Scores, artifact: Artifact) -> Scores:
    """Return scores with the names of the classes, or outputs; as they are without names.

    Raises:
        PredictionRefused: an answer is none of them.
    """
    if artifact.outputs:
        return outputs.settled(scores, artifact.outputs)
    if scores.outputs and artifact.classes:
        raise PredictionRefused(
            f"the model answers each row with {len(scores.outputs)} values, and answered one when "
            "it was imported",
            hint="its predict must answer every time with the same kind of value",
        )
    if not artifact.classes:
        return scores
    if artifact.labels:
        return answers.labelled(scores, artifact.classes)
    return answers.named(scores, artifact.classes)


def inputs(
    description: Description, takes: Signature, *, given: Sequence[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Return name and type of a model's inputs, in its order; no type for one the data lacks.

    Args:
        description: of the model.
        takes: the types of the data's columns.
        given: their order; that of the types when empty.
    """
    types = {column.name: column.type.value for column in takes.columns}
    names = description.feature_names or tuple(given) or tuple(types)
    return tuple((name, types.get(name, "")) for name in names)
