"""Serves the model of the iris flowers that is in production when the service starts.

    uvicorn serve:app --port 8000

`brinery serve iris` is the same service in one command, and needs neither this file nor a restart.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mlflow
import mlflow.pyfunc
from fastapi import FastAPI
from pydantic import BaseModel

NAME = "iris"
TRACKING_URI = os.environ.get("MLFLOW_TRACKING_URI", "http://localhost:5001")

models: dict[str, Any] = {}


class Iris(BaseModel):
    """A flower; lengths in centimetres."""

    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


class Label(BaseModel):
    """Its species: 0 setosa, 1 versicolor, 2 virginica."""

    label: int


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Fetch the model before the first request."""
    mlflow.set_tracking_uri(TRACKING_URI)
    models[NAME] = mlflow.pyfunc.load_model(model_uri=f"models:/{NAME}/Production")
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/label")
async def label(iris: Iris) -> Label:
    """Return the species of a flower."""
    row = [[iris.sepal_length, iris.sepal_width, iris.petal_length, iris.petal_width]]
    return Label(label=int(models[NAME].predict(row)[0]))
