"""LitServe's server with batching, for both models: `lit_server.py PORT`."""

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import litserve
import numpy as np
import pandas as pd

IRIS = os.environ["KIND"] == "iris"
COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width")


class Api(litserve.LitAPI):
    """Takes a row as an object."""

    def setup(self, device: str) -> None:
        """Load the model."""
        del device
        self.model = pickle.loads(Path(os.environ["MODEL"]).read_bytes())

    def decode_request(self, request: dict[str, Any]) -> Any:
        """Return a row as the model's input has it."""
        return [request[name] for name in COLUMNS] if IRIS else request

    def batch(self, inputs: list[Any]) -> Any:
        """Return rows as the model takes them."""
        return np.array(inputs) if IRIS else pd.DataFrame(inputs)

    def predict(self, batch: Any) -> list[Any]:
        """Return the labels of a batch."""
        return self.model.predict(batch).tolist()

    def encode_response(self, label: Any) -> dict[str, Any]:
        """Return the answer for a row."""
        return {"label": label}


if __name__ == "__main__":
    # Without a timeout its worker asks for work without a pause, on one of the two cores.
    api = Api(max_batch_size=32, batch_timeout=0.001)
    litserve.LitServer(api, accelerator="cpu", workers_per_device=1).run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
