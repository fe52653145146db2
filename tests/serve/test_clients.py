"""Clients of other servers, as they are published, ask a server of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from tests import patience
from tests.conftest import Bank

UV = Path(sys.executable).parent / "uv"
N_ROWS = 50

# What Triton's users write; it asks for bytes unless it is told otherwise.
TRITON = """
import json, sys
import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

address, file = sys.argv[1:]
with open(file) as stream:
    columns = json.load(stream)
client = triton.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("bank", "1")
metadata = client.get_model_metadata("bank")
assert [one["name"] for one in metadata["inputs"]] == list(columns), metadata
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
types = {one["name"]: one["datatype"] for one in metadata["inputs"]}

def inputs(binary):
    for name, values in columns.items():
        text = types[name] == "BYTES"
        array = np.array(values, dtype=object if text else np.int64)
        given = triton.InferInput(name, list(array.shape), types[name])
        given.set_data_from_numpy(array, binary_data=binary)
        yield given

found = []
for binary, version, packed in ((True, "", None), (False, "1", None), (True, "", "gzip")):
    wanted = [triton.InferRequestedOutput(name, binary_data=binary)
              for name in ("predict_proba", "predict")]
    for outputs in (None, wanted):
        result = client.infer("bank", list(inputs(binary)), model_version=version, outputs=outputs,
                              request_id="7", request_compression_algorithm=packed)
        assert result.get_response()["id"] == "7"
        labels = [one.decode() if isinstance(one, bytes) else one
                  for one in result.as_numpy("predict").tolist()]
        found.append([labels, result.as_numpy("predict_proba").tolist()])
try:
    client.infer("bank", list(inputs(True))[1:])
except InferenceServerException as error:
    assert error.status() == "422" and next(iter(columns)) in error.message(), error
else:
    raise AssertionError("a column is missing")
print(json.dumps(found))
"""

# What MLServer's users write.
MLSERVER = """
import json, sys
import httpx
import pandas as pd
from mlserver.codecs import PandasCodec
from mlserver.types import InferenceResponse, MetadataModelResponse, RequestOutput

address, file = sys.argv[1:]
with open(file) as stream:
    frame = pd.DataFrame(json.load(stream))
url = f"http://{address}/v2/models/bank"
MetadataModelResponse.model_validate_json(httpx.get(url, timeout=240).content)
request = PandasCodec.encode_request(frame)
request.outputs = [RequestOutput(name="predict"), RequestOutput(name="predict_proba")]
answer = httpx.post(f"{url}/infer", content=request.model_dump_json(exclude_none=True), timeout=240)
response = InferenceResponse.model_validate_json(answer.content)
predict, chances = response.outputs
rows = zip(*[iter(chances.data.root)] * chances.shape[1])
print(json.dumps([[predict.data.root, [list(row) for row in rows]]]))
"""


def environment(folder: Path, *packages: str) -> Path:
    """Return the interpreter of an environment that has some packages, built once by uv."""
    subprocess.run([str(UV), "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    command = [str(UV), "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*command, *packages], check=True)
    return python


CLIENTS = {
    "triton": (TRITON, ["tritonclient[http]>=2.50"]),
    "mlserver": (MLSERVER, ["mlserver>=1.7", "pandas<3", "httpx"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_of_another_server_is_answered(
    served: str, bank: Bank, tmp_path: Path, client: str
) -> None:
    """With the numbers that our own route gives, in each form that the client speaks."""
    program, packages = CLIENTS[client]
    frame = bank.frame.drop(columns="y").head(N_ROWS)
    file = tmp_path / "columns.json"
    file.write_text(json.dumps(frame.to_dict(orient="list")))
    python = environment(tmp_path / "environment", *packages)
    done = subprocess.run(
        [str(python), "-c", program, served.removeprefix("http://"), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {"rows": frame.to_dict(orient="records")}
    answer = patience.post(f"{served}/v1/models/bank/predict", json=rows)
    expected = [
        [one["label"] for one in answer.json()["predictions"]],
        [list(one["probabilities"].values()) for one in answer.json()["predictions"]],
    ]
    found = json.loads(done.stdout)
    assert found
    assert all(one == expected for one in found)


def test_pandas_reads_what_a_table_is_answered_with(served: str, bank: Bank) -> None:
    """Arrow over real HTTP, compressed on its way, for a program that has no client of ours."""
    frame = bank.frame.drop(columns="y")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content = pa.compress(sink.getvalue(), "zstd", asbytes=True)
    headers = {"content-type": "application/vnd.apache.arrow.stream", "content-encoding": "zstd"}
    answer = patience.post(f"{served}/v1/models/bank/predict", content=content, headers=headers)
    found: pd.DataFrame = pa.ipc.open_stream(answer.content).read_pandas()
    assert list(found.columns) == ["prediction", "probability_no", "probability_yes"]
    rows = {"rows": frame.to_dict(orient="records")}
    own = patience.post(f"{served}/v1/models/bank/predict", json=rows).json()["predictions"]
    assert found["prediction"].tolist() == [one["label"] for one in own]
    assert found["probability_yes"].tolist() == [one["probabilities"]["yes"] for one in own]
