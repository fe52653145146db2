"""The answers of any model in one form: a value per row, and a probability per row and class.

Or several values per row, which `outputs` knows.

Frameworks return arrays, lists, series, frames, numpy's own strings, one column where a vector is
meant, and probabilities without the names of their classes. What is not an answer is refused here,
in words, before it reaches a file or a caller. Boosters also need a column of text to be the
categories they know, which is done here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brinery.errors import PredictionRefused
from brinery.flavors import outputs, plain_values
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

if TYPE_CHECKING:
    import pandas as pd

_TABLE = 2
_TWO = 2
# How far the probabilities of a row may be from a sum of 1, and one of them outside 0 to 1: the
# rounding of a softmax in float32.
_ROUNDING = 1e-3


def type_of(classes: tuple[Scalar, ...]) -> PredictionType:
    """Return what a model with these classes predicts; `OTHER` where it has none."""
    if not classes:
        return PredictionType.OTHER
    return PredictionType.BINARY if len(classes) == _TWO else PredictionType.MULTICLASS


def scalars(labels: Any) -> tuple[Scalar, ...]:
    """Return labels as Python's own scalars.

    Args:
        labels: (n,) an array, list or series of strings, numbers or booleans.
    """
    return tuple(
        label.item() if isinstance(label, np.generic) else label
        for label in np.asarray(labels, dtype=object).tolist()
    )


def scores(
    predicted: Any,
    *,
    rows: int,
    classes: tuple[Scalar, ...] = (),
    probabilities: Any = None,
    nameless: bool = False,
) -> Scores:
    """Return a model's answers in the form that every room reads.

    Args:
        predicted: one value per row: an array, list, series, or a table of one column; or a table
            of several columns, whose answers have neither probabilities nor classes.
        rows: how many rows were asked about.
        classes: of the model, in the order of its probabilities.
        probabilities: (n_rows, n_classes), or (n_rows,) or (n_rows, 1) of the second of two
            classes; None where it gives none.
        nameless: whether a table of probabilities may stand for predictions, its columns being
            the classes, or classes that nobody named. A frame names them.

    Raises:
        NotAModel: it answers each row with more values than are supported.
        PredictionRefused: not one answer per row, or a probability that is none.
    """
    outputs.check_size(predicted, rows=rows)
    if nameless:
        found = _table_of_probabilities(predicted, rows=rows, classes=classes)
        if found is not None:
            return found
    table = _array(predicted)
    if outputs.are_several(table, rows=rows):
        return outputs.scores(table, answer=predicted)
    values = one_per_row(table, rows=rows)
    if probabilities is None:
        return Scores(predictions=values, classes=classes)
    return Scores(
        predictions=values,
        probabilities=per_class(probabilities, rows=rows, n_classes=len(classes)),
        classes=classes,
    )


def of_probabilities(probabilities: Any, *, rows: int, classes: tuple[Scalar, ...]) -> Scores:
    """Return the answers of a model that gives probabilities only: the likeliest class of each row.

    Of equally likely classes it is the first, as the frameworks have it.

    Args:
        probabilities: as for `scores`.
        rows: how many rows were asked about.
        classes: in the order of the probabilities; where there are none, predictions are indices.
    """
    table = _array(probabilities)
    n_classes = len(classes) or (table.shape[1] if table.ndim == _TABLE else _TWO)
    found = per_class(table, rows=rows, n_classes=n_classes)
    likeliest = found.argmax(axis=1)
    if not classes:
        return Scores(predictions=likeliest, probabilities=found)
    labels = one_per_row([classes[index] for index in likeliest], rows=rows)
    return Scores(predictions=labels, probabilities=found, classes=classes)


def named(scores: Scores, classes: tuple[Scalar, ...]) -> Scores:
    """Return scores whose classes are called otherwise, each by its place.

    Args:
        scores: of a model whose classes nobody named, or that calls them 0 and 1, say.
        classes: (n_classes,) in the order of the model's.

    Raises:
        PredictionRefused: it has another number of classes, or a prediction is none of them.
    """
    own, probabilities = scores.classes, scores.probabilities
    if probabilities is not None and not own:
        own = tuple(range(probabilities.shape[1]))
    elif probabilities is not None and own != classes and set(own) == set(classes):
        # A frame that names its columns may name them in another order from call to call.
        probabilities = probabilities[:, [own.index(label) for label in classes]]
        own = classes
    places = {label: place for place, label in enumerate(own)}
    if len(own) != len(classes):
        raise _no_class(classes)
    predicted = _places(scores.predictions, places, classes=classes)
    return Scores(predictions=predicted, probabilities=probabilities, classes=classes)


def labelled(scores: Scores, classes: tuple[Scalar, ...]) -> Scores:
    """Return the labels of a model that gives nothing else, each as the class that it is.

    Args:
        scores: without probabilities or classes.
        classes: (n_classes,) what the labels are. Where none of them is a position (0, 1, …), an
            answer may be one: that of the class it means.

    Raises:
        PredictionRefused: a label is no class, or probabilities came with it.
    """
    if scores.probabilities is not None:
        raise PredictionRefused(
            "the model answered probabilities, and answered labels when it was imported",
            hint="its predict must answer every time with the same kind of value",
        )
    positions = range(len(classes))
    places: dict[Scalar, int] = {}
    if not any(label in positions for label in classes):
        places.update((place, place) for place in positions)
    places.update((label, place) for place, label in enumerate(classes))
    predicted = _places(scores.predictions, places, classes=classes)
    return Scores(predictions=predicted, classes=classes)


def _places(
    predictions: npt.NDArray[Any], places: Mapping[Scalar, int], *, classes: tuple[Scalar, ...]
) -> npt.NDArray[Any]:
    """Return the class that each prediction is: (n_rows,)."""
    labels = predictions.tolist()
    found = [places.get(label, -1) for label in labels]
    if -1 in found:
        raise _no_class(classes, f"{labels[found.index(-1)]!a}, which")
    return one_per_row([classes[place] for place in found], rows=len(found))


def _no_class(classes: tuple[Scalar, ...], what: str = "what") -> PredictionRefused:
    return PredictionRefused(
        f"the model answered {what} is none of its {len(classes)} classes",
        hint="import it again with data like this",
    )


def one_per_row(predicted: Any, *, rows: int) -> npt.NDArray[Any]:
    """Return predictions as a vector: (n_rows,).

    Raises:
        PredictionRefused: they are not one per row, or no numbers, texts or truth values.
    """
    values = _array(predicted)
    if values.shape == (rows, 1):
        values = values[:, 0]
    if values.ndim == 0:
        raise plain_values.no_vector(values.item(), rows=rows)
    if values.shape != (rows,):
        raise PredictionRefused(
            f"the model gives predictions of shape {values.shape} for {rows} rows",
            hint="its predict must answer each row with one value",
        )
    return plain_values.plain(values)


def per_class(probabilities: Any, *, rows: int, n_classes: int) -> npt.NDArray[np.float64]:
    """Return probabilities as (n_rows, n_classes) float64.

    One column for two classes is the probability of the second. They need not sum to 1: of a model
    that judges each class by itself they do not.

    Raises:
        PredictionRefused: their shape is another, or one of them is not a number from 0 to 1.
    """
    try:
        table = _array(probabilities).astype(np.float64)
    except (TypeError, ValueError):
        raise PredictionRefused(
            "the model gives probabilities that are not numbers",
            hint="its predict_proba must return an array of numbers",
        ) from None
    if n_classes == _TWO and table.shape in {(rows,), (rows, 1)}:
        second = table.reshape(rows)
        table = np.column_stack([1.0 - second, second])
    if table.shape != (rows, n_classes):
        raise PredictionRefused(
            f"the model gives probabilities of shape {table.shape} for {rows} rows and "
            f"{n_classes} classes",
            hint="its predict_proba must return a column per class",
        )
    wrong = ~((table >= -_ROUNDING) & (table <= 1 + _ROUNDING))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise PredictionRefused(
            f"the model gives {table[row, column]} as a probability",
            hint="a probability is a number from 0 to 1; are its inputs missing or infinite?",
        )
    return table


def categorical(frame: pd.DataFrame, categories: Mapping[str, tuple[Scalar, ...]]) -> pd.DataFrame:
    """Return a frame whose columns of text are the categories that a model was fitted with.

    Args:
        frame: (n_rows, …); what is categorical already stays as it is.
        categories: column to its categories, in the model's order.

    Raises:
        PredictionRefused: a value is none of them.
    """
    import pandas as pd  # a server that needs it for no answer does without

    made = {}
    for name, known in categories.items():
        if name not in frame or isinstance(frame[name].dtype, pd.CategoricalDtype):
            continue
        column = frame[name]
        strange = column.notna() & ~column.isin(known)
        if strange.any():
            raise PredictionRefused(
                f"column '{name}' holds {column[strange].iloc[0]!r}, which is none of the "
                f"{len(known)} categories the model knows",
                hint="leave its value empty, or its row out",
            )
        made[name] = pd.Categorical(column, categories=known)
    return frame.assign(**made) if made else frame


def _table_of_probabilities(
    predicted: Any, *, rows: int, classes: tuple[Scalar, ...]
) -> Scores | None:
    """Return the answers that a table of probabilities stands for; None where it is not one.

    Raises:
        PredictionRefused: it is one but for the rows that are NaN.
    """
    values = _array(predicted)
    if values.ndim != _TABLE or values.shape[0] != rows or values.shape[1] < _TWO or not rows:
        return None
    try:
        table = values.astype(np.float64)
    except (TypeError, ValueError):
        return None
    absent = np.isnan(table).any(axis=1)
    there = table[~absent]
    inside = (there >= -_ROUNDING) & (there <= 1 + _ROUNDING)
    if not inside.all() or (abs(there.sum(axis=1) - 1) > _ROUNDING).any():
        return None
    if absent.any():
        raise PredictionRefused(
            "the model answers NaN as a probability",
            hint="are its inputs missing or infinite? fill them in where the model predicts",
        )
    names = _column_names(predicted)
    if classes and set(names) == set(classes):
        table = table[:, [names.index(label) for label in classes]]
    return of_probabilities(table, rows=rows, classes=classes or names)


def _column_names(predicted: Any) -> tuple[Scalar, ...]:
    """Return the names of a frame's columns; none where they name no classes."""
    if not plain_values.is_frame(predicted):
        return ()
    import pandas as pd  # there is a frame: it is imported

    if isinstance(predicted.columns, pd.RangeIndex):
        return ()
    names = scalars(predicted.columns)
    is_plain = all(isinstance(name, (str, int, float, bool)) for name in names)
    return names if is_plain and len(set(names)) == len(names) else ()


def _array(values: Any) -> npt.NDArray[Any]:
    """Return what a model put its answers in as an array.

    Raises:
        PredictionRefused: its rows are of different lengths, or it is not there.
    """
    if values is None:
        raise PredictionRefused("the model answers None", hint="its predict must return a value")
    if hasattr(values, "toarray"):
        values = values.toarray()
    try:
        array = np.asarray(values)
    except ValueError:
        raise PredictionRefused(
            "the model's answers are no table: its rows are of different lengths",
            hint="its predict must answer each row with one value",
        ) from None
    if array.dtype.kind == "U" and isinstance(values, (list, tuple)):
        # Of a list of labels and numbers numpy makes text of all; each keeps its own type.
        kept = np.array(values, dtype=object)
        if not all(isinstance(value, str) for value in kept.flat):
            return kept
    return array
