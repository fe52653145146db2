"""FastAPI as a tutorial has it: a typed row in, MLflow's `predict` on it, a typed label out."""

import os
from typing import Literal

import mlflow.pyfunc
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

KIND: Literal["iris", "bank"] = os.environ["KIND"]  # type: ignore[assignment]

app = FastAPI()
model = mlflow.pyfunc.load_model(os.environ["MODEL_FOLDER"])


class Iris(BaseModel):
    """A flower."""

    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


class Species(BaseModel):
    """What it is."""

    label: int


class Client(BaseModel):
    """A client of the bank, and the calls so far."""

    age: int
    job: str
    marital: str
    education: str
    default: str
    balance: int
    housing: str
    loan: str
    contact: str
    day: int
    month: str
    duration: int
    campaign: int
    pdays: int
    previous: int
    poutcome: str


class Deposit(BaseModel):
    """Whether the client will subscribe one."""

    label: str


if KIND == "iris":

    @app.post("/label")
    async def label(iris: Iris) -> Species:
        """Return the species of a flower."""
        measured = [iris.sepal_length, iris.sepal_width, iris.petal_length, iris.petal_width]
        return Species(label=model.predict([measured])[0])

else:

    @app.post("/label")
    async def label(client: Client) -> Deposit:
        """Return whether a client will subscribe a deposit."""
        return Deposit(label=model.predict(pd.DataFrame([client.model_dump()]))[0])
