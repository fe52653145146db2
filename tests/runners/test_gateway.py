"""The gateway's socket: nothing runs before somebody asks, and whoever asks is answered."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from brinery.runners.gateway import Gateway

# Answers each question with how often this process was asked, and ends where it is told to.
SERVER = """
import json, os, socket, sys
told = json.loads(sys.stdin.readline())
if told["fails"]:
    sys.exit("there is no such workspace")
listener = socket.socket(fileno=told["fd"])
open(told["notes"], "a").write(json.dumps({"step": "a", "message": "b"}) + "\\n")
asked = 0
while True:
    client, _ = listener.accept()
    asked += 1
    text = b""
    while not text.endswith(b"{}"):
        text += client.recv(65536)
    body = json.dumps({"pid": os.getpid(), "asked": asked}).encode()
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    client.close()
"""


def opened(*, fails: bool = False) -> Gateway:
    """A gateway whose server counts, or fails to start."""
    told = json.dumps({"fd": "{fd}", "notes": "{notes}", "fails": fails})
    return Gateway([sys.executable, "-c", SERVER], told=told)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that counts."""
    with opened() as made:
        yield made


def asked(place: str) -> tuple[int, Any]:
    """The status and the document of an answer."""
    connection = HTTPConnection("localhost", timeout=240)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection.sock:
        connection.sock.connect(place)
        connection.request("POST", "/", b"{}")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_nothing_runs_before_somebody_asks(gateway: Gateway) -> None:
    """The first question starts the process, which answers it and all that follow."""
    assert not gateway.asked
    assert asked(gateway.place)[1]["asked"] == 1
    assert gateway.asked
    assert asked(gateway.place)[1]["asked"] == 2


def test_a_process_that_was_killed_is_begun_again(gateway: Gateway) -> None:
    """Who asks after it was killed is answered by another."""
    first = asked(gateway.place)[1]["pid"]
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 240
    while (now := answering(gateway.place)) is None:
        assert time.monotonic() < end
    assert now != first


def answering(place: str) -> int | None:
    """The process that answers; None where it ended in that moment, which who asks is told."""
    try:
        told = asked(place)[1]
    except (ConnectionError, HTTPException):
        return None
    found: int | None = told.get("pid")
    return found


def test_why_it_does_not_start_is_told() -> None:
    """Who asks is told the last line of what the process said."""
    with opened(fails=True) as made:
        status, told = asked(made.place)
        assert status == 500
        assert told["error"]["message"].endswith("ended: there is no such workspace")


def test_it_is_told_to_who_is_slow_to_ask() -> None:
    """The answer waits for the end of the question: nobody is left with a broken pipe."""
    with opened(fails=True) as made, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(made.place)
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
        client.settimeout(240)
        said = client.recv(65536)
        client.sendall(b"{}")
        assert b"there is no such workspace" in said


def test_nothing_is_left() -> None:
    """The process and the folder are gone; what users were told is known."""
    with opened() as made:
        pid = asked(made.place)[1]["pid"]
        place = Path(made.place)
    assert not place.parent.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert made.noted == [{"step": "a", "message": "b"}]
    with opened() as made:
        pass
    assert made.noted == []
