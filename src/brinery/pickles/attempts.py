"""What a model tried and was refused, noted as Python tells of it.

This is a witness and no boundary: it lives in the model's own process, where a hostile model can
silence it, and it hears only what goes through Python. The kernel refuses with or without it. It
is there so that a model which swallows the refusal is found out all the same.

A key is looked for where keys lie. That there is none, because a model's home is an empty folder,
makes the look no better: it is noted whether or not a file is there.
"""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
import threading
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
_ENTERS = "os.chdir"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# While it is imported, numpy 1.25 and 1.26 ask this program what the processor can do, and do
# without its answer.
_ASKED_OF_CPU = ["lscpu"]
_ASKS_OF_CPU = "check_support_sve"
_ASKING = frozenset(
    os.path.join(sysconfig.get_path(name), "numpy", "testing", "_private", "utils.py")  # noqa: PTH118 - as frames have it
    for name in ("purelib", "platlib")
)

# Where keys and passwords lie, below any home, and of the machine. No framework looks there.
_KEPT_AT_HOME = tuple(
    f"/{name}/"
    for name in (
        *(".aws", ".azure", ".config/gcloud", ".config/gh", ".databrickscfg", ".docker"),
        *(".git-credentials", ".gnupg", ".kaggle", ".kube", ".my.cnf", ".netrc", ".npmrc"),
        *(".password-store", ".pgpass", ".pypirc", ".ssh", ".vault-token"),
    )
)
_KEPT_BY_MACHINE = (
    "/etc/gshadow/",
    "/etc/krb5.keytab/",
    "/etc/shadow/",
    "/etc/ssh/",
    "/etc/sudoers/",
    "/run/secrets/",
    "/var/run/secrets/",
)

# What asks after a file and is an event of Python's nowhere. Neither does the kernel refuse it.
_ASKS = ("access", "lstat", "stat")
_ABLE = ("dir_fd", "effective_ids", "fd", "follow_symlinks")
_LOOK = "look for "

_noted: dict[str, None] = {}
_hooks: list[_Hook] = []
# Whether this thread is asking on the hook's own behalf.
_own = threading.local()


def watch(readable: Iterable[str], writable: str) -> None:
    """Note from now on what is tried and will be refused; a second call does nothing.

    Looks for keys are noted too, as far as they go through the functions of `os`.

    Args:
        readable: the files and folders that are open to this process.
        writable: the folder that it may write in.
    """
    if _hooks:
        return
    hook = _Hook(readable, writable)
    _hooks.append(hook)
    sys.addaudithook(hook)
    for name in _ASKS:
        _listen(name, hook)


def taken() -> tuple[str, ...]:
    """Return what was tried since the last call, each once, such as `open /etc/passwd`."""
    found = tuple(_noted)
    _noted.clear()
    return found


def secret(path: Any) -> str:
    """Return how a path is said where keys or passwords lie, such as `~/.ssh/id_rsa`; else empty.

    None is where nothing is noted, nor is one that the model may read or has made itself.
    """
    return _hooks[0].secret(path) if _hooks else ""


def told(attempt: str) -> str:
    """Return what a model did, for a sentence that begins with it."""
    if attempt.startswith(_LOOK):
        return f"looked for {attempt[len(_LOOK) :]}, which is no business of a model's"
    return f"tried to {attempt}, and was kept from it"


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
        told: dict[str, Callable[[tuple[Any, ...]], str]] = {
            "open": self._open,
            _ENTERS: self._enter,
        }
        told.update((event, _always(said)) for event, said in _ALWAYS.items())
        told.update((event, _addressed(said)) for event, said in _ADDRESSED.items())
        told.update((event, self._write(said)) for event, said in _WRITES.items())
        told.update(dict.fromkeys(_LISTS, self._list))
        told.update(dict.fromkeys(_SIGNALS, _signal))
        told["subprocess.Popen"] = _run
        self._told = told

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        tell = self._told.get(event)
        if tell is not None:
            self._note(tell, given)

    def asked(self, path: Any) -> None:
        """Note that someone asked after a path, where it is one of keys."""
        if not getattr(_own, "asks", False):
            self._note(self._look, (path,))

    def secret(self, path: Any) -> str:
        """Return as the function of that name does."""
        text = path if isinstance(path, str) else os.fsdecode(path)
        plain = _ended(os.path.abspath(text))  # noqa: PTH100 - as frames have it
        if not (plain.startswith(_KEPT_BY_MACHINE) or any(kept in plain for kept in _KEPT_AT_HOME)):
            return ""
        if self._is_in(text, *self._readable):
            lies_there = not self._is_in(text, self._writable) or os.path.lexists(text)
            return "" if lies_there else self._in_home(text, plain)
        return text if text.startswith("~") else plain[: -len(os.sep)]

    def _in_home(self, text: str, plain: str) -> str:
        """Return how a path in the scratch folder is said, whose own name is another each time."""
        below = _ended(os.path.realpath(text)) if not plain.startswith(self._writable) else plain
        said = below[len(self._writable) : -len(os.sep)]
        return said if said.startswith("~") else f"~{os.sep}{said}"

    def _note(self, tell: Callable[[tuple[Any, ...]], str], given: tuple[Any, ...]) -> None:
        if len(_noted) >= _MOST:
            return
        before, _own.asks = getattr(_own, "asks", False), True
        try:
            said = tell(given)
        except Exception:  # noqa: BLE001 - a witness must not change what it sees
            return
        finally:
            _own.asks = before
        if said:
            _noted[ascii(said)[1:-1][:_MOST_CHARACTERS]] = None

    def _look(self, given: tuple[Any, ...]) -> str:
        return f"{_LOOK}{kept}" if (kept := self._kept(given[0])) else ""

    def _enter(self, given: tuple[Any, ...]) -> str:
        return f"enter {kept}" if (kept := self._kept(given[0])) else ""

    def _kept(self, path: Any) -> str:
        return "" if path is None or isinstance(path, int) else self.secret(path)

    def _open(self, given: tuple[Any, ...]) -> str:
        path, mode, flags = given
        if isinstance(path, int):
            return ""
        writes = bool((flags or 0) & _WRITING) or any(sign in (mode or "") for sign in "wax+")
        if writes:
            return "" if self._is_in(path, self._writable, "/dev/null/") else f"write {_text(path)}"
        if kept := self.secret(path):
            return f"open {kept}"
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
        if kept := self._kept(path):
            return f"list {kept}"
        if path is None or isinstance(path, int) or self._is_in(path, *self._readable):
            return ""
        return f"list {_text(path)}" if os.path.isdir(path) else ""  # noqa: PTH112 - as above

    def _is_in(self, path: Any, *roots: str) -> bool:
        return _ended(os.path.realpath(_text(path))).startswith(roots)


class _Asking:
    """A function of `os` that is heard of; it is no function itself, so no class binds it."""

    def __init__(self, function: Callable[..., Any], hook: _Hook) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._hook = hook

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Return what the function does, once the look is noted."""
        self._hook.asked(given[0] if given else named.get("path"))
        return self._function(*given, **named)


def _listen(name: str, hook: _Hook) -> None:
    """Put what is heard of in the place of a function of `os`, and among those that can as much."""
    function = getattr(os, name)
    heard = _Asking(function, hook)
    for what in _ABLE:
        able: set[Any] = getattr(os, f"supports_{what}", set())
        if function in able:
            able.add(heard)
    setattr(os, name, heard)


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
