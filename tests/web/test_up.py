"""`brinery up`: MLflow's server, our API and the endpoints on one port."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests import patience
from tests.conftest import run_brinery
from tests.web.conftest import Up

from brinery.actions.stages import LOOK_S
from brinery.web import document

JSON = {"content-type": "application/json"}
MLFLOW = "/api/2.0/mlflow"
FOLLOWED_S = 2.0


@pytest.fixture
def first(up: Up) -> Iterator[Up]:
    """The server, whose champion is the first version again after the test."""
    yield up
    up.post("/api/v1/models/m/promote", {"version": 1, "force": True, "why": "as it was"})
    up.until(lambda: up.answered() == 1)
    time.sleep(3 * LOOK_S)  # what moves between two looks is told from no other move


def stage_of(up: Up, version: int) -> str:
    """Return the stage that MLflow's clients see."""
    found = up.get(f"{MLFLOW}/model-versions/get?name=m&version={version}").json()
    return str(found["model_version"]["current_stage"])


def champion(up: Up) -> int:
    """Return the version that has the alias."""
    return int(up.get("/api/v1/models/m/champion").json()["version"])


def test_mlflow_answers_at_the_root(up: Up) -> None:
    """Its version, its API of either generation, and its page with what the page loads."""
    assert up.get("/version").text.startswith("3.17")
    searched = up.post(f"{MLFLOW}/experiments/search", {"max_results": 5})
    assert "m" in [one["name"] for one in searched.json()["experiments"]]
    assert up.get("/ajax-api/3.0/mlflow/server-info").status_code == httpx.codes.OK
    page = up.get("/mlflow/")
    assert "<title>MLflow</title>" in page.text
    assert up.get("/mlflow/static-files/favicon.ico").status_code == httpx.codes.OK
    assert up.get("/mlflow").headers["location"] == "/mlflow/"
    named = up.get("/mlflow/ajax-api/2.0/mlflow/registered-models/get?name=m")
    assert named.json()["registered_model"]["name"] == "m"


def test_clients_need_no_files(up: Up) -> None:
    """Where a version lies is told as a place of the server, whose content it gives."""
    told = up.get(f"{MLFLOW}/model-versions/get-download-uri?name=m&version=1").json()
    place = told["artifact_uri"]
    assert place.startswith("mlflow-artifacts:/m/models/m-")
    path = place.removeprefix("mlflow-artifacts:/")
    stated = up.get(f"/api/2.0/mlflow-artifacts/artifacts/{path}/MLmodel")
    assert "flavors:" in stated.text


@pytest.mark.parametrize("name", ["plain.txt", "a b.txt", "ä & +,;=.txt"])
def test_an_artifact_comes_back_as_it_went(up: Up, name: str) -> None:
    """Whatever it is called."""
    content = name.encode() * 20_000
    where = f"{up.url}/api/2.0/mlflow-artifacts/artifacts/t/{quote(name)}"
    assert patience.put(where, content=content).status_code == httpx.codes.OK
    assert patience.get(where).content == content
    assert (up.workspace / ".brinery" / "artifacts" / "t" / name).read_bytes() == content


def test_a_stage_moves_the_endpoint(first: Up) -> None:
    """An older client's stage makes the champion, which answers; the former one is archived."""
    moved = first.post(
        f"{MLFLOW}/model-versions/transition-stage",
        {"name": "m", "version": "2", "stage": "Production", "archive_existing_versions": False},
    )
    assert moved.status_code == httpx.codes.OK
    first.until(lambda: first.answered() == 2)
    assert champion(first) == 2
    first.until(lambda: stage_of(first, 1) == "Archived")
    last = first.get("/api/v1/models/m/history").json()["history"][-1]
    assert (last["deed"], last["after"]) == ("moved by another program", "m@2")


def test_an_alias_moves_the_stage(first: Up) -> None:
    """A newer client's alias is answered by, and is in production for older ones."""
    moved = first.post(
        f"{MLFLOW}/registered-models/alias", {"name": "m", "alias": "champion", "version": "2"}
    )
    assert moved.status_code == httpx.codes.OK
    first.until(lambda: first.answered() == 2)
    first.until(lambda: stage_of(first, 2) == "Production")


def test_what_mlflow_registered_is_not_checked(up: Up) -> None:
    """A version of another program is shown with the command that checks it, and answers none."""
    up.post(f"{MLFLOW}/registered-models/create", {"name": "theirs"})
    run = up.post(f"{MLFLOW}/runs/create", {"experiment_id": "0"}).json()["run"]["info"]
    assert run["artifact_uri"].startswith("mlflow-artifacts:/0/")
    made = up.post(
        f"{MLFLOW}/model-versions/create",
        {"name": "theirs", "source": f"{run['artifact_uri']}/model", "run_id": run["run_id"]},
    )
    assert made.status_code == httpx.codes.OK, made.text
    newest = up.get("/api/v1/models/theirs").json()["newest"]
    assert newest["checked"] is False
    assert newest["next"] == "brinery import models:/theirs/1 --name theirs --data FILE"
    up.until(lambda: any(m["name"] == "theirs" for m in up.get("/v1/models").json()["models"]))
    refused = up.post("/v1/models/theirs/predict", {"x": 1.0})
    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert "not checked yet" in refused.json()["detail"]


def test_a_worse_version_is_refused(up: Up) -> None:
    """Our API asks the gate, says why not, and keeps the decision."""
    refused = up.post("/api/v1/models/m/promote", {"version": 2})
    assert refused.status_code == httpx.codes.CONFLICT
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "promotion-refused"
    assert champion(up) == 1
    decided = up.get("/api/v1/models/m/decisions").json()["decisions"]
    assert decided[-1]["decision"]["reference"] == "m@2"


def test_promoted_and_rolled_back(first: Up) -> None:
    """By two requests, each followed by the endpoint."""
    done = first.post("/api/v1/models/m/promote", {"version": 2, "force": True, "why": "to see"})
    assert (done.json()["reference"], done.json()["previous"]) == ("m@2", 1)
    first.until(lambda: first.answered() == 2)
    back = first.post("/api/v1/models/m/rollback", {"why": "seen"})
    assert back.json()["reference"] == "m@1"
    first.until(lambda: first.answered() == 1)


@pytest.mark.slow
def test_endpoints_follow_soon(first: Up) -> None:
    """What was promoted or taken back answers within two seconds, as the quickest of several."""
    took = []
    for _ in range(3):
        for path, body, number in (
            ("promote", {"version": 2, "force": True, "why": "to see"}, 2),
            ("rollback", {"why": "seen"}, 1),
        ):
            assert first.post(f"/api/v1/models/m/{path}", body).status_code == httpx.codes.OK
            began = time.monotonic()
            first.until(lambda: first.answered() == number)  # noqa: B023 - called here
            took.append(time.monotonic() - began)
    assert min(took) < FOLLOWED_S, took


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/models/none", None, 404, "not-found"),
        ("/models/m/versions/9", None, 404, "not-found"),
        ("/models/m/versions/1/report", None, 404, "not-evaluated"),
        ("/nothing", None, 404, "not-found"),
        ("/models/m/promote", {"versoin": 1}, 422, "invalid-body"),
        ("/models/m/promote", {"version": 9}, 404, "not-found"),
        ("/models/m/promote", {"version": 2, "force": True}, 422, "reason-required"),
        ("/models/m/promote", {"version": 2, "gate": "/etc/passwd"}, 422, "invalid-gate"),
        ("/models/m/rollback", {"to": 1}, 409, "rollback-impossible"),
    ],
)
def test_what_is_refused_is_a_problem(
    up: Up, path: str, body: object, status: int, code: str
) -> None:
    """With a status, a code and no more than one sentence (RFC 9457)."""
    path = f"/api/v1{path}"
    answer = up.get(path) if body is None else up.post(path, body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/api/v1/models/m/promote", f"{MLFLOW}/registered-models/alias"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "localhost.evil.example"}, 403),
    ],
)
def test_pages_of_others_change_nothing(
    up: Up, path: str, headers: dict[str, str], status: int
) -> None:
    """Whether they ask across origins or under a name that they own, of MLflow or of us."""
    assert (
        up.post(path, {"name": "m", "alias": "x", "version": "1"}, **headers).status_code == status
    )


def test_a_form_changes_nothing(up: Up) -> None:
    """What a page may send without asking first is not JSON."""
    answer = patience.post(f"{up.url}/api/v1/models/m/promote", data={"version": "2"})
    assert answer.status_code == httpx.codes.UNSUPPORTED_MEDIA_TYPE


def test_the_assistant_is_not_served(up: Up) -> None:
    """MLflow's routes that run programs on this machine are not passed on."""
    for prefix in ("", "/mlflow"):
        answer = up.get(f"{prefix}/ajax-api/3.0/mlflow/assistant/config")
        assert answer.status_code == httpx.codes.NOT_FOUND


def test_a_model_tells_where_its_pages_are(up: Up) -> None:
    """The API links to the report and to MLflow's own page."""
    model = up.get("/api/v1/models/m").json()
    assert model["champion"]["links"]["report"] == "/api/v1/models/m/versions/1/report"
    assert model["links"]["mlflow"] == "/mlflow/#/models/m"


def test_the_document_names_every_path(up: Up) -> None:
    """Each GET of the OpenAPI document without a parameter beyond the names answers."""
    paths = up.get("/api/v1/openapi.json").json()["paths"]
    assert paths == json.loads(json.dumps(document.document()["paths"]))
    for path, methods in paths.items():
        asked = path.replace("{name}", "m").replace("{number}", "1")
        for method in methods:
            answer = up.get(asked) if method == "get" else up.post(asked, {"no": 1})
            expected = {200, 404} if path.endswith("report") else {200, 422}
            assert answer.status_code in expected, path


def test_a_port_in_use_is_one_error(up: Up, tmp_path: Path) -> None:
    """It names the port and the next one to try."""
    port = up.url.rpartition(":")[2]
    done = run_brinery("--workspace", tmp_path, "up", "--port", port)
    assert done.status == 2
    assert f"listens on 127.0.0.1:{port}" in done.err
    assert f"try --port {int(port) + 1}" in done.err
