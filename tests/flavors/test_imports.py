from __future__ import annotations

import json
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import cloudpickle
import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tests.flavors.loaded import opened

from brinery.flavors import imports
from brinery.store.tables import to_arrow

FRAME = pd.DataFrame({"x": [0.0, 1.0, 2.0]})


def _scaled(frame: Any) -> Any:
    return _helped(frame) * 2


def _helped(frame: Any) -> Any:
    import click  # noqa: PLC0415 - found in the instructions

    def within() -> object:
        import yaml.nodes  # noqa: PLC0415 - as above

        return yaml

    return msgspec.convert(frame, Any) if click else within()


def by_value(model: Any) -> Any:
    """Return what a pickle by value of this module's own makes."""
    this = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(this)
    try:
        return pickle.loads(cloudpickle.dumps(model))  # noqa: S301, TID251 - our own
    finally:
        cloudpickle.unregister_pickle_by_value(this)


@pytest.mark.parametrize(
    ("model", "needed"),
    [
        (_scaled, {"msgspec", "click", "yaml"}),
        ({"steps": [("a", FunctionTransformer(_scaled))]}, {"msgspec", "click", "sklearn"}),
        (np.array([_scaled, None], dtype=object), {"msgspec", "click", "yaml"}),
    ],
    ids=["function", "step", "array of objects"],
)
def test_of_carried(model: Any, needed: set[str]) -> None:
    """Functions and classes by value need what their globals and their instructions name."""
    found = imports.of_carried(by_value(model))
    assert needed <= found
    assert not {"pytest", "cloudpickle", "mlflow"} & found


def test_of_carried_where_nothing_is() -> None:
    """What a model names by import is not looked into."""
    model = make_pipeline(FunctionTransformer(np.log1p), LinearRegression().fit([[0]], [0]))
    assert imports.of_carried(model) <= {"builtins", "sklearn", "numpy"}
    assert imports.of_carried(json) == {"json"}


def test_of_carried_that_is_hostile() -> None:
    """A class that hides what it is, or an object without end, ends the search and no more."""

    class Hidden:
        @property
        def __module__(self) -> str:  # type: ignore[override]
            raise RuntimeError

    endless: list[Any] = [Hidden()]
    endless.append(endless)
    wide = [[number] for number in range(300_000)]
    assert "pytest" not in imports.of_carried([endless, wide])


def test_of_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is read with what is within it; what has no source, or a broken one, has none."""
    sources = {
        "pack": "import a.b, c",
        "pack.part": "from . import d\nfrom e.f import g",
        "bad": "(",
    }
    for name, source in sources.items():
        module = types.ModuleType(name)
        module.__file__ = str(tmp_path / f"{name}.py")
        Path(module.__file__).write_text(source)
        monkeypatch.setitem(sys.modules, name, module)
    assert imports.of_modules(["pack", "bad", "sys"]) == {"a", "c", "e"}


def _pick(frame: Any) -> Any:
    return np.column_stack([pd.to_numeric(frame["x"]), pa.array(frame["x"])])


class _Picker:
    def predict(self, frame: Any) -> Any:
        """Return a number per row."""
        return np.asarray(pa.array(frame["x"]))


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(FunctionTransformer(_pick), LinearRegression()).fit(FRAME, FRAME["x"]),
        _Picker(),
    ],
    ids=["function", "class"],
)
def test_environment_of_what_is_carried(tmp_path: Path, model: Any) -> None:
    """What is carried by value brings the libraries that the process had before it."""
    this, file = sys.modules[__name__], tmp_path / "model.pkl"
    cloudpickle.register_pickle_by_value(this)
    try:
        file.write_bytes(cloudpickle.dumps(model))
    finally:
        cloudpickle.unregister_pickle_by_value(this)
    with opened(file) as process:
        process.score(to_arrow(FRAME))
        found = process.environment(("cloudpickle", "builtins"))
    assert {"cloudpickle", "numpy", "pandas", "pyarrow"} <= set(found.packages)
    assert not {"brinery", "msgspec", "pytest"} & set(found.packages)
