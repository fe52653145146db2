"""Up: MLflow's server and registry, our REST API and every model's endpoint, on one port."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from socket import gethostname
from typing import TypedDict, Unpack

import msgspec
from msgspec.structs import replace

from brinery.actions import keys
from brinery.actions.companion import Task
from brinery.actions.rooms import Folder, open_rooms
from brinery.actions.roster import Roster
from brinery.serve import server
from brinery.serve.companion import Companion, Keeper
from brinery.serve.manifest import Manifest
from brinery.specs import loop

# A front door of its own, which reads a `Task` as a line of JSON: the two meet as processes.
_COMPANION = (sys.executable, "-m", "brinery.web")
_KEYS_S = 2.0


class UpOptions(TypedDict, total=False):
    """How the server runs; what is not given is in the settings.

    Attributes:
        host: address to listen on.
        port: port to listen on.
        allowed_hosts: names that it is asked under, beside addresses and `localhost`.
        store: database of the models and records.
        artifacts: bucket or folder of the models' files.
        loops: each a loop.yml, whose turns are begun when they are due.
        key_file: with a key on each line, of which whoever asks must give one.
        workspace: its folder; the nearest upwards when it is not given.
    """

    host: str | None
    port: int | None
    allowed_hosts: Sequence[str]
    store: str | None
    artifacts: str | None
    loops: Sequence[Folder]
    key_file: Folder | None
    workspace: Folder | None


def up(
    *, on_start: Callable[[Manifest, str], None] | None = None, **options: Unpack[UpOptions]
) -> None:
    """Serve everything of a workspace on one port until the process is told to end.

    Args:
        on_start: called with what is served and the URL when the port is open.
        options: `host`, `port`, `allowed_hosts`, `store`, `artifacts`, `loops`, `key_file` and
            `workspace`, as `brinery up` has them.

    Raises:
        AddressInUse: another program listens there.
        SettingsError: the workspace or the access log cannot be written, or other machines reach
            the address and there is no key.
        InvalidLoop: a loop is wrong.
    """
    store, artifacts = options.get("store"), options.get("artifacts")
    rooms = open_rooms(options.get("workspace"), store=store, artifacts=artifacts)
    settings = rooms.settings
    host, port = options.get("host") or settings.up.host, options.get("port") or settings.up.port
    key_file = _absolute(options.get("key_file") or settings.up.key_file)
    keys.check_host(host, keys.asked_for(rooms, host, key_file=key_file))
    loops = [loop.read(Path(path).resolve()) for path in options.get("loops", ())]
    server.check_address(host, port)
    rooms.workspace.prepare()
    roster = _Guarded(
        Roster(rooms, [], every=True, may_be_none=True),
        lambda: keys.asked_for(rooms, host, key_file=key_file),
    )
    manifest = roster.first()
    named = options.get("allowed_hosts") or settings.up.allowed_hosts.split(",")
    url = server.url(host, port)
    with tempfile.TemporaryDirectory(prefix="brinery-up-", ignore_cleanup_errors=True) as folder:
        socket = str(Path(folder, "companion"))
        task = Task(
            workspace=str(rooms.workspace.root),
            socket=socket,
            store=store,
            artifacts=artifacts,
            loops=tuple(str(one.file) for one in loops),
            front=server.own_url(host, port),
            key_file=key_file,
        )
        with Keeper(_COMPANION, told=msgspec.json.encode(task) + b"\n") as keeper:
            server.serve(
                manifest,
                host=host,
                port=port,
                workers=settings.serve.workers,
                log=settings.serve.access_log or None,
                course=server.Course(
                    on_start=lambda: on_start(manifest, url) if on_start else None,
                    changed=roster.changed,
                    on_stop=keeper.wind_down,
                ),
                companion=Companion(
                    socket=socket,
                    hosts=(host, gethostname(), *named),
                    secret=keys.page_secret(rooms).hex(),
                ),
            )


class _Guarded:
    """A roster, and the keys that are asked for: looked up every two seconds.

    Args:
        roster: says what is to be served.
        asked_for: returns the digests of the keys; None where none is asked for.
    """

    def __init__(self, roster: Roster, asked_for: Callable[[], tuple[str, ...] | None]) -> None:
        self._roster = roster
        self._asked_for = asked_for
        self._keys: tuple[str, ...] | None = None
        self._last = Manifest(targets=(), offers=(), max_body_bytes=0)
        self._looked_at = time.monotonic()

    def first(self) -> Manifest:
        """Return what is to be served when the server starts."""
        self._keys = self._asked_for()
        self._last = replace(self._roster.first(), keys=self._keys)
        return self._last

    def changed(self) -> Manifest | None:
        """Return what is to be served now, where that, or a key, is another than before."""
        found = self._roster.changed()
        before = self._keys
        if time.monotonic() - self._looked_at >= _KEYS_S:
            self._keys = self._asked_for()
            self._looked_at = time.monotonic()
        if found is None and self._keys == before:
            return None
        self._last = replace(found or self._last, keys=self._keys)
        return self._last


def _absolute(path: Folder) -> str:
    return str(Path(path).resolve()) if path else ""
