"""What a model tried and was refused, noted as Python tells of it.

This is a witness and no boundary: it lives in the model's own process, where a hostile model can
silence it, and it hears only what goes through Python. The kernel refuses with or without it. It
is there so that a model which swallows the refusal is found out all the same.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterable
from typing import Any

_MOST, _MOST_CHARACTERS = 20, 300

# Python's own names of what it is about to do, and how that is said.
_ALWAYS: dict[str, str] = {
    "os.exec": "run a program",
    "os.fork": "start a process",
    "os.forkpty": "start a process",
    "os.posix_spawn": "run a program",
    "os.spawn": "run a program",
    "os.system": "run a program",
    "pty.spawn": "run a program",
    "socket.__new__": "open a socket",
    "socket.getaddrinfo": "ask for an address",
    "socket.gethostbyname": "ask for an address",
}
_ADDRESSED = {
    "socket.bind": "listen at",
    "socket.connect": "connect to",
    "socket.sendmsg": "send to",
    "socket.sendto": "send to",
}
_SIGNALS = ("os.kill", "os.killpg")
_WRITES = {
    "os.chmod": "change the mode of",
    "os.chown": "change the owner of",
    "os.link": "link to",
    "os.mkdir": "make the folder",
    "os.remove": "remove",
    "os.rename": "rename",
    "os.rmdir": "remove",
    "os.setxattr": "change an attribute of",
    "os.symlink": "link to",
    "os.truncate": "cut",
    "os.utime": "change the time of",
}
_LISTS = ("os.listdir", "os.scandir")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# While it is imported, numpy 1.25 and 1.26 ask this program what the processor can do, and do
# without its answer.
_ASKED_OF_CPU = ["lscpu"]
_ASKS_OF_CPU = "check_support_sve"
_ASKING = frozenset(
    os.path.join(sysconfig.get_path(name), "numpy", "testing", "_private", "utils.py")  # noqa: PTH118 - as frames have it
    for name in ("purelib", "platlib")
)

_noted: dict[str, None] = {}
_watching = False


def watch(readable: Iterable[str], writable: str) -> None:
    """Note from now on what is tried and will be refused; a second call does nothing.

    Args:
        readable: the files and folders that are open to this process.
        writable: the folder that it may write in.
    """
    global _watching  # noqa: PLW0603 - a hook is for the whole life of a process
    if _watching:
        return
    _watching = True
    sys.addaudithook(_Hook(readable, writable))


def taken() -> tuple[str, ...]:
    """Return what was tried since the last call, each once, such as `open /etc/passwd`."""
    found = tuple(_noted)
    _noted.clear()
    return found


class _Hook:
    """Hears of every event and keeps the few that matter."""

    def __init__(self, readable: Iterable[str], writable: str) -> None:
        self._writable = _ended(os.path.realpath(writable))
        opened = {os.path.realpath(path) for path in readable}
        self._readable = (
            self._writable,
            *(_ended(path) for path in opened),
            "/dev/null/",
            "/dev/full/",
        )
        told: dict[str, Callable[[tuple[Any, ...]], str]] = {"open": self._open}
        told.update((event, _always(said)) for event, said in _ALWAYS.items())
        told.update((event, _addressed(said)) for event, said in _ADDRESSED.items())
        told.update((event, self._write(said)) for event, said in _WRITES.items())
        told.update(dict.fromkeys(_LISTS, self._list))
        told.update(dict.fromkeys(_SIGNALS, _signal))
        told["subprocess.Popen"] = _run
        self._told = told

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        tell = self._told.get(event)
        if tell is None or len(_noted) >= _MOST:
            return
        try:
            said = tell(given)
        except Exception:  # noqa: BLE001 - a witness must not change what it sees
            return
        if said:
            _noted[ascii(said)[1:-1][:_MOST_CHARACTERS]] = None

    def _open(self, given: tuple[Any, ...]) -> str:
        path, mode, flags = given
        if isinstance(path, int):
            return ""
        writes = bool((flags or 0) & _WRITING) or any(sign in (mode or "") for sign in "wax+")
        if writes:
            return "" if self._is_in(path, self._writable, "/dev/null/") else f"write {_text(path)}"
        if self._is_in(path, *self._readable) or not os.path.lexists(path):
            return ""  # libraries look for many a file that is not there
        return f"open {_text(path)}"

    def _write(self, said: str) -> Callable[[tuple[Any, ...]], str]:
        def told(given: tuple[Any, ...]) -> str:
            paths = [path for path in given[:2] if isinstance(path, (str, bytes, os.PathLike))]
            outside = [path for path in paths if not self._is_in(path, self._writable)]
            return f"{said} {_text(outside[0])}" if outside else ""

        return told

    def _list(self, given: tuple[Any, ...]) -> str:
        path = given[0]
        if path is None or isinstance(path, int) or self._is_in(path, *self._readable):
            return ""
        return f"list {_text(path)}" if os.path.isdir(path) else ""  # noqa: PTH112 - as above

    def _is_in(self, path: Any, *roots: str) -> bool:
        return _ended(os.path.realpath(_text(path))).startswith(roots)


def _always(said: str) -> Callable[[tuple[Any, ...]], str]:
    return lambda _: said


def _run(given: tuple[Any, ...]) -> str:
    return "" if list(given[1]) == _ASKED_OF_CPU and _is_asked_by_numpy() else "run a program"


def _is_asked_by_numpy() -> bool:
    """Return whether what called `subprocess` is numpy's own question for the processor."""
    frame = sys._getframe()  # noqa: SLF001 - the stack is told nowhere else
    own = frame.f_code.co_filename
    while frame.f_back and frame.f_code.co_filename == own:
        frame = frame.f_back
    while frame.f_back and frame.f_globals.get("__name__") == "subprocess":
        frame = frame.f_back
    code = frame.f_code
    return code.co_name == _ASKS_OF_CPU and code.co_filename in _ASKING


def _addressed(said: str) -> Callable[[tuple[Any, ...]], str]:
    return lambda given: f"{said} {given[-1]}"


def _signal(given: tuple[Any, ...]) -> str:
    return "" if given[0] == os.getpid() else f"signal process {given[0]}"


def _text(path: Any) -> str:
    return os.fsdecode(path)


def _ended(path: str) -> str:
    return path.rstrip(os.sep) + os.sep
