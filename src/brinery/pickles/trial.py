"""The program that `brinery doctor` runs in a confined process: it tries what must not be possible.

It is told a file that it must not read, a path where it must not write, and the port of a
listener; it answers one frame with what came of each attempt. It reads the standard library only.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from brinery.pickles import confinement
from brinery.pickles.frames import Channel

_MOST_CHARACTERS = 200


def main(arguments: list[str]) -> None:
    """Wait for the one question, try everything, and answer."""
    reading, writing, secret, target, port = arguments
    channel = Channel(int(reading), int(writing))
    channel.receive()
    confinement.close_in()
    here = ("127.0.0.1", int(port))
    more = int(confinement.memory_gb() * 1.5e9)
    trials = [
        _trial("filesystem", "read a file of yours", lambda: _read(secret)),
        _trial("filesystem", "write a file of yours", lambda: _write(target)),
        _trial("filesystem", "change the mode of a file of yours", lambda: os.chmod(secret, 0o777)),  # noqa: PTH101, S103 - it is what is tried
        _trial("network", "connect to a port of this machine", lambda: _connect(here)),
        _trial("network", "send a datagram", lambda: _send(here)),
        _trial("network", "open a local socket", lambda: socket.socket(socket.AF_UNIX).close()),
        _trial("processes", "start a process", _fork),
        _trial("processes", "run a program", lambda: subprocess.run(["true"], check=True)),
        _trial("signals", "signal the process that started it", lambda: os.kill(os.getppid(), 0)),
        _trial("environment", "read your variables", _variables),
        _trial("memory", f"take {more / 1e9:g} GB", lambda: bytearray(more)),
    ]
    channel.send(json.dumps(trials).encode())


def _trial(layer: str, tried: str, doing: Callable[[], Any]) -> dict[str, Any]:
    try:
        doing()
    except (OSError, MemoryError) as error:
        said = str(error) or type(error).__name__
        return {"layer": layer, "tried": tried, "stopped": True, "said": said[:_MOST_CHARACTERS]}
    return {"layer": layer, "tried": tried, "stopped": False, "said": "it was possible"}


def _read(path: str) -> None:
    with open(path, encoding="utf-8") as stream:  # noqa: PTH123 - it is what is tried
        stream.read()


def _write(path: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:  # noqa: PTH123 - as above
        stream.write("written")


def _connect(address: tuple[str, int]) -> None:
    socket.create_connection(address, timeout=1).close()


def _send(address: tuple[str, int]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sending:
        sending.sendto(b"sent", address)


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _variables() -> None:
    with open(f"/proc/{os.getppid()}/environ", "rb") as stream:  # noqa: PTH123 - as above
        stream.read()


if __name__ == "__main__":
    main(sys.argv[1:])
