"""The client, against a real server, and against servers that fail in known ways."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.conftest import Bank

import brinery
from brinery.errors import (
    DataUnreadable,
    EndpointFault,
    EndpointTimeout,
    EndpointUnreachable,
    InvalidReference,
    NotFound,
    RequestRefused,
    SettingsError,
)
from brinery.serve import client_data

Reply = tuple[int, dict[str, str], bytes] | None
ANSWER = json.dumps({"predictions": [{"value": 1.5}], "model": "m", "version": 2}).encode()
GOOD: Reply = (200, {"content-type": "application/json", "x-model-version": "m@2"}, ANSWER)
BUSY: Reply = (503, {"retry-after": "0"}, b'{"code": "queue-full", "detail": "too many wait"}')


@pytest.fixture(scope="module")
def client(served: str) -> Iterator[brinery.Client]:
    """A client of the demo's server."""
    with brinery.Client(served) as client:
        yield client


@pytest.fixture(scope="module")
def frame(bank: Bank) -> pd.DataFrame:
    """The held-out rows, without the target."""
    return bank.frame.drop(columns="y")


@pytest.fixture(scope="module")
def loaded(bank_workspace: Any, frame: pd.DataFrame) -> brinery.Scores:
    """The answers of the same version in a process of its own."""
    with brinery.load("bank", workspace=bank_workspace) as model:
        return model.predict(frame)


class Exporter:
    """A frame of another library, such as polars: it gives an Arrow stream."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


FORMS: dict[str, Callable[[pd.DataFrame], object]] = {
    "frame": lambda frame: frame,
    "rows": lambda frame: frame.to_dict("records"),
    "arrow": pa.Table.from_pandas,
    "batch": pa.RecordBatch.from_pandas,
    "exporter": lambda frame: Exporter(pa.Table.from_pandas(frame)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_rows", [1, 7, 905])
def test_answers_are_those_of_the_model_here(
    client: brinery.Client, frame: pd.DataFrame, loaded: brinery.Scores, form: str, n_rows: int
) -> None:
    """Few rows or many, of whatever kind, are answered as `brinery.load` answers them."""
    answer = client.predict(FORMS[form](frame.head(n_rows)))
    assert (answer.model, answer.version, len(answer)) == ("bank", 1, n_rows)
    assert answer.predictions.tolist() == loaded.predictions[:n_rows].tolist()
    assert answer.classes == loaded.classes
    assert answer.probabilities is not None
    assert loaded.probabilities is not None
    np.testing.assert_allclose(
        answer.probabilities, loaded.probabilities[:n_rows], rtol=0, atol=1e-9
    )


def test_one_row_may_be_one_object(client: brinery.Client, bank: Bank) -> None:
    """A bare row gives one answer, with the id by which the server knows the request."""
    answer = client.predict(bank.row)
    assert len(answer) == 1
    assert answer.request_id


def test_an_index_is_no_column(client: brinery.Client, frame: pd.DataFrame) -> None:
    """A frame whose index is not counted from 0 is sent without it."""
    assert len(client.predict(frame.iloc[[5, 3]])) == 2
    assert len(client.predict(frame.set_index(pd.Index(range(905), name="row")))) == 905


def test_the_server_is_described(client: brinery.Client) -> None:
    """What it has and what a model is: typed."""
    assert client.ready()
    assert client.models() == ("bank",)
    model = client.model()
    assert (model.name, model.version, model.aliases) == ("bank", 1, ("champion",))
    assert model.classes == ("no", "yes")
    assert model.signature.column("age") is not None
    assert model == client.model("bank")


@pytest.mark.parametrize("reference", ["bank", "bank@1", "bank@champion"])
def test_a_version_may_be_named(served: str, bank: Bank, reference: str) -> None:
    """A model is asked for by its name, a version by its number or alias."""
    with brinery.Client(served, model=reference) as client:
        assert client.predict(bank.row).version == 1


def test_threads_share_a_client(client: brinery.Client, frame: pd.DataFrame) -> None:
    """Eight threads ask one client for different rows, and each gets the answers to its own."""
    expected = client.predict(frame.head(64))
    with ThreadPoolExecutor(8) as threads:
        rows = [frame.iloc[[number]] for number in range(64)]
        answers = list(threads.map(client.predict, rows))
    assert expected.probabilities is not None
    for number, answer in enumerate(answers):
        assert answer.probabilities is not None
        assert answer.probabilities[0].tolist() == expected.probabilities[number].tolist()


@pytest.mark.parametrize("n_rows", [3, 300])
def test_a_bad_value_is_an_error_that_names_it(
    client: brinery.Client, frame: pd.DataFrame, n_rows: int
) -> None:
    """What the server refuses names row and column, in its message and for programs."""
    bad = frame.head(n_rows).copy()
    bad.loc[1, "job"] = "astronaut"
    bad.loc[2, "marital"] = "complicated"
    with pytest.raises(RequestRefused, match=r"row 1: 'job'.*row 2: 'marital'") as caught:
        client.predict(bad)
    assert caught.value.problem == "invalid-rows"
    faults = [(fault.row, fault.column) for fault in caught.value.faults]
    assert faults == [(1, "job"), (2, "marital")]


def test_a_column_of_mixed_types_is_named_by_the_server(
    client: brinery.Client, frame: pd.DataFrame
) -> None:
    """A column that no table can hold is sent as it is, and refused where it is wrong."""
    mixed = frame.astype({"age": object}).head(200)
    mixed.loc[150, "age"] = "old"
    with pytest.raises(RequestRefused, match="row 150: 'age'"):
        client.predict(mixed)


@pytest.mark.parametrize("data", [3, "rows", [1, 2], None], ids=repr)
def test_what_is_no_table_is_said_to_be(client: brinery.Client, data: object) -> None:
    """Anything else is refused before it is sent, with what is taken."""
    with pytest.raises(DataUnreadable) as caught:
        client.predict(data)
    assert "a DataFrame" in caught.value.hint


def test_a_wrong_model_is_named_with_the_nearest(served: str, bank: Bank) -> None:
    """A model that is not there is an error that says which are."""
    with brinery.Client(served, model="bnak") as client:
        with pytest.raises(NotFound, match="no model bnak") as caught:
            client.predict(bank.row)
        assert "did you mean bank?" in caught.value.hint
        with pytest.raises(NotFound):
            client.model()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    """A client of no server is never made."""
    with pytest.raises(SettingsError, match="no address"):
        brinery.Client(url)


@pytest.mark.parametrize("options", [{"timeout_s": 0}, {"timeout_s": -1}, {"retries": -1}], ids=str)
def test_numbers_are_checked(options: dict[str, Any]) -> None:
    """Times and counts that are none are refused."""
    with pytest.raises(SettingsError):
        brinery.Client("http://127.0.0.1:1", **options)


def test_no_server_is_one_error(free_port: int) -> None:
    """Where nobody listens, the error says so, and `ready` is False."""
    with brinery.Client(f"http://127.0.0.1:{free_port}", model="m", retries=1) as client:
        assert not client.ready()
        with pytest.raises(EndpointUnreachable, match=f"127.0.0.1:{free_port}") as caught:
            client.predict({"x": 1})
        assert "object at" not in caught.value.message


@contextmanager
def replying(*replies: Reply) -> Iterator[tuple[str, list[tuple[str, Any, bytes]]]]:
    """Run a server that gives these replies, the last one for ever; None hangs up."""
    asked: list[tuple[str, Any, bytes]] = []
    left = list(replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append((self.path, self.headers, body))
            reply = left.pop(0) if len(left) > 1 else left[0]
            if reply is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, headers, content = reply
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("first", [BUSY, None], ids=["503", "hung up"])
def test_what_may_be_answered_later_is_asked_again(first: Reply) -> None:
    """A server that is busy, or whose connection breaks, is asked again, the same."""
    with replying(first, first, GOOD) as (url, asked), brinery.Client(url, model="m") as client:
        answer = client.predict({"x": 1})
    assert (answer.predictions.tolist(), answer.version) == ([1.5], 2)
    assert [(path, body) for path, _, body in asked] == [
        ("/v1/models/m/predict", b'{"rows":[{"x":1}]}')
    ] * 3


@pytest.mark.parametrize(
    ("reply", "error"), [(BUSY, EndpointFault), (None, EndpointUnreachable)], ids=["503", "hung up"]
)
def test_it_is_not_asked_for_ever(reply: Reply, error: type[Exception]) -> None:
    """After so many retries the refusal is the error, with what the server said."""
    with (
        replying(reply) as (url, asked),
        brinery.Client(url, model="m", retries=2) as client,
        pytest.raises(error, match="too many wait" if reply else url),
    ):
        client.predict({"x": 1})
    assert len(asked) == 3


def test_what_takes_too_long_is_not_asked_again() -> None:
    """A server that does not answer in time is an error, and is asked once."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    began = time.monotonic()
    with (
        listener,
        brinery.Client(url, model="m", timeout_s=0.3, retries=1000) as client,
        pytest.raises(EndpointTimeout, match=r"within 0\.3 seconds"),
    ):
        client.predict({"x": 1})
    assert time.monotonic() - began < 60  # a thousand would take five times as long


def test_the_server_is_told_how_long_the_client_waits() -> None:
    """So that it scores nothing that nobody waits for."""
    with replying(GOOD) as (url, asked), brinery.Client(url, model="m", timeout_s=25.5) as client:
        client.predict({"x": 1})
    assert asked[0][1]["request-timeout"] == "25.5"


def test_headers_are_sent_with_every_request() -> None:
    """Such as the authorization that a proxy before the server asks for."""
    headers = {"authorization": "Bearer a"}
    with (
        replying(GOOD) as (url, asked),
        brinery.Client(url, model="m", headers=headers) as client,
    ):
        client.predict({"x": 1})
        client.ready()
    assert [one["authorization"] for _, one, _ in asked] == ["Bearer a"] * 2


def test_a_server_that_reads_no_arrow_is_sent_json() -> None:
    """A table is offered as an Arrow stream once, and from then on sent as columns of JSON."""
    refused: Reply = (415, {}, b'{"code": "unsupported-media-type", "detail": "JSON is read"}')
    frame = pd.DataFrame({"x": np.arange(500.0)})
    with replying(refused, GOOD) as (url, asked), brinery.Client(url, model="m") as client:
        client.predict(frame)
        client.predict(frame)
    arrow, *others = asked
    assert arrow[1]["content-type"] == "application/vnd.apache.arrow.stream"
    assert pa.ipc.open_stream(arrow[2]).read_all().column("x").to_pylist() == frame["x"].tolist()
    for _, headers, body in others:
        assert headers["content-type"] == "application/json"
        assert json.loads(body) == {"columns": {"x": frame["x"].tolist()}}
    assert len(others) == 2


def test_an_arrow_answer_is_read() -> None:
    """The columns of `brinery predict` are predictions, and a probability per class."""
    described = {
        "name": "m",
        "version": 2,
        "classes": [0, 1],
        "signature": {"columns": [], "example": {}},
    }
    table = pa.table(
        {"prediction": [0, 1], "probability_0": [0.75, 0.25], "probability_1": [0.25, 0.75]}
    )
    headers = {"content-type": client_data.ARROW, "x-model-version": "m@2"}
    replies: list[Reply] = [
        (200, headers, client_data.stream_body(table)),
        (200, {"content-type": "application/json"}, json.dumps(described).encode()),
    ]
    with replying(*replies) as (url, _), brinery.Client(url, model="m") as client:
        answer = client.predict(pd.DataFrame({"x": np.arange(200.0)}))
    assert answer.predictions.tolist() == [0, 1]
    assert answer.classes == (0, 1)
    assert answer.probabilities is not None
    assert answer.probabilities.tolist() == [[0.75, 0.25], [0.25, 0.75]]


@pytest.mark.parametrize(
    "reply",
    [
        (200, {"content-type": "application/json"}, b"{}"),
        (200, {"content-type": client_data.ARROW}, b"no"),
        (200, {"content-type": "text/html"}, b"<p>hello"),
        (502, {"content-type": "text/html"}, b"<p>bad gateway"),
        (302, {"location": "http://127.0.0.1:1/"}, b""),
    ],
    ids=["other json", "broken arrow", "html", "gateway", "redirect"],
)
def test_an_answer_of_another_kind_is_one_error(reply: Reply) -> None:
    """What no server of ours would answer is said to be so, and is followed nowhere."""
    with (
        replying(reply) as (url, asked),
        brinery.Client(url, model="m") as client,
        pytest.raises((EndpointFault, RequestRefused)) as caught,
    ):
        client.predict({"x": 1})
    assert len(asked) == 1
    assert isinstance(caught.value, brinery.BrineryError)
    assert caught.value.message


def test_several_models_ask_for_a_name() -> None:
    """A client that names no model of several is told to name one."""
    listed: Reply = (200, {}, b'{"models": [{"name": "a"}, {"name": "b"}]}')
    with (
        replying(listed) as (url, _),
        brinery.Client(url) as client,
        pytest.raises(InvalidReference, match="has 2 models: a, b") as caught,
    ):
        client.predict({"x": 1})
    assert "model='a'" in caught.value.hint


NUMBERS = [0.1, 1e-320, 1.7976931348623157e308, 5e-324, 0.30000000000000004]


def test_numbers_are_sent_exactly() -> None:
    """Each float is the same float again, and a whole number past 2^53 stays whole."""
    large = 2**53 + 1
    row = {"a": NUMBERS, "b": large, "c": np.float64(0.1), "d": np.int64(large), "e": np.float32(2)}
    sent = json.loads(client_data.rows_body([row]))["rows"][0]
    assert sent == {"a": NUMBERS, "b": large, "c": 0.1, "d": large, "e": 2.0}
    assert re.search(r'"d":9007199254740993\b', client_data.rows_body([row]).decode())
    frame = pd.DataFrame({"x": NUMBERS, "n": [large] * 5})
    table = client_data.table(frame)
    assert table is not None
    sent = json.loads(client_data.columns_body(client_data.columns(table)))["columns"]
    assert sent == {"x": NUMBERS, "n": [large] * 5}


def test_missing_values_are_null() -> None:
    """A missing value of any library is null, and a time is as ISO 8601 has it."""
    row = {
        "a": float("nan"),
        "b": pd.NA,
        "c": pd.NaT,
        "d": np.float64("nan"),
        "e": pd.Timestamp("2026-01-31T12:00:00"),
        "f": np.bool_(True),  # noqa: FBT003 - a value
        "g": Decimal("0.5"),
    }
    assert json.loads(client_data.rows_body([row]))["rows"] == [
        {
            "a": None,
            "b": None,
            "c": None,
            "d": None,
            "e": "2026-01-31T12:00:00",
            "f": True,
            "g": 0.5,
        }
    ]
