"""Exact Shapley values of trees beside SHAP's `TreeExplainer`, for the same rows and background.

Both compute interventional Shapley values: ours of the input columns, from the table as it came,
through the whole pipeline; SHAP's of the features that the trees are given, which are made for it
outside of the clock. Where each feature is a column these are the same figures, and compared first;
behind one-hot columns they are not, and ours must add up. SHAP runs in an environment of its own;
its seconds are without imports and without starting. Ours takes all processors; SHAP one.

Goal: at least ten times sooner for the demo's forest.
"""

from __future__ import annotations

import os
import pickle
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from bench_score import BANK, columns, inputs
from servers import Server
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from brinery import scorers
from brinery.records.contributions import Contributions
from brinery.scorers.shapley import explain

PEER = Path(__file__).parent / "peers" / "explain_shap.py"
ROWS, BACKGROUND_ROWS, RUNS = 200, 100, 3
GOAL = 10
# SHAP has leaves and thresholds of its own precision.
TOLERANCE = 1e-6
NUMBERS = ["age", "balance", "day", "duration", "campaign", "pdays", "previous"]


def models() -> dict[str, tuple[Any, list[str]]]:
    """Return what is explained: its steps and its trees, and the columns that it takes."""
    bank = pd.read_csv(BANK, sep=";").drop(columns="y")
    words = [name for name in bank if name not in NUMBERS]
    encoded = make_column_transformer(
        (OneHotEncoder(sparse_output=False), words), remainder="passthrough"
    )
    forest = RandomForestClassifier(random_state=0)
    return {
        "forest of 100 trees, 16 columns, 51 features": (make_pipeline(encoded, forest), [*bank]),
        "forest of 100 trees, 7 columns": (make_pipeline("passthrough", forest), NUMBERS),
        "gradient boosting, 100 trees of depth 3": (
            make_pipeline("passthrough", GradientBoostingClassifier(random_state=0)),
            NUMBERS,
        ),
        "LightGBM, 100 trees": (
            make_pipeline("passthrough", lightgbm.LGBMClassifier(verbose=-1)),
            NUMBERS,
        ),
    }


def main() -> None:
    """Print the table."""
    packages = ("shap", *(f"{one}=={version(one)}" for one in ("scikit-learn", "lightgbm")))
    peer = Server(
        "shap",
        command=lambda *_: (),
        path=lambda _: "",
        body=lambda *_: None,
        label=None,
        packages=packages,
    )
    if why := peer.installed():
        sys.exit(f"error: {why}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {ROWS} rows, ", end="")
    print(f"{BACKGROUND_ROWS} of background, {peer.told}\n")
    print("| model | ours, median s | SHAP, median s | **times sooner** | equal to |")
    print("|---|--:|--:|--:|--:|")
    reached = [line(name, pipeline, given, peer) for name, (pipeline, given) in models().items()]
    if reached[0] < GOAL:
        sys.exit(f"error: {reached[0]:.1f} times sooner, not {GOAL}")


def line(name: str, pipeline: Any, given: list[str], peer: Server) -> float:
    """Print a row of the table; return how many times sooner ours is."""
    bank = pd.read_csv(BANK, sep=";")
    table = bank[given]
    pipeline.fit(table, bank["y"])
    scorer = scorers.compile(pipeline, inputs(table))
    rows, background = table[:ROWS], table.sample(BACKGROUND_ROWS, random_state=0)
    ratios, ours, theirs = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked.pkl", Path(folder) / "answered.npy"
        features = [np.asarray(pipeline[:-1].transform(part), float) for part in (background, rows)]
        asked.write_bytes(pickle.dumps((pipeline[-1], *features)))
        command = [str(peer.program("python")), str(PEER), str(asked), str(answered)]
        for _ in range(RUNS):
            began = time.perf_counter()
            found = explain(scorer, columns(rows, ROWS), background=columns(background, ROWS))
            ours.append(time.perf_counter() - began)
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            theirs.append(float(done.stdout))
            ratios.append(theirs[-1] / ours[-1])
        same = checked(found, np.load(answered))
    figures = f"{median(ours):.3f} | {median(theirs):.2f} | {median(ratios):.0f}"
    print(f"| {name} | {figures} | {same} |", flush=True)
    return median(ratios)


def checked(found: Any, theirs: Any) -> str:
    """Return how nearly our figures are SHAP's, where these are of the same columns.

    Raises:
        SystemExit: they are others.
    """
    if not isinstance(found, Contributions):
        sys.exit(f"error: {found.reason}")
    if found.gap > TOLERANCE:
        sys.exit(f"error: {found.gap} is missing from the sum")
    ours = found.values[:, :, 0]  # noqa: PD011 - it is no frame
    if theirs.shape != ours.shape:
        return "other players"
    gap = float(np.abs(ours - theirs).max())
    if gap > TOLERANCE:
        sys.exit(f"error: they differ by {gap}")
    return f"{gap:.0e}"


if __name__ == "__main__":
    main()
