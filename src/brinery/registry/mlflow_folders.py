"""MLflow's server where managed folders hold what is logged: experiments get their place in one.

A client that is told the address of the server with `/managed-folders/PROJECT.ID` behind it talks
to the same server, and each experiment that it makes without saying where lies in that folder, at
its name with `_` for all that is no letter or digit. Experiments of another project than the
workspace's own are called `PROJECT/name` in MLflow, and `name` for such a client. MLflow 3 keeps
models beside runs; where the folder is on this machine, they are also at the place in the run where
MLflow 2 had them: the same files, by hard links.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec

from brinery.errors import BrineryError
from brinery.registry.mlflow_client import NO_IMPORT
from brinery.registry.mlflow_server import Asgi, Given, Receive, Send, Told, sized, whole

PREFIX: Final = "/managed-folders/"
_CREATE: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/experiments/create")
_BY_NAME: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/experiments/get-by-name")
_RENAME: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/experiments/update")
_ABOUT: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/experiments/(?:get|get-by-name|search)")
_RUNS: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/runs/search")
_MODEL: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/logged-models/[^/]+")
_READY: Final = ("LOGGED_MODEL_READY", "READY")

# Id of a folder to the URI that its paths begin with.
Places = Callable[[str], str]


class ManagedFolders:
    """MLflow's application under an address for each managed folder, too.

    Args:
        app: of MLflow.
        place: finds the URI of a folder; raises `BrineryError` where there is none.
        own: finds the key of the workspace's own project.
    """

    def __init__(self, app: Asgi, place: Places, *, own: Callable[[], str] = str) -> None:
        self._app = app
        self._place = place
        self._own = own

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        if not path.startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        folder, slash, rest = path.removeprefix(PREFIX).partition("/")
        path = slash + rest
        scope = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
        mark = self._mark(unquote(folder)) if "/experiments/" in path else ""
        if (_CREATE.fullmatch(path) or (mark and _RENAME.fullmatch(path))) and (
            scope["method"] == "POST"
        ):
            content = await whole(receive)
            try:
                content = _placed(content, unquote(folder), self._place, mark=mark)
            except BrineryError as error:
                await _refuse(send, error)
                return
            receive = Given(content, receive)
            scope["headers"] = sized(scope["headers"], len(content))
        elif mark and _ABOUT.fullmatch(path):
            if _BY_NAME.fullmatch(path):
                scope["query_string"] = _marked(scope["query_string"], mark)
            send = Told(send, lambda content: _unmarked(content, mark)).send
        elif _RUNS.fullmatch(path) and scope["method"] == "POST":
            content = _filtered(await whole(receive))
            receive = Given(content, receive)
            scope["headers"] = sized(scope["headers"], len(content))
        elif _MODEL.fullmatch(path) and scope["method"] == "PATCH":
            send = Told(send, _linked).send
        await self._app(scope, receive, send)

    def _mark(self, folder: str) -> str:
        """Return what the names of a folder's experiments begin with in MLflow."""
        project, dot, _ = folder.partition(".")
        return f"{project}/" if dot and project != self._own() else ""


def place_of(uri: str, experiment: str) -> str:
    """Return where an experiment lies in a folder.

    Args:
        uri: of the folder.
        experiment: its name.
    """
    return f"{uri.rstrip('/')}/{re.sub(r'[^0-9A-Za-z_]', '_', experiment)}"


def _placed(content: bytes, folder: str, place: Places, *, mark: str) -> bytes:
    """Return what is asked of MLflow, with the mark, and a place where none was asked for."""
    try:
        asked = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return content
    if isinstance(asked.get("name"), str):
        asked["artifact_location"] = asked.get("artifact_location") or place_of(
            place(folder), asked["name"]
        )
    for name in ("name", "new_name"):
        if isinstance(asked.get(name), str):
            asked[name] = mark + asked[name]
    return msgspec.json.encode(asked)


def _filtered(content: bytes) -> bytes:
    """Return what runs are asked for, without Brinery's own."""
    try:
        asked = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return content
    asked["filter"] = without_imports(asked.get("filter"))
    return msgspec.json.encode(asked)


def without_imports(filters: object) -> str:
    """Return a filter in MLflow's language that leaves out runs of imports, too."""
    said = str(filters or "").strip()
    return f"{said} AND {NO_IMPORT}" if said else NO_IMPORT


def _marked(query: bytes, mark: str) -> bytes:
    """Return a question with the mark before the name that is asked for."""
    pairs = parse_qsl(query.decode(), keep_blank_values=True)
    named = [(key, mark + value if key == "experiment_name" else value) for key, value in pairs]
    return urlencode(named).encode()


def _unmarked(content: bytes, mark: str) -> bytes:
    """Return what MLflow answers without the mark; what is no such answer is left as it is."""
    with suppress(msgspec.MsgspecError, KeyError, TypeError):
        told = msgspec.json.decode(content, type=dict[str, Any])
        for one in (told.get("experiment"), *(told.get("experiments") or ())):
            if one is not None:
                one["name"] = one["name"].removeprefix(mark)
        return msgspec.json.encode(told)
    return content


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
