from __future__ import annotations

import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from brinery.errors import ModelFileMissing
from brinery.pickles.digest import digest
from brinery.pickles.scanner import scan
from brinery.records.scan import ScanReport, Verdict

EVIL = b"cposix\nsystem\n(S'true'\ntR."
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes an MLflow model's folder, as MLflow writes one; changes go into python_function."""

    def written(flavor: dict[str, Any] | None = None, **pyfunc: Any) -> Path:
        folder = tmp_path / "model"
        folder.mkdir()
        (folder / "model.pkl").write_bytes(pickle.dumps(LogisticRegression()))
        (folder / "requirements.txt").write_text("cloudpickle==3.1\nscikit-learn==1.9.1\n")
        (folder / "conda.yaml").write_text("channels:\n- conda-forge\nname: env\n")
        (folder / "python_env.yaml").write_text("python: 3.11.7\n")
        (folder / "input_example.json").write_text('{"columns": ["a"], "data": [[1]]}')
        stated = {
            "mlflow_version": "3.17.2",
            "flavors": {
                "python_function": {
                    "loader_module": "mlflow.sklearn",
                    "model_path": "model.pkl",
                    "python_version": "3.11.7",
                    **pyfunc,
                },
                "sklearn": {
                    "pickled_model": "model.pkl",
                    "sklearn_version": "1.9.1",
                    "serialization_format": "cloudpickle",
                    **(flavor or {}),
                },
            },
            "signature": {"inputs": '[{"name": "age", "type": "double"}, {"name": "job"}]'},
        }
        (folder / "MLmodel").write_text(yaml.safe_dump(stated))
        return folder

    return written


def asked(report: ScanReport) -> dict[str, Verdict]:
    return {str(one.name): one.verdict for one in report.findings}


def test_an_honest_folder(make: Make) -> None:
    """A folder that MLflow wrote tells its versions, its Python, its columns, and is safe."""
    folder = make()
    report = scan(folder)
    assert (report.format, report.verdict, report.problems) == ("mlflow", Verdict.SAFE, ())
    assert report.versions["mlflow"] == ("3.17.2",)
    assert report.versions["scikit-learn"] == ("1.9.1",)
    assert report.python == "3.11.7"
    assert report.feature_names == ("age", "job")
    assert report.outermost == "sklearn.linear_model._logistic.LogisticRegression"
    assert report.findings[0].members == ("model.pkl",)
    assert report.sha256 == digest(folder)
    assert report.size_bytes == sum(file.stat().st_size for file in folder.iterdir())


@pytest.mark.parametrize("name", ["notes.txt", "data/x.joblib", "artifacts/deep/er/y"])
def test_every_file_is_read(make: Make, name: str) -> None:
    """A pickle anywhere in the folder is read, whatever its name."""
    folder = make()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(EVIL)
    (finding,) = (one for one in scan(folder).findings if str(one.name) == "posix.system")
    assert finding.members == (name,)
    assert finding.verdict is Verdict.DANGEROUS


def test_another_loader_needs_trust(make: Make) -> None:
    """A loader module that is not one of MLflow's known ones is a name that needs trust."""
    report = scan(make(loader_module="my_pkg.loading"))
    assert asked(report)["my_pkg.loading._load_pyfunc"] is Verdict.NEEDS_TRUST
    (finding,) = (one for one in report.findings if one.name.module == "my_pkg.loading")
    assert finding.reached == ("loader_module",)
    assert "MLmodel has MLflow import this module" in finding.reason
    assert report.verdict is Verdict.NEEDS_TRUST


@pytest.mark.parametrize("loader", ["os", "subprocess", "", "mlflow", "mlflow.sklearn.x", None])
def test_loaders_that_are_not_known(make: Make, loader: Any) -> None:
    """Whatever the loader module is, one that is not known exactly is never safe."""
    assert scan(make(loader_module=loader)).verdict is not Verdict.SAFE


def test_code_of_the_model_needs_trust(make: Make) -> None:
    """A folder of code is named by the packages it brings, which need trust."""
    folder = make(code="code")
    compiled = "my_pkg/__pycache__/hidden.cpython-311.pyc"
    for name in ("my_pkg/__init__.py", "single.py", "fast.so", compiled, "data.txt"):
        (folder / "code" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "code" / name).write_text("x = 1\n")
    report = scan(folder)
    found = {str(one.name): one for one in report.findings if one.reached == ("code",)}
    assert set(found) == {"my_pkg.__init__", "single.__init__", "fast.__init__"}
    assert found["my_pkg.__init__"].reason.endswith("folder code: my_pkg, my_pkg.hidden")
    assert report.verdict is Verdict.NEEDS_TRUST


@pytest.mark.parametrize("code", ["./code", "code/.", "code//", ".", "x/../code", "code\\\\"])
def test_other_names_of_the_folder_of_code(make: Make, code: str) -> None:
    """However the folder of code is written, its modules are found."""
    folder = make(code=code)
    (folder / "code" / "sklearn").mkdir(parents=True)
    (folder / "code" / "sklearn" / "__init__.py").write_text("x = 1\n")
    assert scan(folder).verdict is not Verdict.SAFE


def test_models_within_a_model(make: Make) -> None:
    """A folder of MLflow's among the artifacts of another is judged as well."""
    folder = make()
    inner = folder / "artifacts" / "inner"
    inner.mkdir(parents=True)
    stated = "flavors: {python_function: {loader_module: evil, code: code}}\n"
    (inner / "MLmodel").write_text(stated)
    (inner / "code").mkdir()
    (inner / "code" / "mod.py").write_text("")
    report = scan(folder)
    assert {"evil._load_pyfunc", "mod.__init__"} <= set(report.asked(Verdict.NEEDS_TRUST))
    assert report.feature_names == ("age", "job")


def test_a_script_needs_trust(make: Make) -> None:
    """A model that is a script is run by MLflow: it is a name that needs trust."""
    report = scan(make(model_code_path="predict.py"))
    assert asked(report)["predict.__init__"] is Verdict.NEEDS_TRUST


def test_a_class_that_is_imported(make: Make) -> None:
    """A class that an MLmodel names is imported by MLflow, and is judged as any other name."""
    assert asked(scan(make({"model_class": "os.system"})))["os.system"] is Verdict.DANGEROUS


@pytest.mark.parametrize("path", ["/etc/passwd", "../other", "a/../../b", "..\\x"])
def test_paths_that_lead_out(make: Make, path: str) -> None:
    """A path that leads out of the folder is a problem."""
    report = scan(make({"pickled_model": path}))
    assert "pickled_model lies outside of the folder" in report.problems[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flavors: {}",
        "- a\n- b\n",
        "{" * 5000,
        "a: &a [1]\nflavors:\n  <<: *a\n",
        "flavors: !!python/object/apply:os.system ['true']\n",
        "flavors: 'x\n",
        "x: " + "y" * (2 << 20),
        "\x00",
    ],
)
def test_mlmodels_that_are_none(make: Make, text: str) -> None:
    """An MLmodel that is no plain YAML is a problem, and none of it is made or run."""
    folder = make()
    (folder / "MLmodel").write_text(text)
    report = scan(folder)
    assert (report.format, report.verdict) == ("mlflow", Verdict.MALFORMED)
    assert report.problems[0].startswith("MLmodel: ")


def test_aliases_are_no_problem(make: Make) -> None:
    """YAML that refers to itself, as MLflow sometimes writes, is read."""
    folder = make()
    text = (folder / "MLmodel").read_text()
    (folder / "MLmodel").write_text(f"env: &e [1]\nsame: *e\n{text}")
    assert scan(folder).verdict is Verdict.SAFE


def test_archives_that_are_not_read(make: Make) -> None:
    """A file of the folder that may hide anything is a problem."""
    folder = make()
    (folder / "x").write_bytes(b"7z\xbc\xaf\x27\x1c")
    assert scan(folder).problems == ("x: it is a 7z archive, which is not read",)


def test_tensors_beside_a_model(tmp_path: Path) -> None:
    """Files of other formats, and texts that look like opcodes, are no problem in a folder."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(pickle.dumps(OrderedDict()))
    for name, text in {
        "words.txt": "cat\ndog\nemu\n",
        "N.txt": "N. B.: read this\n",
        "main.py": "import os\nimport sys\n\nos.system('true')\n",
        "empty": "",
        "page.html": "<p>",
        "x.json": "[1]",
    }.items():
        (folder / name).write_text(text)
    report = scan(folder)
    assert (report.format, report.verdict, report.problems) == ("unknown", Verdict.SAFE, ())


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    """A folder without a model in it is said to be one."""
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ModelFileMissing, match="without a model"):
        scan(tmp_path)


SAVE = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow.sklearn
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit([[0.0], [1.0]], ["a", "b"])
mlflow.sklearn.save_model(
    model, sys.argv[1], pip_requirements=["scikit-learn"], serialization_format=sys.argv[2]
)
"""


@pytest.mark.parametrize("form", ["cloudpickle", "skops"])
def test_what_mlflow_writes(tmp_path: Path, form: str) -> None:
    """What MLflow itself writes is read and safe, and what is put beside it is told."""
    folder = tmp_path / "model"
    subprocess.run([sys.executable, "-c", SAVE, str(folder), form], check=True, capture_output=True)
    report = scan(folder)
    assert (report.format, report.verdict, report.problems) == ("mlflow", Verdict.SAFE, ())
    assert report.outermost == "sklearn.linear_model._logistic.LogisticRegression"
    joblib.dump(OrderedDict(), folder / "more")
    assert "collections.OrderedDict" in asked(scan(folder))
