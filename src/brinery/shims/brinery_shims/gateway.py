"""The gateway, as a script's process asks it: one call, one answer, over a Unix socket."""

from __future__ import annotations

import json
import socket
from typing import Any

from brinery_shims import notes, setup
from brinery_shims.errors import NoGateway, raised

_OK = 200


def wake() -> None:
    """Have the gateway begin while the script imports what it needs; it is not waited for.

    Nothing is done where there is none: who asks is told so.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(setup.told()["gateway"])
    except (OSError, NoGateway):
        return


def call(method: str, **arguments: Any) -> Any:
    """Return what the gateway answers.

    What it has to tell the user beside the answer is printed, a line each.

    Args:
        method: `noun.verb`, such as `datasets.location`.
        arguments: JSON-able.

    Raises:
        DataikuException: what was asked for is not there, or cannot be.
        NoGateway: nobody is there to be asked.
        TypeError: as the genuine client raises it; likewise ValueError and NotImplementedError.
    """
    for step, message in notes.waiting():
        _ask({"method": "notes.told", "arguments": {"step": step, "message": message}})
    status, answer = _ask({"method": method, "arguments": arguments})
    for note in answer.get("notes", ()):
        notes.tell(note["step"], note["message"], known=True)
    if status != _OK:
        raise raised(answer["error"])
    return answer.get("answer")


def _ask(question: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    # A script that asks nothing does without it: it takes longer than all the rest of us.
    from http.client import HTTPConnection, HTTPException

    place = setup.told()["gateway"]
    connection = HTTPConnection("localhost")
    try:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(place)
        content = json.dumps(question).encode()
        connection.request("POST", "/", content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        raise NoGateway(
            f"Brinery's gateway does not answer at {place} "
            f"({error or type(error).__name__}): the brinery run that this belongs to is over"
        ) from None
    finally:
        connection.close()
    return answer.status, told
