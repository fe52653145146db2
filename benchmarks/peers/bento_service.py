"""BentoML's service with adaptive batching, for both models."""

import os
import pickle
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import pandas as pd


@bentoml.service(workers=1)
class Iris:
    """Takes flowers as an array."""

    def __init__(self) -> None:
        self.model = pickle.loads(Path(os.environ["MODEL"]).read_bytes())

    @bentoml.api(batchable=True)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the species."""
        return self.model.predict(rows)


@bentoml.service(workers=1)
class Bank:
    """Takes clients as objects: version 1.4.39 fails to gather frames."""

    def __init__(self) -> None:
        self.model = pickle.loads(Path(os.environ["MODEL"]).read_bytes())

    @bentoml.api(batchable=True)
    def predict(self, rows: list[dict[str, Any]]) -> list[str]:
        """Return whether each will subscribe a deposit."""
        return self.model.predict(pd.DataFrame(rows)).tolist()
