"""The process behind the `dataiku` of a script: one question, one answer, over a Unix socket."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from brinery.actions.gateway import Answer, GatewayTask, Office, answer, prepare
from brinery.records.ready import decoded, make_ready
from brinery.web import socket_server
from brinery.web.parent import end_with_parent

_KEPT_S: Final = 5
_DRAIN_S: Final = 2
_OK: Final = 200
_BAD: Final = 400
_FAULT: Final = 500


class Question(Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        method: `noun.verb`.
        arguments: of the method.
    """

    method: str
    arguments: dict[str, Any] = {}


def main() -> None:
    """Answer until told to end."""
    task = decoded(sys.stdin.buffer.readline(), GatewayTask)
    end_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    office = Office(task)
    make_ready()
    # The script imports its libraries meanwhile.
    threading.Thread(target=prepare, args=(office,), name="prepare", daemon=True).start()
    application = _Application(task, office)
    socket_server.answer(application, socket=task.fd, kept_s=_KEPT_S, drain_s=_DRAIN_S)


class _Application:
    """Answers each question in a thread of its own.

    Args:
        task: whose gateway it is.
        office: what the questions have in common.
    """

    def __init__(self, task: GatewayTask, office: Office) -> None:
        self._task = task
        self._office = office

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        parts, more = [], scope["type"] == "http"
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        status, said = await asyncio.to_thread(self._answer, b"".join(parts))
        content = msgspec.json.encode(said)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, body: bytes) -> tuple[int, Answer]:
        try:
            asked = decoded(body, Question)
        except msgspec.MsgspecError as error:
            return _BAD, Answer(error={"kind": "ValueError", "message": str(error)})
        try:
            found = answer(self._office, asked.method, arguments=asked.arguments)
        except Exception as error:  # the script is told; the log of the job has where it was
            logging.getLogger(__name__).exception("%s failed", asked.method)
            said = f"{asked.method}: {type(error).__name__}: {error}"
            return _FAULT, Answer(error={"kind": "Exception", "message": said})
        self._record(found)
        return (_BAD if found.error else _OK), found

    def _record(self, found: Answer) -> None:
        """Append what the user is told to the file that the job reads at its end."""
        if found.notes and self._task.notes:
            with Path(self._task.notes).open("ab") as stream:
                stream.write(b"".join(msgspec.json.encode(note) + b"\n" for note in found.notes))


if __name__ == "__main__":
    main()
