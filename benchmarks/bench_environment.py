"""The capture of what a model needs, beside `mlflow.models.infer_pip_requirements`.

Both are given the demo's model. Ours asks the process that holds it, once it has predicted, as an
import does: its cost is one question and its answer. MLflow's loads the model in a second process.
The goal is that the capture adds at most 1.0 s to an import.

Equality first: every requirement that MLflow infers must be in ours, at the same version; or else
the model must load, and predict the same, where that cannot be imported. Ours lists what those
require as well.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import mlflow.models
import pandas as pd
from pairing import Pairs, header

from brinery.flavors.compatibility import top_modules
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.scanner import scan
from brinery.records.artifact import Artifact
from brinery.store import tables

BANK = Path(__file__).parent.parent / "examples" / "bank"
RUNS = 5
GOAL_S = 1.0

SAVE = """
import pickle, sys
import mlflow.sklearn
with open(sys.argv[1], "rb") as file:
    model = pickle.load(file)
mlflow.sklearn.save_model(
    model, sys.argv[2], serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
)
"""

# What MLflow infers and is not needed: scikit-learn draws progress bars with rich where there is
# one. The modules named after the data are not to be had.
PREDICT = """
import hashlib, pickle, sys
sys.modules.update(dict.fromkeys(sys.argv[3:]))
import pandas as pd
with open(sys.argv[1], "rb") as file:
    model = pickle.load(file)
frame = pd.read_csv(sys.argv[2], sep=";").drop(columns="y")
print(hashlib.sha256(model.predict_proba(frame).tobytes()).hexdigest())
"""


def held(model: Path, test: Path) -> tuple[ModelProcess, tuple[str, ...]]:
    """Return a process that has predicted with the model, and the modules the model names."""
    report = scan(model)
    artifact = Artifact(
        flavor="",
        format=report.format,
        file=model.name,
        sha256=report.sha256,
        globals=tuple(str(name) for name in report.globals),
    )
    process = ModelProcess(model, artifact=artifact)
    frame = pd.read_csv(test, sep=";").drop(columns="y")
    process.score(tables.to_arrow(frame))
    return process, (*top_modules(report), "pandas")


def check(ours: dict[str, str], theirs: list[str], *, model: Path, test: Path) -> list[str]:
    """Return what MLflow infers beyond ours; end where the model needs it."""
    pairs = [line.split("==") for line in theirs]
    # MLflow adds what it loads a model with, and cloudpickle, which it pickled this one by.
    beyond = [
        name
        for name, version in pairs
        if ours.get(name) != version and name not in {"mlflow", "cloudpickle"}
    ]
    if wrong := [name for name in beyond if name in ours]:
        sys.exit(f"the capture has another version of {', '.join(wrong)}")
    said = {predicted(model, test), predicted(model, test, *beyond)}
    if len(said) != 1:
        sys.exit(f"the capture lacks {', '.join(beyond)}")
    return beyond


def predicted(model: Path, test: Path, *without: str) -> str:
    """Return a digest of the model's probabilities where some modules cannot be imported."""
    command = [sys.executable, "-c", PREDICT, str(model), str(test), *without]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"without {', '.join(without)} the model does not predict:\n{done.stderr}")
    return done.stdout


def main() -> None:
    """Check, time, print."""
    model, test = BANK / "model.pkl", BANK / "test.csv"
    if not model.exists():
        subprocess.run([sys.executable, str(BANK / "train.py")], check=True)
    process, modules = held(model, test)
    with process, tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder, "model"))
        save = [sys.executable, "-c", SAVE, str(model), saved]
        subprocess.run(save, check=True, capture_output=True)
        infer: Any = mlflow.models.infer_pip_requirements
        inferred = infer(saved, "sklearn")
        packages = process.environment(modules).packages
        beyond = check(packages, inferred, model=model, test=test)
        ours, theirs = [], []
        for _ in range(RUNS):
            began = time.perf_counter()
            process.environment(modules)
            asked = time.perf_counter()
            infer(saved, "sklearn")
            ours.append(asked - began)
            theirs.append(time.perf_counter() - asked)
    print(header())
    pairs = Pairs(tuple(ours), tuple(theirs))
    print(
        pairs.row(
            "the capture of an import", f"`infer_pip_requirements` (mlflow {mlflow.__version__})"
        )
    )
    also = f"; MLflow's {', '.join(beyond)} is not needed" if beyond else ""
    print(
        f"\n{len(packages)} distributions, MLflow's {len(inferred) - len(beyond)} among them{also}"
    )
    if max(ours) > GOAL_S:
        sys.exit(f"the capture took {max(ours):.2f} s: the goal is {GOAL_S:g} s at most")


if __name__ == "__main__":
    main()
