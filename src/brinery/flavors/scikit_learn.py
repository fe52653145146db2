"""scikit-learn estimators and whatever follows their interface (XGBoost's wrapper does)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from brinery.records.description import ColumnUse, Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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

        names = getattr(model, "feature_names_in_", None)
        feature_names = None if names is None else tuple(str(name) for name in names)
        classes = _classes(model)
        return Description(
            framework=_DISTRIBUTION,
            framework_version=version(_DISTRIBUTION),
            outline=outline(model),
            type=_type(model, classes),
            classes=classes,
            gives_probabilities=hasattr(model, "predict_proba"),
            feature_names=feature_names,
            n_features=getattr(model, "n_features_in_", None),
            columns=column_uses(model, feature_names) if feature_names else {},
        )

    def score(self, model: Any, frame: pd.DataFrame) -> Scores:
        """Return an estimator's predictions, with probabilities where it has them."""
        predictions = np.asarray(model.predict(frame))
        if predictions.ndim == 2 and predictions.shape[1] == 1:  # noqa: PLR2004 - (n, 1) is (n,)
            predictions = predictions[:, 0]
        if predictions.ndim != 1:
            raise ValueError(f"predictions of shape {predictions.shape}: one output is supported")
        probabilities = None
        if hasattr(model, "predict_proba"):
            probabilities = np.asarray(model.predict_proba(frame), dtype=np.float64)
        return Scores(predictions=predictions, probabilities=probabilities)


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
    steps = getattr(model, "steps", None)
    if isinstance(steps, list):
        text = f"{name}({' → '.join(outline(step) for _, step in steps if step is not None)})"
    else:
        text = name
    return text if len(text) <= _MAX_OUTLINE else text[: _MAX_OUTLINE - 1] + "…"


def column_uses(model: Any, names: Sequence[str]) -> dict[str, ColumnUse]:
    """Return what an estimator does with its columns, where its steps tell.

    Only a `ColumnTransformer` that columns reach untouched tells which are read; only an
    `OneHotEncoder` or `OrdinalEncoder` that they reach through imputers tells the categories.
    """
    first = _first_step(model)
    if not hasattr(first, "transformers_"):
        return {}
    uses = {name: ColumnUse(used=False) for name in names}
    for transformer, columns in _branches(first, names):
        for position, column in enumerate(columns):
            use = _encoded(transformer, position)
            known = uses[column]
            uses[column] = use if not known.used or use.categories is not None else known
    return uses


def _first_step(model: Any) -> Any:
    """Return the step that columns reach untouched."""
    while isinstance(getattr(model, "steps", None), list):
        model = next((step for _, step in model.steps if step not in (None, "passthrough")), None)
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
    chosen: Iterable[Any] = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
    if all(isinstance(column, bool) for column in chosen):
        return [name for name, kept in zip(names, chosen, strict=True) if kept]
    return [column if isinstance(column, str) else names[int(column)] for column in chosen]


def _encoded(branch: Any, position: int) -> ColumnUse:
    """Return what a branch does with its column at a position."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    imputed = False
    steps = [step for _, step in branch.steps] if hasattr(branch, "steps") else [branch]
    for step in steps:
        if isinstance(step, SimpleImputer):
            if step.add_indicator or step.statistics_.size <= position:
                return ColumnUse(missing=True)
            imputed = True
        elif isinstance(step, OneHotEncoder | OrdinalEncoder):
            values = step.categories_[position].tolist()
            known = tuple(value for value in values if not pd.isna(value))
            missing = imputed or len(known) < len(values)
            return ColumnUse(
                categories=known if 0 < len(known) <= _MAX_CATEGORIES else None, missing=missing
            )
        else:
            break
    return ColumnUse(missing=imputed)
