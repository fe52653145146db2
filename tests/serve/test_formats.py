"""The same rows in every format give the same numbers in every format."""

from __future__ import annotations

import csv
import io
import json
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier
from tests.conftest import Bank
from tests.serve.conftest import Api, endpoint_of, running

from brinery.records.signature import Column
from brinery.serve.endpoint import Endpoint

ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
OCTETS = "application/octet-stream"
CSV = "text/csv"
JSON = "application/json"
N_ROWS = 40
LENGTH = "inference-header-content-length"


def numbers_of(frame: pd.DataFrame) -> Any:
    """Return columns of every type as numbers: (n_rows, 5) float64."""
    day = frame["day"].astype("datetime64[us]").astype("int64")
    parts = [frame["n"], frame["x"], frame["flag"], frame["text"].str.len(), day]
    return np.column_stack([part.astype("float64") for part in parts])


def typed_frame(rows: int = N_ROWS) -> pd.DataFrame:
    """Return rows with a column of every type; integers beyond 2^53, and missing numbers."""
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "n": rng.integers(-(2**62), 2**62, rows),
            "x": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows)),
            "flag": rng.random(rows) < 0.5,
            "text": [chr(97 + i % 26) * (i % 7) + "é, \"'\n"[: i % 6] for i in range(rows)],
            "day": pd.date_range("2026-01-31T12:00:00.000123", periods=rows, freq="37h"),
        }
    )


@pytest.fixture(scope="module")
def typed_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Endpoint:
    """An endpoint with a column of every type; its numbers may be missing."""
    frame = typed_frame(400)
    wanted = (frame["x"].fillna(0) + frame["flag"] + (frame["n"] > 0) > 0.7).to_numpy()
    by_value = types.FunctionType(numbers_of.__code__, {"np": np, "pd": pd}, "numbers_of")
    model = make_pipeline(
        FunctionTransformer(by_value), HistGradientBoostingClassifier(random_state=0)
    )
    endpoint = endpoint_of(
        model.fit(frame, wanted), frame, tmp_path_factory.mktemp("typed") / "model.pkl"
    )
    return with_columns(endpoint, lambda one: {"nullable": one.name == "x"})


def with_columns(endpoint: Endpoint, change: Callable[[Column], dict[str, Any]]) -> Endpoint:
    """Return an endpoint whose columns are changed."""
    signature = endpoint.candidate.signature
    columns = tuple(msgspec.structs.replace(one, **change(one)) for one in signature.columns)
    candidate = msgspec.structs.replace(
        endpoint.candidate, signature=msgspec.structs.replace(signature, columns=columns)
    )
    version = msgspec.structs.replace(endpoint.version, candidate=candidate)
    return msgspec.structs.replace(endpoint, candidate=candidate, version=version)


class Sent(NamedTuple):
    """A request."""

    path: str
    content: bytes
    headers: dict[str, str]


def plain(value: Any) -> Any:
    """Return a value of a frame as JSON has it."""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return None if isinstance(value, float) and np.isnan(value) else value


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.to_dict(orient="records")
    return [{str(name): plain(value) for name, value in row.items()} for row in rows]


def lists(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): [plain(one) for one in frame[name].tolist()] for name in frame.columns}


def arrow(table: pa.Table, **options: Any) -> bytes:
    """Return a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as stream:
        stream.write_table(table, max_chunksize=17)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def parquet(table: pa.Table, **options: Any) -> bytes:
    """Return a table as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def as_csv(frame: pd.DataFrame) -> bytes:
    """Return CSV in which text is quoted: an empty field is a missing value, an empty text not."""
    written = frame.to_csv(
        index=False, date_format="%Y-%m-%dT%H:%M:%S.%f", quoting=csv.QUOTE_NONNUMERIC
    )
    return written.encode()


def dictionaries(table: pa.Table) -> pa.Table:
    """Return a table whose columns are all dictionaries."""
    return pa.table({name: table.column(name).dictionary_encode() for name in table.column_names})


def tensors(frame: pd.DataFrame) -> bytes:
    """Return a request of the Open Inference Protocol, a tensor per column, as JSON."""
    inputs = []
    for name, values in lists(frame).items():
        kind = frame[name].dtype.kind
        datatype = {"i": "INT64", "f": "FP64", "b": "BOOL"}.get(kind, "BYTES")
        inputs.append({"name": name, "datatype": datatype, "shape": [len(frame)], "data": values})
    return json.dumps({"inputs": inputs}).encode()


def binary_tensors(frame: pd.DataFrame) -> Sent:
    """Return the same with the data behind the document, and answers wanted so."""
    inputs, parts = [], []
    for name, values in lists(frame).items():
        kind = frame[name].dtype.kind
        datatype = {"i": "INT64", "f": "FP64", "b": "BOOL"}.get(kind, "BYTES")
        if datatype == "BYTES":
            texts = [text.encode() for text in values]
            content = b"".join(len(one).to_bytes(4, "little") + one for one in texts)
        else:
            content = frame[name].to_numpy().tobytes()
        size = {"binary_data_size": len(content)}
        shape = [len(frame), 1]
        inputs.append({"name": name, "datatype": datatype, "shape": shape, "parameters": size})
        parts.append(content)
    document = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    head = json.dumps(document).encode()
    return Sent("/v2/models/{}/infer", b"".join([head, *parts]), {LENGTH: str(len(head))})


def own(content: bytes, media: str) -> Sent:
    return Sent("/v1/models/{}/predict", content, {"content-type": media})


def json_of(value: Any) -> Sent:
    return own(json.dumps(value).encode(), JSON)


def table_of(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


IN: dict[str, Callable[[pd.DataFrame], Sent]] = {
    "json rows": lambda f: json_of({"rows": records(f)}),
    "json columns": lambda f: json_of({"columns": lists(f)}),
    "arrow": lambda f: own(arrow(table_of(f)), ARROW),
    "arrow without pandas": lambda f: own(arrow(table_of(f).replace_schema_metadata(None)), ARROW),
    "arrow zstd": lambda f: own(arrow(table_of(f), compression="zstd"), ARROW),
    "arrow lz4": lambda f: own(arrow(table_of(f), compression="lz4"), ARROW),
    "arrow of dictionaries": lambda f: own(
        arrow(dictionaries(table_of(f)), emit_dictionary_deltas=False), ARROW
    ),
    "arrow reordered": lambda f: own(arrow(table_of(f[f.columns[::-1]])), ARROW),
    "parquet": lambda f: own(parquet(table_of(f)), PARQUET),
    "parquet plain": lambda f: own(
        parquet(table_of(f), use_dictionary=False, compression="none"), PARQUET
    ),
    "parquet in groups": lambda f: own(
        parquet(table_of(f), row_group_size=7, compression="zstd", data_page_version="2.0"),
        PARQUET,
    ),
    "csv": lambda f: own(as_csv(f), CSV),
    "open inference": lambda f: Sent("/v2/models/{}/infer", tensors(f), {"content-type": JSON}),
    "open inference binary": binary_tensors,
}


class Answers(NamedTuple):
    """What was answered."""

    predictions: list[Any]
    probabilities: list[list[float]]


def of_table(table: pa.Table) -> Answers:
    names = table.column_names
    assert names[0] == "prediction"
    assert all(name.startswith("probability_") for name in names[1:])
    rows = zip(*(table.column(name).to_pylist() for name in names[1:]), strict=True)
    return Answers(table.column("prediction").to_pylist(), [list(row) for row in rows])


def of_json(content: bytes) -> Answers:
    predictions = json.loads(content)["predictions"]
    chances = [list(one["probabilities"].values()) for one in predictions]
    return Answers([one["label"] for one in predictions], chances)


def of_csv(content: bytes) -> Answers:
    return of_table(pa.csv.read_csv(pa.BufferReader(content)))


def of_tensors(answer: httpx.Response) -> Answers:
    """Return the outputs of the Open Inference Protocol, from the document or behind it."""
    length = int(answer.headers.get(LENGTH, len(answer.content)))
    content = answer.content[length:]
    found = {}
    for output in json.loads(answer.content[:length])["outputs"]:
        data = output.get("data")
        if data is None:
            size = output["parameters"]["binary_data_size"]
            part, content = content[:size], content[size:]
            data = unpacked(part, output["datatype"])
        found[output["name"]] = (
            np.array(data, object if output["datatype"] == "BYTES" else None)
            .reshape(output["shape"])
            .tolist()
        )
    assert content == b""
    return Answers(found["predict"], found["predict_proba"])


def unpacked(part: bytes, datatype: str) -> list[Any]:
    if datatype != "BYTES":
        values: list[Any] = np.frombuffer(
            part, {"BOOL": "?", "INT64": "<i8", "FP64": "<f8"}[datatype]
        ).tolist()
        return values
    texts = []
    while part:
        end = 4 + int.from_bytes(part[:4], "little")
        texts.append(part[4:end].decode())
        part = part[end:]
    return texts


OUT: dict[str, Callable[[bytes], Answers]] = {
    JSON: of_json,
    ARROW: lambda content: of_table(pa.ipc.open_stream(content).read_all()),
    PARQUET: lambda content: of_table(pq.read_table(pa.BufferReader(content))),
    CSV: of_csv,
}


def post(api: Api, name: str, sent: Sent, **headers: str) -> httpx.Response:
    answer = api.post(
        sent.path.format(name), content=sent.content, headers={**sent.headers, **headers}
    )
    assert answer.status_code == 200, answer.text
    return answer


Case = tuple[Api, str, pd.DataFrame]


@pytest.fixture(scope="module")
def typed_api(typed_endpoint: Endpoint) -> Iterator[Api]:
    """A client of the endpoint with a column of every type."""
    with running(typed_endpoint) as client:
        yield client


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A client of a model that tells integers apart which are one float: by what 4 leaves."""

    def rest(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.astype("int64") % 4

    frame = pd.DataFrame({"n": range(40)})
    tree = DecisionTreeClassifier(random_state=0)
    model = make_pipeline(FunctionTransformer(rest), tree).fit(frame, frame["n"] % 4)
    file = tmp_path_factory.mktemp("large") / "model.pkl"
    with running(endpoint_of(model, frame, file)) as client:
        yield client


@pytest.fixture(params=["bank", "typed"])
def case(request: pytest.FixtureRequest, bank: Bank) -> Case:
    """A client, the name of its model, and rows for it."""
    if request.param == "bank":
        frame = bank.frame.drop(columns="y").head(N_ROWS)
        return request.getfixturevalue("api"), "bank", frame
    return request.getfixturevalue("typed_api"), "small", typed_frame()


@pytest.mark.parametrize("form", IN)
def test_every_form_of_a_question_gives_the_same_answer(case: Case, form: str) -> None:
    """To the last bit, and in the form of the question where no other is asked for."""
    api, name, frame = case
    expected = of_json(post(api, name, json_of({"rows": records(frame)})).content)
    assert len(expected.predictions) == len(frame)
    sent = IN[form](frame)
    answer = post(api, name, sent)
    assert answer.headers["x-model-version"] == f"{name}@1"
    if sent.path.startswith("/v2"):
        assert answer.headers["content-type"] == (OCTETS if LENGTH in answer.headers else JSON)
        assert of_tensors(answer) == expected
    else:
        media = sent.headers["content-type"]
        assert answer.headers["content-type"] == media
        assert OUT[media](answer.content) == expected


def test_ten_thousand_rows_are_answered_in_every_form(api: Api, bank: Bank) -> None:
    """In one body, each row as by itself."""
    frame = bank.frame.drop(columns="y").head(500)
    expected = of_json(post(api, "bank", json_of({"rows": records(frame)})).content)
    many = pd.concat([frame] * 20)
    for form in ("json rows", "arrow", "parquet", "csv", "open inference binary"):
        sent = IN[form](many)
        if sent.path.startswith("/v2"):
            found = of_tensors(post(api, "bank", sent))
        else:
            found = OUT[ARROW](post(api, "bank", sent, accept=ARROW).content)
        assert found.predictions == expected.predictions * 20
        assert found.probabilities == expected.probabilities * 20


@pytest.mark.parametrize("form", IN)
@pytest.mark.parametrize("n", [2**53 + 1, -(2**63), 2**63 - 1])
def test_large_integers_are_exact(large: Api, form: str, n: int) -> None:
    """As they were sent, in every form: 2^53 + 1 is not 2^53."""
    frame = pd.DataFrame({"n": [n, n - 1 if n > 0 else n + 1]})
    answer = post(large, "small", IN[form](frame), **({} if "open" in form else {"accept": ARROW}))
    found = of_tensors(answer) if "open" in form else OUT[ARROW](answer.content)
    assert found.predictions == [one % 4 for one in frame["n"].tolist()]


@pytest.mark.parametrize("media", OUT)
@pytest.mark.parametrize("form", ["json rows", "arrow", "csv"])
def test_every_form_of_an_answer_is_the_same(case: Case, form: str, media: str) -> None:
    """Whatever the question was written in, `accept` says what the answer is written in."""
    api, name, frame = case
    expected = of_json(post(api, name, json_of({"rows": records(frame)})).content)
    answer = post(api, name, IN[form](frame), accept=media)
    assert answer.headers["content-type"] == media
    assert OUT[media](answer.content) == expected
