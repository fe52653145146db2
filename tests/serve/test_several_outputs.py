"""A model that answers each row with several values, in every form of an answer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.preprocessing import StandardScaler
from tests.serve.conftest import Api, MakeEndpoint, running

from brinery.flavors import outputs
from brinery.flavors.scikit_learn import ScikitLearn
from brinery.serve import client_data

X = pd.DataFrame({"low": [0.0, 1.0, 4.0], "high": [2.0, 4.0, 9.0]})
MODEL = StandardScaler().fit(X)
OWN = MODEL.transform(X)
PREDICT = "/v1/models/small/predict"
ARROW = "application/vnd.apache.arrow.stream"
READ: dict[str, Any] = {
    ARROW: lambda content: pa.ipc.open_stream(content).read_all().to_pandas(),
    "application/vnd.apache.parquet": lambda content: pq.read_table(
        pa.BufferReader(content)
    ).to_pandas(),
    "text/csv": lambda content: pd.read_csv(io.BytesIO(content)),
}


@pytest.fixture
def api(make_endpoint: MakeEndpoint) -> Iterator[Api]:
    """A client of a server of the scaler, whose outputs were recorded."""
    endpoint = make_endpoint(MODEL, X)
    scores = ScikitLearn().score(MODEL, X)
    takes = msgspec.structs.replace(endpoint.candidate.signature, outputs=outputs.described(scores))
    artifact = msgspec.structs.replace(endpoint.candidate.artifact, outputs=scores.outputs)
    candidate = msgspec.structs.replace(endpoint.candidate, signature=takes, artifact=artifact)
    with running(msgspec.structs.replace(endpoint, candidate=candidate)) as api:
        yield api


def ask(api: Api, accept: str) -> Any:
    rows = X.to_dict(orient="records")
    answer = api.post(PREDICT, json={"rows": rows}, headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("accept", READ)
def test_a_table_has_a_column_for_each(api: Api, accept: str) -> None:
    """By the name of the output, and the numbers are the model's own."""
    found = READ[accept](ask(api, accept).content)
    assert list(found.columns) == ["low", "high"]
    np.testing.assert_array_equal(found.to_numpy(), OWN)


@pytest.mark.parametrize("accept", ["application/json", ARROW])
def test_the_client_reads_them(api: Api, accept: str) -> None:
    """Predictions are a table whose columns have names, whichever form they came in."""
    answer = ask(api, accept)
    scores = client_data.scores(answer.content, accept, classes=tuple)
    assert scores.outputs == ("low", "high")
    assert scores.probabilities is None
    np.testing.assert_array_equal(scores.predictions, OWN)


def test_a_tensor_has_a_row_for_each_row(api: Api) -> None:
    """Of the shape and datatype that the model's metadata say."""
    inputs = [
        {"name": name, "datatype": "FP64", "shape": [3], "data": X[name].tolist()} for name in X
    ]
    (output,) = api.post("/v2/models/small/infer", json={"inputs": inputs}).json()["outputs"]
    (told,) = api.get("/v2/models/small").json()["outputs"]
    assert (told["shape"], told["datatype"]) == ([-1, 2], output["datatype"])
    assert output["shape"] == [3, 2]
    np.testing.assert_array_equal(np.reshape(output["data"], (3, 2)), OWN)
