"""Any object that predicts: a class of the user's own, or of a framework that has no flavor."""

from __future__ import annotations

import platform
from types import ModuleType
from typing import Any, Optional

from brinery.flavors import answers
from brinery.flavors.interface import Flavor, Given
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_FRAMES = "pandas"


class PlainPython(Flavor):
    """The flavor of last resort: an instance with a method `predict` that takes a frame.

    It may have `predict_proba` and `classes_`, as scikit-learn names them; a `predict` that
    returns a table of probabilities is taken at its word.
    """

    name = "python"
    module = ""
    frames = True

    def sniff(self, model: Any) -> bool:
        """Return whether the object is an instance with a method `predict`."""
        return not isinstance(model, (type, ModuleType)) and callable(
            getattr(model, "predict", None)
        )

    def type(self, model: Any) -> PredictionType:
        """Return what its classes, or scikit-learn's old mark of an estimator's kind, tell."""
        if getattr(model, "_estimator_type", None) == "regressor":
            return PredictionType.REGRESSION
        return super().type(model)

    def classes(self, model: Any) -> tuple[Scalar, ...]:
        """Return `classes_`, where it has them."""
        classes = getattr(model, "classes_", None)
        return () if classes is None else answers.scalars(classes)

    def feature_names(self, model: Any) -> Optional[tuple[str, ...]]:
        """Return `feature_names_in_`, where it has them."""
        names = getattr(model, "feature_names_in_", None)
        return None if names is None else tuple(map(str, names))

    def environment(self, model: Any) -> tuple[str, ...]:
        """Return the packages that its classes are defined in, and the one of its frames."""
        made = {base.__module__.partition(".")[0] for base in type(model).__mro__}
        return tuple(sorted(made - {"builtins", "__main__"} | {_FRAMES}))

    def version(self, _model: Any) -> str:
        """Return the version of Python."""
        return platform.python_version()

    def score(self, model: Any, given: Given) -> Scores:
        """Return its answers; a table of probabilities stands for predictions.

        Raises:
            NotAModel: it answers each row with more values than are supported.
            PredictionRefused: it does not answer each row.
        """
        if self.gives_probabilities(model):
            return super().score(model, given)
        predicted = self.predict(model, given)
        return answers.scores(
            predicted,
            rows=len(given),
            classes=self.classes(model),
            nameless=not self.several,
        )
