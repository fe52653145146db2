"""MLflow's server where managed folders hold what is logged: experiments get their place in one.

A client that is told the address of the server with `/managed-folders/PROJECT.ID` behind it talks
to the same server, and each experiment that it makes without saying where lies in that folder, at
its name with `_` for all that is no letter or digit. Experiments of another project than the
workspace's own are called `PROJECT/name` in MLflow, and `name` for such a client; so are those of
the own one, with `PROJECT/scripts/`, whose name Brinery's own runs lie under, which the client is
not told of. MLflow 3 keeps models beside runs; where the folder is on this machine, they are also
at the place in the run where MLflow 2 had them: the same files, by hard links.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec

from brinery.errors import BrineryError
from brinery.registry.mlflow_client import NO_IMPORT
from brinery.registry.mlflow_server import (
    PROXIED,
    Asgi,
    Given,
    Message,
    Receive,
    Send,
    Told,
    sized,
    whole,
)

PREFIX: Final = "/managed-folders/"
_BY_NAME: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/experiments/get-by-name")
_ABOUT: Final = re.compile(
    r"/(?:ajax-)?api/2\.0/mlflow/experiments/(?:create|update|get|get-by-name|search)"
)
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
        keys: finds the keys of the projects, that of the workspace's own first.
    """

    def __init__(
        self, app: Asgi, place: Places, *, keys: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self._app = app
        self._place = place
        self._keys = keys

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        if not path.startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        folder, slash, rest = path.removeprefix(PREFIX).partition("/")
        path = slash + rest
        scope = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
        if _ABOUT.fullmatch(path):
            await self._ask(scope, receive, send, folder=unquote(folder))
            return
        if _RUNS.fullmatch(path) and scope["method"] == "POST":
            content = _filtered(await whole(receive))
            receive = Given(content, receive)
            scope["headers"] = sized(scope["headers"], len(content))
        elif _MODEL.fullmatch(path) and scope["method"] == "PATCH":
            send = Told(send, _linked).send
        await self._app(scope, receive, send)

    async def _ask(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, *, folder: str
    ) -> None:
        """Answer what is asked of experiments, under the names that scripts gave them."""
        project, dot, _ = folder.partition(".")
        own, *others = self._keys() or ("",)
        names = _Names(project if dot else own, own, tuple(others))
        path = scope["path"]
        if scope["method"] == "POST" and not path.endswith("/search"):
            content = await whole(receive)
            try:
                content = await self._placed(content, scope, folder=folder, names=names)
            except BrineryError as error:
                await _refuse(send, error)
                return
            receive = Given(content, receive)
            scope["headers"] = sized(scope["headers"], len(content))
        elif _BY_NAME.fullmatch(path):
            pairs = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
            asked = [
                (key, await self._named(value, scope, names) if key == "experiment_name" else value)
                for key, value in pairs
            ]
            scope["query_string"] = urlencode(asked).encode()
        await self._app(scope, receive, Told(send, names.told).send)

    async def _placed(
        self, content: bytes, scope: MutableMapping[str, Any], *, folder: str, names: _Names
    ) -> bytes:
        """Return what is asked of MLflow, under its own names, with a place for what is new."""
        try:
            asked = msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.MsgspecError:
            return content
        if isinstance(asked.get("name"), str):
            asked["artifact_location"] = asked.get("artifact_location") or place_of(
                self._place(folder), asked["name"]
            )
        for name in ("name", "new_name"):
            if isinstance(asked.get(name), str):
                asked[name] = await self._named(asked[name], scope, names)
        return msgspec.json.encode(asked)

    async def _named(self, name: str, scope: MutableMapping[str, Any], names: _Names) -> str:
        """Return what an experiment is called in MLflow.

        In the workspace's own project that is its name, unless Brinery's own runs lie under it.
        """
        if names.project != names.own:
            return names.mark + name
        told: list[bytes] = []

        async def nothing() -> Message:
            never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
            return await never

        async def tell(message: Message) -> None:
            told.append(message.get("body", b""))

        path = scope["path"].rpartition("/")[0] + "/get-by-name"
        asked = {
            **scope,
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": urlencode({"experiment_name": name}).encode(),
            "headers": sized(scope["headers"], 0),
        }
        await self._app(asked, Given(b"", nothing), tell)
        with suppress(msgspec.MsgspecError, KeyError, TypeError):
            if _is_ours(msgspec.json.decode(b"".join(told))["experiment"]):
                return names.mark + name
        return name


class _Names(NamedTuple):
    """What the experiments of a project are called in MLflow.

    Attributes:
        project: its key.
        own: that of the workspace's own project.
        others: those of all other projects.
    """

    project: str
    own: str
    others: tuple[str, ...]

    @property
    def mark(self) -> str:
        """Return what stands before a name; in the own project, only where the name is taken."""
        return mark_of(self.project, own=self.own)

    def told(self, content: bytes) -> bytes:
        """Return what MLflow answers under a script's names, without what is not the project's."""
        with suppress(msgspec.MsgspecError, KeyError, TypeError):
            told = msgspec.json.decode(content, type=dict[str, Any])
            if isinstance(told.get("experiments"), list):
                told["experiments"] = [one for one in told["experiments"] if self._shows(one)]
            for one in (told.get("experiment"), *(told.get("experiments") or ())):
                if one is not None:
                    one["name"] = one["name"].removeprefix(self.mark)
            return msgspec.json.encode(told)
        return content

    def _shows(self, one: Mapping[str, Any]) -> bool:
        """Return whether a list of the project's experiments has one."""
        name = one["name"]
        if self.project != self.own:
            return bool(name.startswith(self.mark))
        return not (_is_ours(one) or name.startswith(tuple(f"{key}/" for key in self.others)))


def mark_of(project: str, *, own: str) -> str:
    """Return what stands before the names of a project's experiments in MLflow.

    In the workspace's own project it stands only before names that Brinery's own runs lie under.

    Args:
        project: its key.
        own: that of the workspace's own project.
    """
    return f"{project}/" if project != own else f"{own}/scripts/"


def _is_ours(one: Mapping[str, Any]) -> bool:
    """Return whether an experiment, as clients are told of it, is of Brinery's own runs."""
    return bool(one["artifact_location"] == PROXIED + one["name"])


def place_of(uri: str, experiment: str) -> str:
    """Return where an experiment lies in a folder.

    Args:
        uri: of the folder.
        experiment: its name.
    """
    return f"{uri.rstrip('/')}/{re.sub(r'[^0-9A-Za-z_]', '_', experiment)}"


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
