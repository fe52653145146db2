"""`brinery evaluate` beside `mlflow.models.evaluate` with its default evaluator and explainer.

Both evaluate the demo's pipeline on the same 45,211 rows, each in a process of its own, from its
start to its end. Equality first: the figures that both compute must be the same. MLflow's explainer
needs shap, which is installed in an environment of its own, from a package registry, once.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from pairing import header, pair
from servers import BRINERY, Server

ROOT = Path(__file__).parent.parent
PEER = Path(__file__).parent / "peers" / "mlflow_evaluate.py"
SAVE = Path(__file__).parent / "peers" / "save_mlflow.py"
ROWS = 45_211
PAIRS = 3
TOLERANCE = 1e-9
# Of those that both compute, by MLflow's names and ours.
FIGURES = {
    "accuracy_score": "accuracy",
    "precision_score": "precision",
    "recall_score": "recall",
    "f1_score": "f1",
    "log_loss": "log_loss",
    "roc_auc": "roc_auc",
}


def made(folder: Path) -> tuple[Path, Path]:
    """Return the demo's model and the rows, as many as the whole data set has."""
    path = ROOT / "examples" / "bank" / "train.py"
    spec = importlib.util.spec_from_file_location("train", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    train.main(folder)
    bank = pd.read_csv(ROOT / "examples" / "bank" / "bank.csv", sep=";")
    times = -(-ROWS // len(bank))
    rows = pd.concat([bank] * times, ignore_index=True).iloc[:ROWS]
    rows.to_csv(folder / "rows.csv", index=False)
    return folder / "model.pkl", folder / "rows.csv"


def main() -> None:
    """Print the table."""
    mlflow = importlib.util.find_spec("mlflow")
    if mlflow is None:
        sys.exit("error: MLflow is not installed")
    from importlib.metadata import version

    peer = Server(
        "mlflow-evaluate",
        command=lambda *_: (),
        path=lambda _: "",
        body=lambda *_: None,
        label=None,
        packages=(f"mlflow=={version('mlflow')}", "shap", "matplotlib"),
    )
    if why := peer.installed():
        sys.exit(f"error: {why}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, rows = made(folder)
        saved, told = folder / "mlflow", folder / "told.json"
        python = str(peer.program("python"))
        subprocess.run([python, str(SAVE), str(model), str(saved)], check=True)
        workspace = folder / "workspace"
        workspace.mkdir()
        ours = [str(BRINERY), "--workspace", str(workspace)]
        small = folder / "test.csv"
        arguments = ["import", str(model), "--name", "bank", "--data", str(small), "--target", "y"]
        subprocess.run([*ours, *arguments], check=True, capture_output=True)
        a = [*ours, "evaluate", "bank@1", "--data", str(rows)]
        b = [python, str(PEER), str(saved), str(rows), "y", "yes", str(told)]
        print(header())
        pairs = pair(a, b, runs=PAIRS)
        print(pairs.row("`brinery evaluate`", f"`mlflow.models.evaluate` {version('mlflow')}"))
        check([*a, "--format", "json"], told)


def check(ours: list[str], told: Path) -> None:
    """Print how far the figures that both computed differ, and end where that is too far."""
    done = subprocess.run(ours, check=True, capture_output=True, text=True)
    evaluation = json.loads(done.stdout)["evaluation"]["metrics"]
    theirs = json.loads(told.read_text())
    differences = {
        name: abs(theirs["metrics"][name] - evaluation[own]) for name, own in FIGURES.items()
    }
    print(f"\n{len(differences)} figures equal, largest difference {max(differences.values()):g}")
    print(f"MLflow's artifacts: {', '.join(theirs['artifacts'])}")
    if max(differences.values()) > TOLERANCE:
        sys.exit(f"error: the figures differ: {differences}")


if __name__ == "__main__":
    main()
