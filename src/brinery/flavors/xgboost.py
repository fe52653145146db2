"""XGBoost: its estimators, and boosters, pickled or in its own JSON and UBJSON files."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NamedTuple, Optional

import pandas as pd

from brinery.flavors import answers
from brinery.flavors.interface import Given, Source, made_by
from brinery.flavors.scikit_learn import ScikitLearn
from brinery.records.description import ColumnUse, Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType, Scalar

_TYPES = {
    "binary": PredictionType.BINARY,
    "multi": PredictionType.MULTICLASS,
    "reg": PredictionType.REGRESSION,
    "count": PredictionType.REGRESSION,
}
# Of the columns of a booster: all but categories ("c").
_COLUMN_TYPES = {
    "int": ColumnType.INTEGER,
    "float": ColumnType.NUMBER,
    "q": ColumnType.NUMBER,
    "i": ColumnType.BOOLEAN,
}


class _Facts(NamedTuple):
    """What a booster's configuration says.

    Attributes:
        objective: such as `binary:logistic`.
        n_classes: 2 where it is binary, 0 where it tells none apart.
    """

    objective: str
    n_classes: int


class XGBoost(ScikitLearn):
    """The flavor of XGBoost.

    A booster's objective says what it predicts; its classes are the numbers from 0, for it keeps
    no other. A file that an estimator wrote becomes that estimator again.
    """

    name = "xgboost"
    module = "xgboost"
    formats = ("xgboost-json", "xgboost-ubj")

    def sniff(self, model: Any) -> bool:
        """Return whether the object is an estimator or a booster of XGBoost."""
        return made_by(model, "xgboost") and hasattr(model, "predict")

    def load(self, source: Source) -> Any:
        """Return the estimator that wrote the file, or its booster where none did."""
        import xgboost

        data = bytearray(source.path.read_bytes())
        booster = xgboost.Booster()
        booster.load_model(data)
        wrote = json.loads(booster.attr("scikit_learn") or "{}").get("_estimator_type")
        kind = {"classifier": "XGBClassifier", "regressor": "XGBRegressor"}.get(wrote, "")
        if not kind:
            return booster
        estimator = getattr(xgboost, kind)()
        estimator.load_model(data)
        return estimator

    def type(self, model: Any) -> PredictionType:
        """Return what the objective says that it predicts."""
        if not _bare(model):
            return super().type(model)
        return _TYPES.get(_facts(model).objective.partition(":")[0], PredictionType.OTHER)

    def classes(self, model: Any) -> tuple[Scalar, ...]:
        """Return the classes; those of a booster are numbers from 0."""
        return tuple(range(_facts(model).n_classes)) if _bare(model) else super().classes(model)

    def gives_probabilities(self, model: Any) -> bool:
        """Return whether the objective gives a probability per class."""
        if not _bare(model):
            return super().gives_probabilities(model)
        return _facts(model).objective in {"binary:logistic", "multi:softprob"}

    def feature_names(self, model: Any) -> Optional[tuple[str, ...]]:
        """Return the names of the booster's columns; None where it was fitted on an array."""
        names = _booster(model).feature_names
        return None if names is None else tuple(names)

    def n_features(self, model: Any) -> Optional[int]:
        """Return how many columns the booster takes."""
        return int(_booster(model).num_features())

    def signature(self, model: Any) -> dict[str, ColumnUse]:
        """Return the types that the booster kept; every column may be missing."""
        booster = _booster(model)
        if booster.feature_names is None:
            return {}
        types = booster.feature_types or [""] * len(booster.feature_names)
        known = _categories(booster) if "c" in types else {}
        return {
            name: ColumnUse(type=_COLUMN_TYPES.get(kind), missing=True, categories=known.get(name))
            for name, kind in zip(booster.feature_names, types)
        }

    def describe(self, model: Any) -> Description:
        """Return what it says of itself.

        Raises:
            Exception: XGBoost's own, where it is not fitted.
        """
        _booster(model)
        return super().describe(model)

    def score(self, model: Any, given: Given) -> Scores:
        """Return its answers; of a booster's probabilities the likeliest class.

        Raises:
            NotAModel: it answers each row with more values than are supported.
            PredictionRefused: an answer is none.
        """
        given = _categorical(_booster(model), given)
        if not _bare(model):
            return super().score(model, given)
        import xgboost

        output = model.predict(xgboost.DMatrix(given, enable_categorical=True))
        facts, classes = _facts(model), self.classes(model)
        if self.gives_probabilities(model):
            return answers.of_probabilities(output, rows=len(given), classes=classes)
        if facts.objective == "binary:logitraw":
            output = output > 0
        return answers.scores(
            output.astype("int64") if classes else output, rows=len(given), classes=classes
        )


def _bare(model: Any) -> bool:
    """Return whether the model is a booster, without an estimator around it."""
    return not hasattr(model, "get_booster")


def _booster(model: Any) -> Any:
    return model if _bare(model) else model.get_booster()


@lru_cache(maxsize=1)
def _facts(booster: Any) -> _Facts:
    learner = json.loads(booster.save_config())["learner"]
    objective = str(learner["objective"]["name"])
    if objective.startswith("binary:"):
        return _Facts(objective, 2)
    several = objective.startswith("multi:")
    return _Facts(objective, int(learner["learner_model_param"]["num_class"]) if several else 0)


def _categorical(booster: Any, given: Given) -> Given:
    """Return a frame whose columns of text are the categories that the booster kept.

    Since XGBoost 3.1 it keeps their values; before, a column of text is left for it to refuse.
    """
    if not isinstance(given, pd.DataFrame) or "c" not in (booster.feature_types or ()):
        return given
    return answers.categorical(given, _categories(booster))


@lru_cache(maxsize=1)
def _categories(booster: Any) -> dict[str, tuple[Scalar, ...]]:
    """Return the categories of each categorical column, in the booster's order."""
    if not hasattr(booster, "get_categories"):
        return {}
    columns = booster.get_categories(export_to_arrow=True).to_arrow() or ()
    return {name: tuple(column.to_pylist()) for name, column in columns if column is not None}
