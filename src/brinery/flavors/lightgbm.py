"""LightGBM: its estimators, and boosters, pickled or in its own text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple, Optional

import pandas as pd

from brinery.flavors import answers
from brinery.flavors.boosters import check_lightgbm_text
from brinery.flavors.interface import Given, Source, made_by
from brinery.flavors.scikit_learn import ScikitLearn
from brinery.records.description import ColumnUse, Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_TYPES = {
    "binary": PredictionType.BINARY,
    "multiclass": PredictionType.MULTICLASS,
    "multiclassova": PredictionType.MULTICLASS,
    "lambdarank": PredictionType.OTHER,
    "rank_xendcg": PredictionType.OTHER,
    "custom": PredictionType.OTHER,
    "": PredictionType.OTHER,
}
_UNNAMED = re.compile(r"Column_\d+")


class _Facts(NamedTuple):
    """What the head of a booster's text says.

    Attributes:
        objective: such as `binary`; empty where it was the user's own.
        n_classes: 2 where it is binary, 0 where it tells none apart.
        categories: of its categorical columns, by name; empty where no frame had them.
    """

    objective: str
    n_classes: int
    categories: dict[str, tuple[Scalar, ...]]


class LightGBM(ScikitLearn):
    """The flavor of LightGBM.

    A booster's objective says what it predicts (any that is no classification or ranking is a
    regression); its classes are the numbers from 0, for it keeps no other.
    """

    name = "lightgbm"
    module = "lightgbm"
    formats = ("lightgbm-text",)

    def sniff(self, model: Any) -> bool:
        """Return whether the object is an estimator or a booster of LightGBM."""
        return made_by(model, "lightgbm") and hasattr(model, "predict")

    def load(self, source: Source) -> Any:
        """Return the booster of a model's text.

        Raises:
            Corrupt: a node of it points outside of it.
        """
        import lightgbm

        text = source.path.read_text(encoding="utf-8")
        check_lightgbm_text(text)
        return lightgbm.Booster(model_str=text)

    def type(self, model: Any) -> PredictionType:
        """Return what the objective says that it predicts."""
        if not _bare(model):
            return super().type(model)
        return _TYPES.get(_facts(model).objective, PredictionType.REGRESSION)

    def classes(self, model: Any) -> tuple[Scalar, ...]:
        """Return the classes; those of a booster are numbers from 0."""
        return tuple(range(_facts(model).n_classes)) if _bare(model) else super().classes(model)

    def gives_probabilities(self, model: Any) -> bool:
        """Return whether the objective is a classification."""
        if _bare(model):
            return bool(_facts(model).n_classes)
        # Of an objective of the user's own, the estimator gives raw scores as probabilities.
        return super().gives_probabilities(model) and not callable(model.objective_)

    def feature_names(self, model: Any) -> Optional[tuple[str, ...]]:
        """Return the names of the booster's columns; None where it was fitted on an array."""
        names = tuple(_booster(model).feature_name())
        return None if all(map(_UNNAMED.fullmatch, names)) else names

    def n_features(self, model: Any) -> Optional[int]:
        """Return how many columns the booster takes."""
        return int(_booster(model).num_feature())

    def signature(self, model: Any) -> dict[str, ColumnUse]:
        """Return the categories that the booster kept; every column may be missing."""
        known = _facts(_booster(model)).categories
        return {
            name: ColumnUse(categories=known.get(name), missing=True)
            for name in self.feature_names(model) or ()
        }

    def describe(self, model: Any) -> Description:
        """Return what it says of itself.

        Raises:
            Exception: LightGBM's own, where it is not fitted.
        """
        _booster(model)
        return super().describe(model)

    def score(self, model: Any, given: Given) -> Scores:
        """Return its answers; of a booster's probabilities the likeliest class.

        Raises:
            NotAModel: it answers each row with more values than are supported.
            PredictionRefused: an answer is none.
        """
        facts = _facts(_booster(model))
        if isinstance(given, pd.DataFrame):
            given = answers.categorical(given, facts.categories)
        if not _bare(model):
            return super().score(model, given)
        output = model.predict(given)
        if facts.n_classes:
            return answers.of_probabilities(output, rows=len(given), classes=self.classes(model))
        return answers.scores(output, rows=len(given))


def _bare(model: Any) -> bool:
    """Return whether the model is a booster, without an estimator around it."""
    return not hasattr(model, "fit")


def _booster(model: Any) -> Any:
    return model if _bare(model) else model.booster_


@lru_cache(maxsize=1)
def _facts(booster: Any) -> _Facts:
    head: dict[str, str] = {}
    for line in booster.model_to_string(num_iteration=1).splitlines():
        key, equals, value = line.partition("=")
        if key == "Tree":
            break
        if equals:
            head[key] = value
    objective = head.get("objective", "").partition(" ")[0]
    n_classes = {"binary": 2, "multiclass": -1, "multiclassova": -1}.get(objective, 0)
    return _Facts(
        objective=objective,
        n_classes=int(head["num_class"]) if n_classes < 0 else n_classes,
        categories=_categories(booster, head.get("feature_infos", "").split()),
    )


def _categories(booster: Any, infos: list[str]) -> dict[str, tuple[Scalar, ...]]:
    """Return the categories of the columns that were pandas categoricals, in the model's order.

    Args:
        booster: keeps them in the order of the columns, without names.
        infos: of each column, `[least:greatest]` or, of a categorical one, its codes: `0:1:2`.
    """
    kept = booster.pandas_categorical or []
    names = [
        name
        for name, info in zip(booster.feature_name(), infos)
        if info != "none" and not info.startswith("[")
    ]
    if len(names) != len(kept):
        return {}
    return {name: tuple(values) for name, values in zip(names, kept)}
