"""CatBoost: its estimators, and the same without a class of their own, pickled or as `.cbm`."""

from __future__ import annotations

from typing import Any, Optional

from brinery.flavors.answers import scalars, type_of
from brinery.flavors.interface import Flavor, Given, Source, made_by
from brinery.records.description import ColumnUse, Description
from brinery.records.evaluation import PredictionType
from brinery.records.signature import ColumnType, Scalar

# Neither of a class nor of a number: an order among rows, or several labels at once.
_OTHER = (
    "YetiRank",
    "PairLogit",
    "QueryRMSE",
    "QuerySoftMax",
    "QueryCrossEntropy",
    "StochasticFilter",
    "StochasticRank",
    "LambdaMart",
    "GroupQuantile",
    "Cox",
    "MultiLogloss",
    "MultiCrossEntropy",
    "PythonUserDefined",
)
_EXPONENT = ("Poisson", "Tweedie")


class CatBoost(Flavor):
    """The flavor of CatBoost, whose models keep their classes and their loss."""

    name = "catboost"
    module = "catboost"
    formats = ("catboost",)

    def sniff(self, model: Any) -> bool:
        """Return whether the object is a model of CatBoost."""
        return made_by(model, "catboost") and hasattr(model, "predict")

    def load(self, source: Source) -> Any:
        """Return the model of a `.cbm` file."""
        import catboost

        model = catboost.CatBoost()
        model.load_model(blob=source.path.read_bytes(), format="cbm")
        return model

    def type(self, model: Any) -> PredictionType:
        """Return what its loss says that it predicts."""
        loss = _loss(model)
        if loss.startswith(_OTHER):
            return PredictionType.OTHER
        return type_of(self.classes(model)) if _classifies(model) else PredictionType.REGRESSION

    def classes(self, model: Any) -> tuple[Scalar, ...]:
        """Return the classes that it keeps."""
        return scalars(model.classes_) if _classifies(model) else ()

    def gives_probabilities(self, model: Any) -> bool:
        """Return whether it has classes."""
        return _classifies(model)

    def feature_names(self, model: Any) -> Optional[tuple[str, ...]]:
        """Return its columns; None where they are numbered, as those of an array are."""
        names = tuple(model.feature_names_ or ())
        return None if names == tuple(map(str, range(len(names)))) else names

    def n_features(self, model: Any) -> Optional[int]:
        """Return how many columns it takes."""
        return len(model.feature_names_ or ()) or None

    def signature(self, model: Any) -> dict[str, ColumnUse]:
        """Return which columns are numbers, and those may be missing."""
        told = {*model.get_cat_feature_indices(), *model.get_text_feature_indices()}
        told.update(model.get_embedding_feature_indices())
        return {
            name: ColumnUse() if index in told else ColumnUse(type=ColumnType.NUMBER, missing=True)
            for index, name in enumerate(self.feature_names(model) or ())
        }

    def describe(self, model: Any) -> Description:
        """Return what it says of itself.

        Raises:
            CatBoostError: it is not fitted.
        """
        model.get_all_params()
        return super().describe(model)

    def predict(self, model: Any, given: Given) -> Any:
        """Return its labels or numbers."""
        if _classifies(model):
            return model.predict(given, prediction_type="Class")
        if type(model).__name__ == "CatBoost":
            return _numbers(model, given)
        return model.predict(given)

    def predict_proba(self, model: Any, given: Given) -> Any:
        """Return a probability per class."""
        return model.predict(given, prediction_type="Probability")


def _numbers(model: Any, given: Given) -> Any:
    """Return what the loss predicts, as CatBoost's regressor would give it."""
    kind = "Exponent" if _loss(model).startswith(_EXPONENT) else "RawFormulaVal"
    return model.predict(given, prediction_type=kind)


def _loss(model: Any) -> str:
    return str(model.get_all_params().get("loss_function", ""))


def _classifies(model: Any) -> bool:
    """Return whether it keeps classes, as only a classification does."""
    return len(model.classes_) > 0
