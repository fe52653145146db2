"""The recipes of the examples, from a clean workspace to evaluated saved models."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.shims.conftest import CONDA

from brinery.store.interpreters import installed

BRINERY = Path(sys.executable).with_name("brinery")
EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.mark.slow
@pytest.mark.parametrize("age", ["3.9", "current"])
def test_the_recipes_run_as_they_are(tmp_path: Path, built: Path, age: str) -> None:
    """Three commands and one: datasets, folder, models with figures, and the flow of it all.

    Both on Python 3.9 with MLflow 2.17, and with what Brinery itself runs on.
    """
    home = tmp_path / "recipes"
    shutil.copytree(EXAMPLES / "recipes", home)
    shutil.copy(EXAMPLES / "bank" / "bank.csv", home)
    if age == "3.9":
        if not any(one.version[:2] == (3, 9) for one in installed()):
            pytest.skip("there is no Python 3.9 here")
        (home / "conda.yml").write_text(CONDA)
        (home / ".brinery").mkdir()
        os.symlink(built, home / ".brinery" / "environments")  # noqa: PTH211 - a link to share

    def brinery(*words: str) -> str:
        done = subprocess.run(
            [str(BRINERY), "--workspace", str(home), *words],
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    brinery("run", "step1_prepare.py")
    assert "default-folder" in brinery("run", "step2_train.py")
    told = brinery("run", "step3_deploy.py")
    area, best = map(float, re.findall(r"AUC ([0-9.]+), F1 ([0-9.]+)", told)[0])
    assert 0.84 < area < 0.90
    assert 0.46 < best < 0.58
    shown = json.loads(brinery("model", "show", "clf@v01", "--format", "json"))
    assert "champion" in json.dumps(shown)
    accuracy = float(re.findall(r"accuracy ([0-9.]+)", brinery("run", "iris_python_model.py"))[0])
    assert accuracy > 0.85
    flow = brinery("flow")
    assert re.search(r"bank → .*step2_train.py → default \+ bank_test", flow)
    assert re.search(r"default \+ bank_test → .*step3_deploy.py → clf", flow)
