"""A server that asks for a key, and one that other machines would reach without."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from tests import patience
from tests.conftest import BRINERY, _environment
from tests.web.conftest import Up, lines, running_up

import brinery
from brinery.actions.keys import create_key, delete_key
from brinery.actions.up import up as run_up
from brinery.errors import RequestRefused, SettingsError

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Keyed:
    """A server that asks for a key.

    Attributes:
        up: the server, which listens on every address.
        key: one that it takes.
    """

    up: Up
    key: str

    def headers(self) -> dict[str, str]:
        """Return what lets a program in."""
        return {"authorization": f"Bearer {self.key}"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """A server of one model, with one key."""
    workspace = lines(tmp_path_factory.mktemp("keyed"), versions=1)
    brinery.promote("m@1", force=True, why="a test", workspace=workspace)
    _, key = create_key("first", workspace=workspace)
    with running_up(workspace, "--host", "0.0.0.0") as up:  # noqa: S104 - that is what is tested
        found = Keyed(up, key)
        up.until(lambda: up.get("/version", **found.headers()).is_success)
        yield found


def test_a_server_for_others_needs_a_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It does not start, and says what to type; a key file that is empty is no key."""
    folder = tmp_path_factory.mktemp("bare")
    with pytest.raises(SettingsError, match=r"0\.0\.0\.0") as caught:
        run_up(host="0.0.0.0", workspace=folder)  # noqa: S104 - that is what is tested
    assert "brinery key create" in caught.value.hint
    (folder / "keys").write_text("short\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="16 ASCII characters"):
        run_up(key_file=folder / "keys", workspace=folder)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metrics",
        "/v1/models",
        "/api/v1/models",
        "/version",
        "/api/2.0/mlflow/experiments/get-by-name?experiment_name=m",
        "/live",
        "/docs/m",
        "/openapi.json",
    ],
)
def test_nothing_is_told_without_a_key(keyed: Keyed, path: str) -> None:
    """Of the page, the API, tracking and scoring alike; the problem says what to do."""
    answer = keyed.up.get(path)
    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "MLFLOW_TRACKING_TOKEN" in answer.json()["hint"]
    if path != "/live":
        assert keyed.up.get(path, **keyed.headers()).is_success


def test_nothing_is_scored_or_changed_without_a_key(keyed: Keyed) -> None:
    """A prediction, a promotion, a run: each is refused before it is looked at."""
    for path in (
        "/v1/models/m/predict",
        "/invocations",
        "/v2/models/m/infer",
        "/api/v1/models/m/promote",
        "/api/2.0/mlflow/runs/create",
    ):
        assert keyed.up.post(path, {"x": 1.0}).status_code == httpx.codes.UNAUTHORIZED, path
    answer = keyed.up.post("/v1/models/m/predict", {"x": 1.0}, **keyed.headers())
    assert answer.is_success


@pytest.mark.parametrize("path", ["/health", "/ready", "/login"])
def test_whether_it_runs_is_told_to_all(keyed: Keyed, path: str) -> None:
    """To those who watch it, and to those who log in."""
    assert keyed.up.get(path).is_success


def test_a_browser_is_sent_to_the_login(keyed: Keyed) -> None:
    """And from there to where it wanted to be, with what the login gave it."""
    with patience.client(base_url=keyed.up.url, headers={"accept": "text/html"}) as browser:
        sent = browser.get("/models?q=a b")
        assert sent.headers["location"] == "/login?next=%2Fmodels%3Fq%3Da%2520b" or sent.is_redirect
        page = browser.get("/login?next=/settings").text
        token = page.partition('x-brinery-token": "')[2].partition('"')[0]
        form = {"key": keyed.key, "next": "/settings", "token": token}
        done = browser.post("/login", data=form, headers={"origin": keyed.up.url})
        assert done.headers["location"] == "/settings"
        assert "first" in browser.get("/settings").text


def test_a_wrong_key_takes_its_time(keyed: Keyed) -> None:
    """It waits, however quick the machine is."""
    assert keyed.up.get("/metrics").status_code == httpx.codes.UNAUTHORIZED
    began = time.monotonic()
    answer = keyed.up.get("/metrics", authorization="Bearer no-such-key")
    assert answer.json()["code"] == "wrong-key"
    assert time.monotonic() - began >= 0.5


def test_our_own_client_takes_a_key(keyed: Keyed) -> None:
    """It is an argument; without it the refusal says so."""
    with brinery.Client(keyed.up.url, model="m", key=keyed.key) as client:
        assert client.predict({"x": 2.0}).version == 1
    with brinery.Client(keyed.up.url, model="m") as client, pytest.raises(RequestRefused):
        client.predict({"x": 2.0})


def test_a_key_that_is_deleted_is_refused_soon(keyed: Keyed) -> None:
    """And one that is made is taken, by the server that runs."""
    _, key = create_key("second", workspace=keyed.up.workspace)
    second = {"authorization": f"Bearer {key}"}
    keyed.up.until(lambda: keyed.up.get("/metrics", **second).is_success)
    delete_key("second", workspace=keyed.up.workspace)
    keyed.up.until(lambda: not keyed.up.get("/metrics", **second).is_success)


def test_a_program_elsewhere_with_a_key_may_promote(keyed: Keyed) -> None:
    """A key says who it is, wherever it runs; the command prints one, this once."""
    command = [str(BRINERY), "--workspace", str(keyed.up.workspace), "key"]
    made = subprocess.run(
        [*command, "create", "--name", "ci", "--format", "quiet"],
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    listed = subprocess.run(
        [*command, "list"], env=_environment(), capture_output=True, text=True, check=True
    ).stdout
    assert "ci" in listed
    assert made not in listed
    headers = {"authorization": f"Bearer {made}"}
    keyed.up.until(lambda: keyed.up.get("/metrics", **headers).is_success)
    answer = keyed.up.post(
        "/api/v1/models/m/promote", {"version": 1, "alias": "challenger"}, **headers
    )
    assert answer.is_success, answer.text
