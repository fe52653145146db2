"""Models whose classes lie in the project's own modules, `lib/python`."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

import brinery

MODULE = """
import mlflow

class Older(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return ["yes" if age > 40 else "no" for age in model_input["age"]]
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
def test_a_class_of_the_projects_library_travels_with_its_version(tmp_path: Path) -> None:
    """It is evaluated by the script, and answers when the library is no more."""
    library = tmp_path / "lib" / "python"
    (library / "ages").mkdir(parents=True)
    (library / "ages" / "__init__.py").write_text("")
    (library / "ages" / "older.py").write_text(MODULE)
    rows = pd.DataFrame({"age": [20, 30, 50, 60] * 20, "y": ["no", "yes", "yes", "yes"] * 20})
    with brinery.shims(workspace=tmp_path):
        import dataiku  # noqa: PLC0415 - only there
        import mlflow

        dataiku.Dataset("people").write_with_schema(rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlflow.pyfunc.save_model(
                str(tmp_path / "model"), python_model=import_module("ages.older").Older()
            )
        project = dataiku.api_client().get_default_project()
        model = project.create_mlflow_pyfunc_model("ages", "BINARY_CLASSIFICATION")
        version = model.import_mlflow_version_from_path("v1", str(tmp_path / "model"))
        version.set_core_metadata("y", ["no", "yes"], get_features_from_dataset="people")
        version.evaluate("people")
    (library / "ages" / "older.py").unlink()
    scores = brinery.predict("ages@v1", data=rows[["age"]], workspace=tmp_path)
    assert scores["prediction"].to_pylist() == ["no", "no", "yes", "yes"] * 20
