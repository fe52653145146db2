"""MLflow's own clients, an old one and that of this environment, and the story of the irises."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.buckets import Buckets
from tests.conftest import ROOT
from tests.postgres import Postgres
from tests.web.conftest import running_up

pytestmark = pytest.mark.slow

STORY = ROOT / "examples" / "iris" / "story.py"
UV = Path(sys.executable).parent / "uv"
OLD = ["mlflow==2.17.2", "setuptools<81", "fastapi", "uvicorn"]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Interpreters with MLflow 2.17, in an environment of its own, and with the 3.x of this one.

    Both have the scikit-learn of this one.
    """
    assert version("mlflow").startswith("3.")
    folder = tmp_path_factory.mktemp("clients") / "old"
    subprocess.run([str(UV), "venv", "--quiet", "--python", sys.executable, folder], check=True)
    old = str(folder / "bin" / "python")
    learn = f"scikit-learn=={version('scikit-learn')}"
    install = [str(UV), "pip", "install", "--quiet", "--python", old]
    subprocess.run([*install, *OLD, learn], check=True)
    return old, sys.executable


def told(*options: str) -> str:
    """Return what the story said, once it came to its end."""
    done = subprocess.run(
        [sys.executable, str(STORY), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("client", [0, 1], ids=["2.17", "3.x"])
def test_the_story_on_files(clients: tuple[str, str], client: int) -> None:
    """Train, log, register, stage, serve, promoted by itself, refused, taken back."""
    text = told("--train", clients[client], "--serve", clients[client])
    assert "it is promoted by itself" in text
    assert "it is refused, because" in text
    assert "iris@2 is the champion again" in text


@pytest.mark.parametrize("client", [0, 1], ids=["2.17", "3.x"])
def test_the_story_on_postgresql_and_s3(
    clients: tuple[str, str], client: int, postgres: Postgres, buckets: Buckets
) -> None:
    """The same, where models and records are in a database and a bucket."""
    text = told(
        "--train", clients[client], "--serve", clients[client],
        "--store", postgres.database(), "--artifacts", buckets.bucket(),
    )  # fmt: skip
    assert "iris@2 is the champion again" in text


TRACK = """
import mlflow
mlflow.set_experiment("keyed")
with mlflow.start_run():
    mlflow.log_metric("x", 1.5)
    mlflow.log_text("a text", "note.txt")
found = mlflow.get_experiment_by_name("keyed").experiment_id
print(mlflow.MlflowClient().search_runs([found])[0].data.metrics)
"""


@pytest.mark.parametrize("client", [0, 1], ids=["2.17", "3.x"])
def test_a_server_with_a_key_is_tracked_to(
    clients: tuple[str, str], client: int, tmp_path: Path
) -> None:
    """With the variable that every MLflow client heeds; without it nothing is told."""
    key = "a key of more than sixteen characters"
    (tmp_path / "keys").write_text(f"# ours\n{key}\n", encoding="utf-8")
    with running_up(tmp_path, "--key-file", str(tmp_path / "keys")) as up:
        up.until(lambda: up.get("/version", authorization=f"Bearer {key}").is_success)

        def tracked(**environ: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [clients[client], "-c", TRACK],
                env={"PATH": "/usr/bin:/bin", "MLFLOW_TRACKING_URI": up.url, **environ},
                capture_output=True,
                text=True,
                check=False,
            )

        assert "1.5" in tracked(MLFLOW_TRACKING_TOKEN=key).stdout
        assert "401" in tracked(MLFLOW_HTTP_REQUEST_MAX_RETRIES="0").stderr
