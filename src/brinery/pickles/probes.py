"""Tries what a confined process must not be able to do, and reports what held.

What is in force is what was tried and refused, not what was asked for. Each attempt is harmless
where nothing refuses it. It reads the standard library only.
"""

from __future__ import annotations

import _socket
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from brinery.pickles import tasks

_Layer = dict[str, Any]

_BIG_BYTES, _ROOM_BYTES = 64 << 20, 16 << 20
_NEVER_A_PROGRAM = "/dev/null/no-such-program"
_NET_ABI, _SCOPE_ABI = 4, 6
_STREAM, _DATAGRAM, _UNIX, _INTERNET = 1, 2, 1, 2


def layers(plan: dict[str, Any], why: dict[str, str], *, landlock_abi: int) -> list[_Layer]:
    """Return every layer, in the order they are shown, as `brinery.records.sandbox.Layer` has it.

    Args:
        plan: of this process.
        why: `landlock`, `seccomp`, `privileges` and `tasks`: why it could not be asked for; empty
            where it was.
        landlock_abi: the version that is used; 0 where none is.
    """
    seccomp, ruled = why["seccomp"], why["landlock"]
    partly = "only TCP is refused: " if landlock_abi >= _NET_ABI and seccomp else ""
    found = [
        _layer(
            "filesystem",
            f"Landlock ABI {landlock_abi}",
            holds=_files_are_closed(plan["outside"]),
            reason=ruled,
        ),
        _layer("network", "seccomp", holds=_no_socket(), reason=partly + seccomp),
        _layer(
            "processes",
            "seccomp",
            holds=_no_fork() and _no_program(),
            reason=f"{seccomp}; {_counted()}" if seccomp and not why["tasks"] else seccomp,
        ),
        _layer("signals", _signals_by(seccomp, landlock_abi), holds=_no_signal(), reason=seccomp),
        _layer(
            "privileges",
            "no-new-privileges, no capabilities",
            holds=_no_privileges(),
            reason=why["privileges"],
        ),
    ]
    return [*found, *_amounts(plan["limits"]), *_inherited(plan)]


def _amounts(limits: dict[str, Any]) -> list[_Layer]:
    """Return the layers that bound how much is used."""
    cpu_s = limits["cpu_s"]
    cpu = "" if cpu_s is None else f" and RLIMIT_CPU, {cpu_s:g} s"
    return [
        _layer(
            "memory",
            f"RLIMIT_DATA and RLIMIT_AS, {limits['memory_gb']:g} GB",
            holds=_memory_is_limited(),
            reason="this system does not keep to the limit",
        ),
        _layer("time", f"the parent's clock{cpu}", holds=_cpu_is_limited(cpu_s)),
        _layer(
            "disk",
            f"RLIMIT_FSIZE and the parent's watch, {limits['scratch_gb']:g} GB",
            holds=resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY,
        ),
    ]


def _inherited(plan: dict[str, Any]) -> list[_Layer]:
    """Return the layers that keep what the parent has from this process."""
    # What the C library and Python set themselves for their locale.
    known = {*plan["variables"], "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    pipes = map(int, plan["arguments"][:2])
    return [
        _layer(
            "environment",
            "a short list of variables",
            holds=set(os.environ) <= known,  # noqa: TID251 - it is what is tried
            reason="there are variables that were not given",
        ),
        _layer(
            "descriptors",
            "closed but for the pipes",
            holds=_descriptors() <= {0, 1, 2, *pipes},
            reason="others are open",
        ),
    ]


def capabilities() -> int:
    """Return the capabilities in effect, as bits; 0 where that cannot be told."""
    return int(_status().get("CapEff", "0"), 16)


def _layer(name: str, by: str, *, holds: bool, reason: str = "") -> _Layer:
    if holds:
        return {"name": name, "by": by, "in_force": True, "reason": ""}
    said = reason or "it was asked for, and what it should refuse was possible"
    return {"name": name, "by": "", "in_force": False, "reason": said}


def _refused(doing: Callable[[], Any]) -> bool:
    try:
        doing()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _files_are_closed(outside: str) -> bool:
    """Return whether a file beside the process's folders can be neither read nor made."""
    made = f"{outside}-made"
    if not _refused(lambda: os.close(os.open(outside, os.O_RDONLY))):
        return False
    if _refused(lambda: os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))):
        return True
    if os.path.exists(made):  # noqa: PTH110 - pathlib is not needed yet
        os.unlink(made)  # noqa: PTH108 - as above
    return False


def _no_socket() -> bool:
    kinds = ((_INTERNET, _STREAM), (_INTERNET, _DATAGRAM), (_UNIX, _STREAM), (_UNIX, _DATAGRAM))
    return all(_refused(lambda k=kind: _socket.socket(*k).close()) for kind in kinds)  # type: ignore[misc]


def _signals_by(seccomp: str, landlock_abi: int) -> str:
    scoped = f"Landlock ABI {landlock_abi}" if landlock_abi >= _SCOPE_ABI else ""
    return " and ".join(filter(None, ["" if seccomp else "seccomp", scoped]))


def _no_signal() -> bool:
    return _refused(lambda: os.kill(os.getppid(), 0))


def _counted() -> str:
    """Return what becomes of processes where they are not refused."""
    if tasks.are_counted():
        return f"RLIMIT_NPROC lets it start {tasks.SPARE}"
    return "RLIMIT_NPROC does not hold root, so nothing counts what it starts"


def _no_fork() -> bool:
    try:
        child = os.fork()
    except PermissionError:
        return True
    except OSError:
        return False
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return False


def _no_program() -> bool:
    """Return whether a program is refused before the system looks whether it is there."""
    return _refused(lambda: os.execv(_NEVER_A_PROGRAM, [_NEVER_A_PROGRAM]))  # noqa: S606 - it is what is tried


def _no_privileges() -> bool:
    status = _status()
    # Kept where Landlock says which files are read: to look past the owners of files.
    return status.get("NoNewPrivs") == "1" and capabilities() & ~0b110 == 0


def _status() -> dict[str, str]:
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - as above
            lines = [line.split(":", 1) for line in status if ":" in line]
    except OSError:
        return {}
    return {name: value.strip() for name, value in lines}


def _memory_is_limited() -> bool:
    """Return whether memory beyond a limit is refused; the limit is lifted again."""
    if not sys.platform.startswith("linux"):
        return False
    mapped = int(_status().get("VmSize", "0 kB").split()[0]) * 1024
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + _ROOM_BYTES, before[1]))
    try:
        bytearray(_BIG_BYTES)
    except MemoryError:
        return True
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    return False


def _cpu_is_limited(asked_s: float | None) -> bool:
    if asked_s is None:
        return True
    return resource.getrlimit(resource.RLIMIT_CPU)[0] <= max(1, int(asked_s))


def _descriptors() -> set[int]:
    """Return the open descriptors; that which lists them is left out, for it is closed again."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            listed = [int(name) for name in os.listdir(folder)]  # noqa: PTH208 - as above
        except OSError:
            continue
        return {number for number in listed if _is_open(number)}
    return set()


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
