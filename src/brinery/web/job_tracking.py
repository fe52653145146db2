"""The process behind a job that logs: MLflow's own server, told of each run before it is asked."""

from __future__ import annotations

import logging
import sys
from typing import Final

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from brinery.actions.companion import Task, mlflow_application, with_managed_folders
from brinery.actions.rooms import open_rooms
from brinery.errors import BrineryError
from brinery.records.ready import decoded
from brinery.records.tracked_run import RUNS_PATH, TrackedRun
from brinery.registry.mlflow_runs import MlflowRuns
from brinery.web.parent import end_with_parent
from brinery.web.socket_server import answer

_KEPT_S: Final = 600
_DRAIN_S: Final = 2


def main() -> None:
    """Answer until told to end."""
    task = decoded(sys.stdin.buffer.readline(), Task)
    end_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        rooms = open_rooms(task.workspace, store=task.store, artifacts=task.artifacts)
        rooms.workspace.prepare()
        application = with_managed_folders(rooms, mlflow_application(rooms))
    except BrineryError as error:
        sys.exit(error.message)
    answer(
        _Application(rooms.runs(), application),
        socket=task.socket,
        kept_s=_KEPT_S,
        drain_s=_DRAIN_S,
    )


class _Application:
    """The path that runs are told at, and MLflow's.

    Args:
        runs: of jobs.
        mlflow: its application.
    """

    def __init__(self, runs: MlflowRuns, mlflow: ASGIApp) -> None:
        self._runs = runs
        self._mlflow = mlflow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope.get("path") != RUNS_PATH:
            await self._mlflow(scope, receive, send)
            return
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        status, said = 200, b"{}"
        try:
            self._runs.tell(decoded(b"".join(parts), list[TrackedRun]))
        except (BrineryError, msgspec.MsgspecError) as error:
            status, said = 400, str(error).encode()
        headers = [(b"content-length", str(len(said)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said})


if __name__ == "__main__":
    main()
