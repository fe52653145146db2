"""MLflow's own server: its ASGI application on a store, for a process that does nothing else.

The store holds where things really lie. Clients, who may be on other machines, are told
`mlflow-artifacts:/…` instead and send what they have through the server; what they say is written
down as what it means. So a program on the store needs no server, and a client no access to files.

Source: mlflow/server/fastapi_app.py and constants.py of MLflow 3.17.
"""

from __future__ import annotations

import os
import re
import uuid
import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

PROXIED = "mlflow-artifacts:/"

# What `mlflow server` tells its workers by; private to it, hence the minor that is pinned.
STORE_VARIABLE = "_MLFLOW_SERVER_FILE_STORE"
ROOT_VARIABLE = "_MLFLOW_SERVER_ARTIFACT_ROOT"
DESTINATION_VARIABLE = "_MLFLOW_SERVER_ARTIFACT_DESTINATION"
PROXY_VARIABLE = "_MLFLOW_SERVER_SERVE_ARTIFACTS"
_BOOT_VARIABLE = "_MLFLOW_SERVER_BOOT_ID"

_JSON = b"application/json"
# Of the parts of MLflow's documents that say where something lies.
_KEYS = (
    rb'"(?:artifact_uri|artifact_location|source|root_uri|artifactUri|artifactLocation|rootUri)"'
)
_ARTIFACTS = "mlflow-artifacts/"


def application(uri: str, *, root: str) -> Asgi:
    """Return MLflow's application; importing it takes seconds.

    Args:
        uri: of the store, whose database is there.
        root: URI under which all artifacts lie, without a slash at its end.
    """
    os.environ.update(
        {
            STORE_VARIABLE: uri,
            ROOT_VARIABLE: root,
            DESTINATION_VARIABLE: root,
            PROXY_VARIABLE: "true",
            _BOOT_VARIABLE: uuid.uuid4().hex,
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            # Who may ask is decided before this process is asked, and more strictly.
            "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
        }
    )
    with warnings.catch_warnings():
        # Starlette is about to drop a module; importing MLflow brings the warning back.
        warnings.simplefilter("ignore")
        import starlette.middleware.wsgi  # noqa: F401
        from mlflow.server.fastapi_app import app

    return Locations(app, root=root)


class Locations:
    """An application whose documents say `mlflow-artifacts:/` for the place of the artifacts.

    Args:
        app: the application that knows the place.
        root: URI of the place, without a slash at its end.
    """

    def __init__(self, app: Asgi, *, root: str) -> None:
        self._app = app
        self._root = root.encode()
        proxied = PROXIED.encode()
        self._said = re.compile(rb"(" + _KEYS + rb"\s*:\s*\")" + re.escape(proxied) + rb"(?!/)")
        self._meant = re.compile(rb"(" + _KEYS + rb"\s*:\s*\")" + re.escape(self._root) + rb"/")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or _ARTIFACTS in scope["path"]:
            await self._app(scope, receive, send)
            return
        if _is_json(scope["headers"]):
            content = self._said.sub(rb"\g<1>" + _literal(self._root) + b"/", await whole(receive))
            receive = Given(content, receive)
            scope = {**scope, "headers": sized(scope["headers"], len(content))}
        await self._app(scope, receive, Told(send, self._told).send)

    def _told(self, content: bytes) -> bytes:
        return self._meant.sub(rb"\g<1>" + _literal(PROXIED.encode()), content)


class Given:
    """A request whose body is known."""

    def __init__(self, content: bytes, receive: Receive) -> None:
        self._content: bytes | None = content
        self._receive = receive

    async def __call__(self) -> Message:
        """Return the body, and then what else comes."""
        if self._content is None:
            return await self._receive()
        content, self._content = self._content, None
        return {"type": "http.request", "body": content, "more_body": False}


class Told:
    """A response whose document is held until it is whole; any other goes on as it comes."""

    def __init__(self, send: Send, told: Callable[[bytes], bytes]) -> None:
        self._send = send
        self._told = told
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Send a message on, when it is time."""
        if message["type"] == "http.response.start" and _is_json(message["headers"]):
            self._start = message
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        content = self._told(b"".join(self._parts))
        headers = sized(self._start["headers"], len(content))
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": content, "more_body": False})


def _is_json(headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether a body is a document, and not compressed."""
    found = {name.lower(): value for name, value in headers}
    return found.get(b"content-type", b"").startswith(_JSON) and b"content-encoding" not in found


def sized(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """Return headers with the length of a body that was changed."""
    kept = [
        (n, v) for n, v in headers if n.lower() not in (b"content-length", b"transfer-encoding")
    ]
    return [*kept, (b"content-length", str(length).encode())]


def _literal(text: bytes) -> bytes:
    """Return a text as it stands in the replacement of a pattern."""
    return text.replace(b"\\", rb"\\")


async def whole(receive: Receive) -> bytes:
    """Return the body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
