"""scikit-learn estimators and whatever follows their interface (XGBoost's wrapper does)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import pandas as pd
from msgspec.structs import replace

from brinery.errors import LibraryMissing, NotAModel, PredictionRefused
from brinery.flavors.answers import scalars, type_of
from brinery.flavors.interface import Flavor, Given, Source, made_by
from brinery.records.description import ColumnUse, Description, Unscored
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_OUTLINE = 200
_MAX_CATEGORIES = 1000

# Their estimators keep the names of the frame that they were fitted on.
_KEEP_NAMES = frozenset({"catboost", "lightgbm", "numpy", "sklearn", "xgboost"})


class ScikitLearn(Flavor):
    """The flavor of scikit-learn estimators, pipelines among them.

    Classifiers and regressors predict; so do clusterers, and outlier detectors (-1 or 1), as
    *other*. A transformer without `predict` answers with its columns, as *other* too.
    """

    name = "scikit-learn"
    module = "sklearn"
    formats: tuple[str, ...] = ("skops",)

    def sniff(self, model: Any) -> bool:
        """Return whether the object is an estimator."""
        return made_by(model, "sklearn") and hasattr(model, "get_params")

    def load(self, source: Source) -> Any:
        """Return the estimator of a skops file, made of no other types than those accepted.

        The file's own list of trusted types is never read.
        """
        try:
            from skops import io
        except ImportError:
            raise LibraryMissing(
                f"{source.path.name} is a skops file, and skops is not installed",
                hint="pip install 'brinery[skops]'",
            ) from None
        return io.load(source.path, trusted=list(source.globals))

    def outline(self, model: Any) -> str:
        """Return the class of an estimator with those of its steps, on one line."""
        return outline(model)

    def type(self, model: Any) -> PredictionType:
        """Return what its tags say that it predicts."""
        return _type(model, self.classes(model))

    def classes(self, model: Any) -> tuple[Scalar, ...]:
        """Return `classes_`; none where it predicts several outputs."""
        classes = getattr(model, "classes_", None)
        if classes is None or not hasattr(classes, "tolist") or classes.ndim != 1:
            return ()
        return scalars(classes)

    def feature_names(self, model: Any) -> Optional[tuple[str, ...]]:
        """Return `feature_names_in_`; None for one that takes bare text."""
        if _takes_text(model):
            return None
        names = getattr(model, "feature_names_in_", None)
        if names is None:
            # Before scikit-learn 1.0 only a `ColumnTransformer` told them.
            names = getattr(_first_step(model), "_feature_names_in", None)
        return None if names is None else tuple(str(name) for name in names)

    def wants_frame(self, model: Any) -> Optional[bool]:
        """Return False where it was fitted on an array; None where a step may want names.

        scikit-learn's own steps keep the names they were fitted on; a user's step need not, and a
        `ColumnTransformer` behind it may choose by name.
        """
        counted = getattr(model, "n_features_in_", None) is not None
        if _takes_text(model) or (counted and not _may_want_names(_first_step(model))):
            return False
        return None if any(map(_may_want_names, _parts(model))) else False

    def n_features(self, model: Any) -> Optional[int]:
        """Return `n_features_in_`; 1 for one that takes bare text."""
        return 1 if _takes_text(model) else getattr(model, "n_features_in_", None)

    def signature(self, model: Any) -> dict[str, ColumnUse]:
        """Return what its steps do with each column."""
        names = self.feature_names(model)
        return column_uses(model, names) if names else {}

    def environment(self, model: Any) -> tuple[str, ...]:
        """Return scikit-learn and the packages that its steps are made by."""
        made = {type(step).__module__.partition(".")[0] for step in _parts(model)}
        follows = {"sklearn"} if hasattr(model, "get_params") else set()
        return tuple(sorted({self.module, *follows, *made} - {"builtins", "__main__"}))

    def describe(self, model: Any) -> Description:
        """Return what an estimator says of itself.

        One that answers only for the rows it was fitted on cannot be asked.

        Raises:
            NotAModel: it can neither predict nor transform.
        """
        unscored = _unscored(model)
        _check_fitted(model)
        described = super().describe(model)
        if unscored is not None:
            return replace(described, type=PredictionType.OTHER, unscored=unscored)
        return replace(described, transforms=not hasattr(model, "predict"))

    def predict(self, model: Any, given: Given) -> Any:
        """Return its predictions, or what it transforms its input to."""
        return model.predict(given) if hasattr(model, "predict") else model.transform(given)

    def output_names(self, model: Any) -> tuple[str, ...]:
        """Return what a transformer calls its columns; none where it does not say."""
        if hasattr(model, "predict"):
            return ()
        # Before scikit-learn 1.0 it had another name.
        tell = getattr(model, "get_feature_names_out", getattr(model, "get_feature_names", None))
        try:
            return () if tell is None else tuple(map(str, tell()))
        except Exception:  # noqa: BLE001 - a step within that cannot tell raises what it likes
            return ()

    def score(self, model: Any, given: Given) -> Scores:
        """Return an estimator's predictions, with probabilities where it has them.

        Raises:
            NotAModel: it answers each row with more values than are supported.
            PredictionRefused: it takes bare text, and one is missing; or its answer is none.
        """
        return super().score(model, _texts(given) if _takes_text(model) else given)


def _may_want_names(part: Any) -> bool:
    """Return whether a step that keeps no names may read its columns by name all the same."""
    if type(part).__module__.partition(".")[0] not in _KEEP_NAMES:
        return True
    function = getattr(part, "func", None)
    if function is not None:
        return str(getattr(function, "__module__", "")).partition(".")[0] not in _KEEP_NAMES
    chosen = [columns for _, _, columns in getattr(part, "transformers", None) or ()]
    return any(_by_name(columns) for columns in chosen)


def _by_name(columns: Any) -> bool:
    """Return whether a column choice of a `ColumnTransformer` is made by name."""
    if isinstance(columns, slice):
        return isinstance(columns.start, str) or isinstance(columns.stop, str)
    return callable(columns) or any(
        isinstance(one, str) for one in np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
    )


def _unscored(model: Any) -> Unscored | None:
    """Return why an estimator has no answer for rows that it was not fitted on; None where it has.

    Raises:
        NotAModel: it answers nothing at all.
    """
    if hasattr(model, "predict") or hasattr(model, "transform"):
        return None
    last = _last(model)
    if hasattr(last, "negative_outlier_factor_"):
        return Unscored(
            "it judges only the rows it was fitted on: it has no predict",
            f"fit {type(last).__name__}(novelty=True), which judges others",
        )
    if hasattr(last, "fit_predict"):
        return Unscored(
            "it labels only the rows it was fitted on: it has no predict",
            "fit a classifier on its labels, or a clusterer that has predict, such as KMeans",
        )
    if hasattr(last, "fit_transform"):
        return Unscored(
            "it places only the rows it was fitted on: it has no transform",
            "fit what places others too, such as PCA or Isomap",
        )
    if hasattr(last, "row_labels_"):
        return Unscored(
            "it groups only the rows and columns it was fitted on: it has no predict",
            "fit a clusterer of rows that has predict, such as KMeans",
        )
    raise NotAModel(
        f"{outline(model)} can neither predict nor transform",
        hint="pickle the fitted estimator or pipeline itself",
    )


def _parts(model: Any) -> Iterator[Any]:
    """Yield an estimator and those it is made of, as far as its parameters tell."""
    yield model
    if hasattr(model, "get_params") and hasattr(model, "fit"):
        yield from (part for part in model.get_params().values() if hasattr(part, "get_params"))


def _last(model: Any) -> Any:
    """Return the step of a pipeline that answers."""
    while isinstance(getattr(model, "steps", None), list) and model.steps:
        model = model.steps[-1][1]
    return model


def _takes_text(model: Any) -> bool:
    """Return whether the columns reach a vectoriser untouched: it takes bare text, not columns."""
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

    first = _first_step(model)
    if isinstance(parts := getattr(first, "transformer_list", None), list):
        return any(_takes_text(part) for _, part in parts)
    return isinstance(first, (CountVectorizer, HashingVectorizer))


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

    # The last step is asked: a pipeline does not know of itself before scikit-learn 1.3.
    last = _last(model)
    if type(last).__module__.startswith("sklearn."):
        check_is_fitted(last)


def _type(model: Any, classes: tuple[Scalar, ...]) -> PredictionType:
    from sklearn.base import is_classifier, is_regressor

    if is_classifier(model) and classes:
        return type_of(classes)
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
    if chosen and all(isinstance(column, (bool, np.bool_)) for column in chosen):
        return [name for name, kept in zip(names, chosen) if kept]
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
        elif isinstance(step, (OneHotEncoder, OrdinalEncoder)):
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
        isinstance(value, (str, int, float, bool)) for value in known
    )
    return known if plain and 0 < len(known) <= _MAX_CATEGORIES else None
