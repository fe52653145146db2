"""MLflow's server where managed folders hold what is logged: experiments get their place in one.

A client that is told the address of the server with `/managed-folders/ID` behind it talks to the
same server, and each experiment that it makes without saying where lies in that folder, at its name
with `_` for all that is no letter or digit. MLflow 3 keeps models beside runs; where the folder is
on this machine, they are also at the place in the run where MLflow 2 had them: the same files, by
hard links.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from brinery.errors import BrineryError
from brinery.registry.mlflow_server import Asgi, Given, Receive, Send, Told, sized, whole

PREFIX: Final = "/managed-folders/"
_CREATE: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/experiments/create")
_MODEL: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/logged-models/[^/]+")
_READY: Final = ("LOGGED_MODEL_READY", "READY")

# Id of a folder to the URI that its paths begin with.
Places = Callable[[str], str]


class ManagedFolders:
    """MLflow's application under an address for each managed folder, too.

    Args:
        app: of MLflow.
        place: finds the URI of a folder; raises `BrineryError` where there is none.
    """

    def __init__(self, app: Asgi, place: Places) -> None:
        self._app = app
        self._place = place

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        if not path.startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        folder, slash, rest = path.removeprefix(PREFIX).partition("/")
        path = slash + rest
        scope = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
        if _CREATE.fullmatch(path) and scope["method"] == "POST":
            content = await whole(receive)
            try:
                content = _placed(content, unquote(folder), self._place)
            except BrineryError as error:
                await _refuse(send, error)
                return
            receive = Given(content, receive)
            scope["headers"] = sized(scope["headers"], len(content))
        elif _MODEL.fullmatch(path) and scope["method"] == "PATCH":
            send = Told(send, _linked).send
        await self._app(scope, receive, send)


def place_of(uri: str, experiment: str) -> str:
    """Return where an experiment lies in a folder.

    Args:
        uri: of the folder.
        experiment: its name.
    """
    return f"{uri.rstrip('/')}/{re.sub(r'[^0-9A-Za-z_]', '_', experiment)}"


def _placed(content: bytes, folder: str, place: Places) -> bytes:
    """Return what is asked of MLflow, with a place where none was asked for."""
    try:
        asked = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return content
    if not asked.get("artifact_location") and isinstance(asked.get("name"), str):
        asked["artifact_location"] = place_of(place(folder), asked["name"])
    return msgspec.json.encode(asked)


def _linked(content: bytes) -> bytes:
    """Have a model that is ready found in its run, too; what MLflow answers is left as it is."""
    with suppress(msgspec.MsgspecError, KeyError, TypeError, OSError):
        info = msgspec.json.decode(content)["model"]["info"]
        if info.get("status") in _READY and info.get("source_run_id"):
            _link(info["artifact_uri"], run=info["source_run_id"], name=info["name"])
    return content


def _link(uri: str, *, run: str, name: str) -> None:
    """Put the files of a model at the place in its run, where both are folders of this machine."""
    parts = urlsplit(uri)
    source = Path(unquote(parts.path))
    if parts.scheme != "file" or source.parts[-3:-2] != ("models",) or "/" in name:
        return
    target = source.parents[2] / run / "artifacts" / name
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, part, copy_function=_same_file)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)


def _same_file(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


async def _refuse(send: Send, error: BrineryError) -> None:
    said = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": error.message}
    content = msgspec.json.encode(said)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": content})
