"""The image and the compose file say what is true of this repository, as far as no Docker tells."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from tests import patience
from tests.conftest import BRINERY, Bank
from tests.postgres import PASSWORD, Postgres

ROOT = Path(__file__).parent.parent
KEY = "a key of these tests"
COMPOSE = ROOT / "deploy" / "docker-compose.yml"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return found


def _instructions(word: str) -> list[str]:
    """Return what the Dockerfile says with an instruction, in order."""
    return re.findall(rf"^{word} +(.*)$", DOCKERFILE, re.MULTILINE)


def test_the_compose_file_is_valid() -> None:
    """The compose file is what the Compose Specification's schema allows."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(COMPOSE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_server_waits_for_its_database(services: dict[str, Any]) -> None:
    """The server starts once the database answers, and each keeps its state in a volume."""
    assert services["brinery"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert "pg_isready" in services["database"]["healthcheck"]["test"]
    volumes = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["volumes"]
    for service in services.values():
        (volume,) = service["volumes"]
        assert volume.partition(":")[0] in volumes


def test_the_compose_file_says_under_which_names_it_is_asked(services: dict[str, Any]) -> None:
    """The service's own name is allowed as a host, and the port is open on loopback alone."""
    command = services["brinery"]["command"]
    assert "brinery" in command[command.index("--allowed-hosts") + 1].split(",")
    assert all(port.startswith("127.0.0.1:") for port in services["brinery"]["ports"])


def test_a_key_is_asked_for(services: dict[str, Any]) -> None:
    """The server's key is a secret, told when the services are started."""
    told = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["secrets"]
    (name,) = services["brinery"]["secrets"]
    assert told[name] == {"environment": "BRINERY_KEY"}
    assert services["brinery"]["environment"]["BRINERY_UP_KEY_FILE"] == f"/run/secrets/{name}"


def test_no_password_is_written_down(services: dict[str, Any]) -> None:
    """The password is asked for when the services are started."""
    for environ in (services["database"]["environment"], services["brinery"]["environment"]):
        for key, value in environ.items():
            assert not key.endswith("PASSWORD") or value.startswith("${POSTGRES_PASSWORD:?")
    assert urlsplit(services["brinery"]["environment"]["BRINERY_STORE_URI"]).password is None


def test_the_image_runs_as_nobody_special() -> None:
    """The image's last user is not root, and it says how its health is asked for."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER +(.*)$", last, re.MULTILINE) == ["brinery"]
    assert "HEALTHCHECK" in last
    assert last.index("\nUSER ") > last.index("\nRUN useradd ")


def test_the_image_is_made_of_files_that_are_there() -> None:
    """What is copied into the image is in the repository, or comes from a stage before."""
    for said in _instructions("COPY"):
        *sources, _ = said.split()
        if not sources[0].startswith("--from="):
            assert [one for one in sources if not (ROOT / one).exists()] == []


def test_every_package_of_the_image_is_pinned() -> None:
    """Packages are installed by digest alone; each that pyproject.toml asks for is among them."""
    for said in _instructions("RUN"):
        for command in re.split(r"&&", said):
            if "pip install" in command:
                assert "--require-hashes" in command or "--no-deps" in command
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    pinned = (ROOT / "requirements" / "server.txt").read_text(encoding="utf-8")
    for asked in (*project["dependencies"], *extras["postgres"], *extras["s3"]):
        name = re.match(r"[A-Za-z0-9_-]+", asked)
        assert name is not None
        assert re.search(rf"^{name.group()}(\[.*\])?==\S+ ", pinned, re.MULTILINE), asked


def test_the_same_as_for_the_tests_is_pinned() -> None:
    """The image has the versions that the tests ran with."""
    versions = [
        dict(re.findall(r"^([a-z0-9_.-]+)==(\S+)", file.read_text("utf-8"), re.MULTILINE))
        for file in (ROOT / "requirements" / "server.txt", ROOT / "requirements" / "dev.txt")
    ]
    server, dev = versions
    assert {name: dev.get(name) for name in server} == server


@pytest.mark.slow
def test_the_services_run_without_docker(
    services: dict[str, Any], postgres: Postgres, bank: Bank, tmp_path: Path, free_port: int
) -> None:
    """The compose file's own command and variables, on another host and port, give a server."""
    said = services["brinery"]
    uri = urlsplit(said["environment"]["BRINERY_STORE_URI"])
    name = postgres.database().rpartition("/")[2]
    place = uri._replace(netloc=f"{uri.username}@127.0.0.1:{postgres.port}", path=f"/{name}")
    environ = {
        **os.environ,  # noqa: TID251 - what a shell would pass on
        "BRINERY_STORE_URI": place.geturl(),
        "PGPASSWORD": PASSWORD,
        "BRINERY_WORKSPACE": str(tmp_path),
        "BRINERY_UP_KEY_FILE": str(tmp_path / "key"),
    }
    (tmp_path / "key").write_text(KEY)
    allowed = {"authorization": f"Bearer {KEY}"}
    url = f"http://127.0.0.1:{free_port}"
    command = [part.replace("5001", str(free_port)) for part in said["command"]]
    server = subprocess.Popen([str(BRINERY), *command[1:]], env=environ, cwd=tmp_path)
    try:
        _until(lambda: _healthy(free_port), server)
        given = [str(bank.model), "--name", "bank", "--data", str(bank.test), "--target", "y"]
        for asked in (["import", *given], ["promote", "bank@1"]):
            subprocess.run([str(BRINERY), *asked], env=environ, cwd=tmp_path, check=True)
        predict = f"{url}/v1/models/bank/predict"
        _until(
            lambda: patience.post(predict, json=bank.row, headers=allowed).status_code == 200,
            server,
        )
        named = patience.get(f"{url}/v1/models", headers={"host": "brinery:5001", **allowed})
        other = patience.get(f"{url}/v1/models", headers={"host": "evil.example.com", **allowed})
        assert (named.status_code, other.status_code) == (200, 403)
        assert patience.get(f"{url}/v1/models").status_code == httpx.codes.UNAUTHORIZED
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=120)


def _healthy(port: int) -> bool:
    """Return what the image's own check of its health says."""
    (asked,) = re.findall(r"HEALTHCHECK .*CMD (\[.*\])", DOCKERFILE)
    command = json.loads(asked.replace("5001", str(port)))
    done = subprocess.run([sys.executable, *command[1:]], capture_output=True, check=False)
    return done.returncode == 0


def _until(true: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 240
    while not true():
        assert server.poll() is None
        assert time.monotonic() < end
        time.sleep(0.2)
