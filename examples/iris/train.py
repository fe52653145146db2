"""Trains a model of the iris flowers, logs it in MLflow, and puts it into production.

    python train.py [--model constant|logistic]

The first model a service should have is one that always gives the same answer: it takes no time to
train, and the rest of the way can be built around it. The second one looks at the flower.
"""

from __future__ import annotations

import argparse
import os
import pickle
from typing import Any

import mlflow
import mlflow.pyfunc
import mlflow.sklearn
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

NAME = "iris"
TRACKING_URI = os.environ.get("MLFLOW_TRACKING_URI", "http://localhost:5001")


def fitted(kind: str) -> tuple[Any, Any]:
    """Return a fitted model, and rows that it has not seen: (38, 4)."""
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, _ = train_test_split(X, y, random_state=42)
    if kind == "constant":
        model = DummyClassifier(strategy="constant", constant=y[0])
    else:
        model = LogisticRegression(max_iter=1000)
    return model.fit(X_train, y_train), X_test


def logged(model: Any) -> str:
    """Return the number of the version that a model became."""
    with mlflow.start_run(run_name="iris"):
        mlflow.sklearn.log_model(sk_model=model, artifact_path="model", registered_model_name=NAME)
    found = MlflowClient().search_model_versions(f"name = '{NAME}'")
    return str(max(int(version.version) for version in found))


def main() -> None:
    """Train, check, log, register, and put into production."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["constant", "logistic"], default="constant")
    model, unseen = fitted(parser.parse_args().model)

    # What comes back from a pickle answers as what went in.
    assert (pickle.loads(pickle.dumps(model)).predict(unseen) == model.predict(unseen)).all()  # noqa: S101

    mlflow.set_tracking_uri(TRACKING_URI)
    version = logged(model)
    MlflowClient().transition_model_version_stage(name=NAME, version=version, stage="Production")

    # And so does what comes back from the registry, by its number and by its stage.
    for where in (version, "Production"):
        fetched = mlflow.pyfunc.load_model(model_uri=f"models:/{NAME}/{where}")
        assert (fetched.predict(unseen) == model.predict(unseen)).all()  # noqa: S101
    print(f"{NAME} {version} is in production")


if __name__ == "__main__":
    main()
