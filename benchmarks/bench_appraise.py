"""`brinery evaluate` beside `mlflow.models.evaluate` with its default evaluator and explainer.

Two models: the demo's pipeline, on 45,211 rows, whose columns of text MLflow's explainer refuses,
and a forest on twenty numbers, on 10,000 rows, which it explains. Each evaluation is a process of
its own, from its start to its end; what both compute, figures and curves, is timed within, too.
Equality first: the figures that both compute must be the same. MLflow's explainer needs shap, which
is installed in an environment of its own, from a package registry, once.
"""

from __future__ import annotations

import importlib.util
import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pairing import header, pair
from servers import BRINERY, Server
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

ROOT = Path(__file__).parent.parent
PEER = Path(__file__).parent / "peers" / "mlflow_evaluate.py"
SAVE = Path(__file__).parent / "peers" / "save_mlflow.py"
ROWS, PAIRS = 45_211, 3
# MLflow's explainer takes minutes here.
FEWER, FEWER_PAIRS = 10_000, 1
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


class Case(NamedTuple):
    """What is evaluated: a pickle, the rows it is imported with, and those it is evaluated on.

    Attributes:
        positive: the class, as JSON has it.
        pairs: how often each is timed.
    """

    title: str
    model: Path
    small: Path
    rows: Path
    positive: str
    pairs: int


def bank(folder: Path) -> Case:
    """Return the demo's model and the rows, as many as the whole data set has."""
    path = ROOT / "examples" / "bank" / "train.py"
    spec = importlib.util.spec_from_file_location("train", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    train.main(folder)
    known = pd.read_csv(ROOT / "examples" / "bank" / "bank.csv", sep=";")
    times = -(-ROWS // len(known))
    rows = pd.concat([known] * times, ignore_index=True).iloc[:ROWS]
    rows.to_csv(folder / "rows.csv", index=False)
    title = f"the demo's pipeline, {ROWS:,} rows"
    return Case(
        title, folder / "model.pkl", folder / "test.csv", folder / "rows.csv", '"yes"', PAIRS
    )


def numbers(folder: Path) -> Case:
    """Return a forest of 100 trees on twenty numbers, and rows it was not fitted on."""
    columns, truth = make_classification(
        n_samples=2 * FEWER, n_features=20, n_informative=10, flip_y=0.05, random_state=0
    )
    frame = pd.DataFrame(columns, columns=[f"x{place}" for place in range(20)])
    forest = RandomForestClassifier(n_estimators=100, max_depth=12, random_state=0)
    forest.fit(frame[:FEWER], truth[:FEWER])
    (folder / "forest.pkl").write_bytes(pickle.dumps(forest))
    rows = frame.assign(y=truth)[FEWER:]
    rows.to_csv(folder / "numbers.csv", index=False)
    rows[:1000].to_csv(folder / "few.csv", index=False)
    title = f"a forest on twenty numbers, {FEWER:,} rows"
    return Case(
        title, folder / "forest.pkl", folder / "few.csv", folder / "numbers.csv", "1", FEWER_PAIRS
    )


def main() -> None:
    """Print a table for each model."""
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
    for case in (bank, numbers):
        with tempfile.TemporaryDirectory() as name:
            compared(case(Path(name)), Path(name), str(peer.program("python")), version("mlflow"))


def compared(case: Case, folder: Path, python: str, peer_version: str) -> None:
    """Print how long both take for one model."""
    saved, told = folder / "mlflow", folder / "told.json"
    subprocess.run([python, str(SAVE), str(case.model), str(saved)], check=True)
    workspace = folder / "workspace"
    workspace.mkdir()
    ours = [str(BRINERY), "--workspace", str(workspace)]
    arguments = ["import", case.model, "--name", "m", "--data", case.small, "--target", "y"]
    subprocess.run([*ours, *map(str, arguments)], check=True, capture_output=True)
    a = [*ours, "evaluate", "m@1", "--data", str(case.rows)]
    b = [python, str(PEER), str(saved), str(case.rows), "y", case.positive, str(told)]
    print(f"## {case.title}\n\n{header()}")
    pairs = pair(a, b, runs=case.pairs)
    print(pairs.row("`brinery evaluate`", f"`mlflow.models.evaluate` {peer_version}"))
    check([*a, "--format", "json"], told)


def check(ours: list[str], told: Path) -> None:
    """Print how far the figures that both computed differ, and end where that is too far."""
    done = subprocess.run(ours, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    theirs = json.loads(told.read_text())
    differences = {
        name: abs(theirs["metrics"][name] - found["evaluation"]["metrics"][own])
        for name, own in FIGURES.items()
    }
    print(f"\n{len(differences)} figures equal, largest difference {max(differences.values()):g}")
    both = found["times_s"]["scores"] + found["times_s"]["figures"]
    print(
        f"scores, figures and curves, within: ours {both:.2f} s; the call of MLflow, without the "
        f"start of its process, {theirs['seconds']:.1f} s: {theirs['seconds'] / both:.1f} times"
    )
    print(f"MLflow's artifacts: {', '.join(theirs['artifacts'])}\n")
    if max(differences.values()) > TOLERANCE:
        sys.exit(f"error: the figures differ: {differences}")


if __name__ == "__main__":
    main()
