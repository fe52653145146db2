"""`brinery import`, evaluation and parity included, beside a bare `mlflow.sklearn.log_model`.

The peer loads the same pickle and calls `log_model(..., registered_model_name=...)` with its
defaults (but for `serialization_format="cloudpickle"`, without which it refuses a random forest).
Both begin in an empty folder. Goal: less than 1.

Twice: with the figures alone, as `at_import = false` has it, beside `log_model` alone; and with the
whole evaluation and its report, beside `log_model` and `mlflow.models.evaluate` without SHAP.

Equality first: both registered models must give the pickle's own predictions.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from pairing import header, pair

BANK = Path(__file__).parent.parent / "examples" / "bank"
BRINERY = str(Path(sys.executable).parent / "brinery")

PEER = """
import pickle, sys
import mlflow, mlflow.sklearn
mlflow.set_tracking_uri(f"sqlite:///{sys.argv[1]}/mlflow.db")
mlflow.create_experiment("bank", artifact_location=f"file://{sys.argv[1]}/artifacts")
mlflow.set_experiment("bank")
with open(sys.argv[2], "rb") as file:
    model = pickle.load(file)
with mlflow.start_run():
    mlflow.sklearn.log_model(
        model, name="model", registered_model_name="bank", serialization_format="cloudpickle"
    )
"""

EVALUATED = (
    PEER
    + """
    import pandas as pd
    mlflow.models.evaluate(
        "models:/bank/1", pd.read_csv(sys.argv[3], sep=";"), targets="y", model_type="classifier",
        evaluator_config={"pos_label": "yes", "log_model_explainability": False},
    )
"""
)

PREDICTIONS = """
import hashlib, pickle, sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
frame = pd.read_csv(sys.argv[3], sep=";").drop(columns="y")
with open(sys.argv[2], "rb") as file:
    own = pickle.load(file).predict_proba(frame)
mlflow.set_tracking_uri(sys.argv[1])
registered = mlflow.sklearn.load_model("models:/bank/1").predict_proba(frame)
sys.exit(0 if (own == registered).all() else "the registered model answers otherwise")
"""


def main() -> None:
    """Check, time, print."""
    model, test = BANK / "model.pkl", BANK / "test.csv"
    if not model.exists():
        subprocess.run([sys.executable, str(BANK / "train.py")], check=True)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        what = ("--name", "bank", "--data", str(test), "--target", "y")
        whole = [BRINERY, "--workspace", str(ours), "import", str(model), *what]
        a = ["env", "BRINERY_EVALUATE_AT_IMPORT=false", *whole]
        b = [sys.executable, "-c", PEER, str(theirs), str(model)]
        evaluated = [sys.executable, "-c", EVALUATED, str(theirs), str(model), str(test)]

        def prepare() -> None:
            for path in (ours, theirs):
                shutil.rmtree(path, ignore_errors=True)
                path.mkdir()

        prepare()
        for command, database in ((a, ours / ".brinery"), (b, theirs)):
            subprocess.run(command, check=True, capture_output=True)
            uri = f"sqlite:///{database}/mlflow.db"
            check = [sys.executable, "-c", PREDICTIONS, uri, str(model), str(test)]
            subprocess.run(check, check=True, capture_output=True)
        pairs = pair(a, b, runs=5, prepare=prepare)
        wholes = pair(whole, evaluated, runs=5, prepare=prepare)
    peer = f"`mlflow.sklearn.log_model` (mlflow {version('mlflow')})"
    print(header())
    print(pairs.row("`brinery import`, figures alone (parity checked, compiled)", peer))
    both = f"{peer}, then `mlflow.models.evaluate` without SHAP"
    print(wholes.row("`brinery import`, the whole evaluation with SHAP and its report", both))


if __name__ == "__main__":
    main()
