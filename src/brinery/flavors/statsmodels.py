"""statsmodels: fitted results, of a formula or of plain columns.

A formula is Python, and statsmodels runs it when its results are unpickled and whenever they
predict: it is no less code than a function in the pickle, and this process is where it may run.
"""

from __future__ import annotations

import ast
from typing import Any, Optional

import numpy as np
import pandas as pd

from brinery.errors import NotAModel, PredictionRefused
from brinery.flavors import answers
from brinery.flavors.answers import scalars, type_of
from brinery.flavors.interface import Flavor, Given, made_by
from brinery.records.description import ColumnUse, Description, Unscored
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType, Scalar

_CONSTANT = "const"


class Statsmodels(Flavor):
    """The flavor of statsmodels' results.

    Results of a formula take the columns that it names. Of plain columns a constant that
    `add_constant` put among them is not asked of the data. A binary model predicts the probability
    of its second class, which is 1 unless a formula named it.
    """

    name = "statsmodels"
    module = "statsmodels"

    def sniff(self, model: Any) -> bool:
        """Return whether the object is a result of statsmodels."""
        return made_by(model, "statsmodels") and (hasattr(model, "predict") or _is_series(model))

    def outline(self, model: Any) -> str:
        """Return the class of the model, with its formula."""
        inner = model.model
        formula = _formula(inner)
        return type(inner).__name__ + (f"({formula})" if formula else "")

    def type(self, model: Any) -> PredictionType:
        """Return binary or multiclass for models of classes, else regression."""
        classes = self.classes(model)
        return type_of(classes) if classes else PredictionType.REGRESSION

    def classes(self, model: Any) -> tuple[Scalar, ...]:
        """Return its classes: 0 and 1, or those that it or its formula names."""
        inner = model.model
        kind = type(inner).__name__
        if kind == "MNLogit":
            return scalars(list(inner._ynames_map.values()))  # noqa: SLF001 - told nowhere else
        if kind == "OrderedModel":
            return scalars(inner.labels)
        if kind in {"Logit", "Probit"} or _is_binomial(inner):
            names = _two_columns(inner)
            return (0, 1) if names is None else names
        return ()

    def gives_probabilities(self, model: Any) -> bool:
        """Return whether it has classes."""
        return bool(self.classes(model))

    def feature_names(self, model: Any) -> Optional[tuple[str, ...]]:
        """Return the columns of its formula or table; None where it was fitted on an array."""
        inner = model.model
        if _formula(inner):
            return _named_in_formula(inner)
        if not isinstance(getattr(inner.data, "orig_exog", None), pd.DataFrame):
            return None
        names = list(map(str, inner.exog_names))
        if _added_constant(inner):
            names.remove(_CONSTANT)
        return tuple(names)

    def n_features(self, model: Any) -> Optional[int]:
        """Return how many columns it takes, an added constant left out."""
        names = self.feature_names(model)
        if names is not None:
            return len(names)
        return int(np.shape(model.model.exog)[1]) - int(_added_constant(model.model))

    def signature(self, model: Any) -> dict[str, ColumnUse]:
        """Return that plain columns are numbers; what a formula makes of its own is not known."""
        names = self.feature_names(model) or ()
        kind = None if _formula(model.model) else ColumnType.NUMBER
        return {name: ColumnUse(type=kind) for name in names}

    def environment(self, model: Any) -> tuple[str, ...]:
        """Return statsmodels, and what reads a formula."""
        return (self.module, "patsy", "pandas") if _formula(model.model) else (self.module,)

    def describe(self, model: Any) -> Description:
        """Return what the results say of themselves.

        Those of a time series cannot be asked: what they forecast is a span, and no row of a table.

        Raises:
            NotAModel: they are of a model that was not fitted.
        """
        if not hasattr(model, "model") or not hasattr(model, "params"):
            raise NotAModel(
                f"a {type(model).__name__} of statsmodels is no fitted result",
                hint="pickle what its fit() returned",
            )
        if _is_series(model):
            name = type(model.model).__name__
            return Description(
                framework=self.name,
                framework_version=self.version(model),
                outline=name,
                type=PredictionType.OTHER,
                unscored=Unscored(
                    f"{name} forecasts a series: it has no answer for a row of a table",
                    "wrap it in a class whose predict answers a table row by row",
                ),
            )
        return super().describe(model)

    def score(self, model: Any, given: Given) -> Scores:
        """Return its answers; of its probabilities the likeliest class.

        Raises:
            NotAModel: it answers each row with more values than are supported.
            PredictionRefused: it has no answer for a row, a value of which is missing.
        """
        rows = len(given)
        found = np.asarray(model.predict(_with_constant(model.model, given)))
        unanswered = found.dtype.kind == "f" and bool(np.isnan(found).any())
        if unanswered and bool(np.asarray(pd.isna(given)).any()):
            raise PredictionRefused(
                "a value is missing, and the model has no answer without it",
                hint="fill it in, or leave its row out",
            )
        classes = self.classes(model)
        if classes and _two_columns(model.model) is not None:
            found = np.column_stack([found, 1.0 - found])
        if classes:
            return answers.of_probabilities(found, rows=rows, classes=classes)
        return answers.scores(found, rows=rows)


def _is_series(model: Any) -> bool:
    """Return whether results are those of a time series."""
    inner = getattr(model, "model", None)
    return ".tsa." in f".{type(inner).__module__}." and hasattr(model, "params")


def _formula(inner: Any) -> str:
    """Return the formula of a model; empty where it has none."""
    return str(getattr(inner, "formula", None) or "")


def _is_binomial(inner: Any) -> bool:
    family = getattr(inner, "family", None)
    if type(family).__name__ != "Binomial":
        return False
    # Of counts of successes and failures, and of shares, it is a regression.
    values = np.unique(np.asarray(inner.endog))
    return bool(np.isin(values, (0, 1)).all()) or _two_columns(inner) is not None


def _two_columns(inner: Any) -> tuple[str, str] | None:
    """Return the classes that a formula made two columns of, such as `y[no]` and `y[yes]`.

    The first is what the model takes for success.
    """
    names = inner.endog_names
    if not isinstance(names, (list, tuple)) or len(names) != 2:  # noqa: PLR2004 - one per class
        return None
    if not all(isinstance(name, str) and name.endswith("]") for name in names):
        return None
    first, second = (name[:-1].partition("[")[2] for name in names)
    return first.removeprefix("T."), second.removeprefix("T.")


def _named_in_formula(inner: Any) -> tuple[str, ...]:
    """Return the columns that the right side of a formula names, in the order of the data."""
    right = _formula(inner).rpartition("~")[2]
    columns = [str(name) for name in inner.data.frame.columns]
    try:
        # Formulas are written in Python's grammar, but for a few signs of their own.
        tree = ast.parse(right.replace("^", "**"), mode="eval")
    except SyntaxError:
        named = {name for name in columns if name in right}
    else:
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        # Q("a name with spaces") quotes one.
        named |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return tuple(name for name in columns if name in named)


def _added_constant(inner: Any) -> bool:
    """Return whether a plain table has the column that `add_constant` adds."""
    return (
        not _formula(inner)
        and getattr(inner.data, "const_idx", None) is not None
        and inner.exog_names[inner.data.const_idx] == _CONSTANT
    )


def _with_constant(inner: Any, given: Given) -> Given:
    """Return a table with the constant where the model has it."""
    if not _added_constant(inner):
        return given
    at = inner.data.const_idx
    if isinstance(given, pd.DataFrame):
        made = given.copy()
        made.insert(at, _CONSTANT, 1.0)
        return made
    return np.insert(np.asarray(given, dtype=np.float64), at, 1.0, axis=1)
