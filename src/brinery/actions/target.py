"""The target: whether a model's answers can be compared with it, and how good they are then."""

from __future__ import annotations

from typing import Any, assert_never

import numpy as np
import numpy.typing as npt

from brinery.actions.class_names import positions
from brinery.actions.evaluation_data import EvaluationData
from brinery.errors import ColumnMismatch, UnseenClass
from brinery.evaluate import labels, run
from brinery.records.description import Description
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.scores import Scores

_LISTED = 3
_TWO = 2

_Labels = npt.NDArray[Any]


def evaluated(
    description: Description, data: EvaluationData, *, scores: Scores
) -> Evaluation | None:
    """Return the figures; None where there is no target to compare with.

    Raises:
        ColumnMismatch: the target of a regression is text.
        UnseenClass: the target has a label that is no class of the model.
    """
    target = data.fingerprint.target
    if target is None:
        return None
    actual = data.frame[target].to_numpy()
    if description.type is PredictionType.REGRESSION:
        _refuse_text(description, data, target=target)
    try:
        return run.run(description.type, actual, scores=scores, classes=description.classes)
    except UnseenClass as error:
        if (labels.codes(actual, description.classes) != labels.NO_CLASS).any():
            raise
        hint = f"{error.hint}; {_another(description, data)}"
        raise UnseenClass(error.message, hint=hint) from None


def suggested(description: Description, data: EvaluationData, *, scores: Scores) -> str:
    """Return the option with which a model's answers could be compared with the target.

    Empty where they are compared already, or are nothing like it.
    """
    target = data.fingerprint.target
    if target is None or description.type is not PredictionType.OTHER or scores.outputs:
        return ""
    actual, answers = data.frame[target].to_numpy(), scores.predictions
    known = labels.distinct(actual)
    there = answers[~labels.missing(answers)]
    numbers = there.dtype.kind in "iuf" and _first_text(actual) is None
    if there.size and (positions(there, known) or not labels.unseen(there, known)):
        kind = PredictionType.BINARY if len(known) == _TWO else PredictionType.MULTICLASS
        either = f"--type {kind}"
        return f"{either} or --type regression" if numbers and len(known) > _TWO else either
    return "--type regression" if there.size and numbers else ""


def _another(description: Description, data: EvaluationData) -> str:
    """Return which other column may be meant for the target, as the option to type."""
    taken = {*(description.feature_names or data.inputs.columns), data.fingerprint.target}
    fits = [
        name
        for name in data.frame.columns
        if name not in taken and _fits(description, data.frame[name].to_numpy())
    ]
    if fits:
        return f"did you mean {' or '.join(f'--target {name}' for name in fits[:_LISTED])}?"
    return "name the column that the model predicts with --target, or leave --target out"


def _fits(description: Description, actual: _Labels) -> bool:
    """Return whether a column could be what a model predicts."""
    match description.type:
        case PredictionType.BINARY | PredictionType.MULTICLASS:
            return not labels.unseen(actual, description.classes)
        case PredictionType.REGRESSION:
            return _first_text(actual) is None
        case PredictionType.OTHER:
            return False
        case _:
            assert_never(description.type)


def _refuse_text(description: Description, data: EvaluationData, *, target: str) -> None:
    actual = data.frame[target].to_numpy()
    row = _first_text(actual)
    if row is not None:
        raise ColumnMismatch(
            f"the model predicts a number, and the target '{target}' holds {actual[row]!r} "
            f"in row {row + 1}",
            hint=_another(description, data),
        )


def _first_text(actual: _Labels) -> int | None:
    """Return the first row, from 0, whose value is there and is no number; else None."""
    try:
        actual[~labels.missing(actual)].astype(np.float64)
    except (TypeError, ValueError):
        pass
    else:
        return None
    for row, value in enumerate(actual.tolist()):
        try:
            float("nan") if value is None else float(value)
        except (TypeError, ValueError):
            return row
    return None
