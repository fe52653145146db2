from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skl2onnx
import skops.io
import xgboost
from safetensors.numpy import save_file
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.conftest import ROOT

from brinery.errors import FormatNotRead
from brinery.pickles.scanner import scan
from brinery.records.scan import Verdict

BENIGN = ROOT / "tests" / "pickles" / "benign.py"
CACHE = Path.home() / ".cache" / "brinery-tests" / "benign"
BUILD_S, FIT_S = 600, 600

# An environment's Python, what is installed, and the least that must come of it.
ENVIRONMENTS = {
    "0.24": (
        ("3.8", "3.9"),
        (
            "scikit-learn==0.24.2 numpy==1.19.5 scipy==1.5.4 pandas==1.1.5 joblib==1.0.1"
            " lightgbm==3.2.1 cloudpickle==2.2.1 category-encoders==2.2.2 statsmodels==0.12.2"
        ),
    ),
    "1.0": (
        ("3.9", "3.8"),
        (
            "scikit-learn==1.0.2 numpy==1.21.6 scipy==1.7.3 pandas==1.3.5 joblib==1.1.1"
            " lightgbm==3.3.5 cloudpickle==2.2.1 category-encoders==2.4.1 catboost==1.1.1"
        ),
    ),
    "1.3": (
        ("3.11", "3.10"),
        (
            "scikit-learn==1.3.2 numpy==1.26.4 scipy==1.11.4 pandas==2.0.3 joblib==1.3.2"
            " lightgbm==4.1.0 cloudpickle==3.0.0 statsmodels==0.14.1 catboost==1.2.3"
        ),
    ),
    "1.7": (
        ("3.12", "3.13", "3.11"),
        (
            "scikit-learn==1.7.1 numpy==2.2.6 scipy==1.15.3 pandas==2.2.3 joblib==1.5.1"
            " xgboost-cpu==3.0.2 lightgbm==4.6.0 cloudpickle==3.1.1 category-encoders==2.8.1"
        ),
    ),
}


def interpreter(versions: tuple[str, ...]) -> Path | None:
    """The first of some Pythons that is installed, on PATH or by pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))  # noqa: TID251 - a test
    for version in versions:
        found = [*pyenv.glob(f"versions/{version}.*/bin/python")]
        on_path = shutil.which(f"python{version}")
        for path in (*found, *([Path(on_path)] if on_path else [])):
            asked = [str(path), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
            if done.stdout.strip() == version:
                return path
    return None


def environment(name: str) -> Path:
    """The Python of an environment of other versions, which is built once and kept."""
    versions, requirements = ENVIRONMENTS[name]
    folder = CACHE / name
    ready = folder / "ready"
    if ready.exists() and ready.read_text() == requirements:
        return folder / "bin" / "python"
    base = interpreter(versions)
    if base is None:
        pytest.skip(f"there is no Python {' or '.join(versions)} on this machine")
    uv = [sys.executable, "-m", "uv"]
    make = [*uv, "venv", "--quiet", "--clear", "--python", str(base), str(folder)]
    subprocess.run(make, check=True, timeout=BUILD_S)
    python = folder / "bin" / "python"
    fill = [*uv, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", str(python)]
    subprocess.run([*fill, *requirements.split()], check=True, timeout=BUILD_S)
    ready.write_text(requirements)
    return python


def verdicts(python: Path, folder: Path) -> Iterator[tuple[str, bool, Verdict, tuple[str, ...]]]:
    """Each model's name, whether it carries code, its verdict, and what was found fault with."""
    done = subprocess.run(
        [str(python), str(BENIGN), str(folder)],
        capture_output=True,
        text=True,
        timeout=FIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Libraries in Fortran may say what they minimized when they end.
    (written,) = (line for line in done.stdout.splitlines() if line.startswith("{"))
    for name, carries_code in json.loads(written).items():
        report = scan(folder / name)
        faults = [f"{f.name}: {f.reason}" for f in report.findings if f.verdict is not Verdict.SAFE]
        yield name, carries_code, report.verdict, (*report.problems, *faults)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["here", *ENVIRONMENTS])
def test_honest_models(name: str, tmp_path: Path) -> None:
    """No model of a framework gives a false alarm; one that carries code needs trust, no worse."""
    python = Path(sys.executable) if name == "here" else environment(name)
    found = list(verdicts(python, tmp_path))
    plain = [(model, faults) for model, code, verdict, faults in found
             if not code and verdict is not Verdict.SAFE]  # fmt: skip
    assert not plain
    assert {verdict for _, code, verdict, _ in found if code} == {Verdict.NEEDS_TRUST}
    assert sum(not code for _, code, _, _ in found) >= 150


def logistic() -> Any:
    """A small fitted pipeline."""
    data = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0) % 3})
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(data, np.arange(20) % 2)


DATA = np.random.default_rng(0).normal(size=(40, 3))
TARGET = (DATA[:, 0] > 0).astype(int)


def write_xgboost(path: Path) -> None:
    """Its own formats, by the file's name."""
    xgboost.XGBClassifier(n_estimators=2).fit(DATA, TARGET).save_model(path)


def write_lightgbm(path: Path) -> None:
    """Its own text."""
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(DATA, TARGET)
    model.booster_.save_model(path)


def write_catboost(path: Path) -> None:
    """Its own format."""
    model = catboost.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False)
    model.fit(DATA, TARGET).save_model(str(path))


def write_onnx(path: Path) -> None:
    """A graph of a pipeline."""
    model = LogisticRegression().fit(DATA, TARGET)
    path.write_bytes(skl2onnx.to_onnx(model, DATA[:1]).SerializeToString())


def write_skops(path: Path) -> None:
    """A pipeline as skops writes it."""
    skops.io.dump(logistic(), path)


def write_skops_of_categories(path: Path) -> None:
    """Boosted trees that tell categories by their type: they keep a partial of a function."""
    data = pd.DataFrame({"a": np.arange(40.0), "b": pd.Categorical(["x", "y"] * 20)})
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype")
    skops.io.dump(model.fit(data, np.arange(40) % 2), path)


def write_npz(path: Path) -> None:
    """Arrays of numbers and text."""
    np.savez_compressed(path, a=DATA, b=np.array(["x", "y"]))


def write_npy(path: Path) -> None:
    """One array."""
    np.save(path, DATA)


def write_safetensors(path: Path) -> None:
    """Arrays without objects."""
    save_file({"weight": DATA.astype("f4")}, path)


def write_torch(path: Path) -> None:
    """What torch writes of a linear layer: a pickle of persistent ids, in a zip archive."""
    weights = b"".join(
        (
            b"\x80\x02ccollections\nOrderedDict\n)R(X\x06\x00\x00\x00weight",
            b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n",
            b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89",
            b"ccollections\nOrderedDict\n)RtRu.",
        )
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", weights)
        archive.writestr("net/byteorder", b"little")
        archive.writestr("net/data/0", np.zeros(2, "f4").tobytes())
        archive.writestr("net/version", b"3\n")


def write_mlflow(path: Path) -> None:
    """MLflow's folder of a model of scikit-learn."""
    import mlflow.sklearn

    mlflow.sklearn.save_model(logistic(), path, serialization_format="cloudpickle")


WRITERS: dict[str, Callable[[Path], None]] = {
    "model.json": write_xgboost,
    "model.ubj": write_xgboost,
    "model.txt": write_lightgbm,
    "model.cbm": write_catboost,
    "model.onnx": write_onnx,
    "model.skops": write_skops,
    "categories.skops": write_skops_of_categories,
    "model.npz": write_npz,
    "model.npy": write_npy,
    "model.safetensors": write_safetensors,
    "model.pt": write_torch,
    "folder": write_mlflow,
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that write
@pytest.mark.parametrize("name", WRITERS)
def test_honest_files_of_other_formats(name: str, tmp_path: Path) -> None:
    """A framework's own file gives no false alarm."""
    path = tmp_path / name
    WRITERS[name](path)
    report = scan(path)
    assert report.problems == ()
    assert report.asked(Verdict.NEEDS_TRUST) == report.asked(Verdict.DANGEROUS) == ()


@pytest.mark.parametrize("columns", [["a", "b"], ["a"]])
def test_catboost_as_json(columns: list[str], tmp_path: Path) -> None:
    """A model that CatBoost saved as JSON is not read, and it is said which format is."""
    data = pd.DataFrame({"a": np.arange(40.0), "b": ["x", "y"] * 20})[columns]
    model = catboost.CatBoostClassifier(
        iterations=2,
        verbose=0,
        allow_writing_files=False,
        cat_features=[name for name in columns if name == "b"],
    )
    path = tmp_path / "model.json"
    model.fit(data, np.arange(40) % 3 == 0).save_model(str(path), format="json")
    with pytest.raises(FormatNotRead, match="a CatBoost model saved as JSON") as caught:
        scan(path)
    assert "model.save_model('model.cbm')" in caught.value.hint
