"""`xgboost-labels`: XGBClassifier takes any labels, as it did before 1.6.

Labels other than 0, 1, 2 … are numbered for `fit` and given back by `predict` and `classes_`. The
model is the same, and is loaded without us: `predict_proba` is as ever, and `predict` gives the
numbers then.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any, Callable

from brinery_shims import notes, scripts

STEP = "xgboost-labels"
_SINCE = (1, 6)
# A fitted model has its labels here, whatever process it is loaded in.
_LABELS = "_brinery_labels"


def apply(module: ModuleType) -> Callable[[], None] | None:
    """Have `xgboost.XGBClassifier` take any labels.

    Returns:
        what undoes it; None where nothing was to be done.
    """
    if scripts.release("xgboost", "xgboost-cpu") < _SINCE:
        return None
    made: Any = module.XGBClassifier
    originals = {name: made.__dict__[name] for name in ("fit", "predict")}
    classes = getattr(made, "classes_", None)
    own = "classes_" in made.__dict__
    made.fit = _fitting(originals["fit"])
    made.predict = _predicting(originals["predict"])
    if isinstance(classes, property):
        made.classes_ = property(lambda model: _labels(model, classes))

    def undo() -> None:
        for name, original in originals.items():
            setattr(made, name, original)
        if own:
            made.classes_ = classes
        elif isinstance(classes, property):
            del made.classes_

    return undo


def _labels(model: Any, classes: property) -> Any:
    known = model.__dict__.get(_LABELS)
    return known if known is not None else classes.__get__(model)


def _fitting(original: Any) -> Any:
    @functools.wraps(original)
    def fit(model: Any, *given: Any, **named: Any) -> Any:
        import numpy as np

        model.__dict__.pop(_LABELS, None)
        truth = given[1] if len(given) > 1 else named.get("y")
        labels, numbers = np.unique(np.asarray(truth), return_inverse=True)
        if not scripts.asks() or _are_numbers(labels):
            return original(model, *given, **named)
        if len(given) > 1:
            given = (given[0], numbers.reshape(-1), *given[2:])
        else:
            named["y"] = numbers.reshape(-1)
        shown = ", ".join(f"{number} is {label}" for number, label in enumerate(labels[:5]))
        notes.tell(
            STEP,
            f"XGBClassifier was given labels that are not 0, 1, 2 …: {shown}"
            f"{', …' if len(labels) > 5 else ''}; loaded without Brinery's step, its predict and "  # noqa: PLR2004
            "classes_ give the numbers, its predict_proba is the same",
        )
        if named.get("eval_set"):
            named["eval_set"] = [
                (each[0], np.searchsorted(labels, np.asarray(each[1])))
                for each in named["eval_set"]
            ]
        fitted = original(model, *given, **named)
        model.__dict__[_LABELS] = labels
        if not hasattr(type(model), "classes_"):
            model.classes_ = labels
        return fitted

    return fit


def _are_numbers(labels: Any) -> bool:
    """Return whether labels are what xgboost itself takes."""
    import numpy as np

    kind = labels.dtype.kind
    if kind not in "iufb":
        return False
    return bool(np.array_equal(labels.astype("float64"), np.arange(len(labels))))


def _predicting(original: Any) -> Any:
    @functools.wraps(original)
    def predict(model: Any, *given: Any, **named: Any) -> Any:
        found = original(model, *given, **named)
        labels = model.__dict__.get(_LABELS)
        margin = named.get("output_margin") or (len(given) > 1 and given[1])
        if labels is None or margin or getattr(found, "ndim", 1) != 1:
            return found
        return labels[found.astype("int64")]

    return predict
