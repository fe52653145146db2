"""scikit-learn estimators and whatever follows their interface (XGBoost's wrapper does)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from msgspec.structs import replace

from brinery.errors import NotAModel, PredictionRefused
from brinery.records.description import ColumnUse, Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DISTRIBUTION = "scikit-learn"
_MAX_OUTLINE = 200
_MAX_CATEGORIES = 1000


class ScikitLearn:
    """The flavor of scikit-learn estimators, pipelines among them."""

    def sniff(self, model: Any) -> bool:
        """Return whether the object is an estimator that can predict."""
        from sklearn.base import BaseEstimator

        return isinstance(model, BaseEstimator) and hasattr(model, "predict")

    def describe(self, model: Any) -> Description:
        """Return what an estimator says of itself."""
        from importlib.metadata import version

        _check_fitted(model)
        bare = _takes_text(model)
        names = None if bare else getattr(model, "feature_names_in_", None)
        feature_names = None if names is None else tuple(str(name) for name in names)
        classes = _classes(model)
        return Description(
            framework=_DISTRIBUTION,
            framework_version=version(_DISTRIBUTION),
            outline=outline(model),
            type=_type(model, classes),
            classes=classes,
            gives_probabilities=_gives_probabilities(model),
            feature_names=feature_names,
            n_features=1 if bare else getattr(model, "n_features_in_", None),
            columns=column_uses(model, feature_names) if feature_names else {},
        )

    def score(self, model: Any, frame: pd.DataFrame) -> Scores:
        """Return an estimator's predictions, with probabilities where it has them.

        Raises:
            NotAModel: it answers each row with several values.
            PredictionRefused: it takes bare text, and one is missing.
            ValueError: it does not answer each row with one value and a probability per class.
        """
        given = _texts(frame) if _takes_text(model) else frame
        predictions = _predictions(model, given)
        if not _gives_probabilities(model):
            return Scores(predictions=predictions)
        probabilities = np.asarray(model.predict_proba(given), dtype=np.float64)
        if probabilities.shape != (len(frame), len(_classes(model))):
            raise ValueError(
                f"probabilities of shape {probabilities.shape} for {len(frame)} rows "
                f"and {len(_classes(model))} classes"
            )
        return Scores(predictions=predictions, probabilities=probabilities)


def _predictions(model: Any, given: Any) -> Any:
    """Return a model's predictions, one per row."""
    predictions = np.asarray(model.predict(given))
    if predictions.ndim == 2:  # noqa: PLR2004 - (n, 1) is (n,)
        outputs = predictions.shape[1]
        if outputs != 1:
            raise NotAModel(
                f"the model predicts {outputs} outputs, and one is supported",
                hint="fit and pickle one estimator per output",
            )
        predictions = predictions[:, 0]
    if predictions.shape != (len(given),):
        raise ValueError(f"predictions of shape {predictions.shape} for {len(given)} rows")
    return predictions


def _takes_text(model: Any) -> bool:
    """Return whether the columns reach a vectoriser untouched: it takes bare text, not columns."""
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

    first = _first_step(model)
    if isinstance(parts := getattr(first, "transformer_list", None), list):
        return any(_takes_text(part) for _, part in parts)
    return isinstance(first, CountVectorizer | HashingVectorizer)


def _texts(frame: Any) -> Any:
    """Return the one column of a frame or an array: (n_rows,) text.

    Raises:
        PredictionRefused: a text is missing, of which some vectorisers make the word "nan".
    """
    texts = np.asarray(frame, dtype=object).reshape(-1)
    if pd.isna(texts).any():
        raise PredictionRefused(
            "a text is missing", hint="fill it in, with '' if need be, or leave its row out"
        )
    return texts


def _check_fitted(model: Any) -> None:
    """Raise where an estimator of scikit-learn's own is not fitted; others need not say."""
    from sklearn.utils.validation import check_is_fitted

    last = model
    while isinstance(getattr(last, "steps", None), list):
        last = last.steps[-1][1]
    if type(last).__module__.startswith("sklearn."):
        check_is_fitted(model)


def _gives_probabilities(model: Any) -> bool:
    """Return whether there are probabilities, and classes to tell them by."""
    return hasattr(model, "predict_proba") and bool(_classes(model))


def _classes(model: Any) -> tuple[Scalar, ...]:
    classes = getattr(model, "classes_", None)
    if classes is None or not hasattr(classes, "tolist") or classes.ndim != 1:
        return ()
    return tuple(classes.tolist())


def _type(model: Any, classes: tuple[Scalar, ...]) -> PredictionType:
    from sklearn.base import is_classifier, is_regressor

    if is_classifier(model) and classes:
        return PredictionType.BINARY if len(classes) == 2 else PredictionType.MULTICLASS  # noqa: PLR2004 - two classes are binary
    if is_regressor(model):
        return PredictionType.REGRESSION
    return PredictionType.OTHER


def outline(model: Any) -> str:
    """Return the class of an estimator with those of its steps, such as `Pipeline(A → B)`."""
    name = type(model).__name__
    inner = _inner(model)
    if isinstance(getattr(model, "steps", None), list):
        text = f"{name}({' → '.join(outline(step) for step in _steps(model))})"
    else:
        text = name if inner is None else f"{name}({outline(inner)})"
    return text if len(text) <= _MAX_OUTLINE else text[: _MAX_OUTLINE - 1] + "…"


def _steps(model: Any) -> list[Any]:
    """Return the steps of a pipeline that do something."""
    return [step for _, step in model.steps if step is not None and not isinstance(step, str)]


def _inner(model: Any) -> Any:
    """Return the fitted estimator that a search or a target transformer hands its input to."""
    return getattr(model, "best_estimator_", getattr(model, "regressor_", None))


def column_uses(model: Any, names: Sequence[str]) -> dict[str, ColumnUse]:
    """Return what an estimator does with its columns, where its steps tell.

    Only a `ColumnTransformer` that columns reach untouched tells which are read; only an
    `OneHotEncoder` or `OrdinalEncoder` that they reach through imputers tells the categories.
    Gradient boosting with categorical columns has such a transformer within, and takes missing
    values in all of them.
    """
    first = _first_step(model)
    boosted = hasattr(first, "is_categorical_")
    transformer = getattr(first, "_preprocessor", None) if boosted else first
    if not hasattr(transformer, "transformers_"):
        return {}
    uses = {name: ColumnUse(used=False) for name in names}
    for branch, columns in _branches(transformer, names):
        for position, column in enumerate(columns):
            use = _encoded(branch, position)
            known = uses[column]
            uses[column] = use if not known.used or use.categories is not None else known
    return {name: replace(use, missing=True) for name, use in uses.items()} if boosted else uses


def _first_step(model: Any) -> Any:
    """Return the step that columns reach untouched."""
    while True:
        if isinstance(getattr(model, "steps", None), list):
            model = next(iter(_steps(model)), None)
        elif _inner(model) is not None:
            model = _inner(model)
        else:
            return model


def _branches(transformer: Any, names: Sequence[str]) -> Iterator[tuple[Any, list[str]]]:
    """Yield the fitted transformers of a `ColumnTransformer` that read, with their columns."""
    for _, branch, columns in transformer.transformers_:
        if branch != "drop":
            chosen = _resolve(columns, names)
            if chosen:
                yield branch, chosen


def _resolve(columns: Any, names: Sequence[str]) -> list[str]:
    """Return the names that a column choice of a fitted `ColumnTransformer` means."""
    if isinstance(columns, str):
        return [columns]
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            start = names.index(columns.start) if columns.start is not None else 0
            stop = names.index(columns.stop) + 1 if columns.stop is not None else len(names)
            return list(names[start:stop])
        return list(names[columns])
    chosen: list[Any] = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
    if chosen and all(isinstance(column, bool | np.bool_) for column in chosen):
        return [name for name, kept in zip(names, chosen, strict=True) if kept]
    return [column if isinstance(column, str) else names[int(column)] for column in chosen]


def _encoded(branch: Any, position: int) -> ColumnUse:
    """Return what a branch does with its column at a position."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    imputed = False
    for step in _flat(branch):
        if isinstance(step, SimpleImputer):
            if not pd.isna(step.missing_values):
                # What it takes for missing is a value that the encoder never sees.
                return ColumnUse(missing=imputed)
            imputed = True
            if step.add_indicator or pd.isna(step.statistics_).any():
                # It adds columns, or drops one: where the column is afterwards is not known.
                return ColumnUse(missing=True)
        elif isinstance(step, OneHotEncoder | OrdinalEncoder):
            learned = step.categories_[position]
            knows_missing = bool(pd.isna(learned).any())
            return ColumnUse(categories=_listed(learned), missing=imputed or knows_missing)
        else:
            break
    return ColumnUse(missing=imputed)


def _flat(branch: Any) -> Iterator[Any]:
    """Yield the steps of a branch in order, those of nested pipelines among them."""
    if isinstance(getattr(branch, "steps", None), list):
        for step in _steps(branch):
            yield from _flat(step)
    else:
        yield branch


def _listed(learned: Any) -> tuple[Scalar, ...] | None:
    """Return an encoder's categories where they are few enough to list, and all JSON values."""
    known = tuple(value for value in learned.tolist() if not pd.isna(value))
    plain = learned.dtype.kind not in "mM" and all(
        isinstance(value, str | int | float | bool) for value in known
    )
    return known if plain and 0 < len(known) <= _MAX_CATEGORIES else None
