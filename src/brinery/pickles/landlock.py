"""Landlock, by its system calls: files and TCP ports that a process keeps no way to.

It reads the standard library only: it runs before anything else does.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

# Both architectures number them alike.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_BENEATH = 1

# Rights over files, in the order of their bits, with the ABI that brought each.
_FS_BITS = {1: 13, 2: 14, 3: 15, 5: 16}
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15

READ = _READ_FILE | _READ_DIR
LIST = _READ_DIR
# No link, device, socket or pipe: the parent reads what is made there.
KEEP = READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
DEVICE = _READ_FILE | _WRITE_FILE | _IOCTL
_OF_A_FILE = _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL

_NET_ABI, _SCOPE_ABI = 4, 6
_BIND_AND_CONNECT = 3
_SOCKETS_AND_SIGNALS = 3


def abi(libc: ctypes.CDLL) -> int:
    """Return the version of Landlock that the kernel has; 0 where it has none."""
    found = libc.syscall(_long(_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG))
    return max(int(found), 0)


def restrict(libc: ctypes.CDLL, rules: Iterable[tuple[str, int]], *, version: int) -> None:
    """Keep this thread, and what it starts, from all files but those of the rules.

    It is kept from every TCP port, and from signals and abstract sockets of others, where the
    version has such rights. There is no way back.

    Args:
        libc: opened with `use_errno`.
        rules: paths of files or folders, with the rights beneath each; one that is not there is
            left out.
        version: what `abi` said.

    Raises:
        OSError: the kernel refuses.
    """
    handled = (1 << max(bits for since, bits in _FS_BITS.items() if since <= version)) - 1
    parts = [handled]
    if version >= _NET_ABI:
        parts.append(_BIND_AND_CONNECT)
    if version >= _SCOPE_ABI:
        parts.append(_SOCKETS_AND_SIGNALS)
    asked = struct.pack(f"={len(parts)}Q", *parts)
    ruleset = _checked(
        libc.syscall(_long(_CREATE), asked, ctypes.c_size_t(len(asked)), ctypes.c_uint(0))
    )
    try:
        for path, rights in rules:
            _allow(libc, ruleset, path=path, rights=rights & handled)
        _checked(libc.syscall(_long(_RESTRICT), ctypes.c_int(ruleset), ctypes.c_uint(0)))
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, *, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        folder = os.path.isdir(path)  # noqa: PTH112 - pathlib is not needed yet
        rule = struct.pack("=Qi", rights if folder else rights & _OF_A_FILE, place)
        _checked(
            libc.syscall(
                _long(_ADD), ctypes.c_int(ruleset), ctypes.c_int(_BENEATH), rule, ctypes.c_uint(0)
            )
        )
    finally:
        os.close(place)


def _long(number: int) -> ctypes.c_long:
    return ctypes.c_long(number)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
