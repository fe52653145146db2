"""Confines the process that it runs in, for good, and says what of it holds.

It is called before anything heavy is imported: Landlock and the filter of system calls hold for
the thread that asks for them and for what that starts, so there must be one thread when they are.
It reads the standard library only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterator
from typing import Any

from brinery.pickles import attempts, landlock, probes, seccomp, tasks

# What a Python, its libraries and its C library read; a path that is not there is left out. There
# is no folder for shared memory, no home, no list of users. Of what the kernel tells of a process
# there are single files: beside them lie the sockets and routes of the whole machine.
_SYSTEM_READ = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/crypto-policies",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/pki/tls/openssl.cnf",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
    *(
        f"/proc/self/{name}"
        for name in (
            *("auxv", "cgroup", "cmdline", "comm", "limits", "maps", "mountinfo", "mounts"),
            *("numa_maps", "smaps", "stat", "statm", "status"),
        )
    ),
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/hugepages",
    "/sys/kernel/mm/transparent_hugepage",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
)
# Folders of which only the names are read: descriptors and threads.
_LISTED = ("/proc/self/fd", "/proc/self/task")
_DEVICES = ("/dev/null",)

_PR_SET_PDEATHSIG, _SIGKILL = 1, 9
_PR_SET_NO_NEW_PRIVS = 38
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION = 0x20080522
# Root that may not look past owners could not read another user's libraries: Landlock says which
# files are read.
_KEPT_CAPABILITIES = 1 << 1 | 1 << 2

_GB = 10**9
_OPEN_FILES = 1024
# What a thread takes of the address space, stack and C library's arena, and the most that the
# pools of the numeric libraries start for each processor.
_THREAD_BYTES, _THREADS_EACH = 72 << 20, 4

# The plan of this process; empty in one that is not confined.
_plan: dict[str, Any] = {}
# What the kernel tells of its size. Open until it is read: the kernel may forget what of its own
# files was opened to this process when it runs short of memory.
_status: list[Any] = []


def confine(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the layers that hold from now on, as `brinery.records.sandbox.Layer` has them.

    Args:
        plan: as `brinery.pickles.child` writes it.
    """
    keep = [int(number) for number in plan["arguments"][:2]]
    _close_others(keep)
    limits, kernel = plan["limits"], plan["kernel"]
    _plan.update(plan)
    _limit(limits)
    os.chdir(plan["scratch"])
    _forget_closed(plan)
    why = {"landlock": "", "seccomp": "", "privileges": "", "tasks": "seccomp refuses them all"}
    version = 0
    alone = _threads() == 1
    if not sys.platform.startswith("linux"):
        why = dict.fromkeys(why, f"{os.uname().sysname} has none of Linux's means")
    elif not alone:
        why = dict.fromkeys(why, "the process had more than one thread")
    else:
        libc = ctypes.CDLL(None, use_errno=True)
        if plan["with_parent"]:
            _end_with(libc, plan["parent"])
        version, why["landlock"] = _landlock_version(libc, usable=kernel["landlock"])
        why["privileges"] = _attempted(lambda: _drop(libc, known_files=version > 0))
        why["seccomp"] = "" if kernel["seccomp"] else "it is not used"
        why["seccomp"] = why["seccomp"] or seccomp.unavailable()
        if why["seccomp"]:
            why["tasks"] = _attempted(tasks.limit)  # while the list of processes can be read
        if version:
            rules = list(_rules(plan))
            why["landlock"] = _attempted(lambda: landlock.restrict(libc, rules, version=version))
        if not why["seccomp"]:
            why["seccomp"] = _attempted(lambda: seccomp.install(libc, landlock_abi=version))
    held = probes.layers(plan, why, landlock_abi=0 if why["landlock"] else version)
    if sys.platform.startswith("linux"):
        _status.append(open("/proc/self/status", encoding="ascii"))  # noqa: PTH123, SIM115 - as above
    return held


def close_in() -> None:
    """Do what is done right before a model is loaded, once its libraries are: limit the memory.

    Libraries map much and use little of it, so the limit begins where they end. What the model
    tries is noted from then on.
    """
    if not _plan:
        return
    attempts.watch([*readable(_plan), *_LISTED], _plan["scratch"])
    if not _status:
        return
    more = int(memory_gb() * _GB)
    with _status.pop() as status:
        sizes = dict(line.split(":", 1) for line in status)
    threads = _THREADS_EACH * (os.cpu_count() or 1) * _THREAD_BYTES
    for kind, name, spare in (
        (resource.RLIMIT_DATA, "VmData", 0),
        (resource.RLIMIT_AS, "VmSize", threads),
    ):
        limit = int(sizes[name].split()[0]) * 1024 + more + spare
        most = resource.getrlimit(kind)[1]
        if most == resource.RLIM_INFINITY or limit < most:
            resource.setrlimit(kind, (limit, limit))


def memory_gb() -> float:
    """Return how much memory the model may use; infinite where nothing limits it."""
    return float(_plan["limits"]["memory_gb"]) if _plan else float("inf")


def _close_others(keep: list[int]) -> None:
    """Close every descriptor but the standard ones and the channel's."""
    first = 3
    for number in sorted(keep):
        os.closerange(first, number)
        first = number + 1
    os.closerange(first, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limit(limits: dict[str, Any]) -> None:
    scratch = int(limits["scratch_gb"] * _GB)
    wanted = [
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, scratch, scratch),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
    ]
    if limits["cpu_s"] is not None:
        # The kernel ends the process at the second, whatever it does at the first.
        seconds = max(1, int(limits["cpu_s"]))
        wanted.append((resource.RLIMIT_CPU, seconds, seconds + 1))
    for kind, soft, hard in wanted:
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)  # noqa: PLW2901 - never more than it has
        resource.setrlimit(kind, (soft, hard))


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - pathlib is not needed yet
    except OSError:
        return 1  # nothing was imported that starts one


def _end_with(libc: ctypes.CDLL, parent: int) -> None:
    """End this process when its parent ends, however that comes."""
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _landlock_version(libc: ctypes.CDLL, *, usable: bool) -> tuple[int, str]:
    """Return the version of Landlock, and why there is none."""
    version = landlock.abi(libc) if usable else 0
    if version:
        return version, ""
    return 0, "this kernel has no Landlock" if usable else "it is not used"


def _drop(libc: ctypes.CDLL, *, known_files: bool) -> None:
    """Give up privileges, and the way to new ones.

    Raises:
        OSError: the kernel refuses.
    """
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no-new-privileges is refused")
    number = _CAPSET.get(os.uname().machine)
    if number is None:
        return
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    kept = _KEPT_CAPABILITIES & probes.capabilities() if known_files else 0
    data = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    if libc.syscall(ctypes.c_long(number), header, data) != 0:
        raise OSError(ctypes.get_errno(), "capabilities cannot be given up")


def _rules(plan: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the paths that stay open, with their rights."""
    for path in readable(plan):
        yield path, landlock.READ
    for path in _LISTED:
        yield path, landlock.LIST
    for path in _DEVICES:
        yield path, landlock.DEVICE
    yield plan["scratch"], landlock.KEEP


def readable(plan: dict[str, Any]) -> list[str]:
    """Return the files and folders that can be read: the system's, Python's, and the plan's."""
    python = (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    found = [*_imported_from(), *python, *plan["read"]]
    opened = [os.path.realpath(path) for path in found if not _is_closed(path, plan)]
    return list(dict.fromkeys((*_SYSTEM_READ, *opened)))


def _imported_from() -> Iterator[str]:
    """Yield where modules are imported from, those of editable installs among them."""
    yield from filter(None, sys.path)
    for name, module in list(sys.modules.items()):
        mapping = getattr(module, "MAPPING", None)
        if name.startswith("__editable__") and isinstance(mapping, dict):
            yield from map(str, mapping.values())


def _forget_closed(plan: dict[str, Any]) -> None:
    """Import nothing from a folder that will not be open."""
    sys.path[:] = [path for path in sys.path if not _is_closed(path, plan)]


def _is_closed(folder: str, plan: dict[str, Any]) -> bool:
    """Return whether a folder holds the user's home, all of which it would open."""
    inside = os.path.realpath(folder).rstrip(os.sep) + os.sep
    return any((os.path.realpath(path) + os.sep).startswith(inside) for path in plan["closed"])


def _attempted(doing: Any) -> str:
    """Return why something could not be done; empty where it was."""
    try:
        doing()
    except OSError as error:
        return f"the kernel refuses it: {error.strerror}"
    return ""
