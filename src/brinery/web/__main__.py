"""The process beside `brinery up`: told what to do on standard input, whose end is its own."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from brinery.actions.companion import Task, mlflow_application
from brinery.actions.keys import page_secret
from brinery.actions.rooms import Rooms, open_rooms
from brinery.actions.scheduled_jobs import ScheduledJobs
from brinery.actions.scheduler import Scheduler
from brinery.actions.stages import Following, Stages
from brinery.errors import BrineryError
from brinery.records.ready import decoded
from brinery.serve.door import inner_key
from brinery.serve.paths import MLFLOW, is_page
from brinery.serve.traffic import Watched, Watching
from brinery.specs.loop import read
from brinery.web import api
from brinery.web.pages import site
from brinery.web.parent import end_with_parent
from brinery.web.socket_server import answer

_log = logging.getLogger("brinery")

# Longer than the other side keeps a connection.
_KEPT_S = 120
_DRAIN_S = 20
_LOOK_S = 2.0


def main() -> None:
    """Answer until told to end."""
    task = decoded(sys.stdin.buffer.readline(), Task)
    rooms = open_rooms(task.workspace, store=task.store, artifacts=task.artifacts)
    live, watched = site.live_of(rooms), Watched()
    end_with_parent(on_word=live.close)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    pages = site.application(rooms, live=live, watched=watched, key_file=task.key_file)
    application = _Application(rooms, pages, mlflow_application(rooms))
    # uvicorn hands the signal on once all is answered; what is below is then to be ended, too.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with (
        Following(Stages(rooms)),
        _due(rooms, task.loops),
        _catching_up(rooms),
        Watching(task.front, watched, headers=_own_key(rooms)),
    ):
        answer(application, socket=task.socket, kept_s=_KEPT_S, drain_s=_DRAIN_S)


@contextmanager
def _due(rooms: Rooms, loops: Sequence[str]) -> Iterator[None]:
    """Begin the turns of loops, and create the jobs of schedules, while the block runs."""
    scheduler = Scheduler(
        rooms,
        [read(Path(path)) for path in loops],
        others=[
            ScheduledJobs(
                rooms.workspace.root,
                on_job=lambda name, job: _log.warning("%s: the job %s was created", name, job),
                on_error=lambda name, error: _log.error("%s: %s", name, error),
            )
        ],
        on_turn=lambda turn: _log.warning("%s: turn %d %s", turn.loop, turn.number, turn.ending),
        on_error=lambda name, error: _log.error("%s: %s", name, error.message),
    )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.stop()


@contextmanager
def _catching_up(rooms: Rooms) -> Iterator[None]:
    """Tell MLflow of the runs of jobs that ended while the block runs."""
    ended = threading.Event()

    def tell() -> None:
        runs = rooms.runs()
        while not ended.wait(_LOOK_S):
            try:
                runs.catch_up()
            except BrineryError as error:
                _log.error("the runs of jobs: %s", error.message)

    thread = threading.Thread(target=tell, name="job runs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_DRAIN_S)


def _own_key(rooms: Rooms) -> dict[str, str]:
    """Return the header that lets this process in where the server in front asks for a key."""
    return {"authorization": f"Bearer {inner_key(page_secret(rooms))}"}


class _Application:
    """Our API, our pages, and what MLflow answers.

    Args:
        rooms: of the workspace.
        pages: for people.
        mlflow: its application.
    """

    def __init__(self, rooms: Rooms, pages: ASGIApp, mlflow: ASGIApp) -> None:
        self._api = api.application(rooms)
        self._pages = pages
        self._mlflow = mlflow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        if path == api.PREFIX or path.startswith(f"{api.PREFIX}/"):
            await self._api(scope, receive, send)
        elif is_page(path):
            await self._pages(scope, receive, send)
        elif path.startswith(f"{MLFLOW}/"):
            await self._mlflow({**scope, **_beneath(scope)}, receive, send)
        else:
            await self._mlflow(scope, receive, send)


def _beneath(scope: Scope) -> Scope:
    """Return the path of a request as MLflow knows it: its page is at the root there."""
    raw = scope.get("raw_path") or b""
    return {
        "path": scope["path"].removeprefix(MLFLOW),
        "raw_path": raw.removeprefix(MLFLOW.encode()),
    }


if __name__ == "__main__":
    main()
