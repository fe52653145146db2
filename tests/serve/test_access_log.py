"""The access log, and the ids in it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests import patience
from tests.conftest import Bank, Done, serving
from tests.serve.conftest import Api, running
from tests.serve.rsgi import FakeScope

from brinery.errors import SettingsError
from brinery.serve import access_log
from brinery.serve.access_log import AccessLog
from brinery.serve.answered import Answered
from brinery.serve.endpoint import Endpoint

PREDICT = "/v1/models/bank/predict"
ANSWERED = Answered(
    id="a",
    scope=FakeScope("POST", httpx.URL(PREDICT), {}),
    path=PREDICT,
    route="",
    model="bank@1",
    status=200,
    code="",
    n_rows=1,
    n_received=2,
    n_sent=3,
    time_s=0.25,
)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_each_request_is_a_line_of_json(
    bank_endpoint: Endpoint, example: dict[str, Any], tmp_path: Path
) -> None:
    """What was asked, by whom, what answered and how long it took: one object per request."""
    file = tmp_path / "access.log"
    began = datetime.now(UTC)
    with running(bank_endpoint, AccessLog(str(file))) as api:
        good = api.post(PREDICT, json={"rows": [example] * 2}, headers={"x-request-id": "mine"})
        bad = api.post(PREDICT, json={**example, "age": "old"})
        api.get("/nope?secret=1")
    scored, refused, missed = lines(file)
    assert began.timestamp() - 0.001 <= datetime.fromisoformat(scored.pop("time")).timestamp()
    assert 0 < scored.pop("seconds") < 60
    assert scored.pop("bytes_received") == len(good.request.content)
    assert scored == {
        "id": "mine",
        "client": "127.0.0.1:9",
        "method": "POST",
        "path": PREDICT,
        "model": "bank",
        "version": 1,
        "status": 200,
        "code": None,
        "rows": 2,
        "bytes_sent": len(good.content),
    }
    assert (refused["status"], refused["code"]) == (422, "invalid-rows")
    assert refused["id"] == bad.headers["x-request-id"]
    assert (missed["status"], missed["model"], missed["path"]) == (404, None, "/nope")


def test_times_are_utc_in_the_form_of_rfc_3339(tmp_path: Path) -> None:
    """A time ends in Z and has milliseconds."""
    log = AccessLog(str(tmp_path / "access.log"))
    log(ANSWERED)
    log.close()
    (line,) = lines(tmp_path / "access.log")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


def test_several_writers_break_no_line(tmp_path: Path) -> None:
    """Logs that append to one file at once leave every line whole, and none is lost."""
    file = tmp_path / "access.log"
    logs = [AccessLog(str(file)) for _ in range(4)]

    def write(log: AccessLog) -> None:
        for _ in range(2000):
            log(ANSWERED)

    threads = [threading.Thread(target=write, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for log in logs:
        log.close()
    assert len(lines(file)) == 8000


def test_a_file_that_was_moved_away_is_made_again(tmp_path: Path) -> None:
    """Who rotates the log by renaming it gets a new file."""
    file = tmp_path / "access.log"
    log = AccessLog(str(file))
    log(ANSWERED)
    until(file.exists)
    until(lambda: len(lines(file)) == 1)
    file.rename(tmp_path / "access.log.1")
    log(ANSWERED)
    log.close()
    assert len(lines(file)) == len(lines(tmp_path / "access.log.1")) == 1


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_log_that_cannot_be_written_is_said_to_be(
    bank_workspace: Path, brinery_command: Callable[..., Done], free_port: int
) -> None:
    """A folder that is not there is one error before anything is served."""
    with pytest.raises(SettingsError, match=r"/nowhere/.* cannot be written"):
        access_log.check("/nowhere/access.log")
    arguments = ("serve", "bank", "--port", str(free_port), "--access-log", "/nowhere/access.log")
    done = brinery_command("--workspace", bank_workspace, *arguments)
    assert done.status == 2
    assert "/nowhere/access.log" in done.err
    assert "Traceback" not in done.err


def test_workers_share_one_file(bank_workspace: Path, bank: Bank, tmp_path: Path) -> None:
    """Every request of a real server with two workers is a line of the same file."""
    file = tmp_path / "access.log"
    with serving(bank_workspace, "bank", "--workers", "2", "--access-log", str(file)) as url:
        ids = [f"mine-{number}" for number in range(30)]
        for one in ids:
            patience.post(url + PREDICT, json=bank.row, headers={"x-request-id": one})
    scored = [line for line in lines(file) if line["path"] == PREDICT]
    assert sorted(line["id"] for line in scored) == sorted(ids)


@pytest.mark.parametrize("path", [PREDICT, "/health", "/nope", "/metrics"])
def test_a_request_is_called_as_its_client_calls_it(api: Api, path: str) -> None:
    """An id that a client gives is given back, on every path."""
    assert api.post(path, headers={"x-request-id": "a-b.c"}).headers["x-request-id"] == "a-b.c"


@pytest.mark.parametrize("given", ["", "a" * 129, "a\tb"], ids=["none", "long", "tab"])
def test_an_id_that_is_none_is_made(api: Api, given: str) -> None:
    """Without an id, or with one that belongs in no log, each request gets one of its own."""
    headers = {"x-request-id": given}
    made = [api.get("/health", headers=headers).headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    assert given not in made
