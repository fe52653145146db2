"""What the tests of every flavor share: a model loaded as users' are, and the library's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tests.conftest import artifact_of

from brinery.flavors.model_process import ModelProcess
from brinery.store.tables import to_arrow

TIMEOUT_S = 240.0
ROWS = 120


def frame() -> pd.DataFrame:
    """Return the inputs of most models here: numbers with gaps, and a category."""
    random = np.random.default_rng(7)
    made = pd.DataFrame(
        {
            "age": random.normal(40, 10, ROWS),
            "balance": random.normal(0, 1, ROWS),
            "job": pd.Categorical(random.choice(["clerk", "nurse", "smith"], ROWS)),
        }
    )
    made.loc[::9, "age"] = np.nan
    return made


def numbers() -> pd.DataFrame:
    """Return the numbers of the inputs, without a gap."""
    return frame()[["age", "balance"]].fillna(40.0)


def target(*labels: Any) -> Any:
    """Return a label per row that the inputs tell something of."""
    ranks = (numbers()["age"] + 10 * numbers()["balance"]).rank(method="first").to_numpy() - 1
    return np.array(labels)[(ranks * len(labels) // ROWS).astype(int)]


def amount() -> Any:
    """Return a number per row."""
    return (numbers()["age"] * 2 + numbers()["balance"]).to_numpy()


def opened(path: Path) -> ModelProcess:
    """Return a model in a process of its own, every name it asks for accepted."""
    return ModelProcess(path, artifact=artifact_of(path), timeout_s=TIMEOUT_S)


def check_answers(
    process: ModelProcess, given: pd.DataFrame, *, predictions: Any, probabilities: Any = None
) -> None:
    """Check that a process answers exactly as the library did."""
    scores = process.score(to_arrow(given))
    assert scores.predictions.tolist() == np.asarray(predictions).reshape(-1).tolist()
    if probabilities is None:
        assert scores.probabilities is None
    else:
        assert scores.probabilities is not None
        assert scores.probabilities.tolist() == np.asarray(probabilities, np.float64).tolist()
        assert scores.classes == process.description.classes
