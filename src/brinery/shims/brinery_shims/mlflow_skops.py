"""`sklearn-cloudpickle`: models of scikit-learn are logged as MLflow logged them before 3.14.

Since then the default is skops, whose loader refuses most pipelines until each of their types is
vouched for. A script that says what it wants gets that.
"""

from __future__ import annotations

import functools
import inspect
from types import ModuleType
from typing import Any, Callable

from brinery_shims import notes, scripts

STEP = "sklearn-cloudpickle"
_OPTION = "serialization_format"
_OTHERS = ("skops_trusted_types",)
_NAMES = ("log_model", "save_model")


def apply(module: ModuleType) -> Callable[[], None] | None:
    """Have `mlflow.sklearn` keep models by cloudpickle where a script does not say how.

    Returns:
        what undoes it; None where nothing was to be done.
    """
    originals = {name: getattr(module, name) for name in _NAMES}
    options = inspect.signature(originals["save_model"]).parameters
    if _OPTION not in options or options[_OPTION].default not in (None, "skops"):
        return None
    for name, original in originals.items():
        setattr(module, name, _kept(original))

    def undo() -> None:
        for name, original in originals.items():
            setattr(module, name, original)

    return undo


def _kept(original: Any) -> Any:
    place = list(inspect.signature(original).parameters).index(_OPTION)

    @functools.wraps(original)
    def kept(*given: Any, **named: Any) -> Any:
        said = any(named.get(one) is not None for one in (_OPTION, *_OTHERS)) or len(given) > place
        if not said and scripts.asks():
            notes.tell(
                STEP,
                "mlflow.sklearn keeps models by cloudpickle, as before MLflow 3.14; "
                f"{_OPTION}= says otherwise",
            )
            named[_OPTION] = "cloudpickle"
        return original(*given, **named)

    return kept
