"""Packages of registered versions, run in fresh environments as their platforms would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import joblib
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from tests import ports

import brinery
from brinery.actions.package import Order, Prepared, package_in
from brinery.actions.progress import result_of
from brinery.actions.rooms import open_rooms
from brinery.errors import InvalidPackage, NotProven
from brinery.package import aws_lambda, composing
from brinery.package.runtime.verify import TOOLS, sound
from brinery.records.package import Engine, Package, Target
from brinery.registry.interface import resolve
from brinery.specs.packaging import PackageSpec
from brinery.specs.reference import Reference
from brinery.store import fresh

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


class Shelf:
    """The packages of one version, each made and proven once; tests read them.

    Args:
        reference: of the version.
        workspace: that it is registered in.
        folder: that the packages are written to.
    """

    def __init__(self, reference: str, *, workspace: Path, folder: Path) -> None:
        self._rooms = open_rooms(workspace)
        version = resolve(self._rooms.registry, Reference.parse(reference))
        self._asked = Order(version=version, target=Target.GCF, spec=PackageSpec(), folder=folder)
        self._prepared = Prepared(self._rooms, self._asked)
        self._made: dict[Target, Package] = {}

    def package(self, target: Target) -> Package:
        """Return the package for a target."""
        if target not in self._made:
            asked = replace(self._asked, target=target, folder=self._asked.folder / target)
            steps = package_in(self._rooms, asked, prepared=self._prepared)
            self._made[target] = result_of(steps)
        return self._made[target]


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


@pytest.fixture(scope="module")
def iris(iris_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The packages of the seed's pipeline."""
    return Shelf("iris", workspace=iris_workspace, folder=tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def bank_shelf(bank_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The packages of the bank's forest."""
    folder = tmp_path_factory.mktemp("bank")
    return Shelf("bank@champion", workspace=bank_workspace, folder=folder)


@pytest.mark.slow
@pytest.mark.parametrize("target", Target)
def test_the_pipeline_of_the_seed_everywhere(
    iris: Shelf, iris_workspace: Path, target: Target
) -> None:
    """For every target it runs in a fresh environment and answers as the registered model."""
    done = iris.package(target)
    assert done.engine is Engine.SCORER
    assert not [pin for pin in done.requirements if pin.startswith(("scikit", "scipy", "pandas"))]
    assert done.proof is not None
    assert (done.proof.rows, done.proof.made_up, done.proof.refused) == (350, 200, 7)
    assert done.proof.words == "150 of iris.csv, 200 made up"
    assert done.proof.digest == done.digest == sound(Path(done.folder))
    kept = brinery.package_proofs("iris@1", workspace=iris_workspace)
    assert done.proof in kept


@pytest.mark.slow
@pytest.mark.parametrize("target", Target)
def test_the_bank_model_everywhere(bank_shelf: Shelf, target: Target) -> None:
    """So does the bank's forest, with its categories and missing values, on its held-out rows."""
    done = bank_shelf.package(target)
    assert done.proof is not None
    assert (done.proof.rows, done.proof.made_up) == (905 + 200, 200)
    assert done.proof.max_difference <= 1e-9


@pytest.mark.slow
def test_the_worker_of_azure_runs_it(iris: Shelf) -> None:
    """Where the Python of Azure's own worker is here, that worker runs the function app."""
    done = iris.package(Target.AZURE_FUNCTIONS)
    assert done.proof is not None
    platform = composing.PLATFORMS[Target.AZURE_FUNCTIONS]
    by_worker = fresh.is_here(platform.tools_python)
    assert done.python == (platform.tools_python if by_worker else HERE)
    assert ("in the worker of Azure Functions" in done.proof.ran) is by_worker
    assert (TOOLS in done.files) is by_worker
    assert not [pin for pin in done.requirements if pin.startswith("azure-functions-runtime")]


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
    port = ports.free()
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
        until = time.monotonic() + 240
        try:
            while time.monotonic() < until:
                with suppress(OSError), urllib.request.urlopen(url):
                    break
                time.sleep(0.1)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.slow
def test_a_package_is_verified_again(iris: Shelf, tmp_path: Path) -> None:
    """Its archive is unpacked and run; one whose bytes were altered, or another one, is refused."""
    done = iris.package(Target.WHEEL)
    proven = brinery.verify_package(done.archive, digest=f"sha256:{done.digest}")
    assert (proven.version, proven.rows, proven.made_up) == ("iris@1", 200, 200)
    with pytest.raises(NotProven, match="is another package"):
        brinery.verify_package(done.archive, digest="0" * 64)
    altered = shutil.copytree(done.folder, tmp_path / "out")
    (altered / "README.md").write_text("another")
    with pytest.raises(NotProven, match=r"it was altered: README\.md: its bytes differ"):
        brinery.verify_package(altered)


@pytest.mark.slow
def test_manifests_fit_the_schemas_of_kubernetes(iris: Shelf, tmp_path: Path) -> None:
    """Each manifest is what the OpenAPI schemas of Kubernetes say, strictly."""
    out = Path(iris.package(Target.KUBERNETES).folder)
    _, text = fresh.pins(["kubernetes-validate", "setuptools"], python=HERE)
    manifests = [str(path) for path in (out / "k8s").glob("*.yaml")]
    manifests = [path for path in manifests if not path.endswith("kustomization.yaml")]
    assert len(manifests) == 3
    with fresh.environment(text, python=HERE) as python:
        command = [str(python), "-m", "kubernetes_validate", "--strict", *manifests]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        right, wrong = out / "k8s" / "service.yaml", tmp_path / "service.yaml"
        wrong.write_text(right.read_text().replace("targetPort", "targetPrt"))
        refused = subprocess.run([*command[:4], str(wrong)], capture_output=True, check=False)
        assert refused.returncode != 0


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
