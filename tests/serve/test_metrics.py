"""What is counted, as Prometheus reads it."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests import patience
from tests.conftest import Bank, serving
from tests.serve.conftest import Api, MakeEndpoint, regression, running

from brinery.serve import paths
from brinery.serve.endpoint import Endpoint

PREDICT = "/v1/models/bank/predict"
X = pd.DataFrame({"x": [0.0, 1.0, 2.0]})
TEMPLATE = "/v1/models/{name}/predict"


class Figures:
    """The samples of a scrape."""

    def __init__(self, text: str) -> None:
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def __call__(self, name: str, **labels: str) -> float:
        """Return the sum of what has these labels."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def values(self, name: str, label: str) -> set[str]:
        """Return the values of a label."""
        return {sample.labels[label] for sample in self._samples if sample.name == name}


def scraped(url: str) -> Figures:
    answer = patience.get(f"{url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return Figures(answer.text)


def ask(url: str, row: dict[str, Any]) -> None:
    """Ask for 1 + 3 rows, and for what is refused: a bad value, no JSON, another method."""
    assert patience.post(url + PREDICT, json=row).status_code == 200
    assert patience.post(url + PREDICT, json={"rows": [row] * 3}).status_code == 200
    assert patience.post(url + PREDICT, json={**row, "age": "old"}).status_code == 422
    assert patience.post(url + PREDICT, content=b"{").status_code == 400
    assert patience.get(url + PREDICT).status_code == 405


def check(before: Figures, after: Figures, *, times: int) -> None:
    """Check that `ask` was counted so many times."""

    def more(name: str, **labels: str) -> float:
        return (after(name, **labels) - before(name, **labels)) / times

    def requests(**labels: str) -> float:
        return more("brinery_requests_total", model="bank", route=TEMPLATE, **labels)

    assert requests() == 5
    assert requests(status="200", version="1") == 2
    assert [requests(status=status) for status in ("422", "400", "405")] == [1, 1, 1]
    assert more("brinery_rows_total", model="bank", version="1", by="scorer") == 4
    assert more("brinery_batch_rows_sum", model="bank") == 4
    assert more("brinery_batch_rows_count", model="bank") == 2
    assert more("brinery_request_seconds_count", model="bank", version="1") == 4
    assert more("brinery_request_seconds_bucket", model="bank", version="1", le="+Inf") == 4
    assert 0 < more("brinery_request_seconds_sum", model="bank", version="1") < 60
    codes = ("invalid-rows", "malformed-json", "method-not-allowed")
    assert [more("brinery_errors_total", model="bank", code=code) for code in codes] == [1, 1, 1]


def until_counted(before: Figures, url: str, *, times: int) -> Figures:
    """Return what is shown once all the requests of `ask` are counted."""
    name = "brinery_requests_total"
    end = time.monotonic() + 240
    while (after := scraped(url))(name, route=TEMPLATE) < before(name, route=TEMPLATE) + 5 * times:
        assert time.monotonic() < end
        time.sleep(0.05)
    return after


def test_what_one_worker_answered_is_counted(served: str, bank: Bank) -> None:
    """Requests by status, rows, batches, times and refusals are counted, of a real server."""
    before = scraped(served)
    for _ in range(3):
        ask(served, bank.row)
    after = until_counted(before, served, times=3)
    check(before, after, times=3)
    assert after("brinery_workers") == 1
    assert after("brinery_queue_requests", model="bank") == 0
    assert after("brinery_model_ready", model="bank") == 1
    assert after("brinery_model_info", model="bank", version="1", by="scorer") == 1


def test_several_workers_count_together(bank_workspace: Path, bank: Bank) -> None:
    """Each of two workers shows what both counted."""
    with serving(bank_workspace, "bank", "--workers", "2") as url:
        before = scraped(url)
        for _ in range(20):
            ask(url, bank.row)  # each request on a connection of its own
        # Who was answered may come before what the one worker counts of it to the other.
        until_counted(before, url, times=20)
        for _ in range(6):
            check(before, scraped(url), times=20)
        shown = scraped(url)
        assert shown("brinery_workers") == 2
        assert shown("brinery_model_info", model="bank", version="1") == 1


def test_a_file_that_was_just_begun_is_read_past(tmp_path: Path) -> None:
    """What one worker has counted is shown while another has made its file and written nothing."""
    code = (
        "from pathlib import Path; from brinery.serve.metrics import Metrics;"
        f"print(Metrics(Path({str(tmp_path)!r})).text('')[0].decode())"
    )
    (tmp_path / "counter_1.db").touch()
    gone = tmp_path / f"gauge_livesum_{2**22 + 1}.db"
    gone.write_bytes(b"")
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Figures(shown.stdout)("brinery_workers") == 1
    assert not gone.exists()


def test_the_routes_are_few(api: Api, example: dict[str, Any]) -> None:
    """Whatever paths strangers ask for, what they are counted under is one of few."""
    for path in ("/nope", "/v1/models/other", "/v1/models/a/b/c", "/docs/assets/x", "/%00", "/"):
        api.get(path)
    api.post("/v1/models/bank/versions/1/predict", json=example)
    api.post("/invocations", json={"instances": [example]})
    routes = Figures(api.get("/metrics").text).values("brinery_requests_total", "route")
    assert "/v1/models/{name}/versions/{version}/predict" in routes
    assert "/invocations" in routes
    assert {"other", "/", "/v1/models/{name}", "/docs/assets/{path}"} <= routes
    assert not [route for route in routes if "nope" in route or "bank" in route or "/x" in route]


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/models/versions/predict", "/v1/models/{name}/predict"),
        ("/v1/models/a/aliases/champion/predict", "/v1/models/{name}/aliases/{alias}/predict"),
        ("/v2/models/a/versions/3/infer", "/v2/models/{name}/versions/{version}/infer"),
        ("/invocations/a", "/invocations/{name}"),
        ("/invocations", "/invocations"),
    ],
)
def test_a_path_is_named_by_its_template(path: str, template: str) -> None:
    """The names in a path are replaced by what they are names of, also names like its own words."""
    assert paths.scored(path) == template


def test_open_metrics_is_written_for_who_asks(api: Api) -> None:
    """Prometheus itself asks for OpenMetrics, and gets it."""
    answer = api.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def slow_model() -> Any:
    """Return a model that takes its time, and whose process ends on a row."""

    def take_time(frame: pd.DataFrame) -> Any:
        import os  # noqa: PLC0415 - pickled by value, so it brings its imports along
        import time  # noqa: PLC0415

        if (frame["x"] == 13).any():
            os.abort()
        time.sleep(0.3)
        return frame["x"]

    return regression(take_time)


def test_restarts_of_a_models_process_are_counted(make_endpoint: MakeEndpoint) -> None:
    """A model's process that ended is counted once it runs again, its rows as the model's."""
    endpoint = make_endpoint(slow_model(), X)
    with running(endpoint) as api:
        answers(api, endpoint, 1.0, 200)
        answers(api, endpoint, 13.0, 503)
        answers(api, endpoint, 1.0, 200)
        figures = Figures(api.get("/metrics").text)
    assert figures("brinery_model_process_restarts_total", model="small") == 1
    assert figures("brinery_rows_total", model="small", by="model") == 2
    assert figures("brinery_errors_total", model="small", code="model-process-died") == 1


def answers(api: Api, endpoint: Endpoint, value: float, status: int) -> None:
    """Ask until the model is there, and check how it answers."""
    end = time.monotonic() + 240
    while api.get("/ready").status_code != 200 and time.monotonic() < end:
        time.sleep(0.05)
    assert api.post(endpoint.predict_path, json={"x": value}).status_code == status


def test_the_queue_is_shown(make_endpoint: MakeEndpoint) -> None:
    """What waits for a slow model is in the gauge of the queue, while it waits."""
    endpoint = make_endpoint(slow_model(), X, max_batch_rows=1)
    most = 0.0
    with running(endpoint) as api, ThreadPoolExecutor(6) as threads:
        answers(api, endpoint, 1.0, 200)
        asked = [threads.submit(answers, api, endpoint, 1.0, 200) for _ in range(6)]
        while not all(one.done() for one in asked):
            most = max(most, Figures(api.get("/metrics").text)("brinery_queue_requests"))
    assert most >= 1
