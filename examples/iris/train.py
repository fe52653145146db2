"""Trains a model of the iris flowers, logs it in MLflow, and puts it into production.

    python train.py [--model constant|logistic|scrambled] [--into FILE] [--tracking-uri URI]

The first model a service should have is one that always gives the same answer: it takes no time to
train, and the rest of the way can be built around it. The second one looks at the flower, and the
third one has learned from labels that somebody mixed up. With --into the model goes to a file, and
what becomes of it is decided elsewhere; MLflow 3.14 or later logs the last two in no other way, as
its format trusts no imputer.
"""

from __future__ import annotations

import argparse
import os
import pickle
from pathlib import Path
from typing import Any

import mlflow
import mlflow.pyfunc
import mlflow.sklearn
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

NAME = "iris"


def fitted(kind: str) -> tuple[Any, Any, float]:
    """Return a fitted model, rows that it has not seen, (38, 4), and how many it gets right."""
    rows, species = load_iris(return_X_y=True)
    seen, unseen, truth, unseen_truth = train_test_split(rows, species, random_state=42)
    if kind == "constant":
        model = DummyClassifier(strategy="constant", constant=species[0])
    else:
        # Whoever left a measurement out was answered before, and is to be answered still.
        model = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=1000))
    if kind == "scrambled":
        truth = truth[::-1]
    model.fit(seen, truth)
    return model, unseen, float(model.score(unseen, unseen_truth))


def logged(model: Any) -> str:
    """Return the number of the version that a model became."""
    with mlflow.start_run(run_name="iris"):
        mlflow.sklearn.log_model(sk_model=model, artifact_path="model", registered_model_name=NAME)
    found = MlflowClient().search_model_versions(f"name = '{NAME}'")
    return str(max(int(version.version) for version in found))


def main() -> None:
    """Train, check, log, register, and put into production."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = ["constant", "logistic", "scrambled"]
    parser.add_argument("--model", choices=kinds, default="constant")
    parser.add_argument("--into", type=Path, metavar="FILE")
    here = os.environ.get("MLFLOW_TRACKING_URI", "http://localhost:5001")
    parser.add_argument("--tracking-uri", default=here, metavar="URI")
    asked = parser.parse_args()
    mlflow.set_tracking_uri(asked.tracking_uri)
    model, unseen, right = fitted(asked.model)

    # What comes back from a pickle answers as what went in.
    pickled = pickle.dumps(model)
    assert (pickle.loads(pickled).predict(unseen) == model.predict(unseen)).all()  # noqa: S101

    if asked.into is not None:
        asked.into.write_bytes(pickled)
        with mlflow.start_run(run_name=asked.model):
            mlflow.log_metric("accuracy", right)
        return
    version = logged(model)
    MlflowClient().transition_model_version_stage(name=NAME, version=version, stage="Production")

    # And so does what comes back from the registry, by its number and by its stage.
    for where in (version, "Production"):
        fetched = mlflow.pyfunc.load_model(model_uri=f"models:/{NAME}/{where}")
        assert (fetched.predict(unseen) == model.predict(unseen)).all()  # noqa: S101
    print(f"{NAME} {version} is in production")


if __name__ == "__main__":
    main()
