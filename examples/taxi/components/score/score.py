"""How near the predictions are: logged, and written down."""

import json
from argparse import ArgumentParser
from pathlib import Path

import mlflow
import pandas as pd
from sklearn.metrics import mean_squared_error, r2_score

parser = ArgumentParser()
parser.add_argument("--scored", type=Path, required=True)
parser.add_argument("--report", type=Path, required=True)
given = parser.parse_args()

rides = pd.read_csv(given.scored / "scored.csv")
figures = {
    "r2": float(r2_score(rides["cost"], rides["predicted"])),
    "mse": float(mean_squared_error(rides["cost"], rides["predicted"])),
    "rides": len(rides),
}
mlflow.log_metrics(figures)
(given.report / "report.json").write_text(json.dumps(figures, indent=2) + "\n")
print(f"r2 {figures['r2']:.4f}, mean squared error {figures['mse']:.2f}, of {len(rides)} rides")
