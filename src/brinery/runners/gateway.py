"""A Unix socket that is there at once, and a process behind it once somebody connects.

A script that never asks costs a socket. The process is given the listening socket itself, so that
nothing is passed on: who connected first waits in its queue until the process takes it.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, Self

import msgspec

_BACKLOG: Final = 256
_END_S: Final = 5.0
_ASKED_S: Final = 60.0
_CHUNK: Final = 1 << 16
_STATUS: Final = b"HTTP/1.1 500 Internal Server Error\r\n"


class Gateway:
    """The gateway of one job, or of a notebook, while the block runs.

    Args:
        program: what becomes the server, and its arguments. It ends when its standard input does.
        told: the first line that it reads there; `"{fd}"` in it becomes the number of the socket,
            and `{notes}` the path of a file for what it tells users.
    """

    def __init__(self, program: Sequence[str], *, told: str) -> None:
        self._program = list(program)
        self._told = told
        self._folder = ""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._process: subprocess.Popen[bytes] | None = None
        self._closing, self._close = os.pipe()
        self._lock = threading.Lock()
        self._closed = False
        # What users were told, known once the block is left: `step` and `message` of each.
        self.noted: list[dict[str, str]] = []
        self._thread = threading.Thread(target=self._serve, name="gateway", daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._folder = tempfile.mkdtemp(prefix="brinery-")
        self._listener.bind(self.place)
        self._listener.listen(_BACKLOG)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, where there is one, and be gone."""
        with self._lock:
            self._closed = True
            process = self._process
        os.close(self._close)
        if process is not None:
            _end(process)
        self._thread.join()
        os.close(self._closing)
        self._listener.close()
        self.noted = self._notes()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def place(self) -> str:
        """Return the path of the socket."""
        return f"{self._folder}/gateway"

    @property
    def asked(self) -> bool:
        """Return whether anybody has connected."""
        return self._process is not None

    def ask(self, question: bytes) -> bytes:
        """Return what the process answers to a question of ours; JSON both.

        Raises:
            OSError: nobody answers.
        """
        connection = HTTPConnection("localhost", timeout=_ASKED_S)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.sock.settimeout(_ASKED_S)
            connection.sock.connect(self.place)
            connection.request("POST", "/", question, {"Content-Type": "application/json"})
            return connection.getresponse().read()
        except HTTPException as error:
            raise OSError(f"the gateway does not answer: {error}") from error
        finally:
            connection.close()

    def _notes(self) -> list[dict[str, str]]:
        try:
            lines = Path(self._folder, "notes").read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [msgspec.json.decode(line, type=dict[str, str]) for line in lines]

    def _serve(self) -> None:
        """Start the process when somebody connects, and again where it was lost."""
        while True:
            ready, _, _ = select.select([self._listener.fileno(), self._closing], [], [])
            if self._closing in ready:
                return
            with self._lock:
                if self._closed:
                    return
                process = self._process = self._started()
            status = process.wait()
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
            if status and not self._closed:
                self._refuse()

    def _started(self) -> subprocess.Popen[bytes]:
        number = self._listener.fileno()
        with Path(self._folder, "log").open("ab") as log:
            process = subprocess.Popen(
                self._program,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(number,),
                start_new_session=True,
            )
        told = self._told.replace('"{fd}"', str(number))
        told = told.replace("{notes}", f"{self._folder}/notes")
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.write(told.encode() + b"\n")
                process.stdin.flush()
        return process

    def _refuse(self) -> None:
        """Tell those who wait why nobody will answer them."""
        lines = Path(self._folder, "log").read_text(errors="replace").strip().splitlines()
        said = f"Brinery's gateway ended: {lines[-1] if lines else 'it said nothing'}"
        content = msgspec.json.encode({"error": {"kind": "Exception", "message": said}})
        head = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(content)
        while select.select([self._listener], [], [], 0)[0]:
            client, _ = self._listener.accept()
            with client, suppress(OSError):
                client.settimeout(_END_S)
                client.sendall(_STATUS + head + content)
                client.shutdown(socket.SHUT_WR)
                # Who were hung up on before they have asked would be told of a broken pipe instead.
                while client.recv(_CHUNK):
                    pass


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
