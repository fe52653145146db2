"""What a user of MLflow does: `mlflow.models.evaluate` with its default evaluator and explainer.

`mlflow_evaluate.py MODEL DATA TARGET POSITIVE METRICS`: the model as MLflow saved it, a csv file,
the target and the positive class as JSON, and the file that the metrics are written to, as JSON.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import mlflow
import pandas as pd

if __name__ == "__main__":
    model, data, target, positive, metrics = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.create_experiment("evaluate", artifact_location=Path(folder, "artifacts").as_uri())
        mlflow.set_experiment("evaluate")
        rows = pd.read_csv(data)
        began = time.perf_counter()
        with mlflow.start_run():
            result = mlflow.models.evaluate(
                model,
                rows,
                targets=target,
                model_type="classifier",
                evaluators="default",
                evaluator_config={"pos_label": json.loads(positive)},
            )
        seconds = time.perf_counter() - began
    told = {
        "metrics": result.metrics,
        "artifacts": sorted(result.artifacts),
        "seconds": seconds,
    }
    Path(metrics).write_text(json.dumps(told, default=float))
