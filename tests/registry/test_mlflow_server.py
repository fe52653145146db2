"""MLflow's own server: told where things are as its own command tells it, and what clients see."""

from __future__ import annotations

import ast
import asyncio
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from brinery.registry import mlflow_server
from brinery.registry.mlflow_server import Locations, Message

ROOT = "file:///home/a%20b/.brinery/artifacts"


def source(*path: str) -> ast.Module:
    """Return a module of MLflow, parsed: importing its server takes seconds."""
    spec = find_spec("mlflow")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return ast.parse(Path(spec.submodule_search_locations[0], *path).read_text())


def test_the_variables_are_those_of_mlflow() -> None:
    """What its own command tells its workers by; the minor of MLflow is pinned for it."""
    there = {
        node.targets[0].id: node.value.value
        for node in source("server", "constants.py").body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    assert there["BACKEND_STORE_URI_ENV_VAR"] == mlflow_server.STORE_VARIABLE
    assert there["ARTIFACT_ROOT_ENV_VAR"] == mlflow_server.ROOT_VARIABLE
    assert there["ARTIFACTS_DESTINATION_ENV_VAR"] == mlflow_server.DESTINATION_VARIABLE
    assert there["SERVE_ARTIFACTS_ENV_VAR"] == mlflow_server.PROXY_VARIABLE


def test_the_application_is_where_it_was() -> None:
    """`mlflow.server.fastapi_app` makes `app` as its last act."""
    last = source("server", "fastapi_app.py").body[-1]
    assert isinstance(last, ast.Assign)
    assert ast.unparse(last.targets[0]) == "app"


class Echo:
    """An application that answers what it is told, in parts."""

    def __init__(self, media_type: bytes = b"application/json") -> None:
        self._headers = [(b"content-type", media_type), (b"content-length", b"7")]
        self.told = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        del scope
        message = await receive()
        self.told = message["body"]
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        half = len(self.told) // 2
        await send({"type": "http.response.body", "body": self.told[:half], "more_body": True})
        await send({"type": "http.response.body", "body": self.told[half:], "more_body": False})


def asked(app: Echo, body: bytes, *, path: str = "/api/2.0/mlflow/runs/get") -> bytes:
    """Return what a client is told when it says something."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [(b"content-type", b"application/json")]}
    asyncio.run(Locations(app, root=ROOT)(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in sent)
    stated = dict(sent[0]["headers"])[b"content-length"]
    assert len(sent) == 3 or int(stated) == len(content)
    return content


@pytest.mark.parametrize("key", ["artifact_uri", "artifact_location", "source", "artifactUri"])
def test_places_are_told_apart_for_the_store_and_for_clients(key: str) -> None:
    """The store has the folder, and the client the server, in whatever the place is said."""
    app = Echo()
    said = f'{{"run": {{"{key}": "mlflow-artifacts:/0/m-1/artifacts"}}}}'.encode()
    assert asked(app, said) == said
    assert app.told == f'{{"run": {{"{key}": "{ROOT}/0/m-1/artifacts"}}}}'.encode()


@pytest.mark.parametrize(
    "said",
    [
        b'{"artifact_uri": "s3://other/1"}',
        b'{"artifact_uri": "mlflow-artifacts://elsewhere:5000/1"}',
        b'{"value": "mlflow-artifacts:/0"}',
        b'{"key": "artifact_uri", "value": "x"}',
        b"",
        b"not json",
    ],
)
def test_other_texts_stay(said: bytes) -> None:
    """Places elsewhere, and what only looks like one."""
    app = Echo()
    assert asked(app, said) == said
    assert app.told == said


def test_artifacts_are_not_looked_into() -> None:
    """Their content goes as it came, whatever it says."""
    app = Echo()
    said = b'{"artifact_uri": "mlflow-artifacts:/0"}'
    assert asked(app, said, path="/api/2.0/mlflow-artifacts/artifacts/a.json") == said
    assert app.told == said


def test_what_is_no_document_goes_on_in_parts() -> None:
    """A page, or a file, is not held until it is whole."""
    app = Echo(b"text/html")
    said = f'{{"artifact_uri": "{ROOT}/0"}}'.encode()
    assert asked(app, said) == said
