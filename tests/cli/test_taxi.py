"""The taxi example: the notebook, the job that it becomes, and the pipeline, run for real."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from brinery.records.job import JobRun
from brinery.store.jobs import log_of, read

EXAMPLE = Path(__file__).parents[2] / "examples" / "taxi"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def taxi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, which is a workspace."""
    folder = tmp_path_factory.mktemp("taxi") / "taxi"
    shutil.copytree(EXAMPLE, folder)
    (folder / "brinery.toml").touch()
    return folder


def job(taxi: Path, name: str) -> JobRun:
    """Return a job as it is kept."""
    return read(taxi / ".brinery" / "jobs" / name)


def log(taxi: Path, name: str, step: str) -> str:
    """Return what a step said."""
    return log_of(taxi / ".brinery" / "jobs" / name, step).read_text()


def metrics(taxi: Path, found: JobRun, step: str) -> dict[str, float]:
    """Return what a step logged to MLflow."""
    (run_id,) = [one.run_id for one in found.steps if one.name == step]
    with closing(sqlite3.connect(taxi / ".brinery" / "mlflow.db")) as store:
        asked = "SELECT key, value FROM latest_metrics WHERE run_uuid = ?"
        return dict(store.execute(asked, (run_id,)).fetchall())


@pytest.fixture(scope="module")
def own(taxi: Path) -> dict[str, float]:
    """The figures that the notebook itself comes to, its cells run one after the other."""
    cells = json.loads((taxi / "notebook.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    lines = "\n".join(code).splitlines()
    plain = "\n".join(
        line.removeprefix("%time ") for line in lines if not line.startswith(("%matplotlib", "!"))
    )
    told = (
        "print('figures', mean_squared_error(y_test, predictions), r2_score(y_test, predictions))"
    )
    program = f"import matplotlib; matplotlib.use('Agg')\n{plain}\n{told}"
    done = subprocess.run(
        [sys.executable, "-c", program.replace("from pathlib2", "from pathlib")],
        cwd=taxi,
        capture_output=True,
        text=True,
        check=True,
    )
    _, mse, r2 = done.stdout.splitlines()[-1].split()
    shutil.rmtree(taxi / "model")
    return {"mean_squared_error": float(mse), "r2_score": float(r2)}


def test_a_converted_notebook_runs_without_an_edit(
    taxi: Path, own: dict[str, float], brinery_command: Any
) -> None:
    """The job of a converted notebook logs the notebook's own figures, and leaves its model."""
    done = brinery_command("notebook", "convert", "notebook.ipynb", cwd=taxi)
    assert done.status == 0, done.err
    assert "without   pathlib2==2.3.7.post1: Python has pathlib itself" in done.out
    file = "notebook-job/job.yml"
    done = brinery_command("job", "validate", file, cwd=taxi)
    assert done.status == 0, done.err
    created = ("job", "create", "-f", file, "--name", "converted", "--environment", "current")
    done = brinery_command(*created, cwd=taxi)
    assert done.status == 0, done.err
    found = job(taxi, "converted")
    logged = metrics(taxi, found, found.steps[0].name)
    assert {name: logged[name] for name in own} == pytest.approx(own, rel=1e-12)
    assert Path(found.steps[0].outputs["model_output"].path, "model.pkl").is_file()


def test_a_notebook_is_run_with_another_setting(taxi: Path, brinery_command: Any) -> None:
    """`brinery run notebook.ipynb --set` runs it as it is but for one value."""
    asked = ("--set", "n_estimators=5", "--environment", "current", "--name", "short")
    done = brinery_command("run", "notebook.ipynb", *asked, cwd=taxi)
    assert done.status == 0, done.err
    assert "4868 rides are left" in done.out
    found = job(taxi, "short")
    assert metrics(taxi, found, "notebook")["r2_score"] < 0.8
    assert not (taxi / "model").exists()


RUNNERS = [
    "local",
    pytest.param(
        "ray",
        marks=[
            pytest.mark.ray,
            pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
        ],
    ),
]


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_pipeline_runs_and_is_reused(taxi: Path, runner: str, brinery_command: Any) -> None:
    """Five steps leave the rows and figures that they must on both runners, and none runs twice."""
    created = ["job", "create", "-f", "pipeline.yml", "--environment", "current"]
    created += ["--runner", runner, "--set", "settings.force_rerun=true"]
    first, second = f"{runner}-first", f"{runner}-second"
    done = brinery_command(*created, "--name", first, cwd=taxi)
    assert done.status == 0, done.err
    said = {
        "prep": "5000 rides",
        "transform": "4868 rides with 22 features",
        "train": "3407 rides to learn from, 1461 kept aside",
        "predict": "1461 rides scored",
        "score": "of 1461 rides",
    }
    for step, text in said.items():
        assert text in log(taxi, first, step)
    found = job(taxi, first)
    report = taxi / ".brinery" / "jobs" / first / "named-outputs" / "report" / "report.json"
    figures = json.loads(report.read_text())
    assert 0.90 < figures["r2"] < 0.93
    assert metrics(taxi, found, "score") == pytest.approx(figures)

    brinery_command(*created[:-2], "--name", second, cwd=taxi)
    assert [one.reused for one in job(taxi, second).steps] == [first] * 5
