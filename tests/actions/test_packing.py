"""What a version brings into a package: its own code, its library, or the reason why neither."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow  # noqa: TID253 - what makes the folder
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from tests.actions.conftest import imported_into, rooms_in

from brinery.actions import proving
from brinery.actions.package import Order, package_in
from brinery.actions.packing import pack
from brinery.actions.progress import result_of
from brinery.actions.rooms import Rooms
from brinery.errors import EnvironmentUnavailable, NotPackageable, NotProven
from brinery.records.event import Event
from brinery.records.package import Engine, Package, Target
from brinery.records.version import Version
from brinery.specs.packaging import PackageSpec, WhoAnswers

CLIPPER = """
from sklearn.base import BaseEstimator, TransformerMixin

class Clipper(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self
    def transform(self, X):
        return X.clip(0, 5)
"""
SHARES = """
import numpy as np
from tables import weight

def share(frame):
    high = (1 / (1 + np.exp(-weight() * (frame["a"] + frame["b"])))).to_numpy()
    return np.column_stack([1 - high, high])
"""
SUM = """
import mlflow

class Sum(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return (model_input["a"] + model_input["b"]).to_numpy()
"""


def frame(rows: int = 300) -> pd.DataFrame:
    """Return two columns of numbers, and a label."""
    random = np.random.default_rng(0)
    made = pd.DataFrame(random.normal(size=(rows, 2)), columns=["a", "b"])
    made["y"] = (made["a"] + made["b"] > 0).map({False: "no", True: "yes"})
    return made


def fitted(model: Any, folder: Path, *, name: str) -> dict[str, Any]:
    """Return what imports a classifier that is fitted here, pickled."""
    data = frame()
    (folder / "model.pkl").write_bytes(pickle.dumps(model.fit(data[["a", "b"]], data["y"])))
    return {"model": folder / "model.pkl", "name": name, "data": data, "target": "y"}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    """Rooms that all tests here share."""
    return rooms_in(tmp_path_factory.mktemp("rooms"))


@pytest.fixture(scope="module")
def plain(rooms: Rooms, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A logistic regression, which a scorer covers."""
    folder = tmp_path_factory.mktemp("plain")
    return imported_into(rooms, **fitted(LogisticRegression(), folder, name="plain"))[0]


@pytest.fixture(scope="module")
def own(rooms: Rooms, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """Neighbours behind a class of the user's own, which no scorer covers."""
    folder = tmp_path_factory.mktemp("own")
    code = folder / "code"
    code.mkdir()
    (code / "clippers.py").write_text(CLIPPER)
    sys.path.insert(0, str(code))
    try:
        import clippers  # type: ignore[import-not-found]  # noqa: PLC0415 - written above

        model = make_pipeline(clippers.Clipper(), KNeighborsClassifier())
        asked = fitted(model, folder, name="own")
    finally:
        sys.path.remove(str(code))
        sys.modules.pop("clippers", None)
    return imported_into(rooms, **asked, code=code, trust=("clippers.Clipper",))[0]


def order(version: Version, folder: Path, **asked: Any) -> Order:
    """Return an order that runs nothing unless it is asked to."""
    asked = {"target": Target.CONTAINER, "spec": PackageSpec(), "verify": False, **asked}
    return Order(version=version, folder=folder, **asked)


def made(rooms: Rooms, asked: Order) -> Package:
    """Return the package that was ordered."""
    return result_of(package_in(rooms, asked))


def told(steps: Generator[Event, None, Package]) -> tuple[Package, list[str]]:
    """Return the package that was ordered, and what was said on the way."""
    said = []
    while True:
        try:
            said.append(next(steps).message)
        except StopIteration as end:
            return end.value, said


def answered(folder: Path, module: str) -> tuple[Any, Any]:
    """Return what a package answers to the rows of its proof, and the registered model's answers.

    It runs by this Python, alone in its folder.
    """
    proof = json.loads((folder / "proof" / "rows.json").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=folder,
        input=json.dumps(proof["rows"]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [next(iter(answer.values())) for answer in json.loads(done.stdout)], proof["predictions"]


@pytest.mark.slow
def test_code_of_ones_own_travels_with_its_library(
    rooms: Rooms, own: Version, tmp_path: Path
) -> None:
    """A class of the user's own that no scorer covers travels with its module and its library."""
    done = made(rooms, order(own, tmp_path / "out", verify=True, target=Target.WHEEL))
    assert (done.engine, bool(done.reason)) == (Engine.LIBRARY, True)
    wheel = next(path for path in done.files if path.endswith(".whl"))
    with zipfile.ZipFile(tmp_path / "out" / wheel) as packed:
        assert packed.read("own_model/code/clippers.py") == CLIPPER.encode()
    assert any(pin.startswith("scikit-learn==") for pin in done.requirements)
    assert done.proof is not None


def test_what_cannot_travel_is_told(rooms: Rooms, own: Version, tmp_path: Path) -> None:
    """Without its module the error names it; a scorer that was asked for and is none is told."""
    forgetful: Any = _Forgetful(rooms.registry, "code_folder")
    with pytest.raises(NotPackageable, match="needs the module 'clippers'") as caught:
        pack(forgetful, own, spec=PackageSpec(), module="own_model")
    assert "--code FOLDER" in caught.value.hint
    with pytest.raises(NotPackageable, match="has no scorer that covers it"):
        made(rooms, order(own, tmp_path / "o", spec=PackageSpec(engine=WhoAnswers.SCORER)))


@pytest.mark.slow
def test_a_function_of_ones_own_travels(rooms: Rooms, tmp_path: Path) -> None:
    """`module:name` is packaged with what it imports; rows and secrets beside it stay behind."""
    code = tmp_path / "code"
    (code / "tables").mkdir(parents=True)
    (code / "shares.py").write_text(SHARES)
    (code / "tables" / "__init__.py").write_text("def weight(): return 3.0\n")
    (code / ".env").write_text("PASSWORD=hunter2\n")
    frame().to_csv(code / "train.csv")
    version, _ = imported_into(
        rooms, model="shares:share", name="function", data=frame(), target="y", code=code
    )
    done = made(rooms, order(version, tmp_path / "out", verify=True))
    assert done.proof is not None
    assert done.proof.rows == 300
    travels = [path for path in done.files if path.startswith("function_model/code/")]
    assert [path.removeprefix("function_model/code/") for path in travels] == [
        "shares.py",
        "tables/__init__.py",
    ]
    assert not any(pin.startswith("scikit-learn") for pin in done.requirements)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
def test_a_folder_of_mlflow_travels(rooms: Rooms, tmp_path: Path) -> None:
    """A `PythonModel` is packaged with its folder, but for the rows that MLflow keeps in it."""
    space: dict[str, Any] = {"__name__": "__main__"}
    notebook = str(Path.home() / "notes" / "sum.ipynb")
    exec(compile(SUM, notebook, "exec"), space)  # noqa: S102 - a class of no module, pickled whole
    data = frame().assign(y=lambda one: one["a"] + one["b"])
    example = data[["a", "b"]].head(2)
    folder = tmp_path / "saved"
    mlflow.pyfunc.save_model(folder, python_model=space["Sum"](), pip_requirements=["pandas"])
    example.to_json(folder / "input_example.json", orient="split")
    version, _ = imported_into(
        rooms,
        model=folder,
        name="folder",
        data=data,
        target="y",
        trust=("cloudpickle.*", "mlflow.*", "builtins.*", "tests.*", "pandas.*"),
    )
    spec = PackageSpec(engine=WhoAnswers.LIBRARY)
    packed = pack(rooms.registry, version, spec=spec, module="folder_model")
    assert packed.left == ("input_example.json",)
    assert [Path(path).name for path in packed.telling(Path.home())] == ["python_model.pkl"]
    done, said = told(package_in(rooms, order(version, tmp_path / "out", spec=spec)))
    assert any("python_model.pkl; a class that is pickled whole" in each for each in said)
    assert any(pin.startswith("mlflow==") for pin in done.requirements)
    assert any(path.endswith("/MLmodel") for path in done.files)
    assert not any("input_example" in path for path in done.files)
    found, expected = answered(tmp_path / "out", "folder_model")
    assert found == expected


@pytest.mark.slow
def test_a_python_without_wheels_is_told(rooms: Rooms, plain: Version, tmp_path: Path) -> None:
    """Where a library has no wheel for the target's Python, the error names it; nothing is left."""
    spec = PackageSpec(python="3.9", engine=WhoAnswers.LIBRARY)
    with pytest.raises(EnvironmentUnavailable, match=r"no wheels for Python 3\.9"):
        made(rooms, order(plain, tmp_path / "out", spec=spec))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_hashes_rows_and_names_are_kept_when_asked(
    rooms: Rooms, plain: Version, tmp_path: Path
) -> None:
    """Hashes lie in the requirements, rows of the data in the proof, and both are run with."""
    spec = PackageSpec(hashes=True, keep_rows=True, key="answer", probabilities=True)
    done = made(rooms, order(plain, tmp_path / "out", verify=True, spec=spec))
    text = (tmp_path / "out" / "requirements.txt").read_text()
    assert "--hash=sha256:" in text
    proof = json.loads((tmp_path / "out" / "proof" / "rows.json").read_text())
    assert proof["kept"] == len(proof["rows"]) == 100
    assert "100 rows of the evaluation data" in (tmp_path / "out" / "README.md").read_text()
    assert done.proof is not None


def test_a_version_without_evaluation_rows(rooms: Rooms, plain: Version, tmp_path: Path) -> None:
    """Where nothing of its data is left it is not proven, and the error says what to name."""
    bare = replace(rooms, registry=_Forgetful(rooms.registry, "kept_file"))
    with pytest.raises(NotProven, match="no rows are left to prove the package with") as caught:
        made(bare, order(plain, tmp_path / "out", verify=True))
    assert "--data FILE; or --no-verify" in caught.value.hint
    named = pd.DataFrame({"a": [0.5] * 3, "b": [1.5] * 3})
    rows = proving.evaluation_rows(bare, plain, data=named, separator=None)
    assert (rows.table.num_rows, rows.words) == (3, "of the data frame")


class _Forgetful:
    """A registry that answers one question with None."""

    def __init__(self, registry: Any, question: str) -> None:
        self._registry = registry
        self._question = question

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == self._question:
            return lambda *_: None
        found: Callable[..., Any] = getattr(self._registry, name)
        return found
