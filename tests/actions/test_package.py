"""Packages of registered versions, run in fresh environments as their platforms would."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.actions.conftest import Run

import brinery
from brinery.actions import proving
from brinery.actions.package import Order, package_in
from brinery.actions.packing import pack
from brinery.actions.progress import result_of
from brinery.actions.rooms import Rooms
from brinery.errors import EnvironmentUnavailable, InvalidPackage, NotPackageable, NotProven
from brinery.package import aws_lambda
from brinery.package.runtime.verify import sound
from brinery.records.package import Engine, Package, Target
from brinery.records.version import Version
from brinery.specs.packaging import PackageSpec, WhoAnswers
from brinery.store import fresh

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
CLIPPER = """
from sklearn.base import BaseEstimator, TransformerMixin

class Clipper(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self
    def transform(self, X):
        return X.clip(0, 5)
"""


@pytest.fixture(scope="module")
def iris_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the seed's pipeline, as iris@1."""
    folder = tmp_path_factory.mktemp("seed")
    data = load_iris()
    features = pd.DataFrame(data.data, columns=data.feature_names)
    species = pd.Series(data.target, name="class")
    model = Pipeline([("scaler", StandardScaler()), ("model", LogisticRegression())])
    joblib.dump(model.fit(features, species), folder / "model.pkl")
    features.assign(**{"class": species}).to_csv(folder / "iris.csv", index=False)
    brinery.import_model(
        folder / "model.pkl",
        name="iris",
        data=folder / "iris.csv",
        target="class",
        workspace=folder,
    )
    return folder


def order(version: Version, folder: Path, **asked: Any) -> Order:
    """Return an order that runs nothing unless it is asked to."""
    asked = {"target": Target.CONTAINER, "spec": PackageSpec(), "verify": False, **asked}
    return Order(version=version, folder=folder, **asked)


def made(rooms: Rooms, asked: Order) -> Package:
    """Return the package that was ordered."""
    return result_of(package_in(rooms, asked))


def numbers(model: Any, tmp_path: Path, *, rows: int = 300) -> dict[str, Any]:
    """Return what imports a classifier that is fitted here, pickled."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 2)), columns=["a", "b"])
    frame["y"] = (frame["a"] + frame["b"] > 0).map({False: "no", True: "yes"})
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model.fit(frame[["a", "b"]], frame["y"])))
    return {"model": tmp_path / "model.pkl", "name": "own", "data": frame, "target": "y"}


@pytest.mark.slow
@pytest.mark.parametrize("target", Target)
def test_the_pipeline_of_the_seed_everywhere(
    iris_workspace: Path, tmp_path: Path, target: Target
) -> None:
    """For every target it runs in a fresh environment and answers as the registered model."""
    done = brinery.package_model(
        "iris", to=target, output=tmp_path / "out", workspace=iris_workspace
    )
    assert done.engine is Engine.SCORER
    assert not [pin for pin in done.requirements if pin.startswith(("scikit", "scipy", "pandas"))]
    assert done.proof is not None
    assert (done.proof.rows, done.proof.refused) == (350, 7)
    assert done.proof.digest == done.digest == sound(tmp_path / "out")
    kept = brinery.package_proofs("iris@1", workspace=iris_workspace)
    assert done.proof in kept


@pytest.mark.slow
@pytest.mark.parametrize("target", Target)
def test_the_bank_model_everywhere(bank_workspace: Path, tmp_path: Path, target: Target) -> None:
    """So does the bank's forest, with its categories and missing values, on its held-out rows."""
    done = brinery.package_model(
        "bank@champion", to=target, output=tmp_path / "out", workspace=bank_workspace
    )
    assert done.proof is not None
    assert done.proof.rows == 905 + 200
    assert done.proof.max_difference <= 1e-9


@pytest.mark.slow
def test_the_function_answers_curl_as_the_seed_says(iris_workspace: Path, tmp_path: Path) -> None:
    """`functions-framework --target predict` in the folder answers the seed's request."""
    out = tmp_path / "out"
    brinery.package_model("iris", to=Target.GCF, output=out, verify=False, workspace=iris_workspace)
    text = (out / "requirements.txt").read_text()
    with fresh.environment(text, python=HERE) as python, _served(out, python) as url:
        done = subprocess.run(
            ["curl", "--silent", "--data", json.dumps(ROW), url], capture_output=True, check=True
        )
        assert done.stdout == b'{"predicted_class": 0}'
        for command in (
            ["sh", "examples/predict.sh"],
            [sys.executable, "examples/predict.py", url],
        ):
            asked = {"PATH": os.defpath, "URL": url}
            shown = subprocess.run(command, cwd=out, env=asked, capture_output=True, check=True)
            assert set(json.loads(shown.stdout)) == {"predicted_class"}
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url, data=b'{"sepal_lenght": 1}')
        with caught.value as answer:
            assert (answer.code, json.load(answer)["code"]) == (422, "invalid-rows")


@contextmanager
def _served(folder: Path, python: Path) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    program = str(python.parent / "functions-framework")
    arguments = ["--target", "predict", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [program, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        url = f"http://127.0.0.1:{port}/"
        until = time.monotonic() + 60
        try:
            while time.monotonic() < until:
                with suppress(OSError), urllib.request.urlopen(url):
                    break
                time.sleep(0.1)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.slow
def test_a_package_is_verified_again(iris_workspace: Path, tmp_path: Path) -> None:
    """Its archive is unpacked and run; one whose bytes were altered, or another one, is refused."""
    done = brinery.package_model(
        "iris", to="wheel", output=tmp_path / "out", verify=False, workspace=iris_workspace
    )
    assert done.proof is None
    proven = brinery.verify_package(done.archive, digest=f"sha256:{done.digest}")
    assert (proven.version, proven.rows) == ("iris@1", 200)
    with pytest.raises(NotProven, match="is another package"):
        brinery.verify_package(done.archive, digest="0" * 64)
    (tmp_path / "out" / "README.md").write_text("another")
    with pytest.raises(NotProven, match=r"it was altered: README\.md: its bytes differ"):
        brinery.verify_package(tmp_path / "out")


@pytest.mark.slow
def test_manifests_fit_the_schemas_of_kubernetes(iris_workspace: Path, tmp_path: Path) -> None:
    """Each manifest is what the OpenAPI schemas of Kubernetes say, strictly."""
    out = tmp_path / "out"
    brinery.package_model(
        "iris", to="kubernetes", output=out, verify=False, workspace=iris_workspace
    )
    _, text = fresh.pins(["kubernetes-validate", "setuptools"], python=HERE)
    manifests = [str(path) for path in (out / "k8s").glob("*.yaml")]
    manifests = [path for path in manifests if not path.endswith("kustomization.yaml")]
    assert len(manifests) == 3
    with fresh.environment(text, python=HERE) as python:
        command = [str(python), "-m", "kubernetes_validate", "--strict", *manifests]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        wrong = out / "k8s" / "service.yaml"
        wrong.write_text(wrong.read_text().replace("targetPort", "targetPrt"))
        refused = subprocess.run([*command[:4], str(wrong)], capture_output=True, check=False)
        assert refused.returncode != 0


@pytest.mark.slow
def test_code_of_ones_own_travels(rooms: Rooms, run: Run, tmp_path: Path) -> None:
    """A model with a class of the user's own takes its module along, and is proven with it."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "clippers.py").write_text(CLIPPER)
    sys.path.insert(0, str(code))
    try:
        import clippers  # type: ignore[import-not-found]  # noqa: PLC0415 - written above

        model = make_pipeline(clippers.Clipper(), LogisticRegression())
        asked = numbers(model, tmp_path)
    finally:
        sys.path.remove(str(code))
        sys.modules.pop("clippers", None)
    version, _ = run(**asked, code=code, trust=("clippers.Clipper",))
    done = made(rooms, order(version, tmp_path / "out", verify=True))
    assert done.engine is Engine.LIBRARY
    assert "own_model/code/clippers.py" in done.files
    assert done.proof is not None
    forgetful: Any = _Forgetful(rooms.registry, "code_folder")
    with pytest.raises(NotPackageable, match="needs the module 'clippers'") as caught:
        pack(forgetful, version, spec=PackageSpec(), module="own_model")
    assert "--code FOLDER" in caught.value.hint


@pytest.mark.slow
def test_a_model_without_a_scorer_takes_its_library(rooms: Rooms, run: Run, tmp_path: Path) -> None:
    """What no scorer covers is packaged with its framework, pinned, and says why."""
    version, _ = run(**numbers(KNeighborsClassifier(), tmp_path))
    done = made(rooms, order(version, tmp_path / "out", verify=True, target=Target.GCF))
    assert (done.engine, bool(done.reason)) == (Engine.LIBRARY, True)
    assert any(pin.startswith("scikit-learn==") for pin in done.requirements)
    assert done.proof is not None
    with pytest.raises(NotPackageable, match="has no scorer that covers it"):
        made(rooms, order(version, tmp_path / "o", spec=PackageSpec(engine=WhoAnswers.SCORER)))


@pytest.mark.slow
def test_a_python_without_wheels_is_told(rooms: Rooms, run: Run, tmp_path: Path) -> None:
    """Where a library has no wheel for the target's Python, the error names it; nothing is left."""
    version, _ = run(**numbers(LogisticRegression(), tmp_path))
    spec = PackageSpec(python="3.9", engine=WhoAnswers.LIBRARY)
    with pytest.raises(EnvironmentUnavailable, match=r"no wheels for Python 3\.9"):
        made(rooms, order(version, tmp_path / "out", spec=spec))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_hashes_rows_and_names_are_kept_when_asked(rooms: Rooms, run: Run, tmp_path: Path) -> None:
    """Hashes lie in the requirements, rows of the data in the proof, and both are run with."""
    version, _ = run(**numbers(LogisticRegression(), tmp_path))
    spec = PackageSpec(hashes=True, keep_rows=True, key="answer", probabilities=True)
    done = made(rooms, order(version, tmp_path / "out", verify=True, spec=spec))
    text = (tmp_path / "out" / "requirements.txt").read_text()
    assert "--hash=sha256:" in text
    proof = json.loads((tmp_path / "out" / "proof" / "rows.json").read_text())
    assert proof["kept"] == len(proof["rows"]) == 100
    assert "100 rows of the evaluation data" in (tmp_path / "out" / "README.md").read_text()
    assert done.proof is not None


def test_a_target_that_is_not_known(iris_workspace: Path, tmp_path: Path) -> None:
    """The error lists the targets, or the nearest one."""
    for name, said in (("lamda", "--to lambda"), ("x" * 20, "--to gcf, lambda, ")):
        with pytest.raises(InvalidPackage, match=f"there is no target '{name}'") as caught:
            brinery.package_model("iris", to=name, output=tmp_path, workspace=iris_workspace)
        assert said in caught.value.hint


def test_a_folder_that_is_not_empty(iris_workspace: Path, tmp_path: Path) -> None:
    """Nothing is made, and nothing is replaced."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InvalidPackage, match=r"is not empty: it holds mine\.txt"):
        brinery.package_model("iris", to="gcf", output=tmp_path, workspace=iris_workspace)


def test_a_version_without_evaluation_rows(rooms: Rooms, run: Run, tmp_path: Path) -> None:
    """Where nothing of its data is left it is not proven, and the error says what to name."""
    version, _ = run(**numbers(LogisticRegression(), tmp_path))
    bare = replace(rooms, registry=_Forgetful(rooms.registry, "kept_file"))
    with pytest.raises(NotProven, match="no rows are left to prove the package with") as caught:
        made(bare, order(version, tmp_path / "out", verify=True))
    assert "--data FILE; or --no-verify" in caught.value.hint
    named = pd.DataFrame({"a": [0.5] * 3, "b": [1.5] * 3})
    rows = proving.evaluation_rows(bare, version, data=named, separator=None)
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


@pytest.mark.parametrize(("zipped", "unzipped"), [(60_000_000, 1), (1, 300_000_000)])
def test_what_is_over_a_limit_names_what_takes_the_space(zipped: int, unzipped: int) -> None:
    """A function or layer that Lambda would not take is told by its largest parts."""
    layer = {"python/scipy/a.so": bytes(unzipped), "python/numpy/b.so": b"1"}
    with pytest.raises(InvalidPackage, match=r"Lambda takes (50|262) MB.*: .*scipy") as caught:
        aws_lambda.check_size(layer, {"m/a.py": b""}, zipped={"layer.zip": zipped})
    assert "lambda-container" in caught.value.hint
    aws_lambda.check_size({}, {}, zipped={"layer.zip": 1})


def test_what_is_no_package_is_not_verified(tmp_path: Path) -> None:
    """An empty folder and a text file are no packages."""
    with pytest.raises(NotProven, match=r"no digests\.json"):
        brinery.verify_package(tmp_path)
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(InvalidPackage, match="is no package"):
        brinery.verify_package(tmp_path / "text.zip")
