"""The filter of system calls under a model's process: which are refused, and which end it.

A call that a library may try in good faith (a socket, a program, another's signal) fails with
"not permitted", and the library says so or does without. One that no library makes ends the
process, so that whoever held it hears of it. A number that is newer than this list does not
exist for the process, nor does any other architecture's table: the 32-bit and x32 entries of the
same kernel number their calls otherwise.

It reads the standard library only: it runs before anything else does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

# The audit numbers of the two architectures, and the column of the tables below.
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_X32_BIT = 0x40000000
_NEWEST = 462  # mseal, of Linux 6.10; both architectures number new calls alike

_KILL = 0x80000000
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_ABSENT = 0x00050000 | errno.ENOSYS

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_CLONE_THREAD = 0x00010000

# Calls that no model and no library makes: name to number on x86_64 and aarch64.
_ENDING: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}

# Calls that fail with "not permitted". Landlock knows no owner, mode, time or attribute of a
# file, no second name of one within a folder, and no shared memory of System V: those are refused
# here. To write out every disk of the machine would hold up others.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "accept": (43, 202),
    "accept4": (288, 242),
    "add_key": (248, 217),
    "bind": (49, 200),
    "chmod": (90, None),
    "chown": (92, None),
    "connect": (42, 203),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "fork": (57, None),
    "fremovexattr": (199, 16),
    "fsetxattr": (190, 7),
    "futimesat": (261, None),
    "inotify_add_watch": (254, 27),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "lchown": (94, None),
    "link": (86, None),
    "linkat": (265, 37),
    "listen": (50, 201),
    "listmount": (458, 458),
    "lookup_dcookie": (212, 18),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "name_to_handle_at": (303, 264),
    "perf_event_open": (298, 241),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "removexattr": (197, 14),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "setpriority": (141, 140),
    "setxattr": (188, 5),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "shmget": (29, 194),
    "socket": (41, 198),
    "statmount": (457, 457),
    "sync": (162, 81),
    "syncfs": (306, 267),
    "syslog": (103, 116),
    "tkill": (200, 130),
    "utime": (132, None),
    "utimensat": (280, 88),
    "utimes": (235, None),
    "vfork": (58, None),
}

# Landlock knows it from ABI 3 on, and then it is allowed where Landlock allows it.
_TRUNCATE = (76, 45)

# Calls that keep their flags in memory, where a filter cannot look; libraries have others.
_HIDDEN = {"clone3": (435, 435), "openat2": (437, 437)}
_CLONE = (56, 220)
_SOCKETPAIR = (53, 199)
_PERSONALITY = (135, 92)

# Calls about a process, by their first argument: this one only.
_OF_ITSELF = {
    "kill": (62, 129),
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "tgkill": (234, 131),
}
_SIGNALS = ("kill", "tgkill")  # to them a 0 is not this process but its group

# A call, the position of an argument, and the values of it that are refused.
_NEVER = (
    # The signal at the parent's end is not taken back.
    ((157, 167), 0, (1,)),
    # fcntl: a file that signals another process when it is written to; a lease on another's file.
    ((72, 25), 1, (8, 10, 15, 1024)),
    # ioctl: typing into a terminal, the same signals, a file's flags.
    (
        (16, 29),
        1,
        (0x5412, 0x541C, 0x540E, 0x8901, 0x8902, 0x40086602, 0x40046602, 0x401C5820),
    ),
)

# Calls that make a file or a folder, and the position of its mode, which may not let it run with
# its owner's rights. To open makes one where the flags before the mode say so, and only then is
# there a mode.
_MAKING: dict[str, tuple[tuple[int | None, int | None], int]] = {
    "creat": ((85, None), 1),
    "mkdir": ((83, None), 1),
    "mkdirat": ((258, 34), 2),
    "mknod": ((133, None), 1),
    "mknodat": ((259, 33), 2),
}
_OPENING: dict[str, tuple[tuple[int | None, int | None], int]] = {
    "open": ((2, None), 2),
    "openat": ((257, 56), 3),
}
_MAKES = 0o100 | 0o20000000  # O_CREAT, and what O_TMPFILE is without O_DIRECTORY
_OF_THE_OWNER = 0o6000

# Instructions of the kernel's filter machine.
_LOAD, _AND, _EQUAL, _ABOVE, _SET, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16

_Code = list[tuple[int, int, int, int]]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def unavailable() -> str:
    """Return why there can be no filter here; empty where there can."""
    if os.uname().sysname != "Linux":
        return f"{os.uname().sysname} has no seccomp"
    if os.uname().machine not in _ARCHITECTURES or ctypes.sizeof(ctypes.c_void_p) != 8:  # noqa: PLR2004 - 64 bits
        return f"no list of the system calls of {os.uname().machine}"
    return ""


def install(libc: ctypes.CDLL, *, landlock_abi: int) -> None:
    """Put the filter under this thread and what it starts; there is no way back.

    Args:
        libc: opened with `use_errno`.
        landlock_abi: what Landlock does need not be done here.

    Raises:
        OSError: the kernel has no such filter, or refuses it.
    """
    code = b"".join(struct.pack("=HBBI", *line) for line in _code(landlock_abi, os.getpid()))
    program = _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _code(landlock_abi: int, pid: int) -> _Code:
    """Return the filter; what it reads is the call's number, architecture and six arguments."""
    audit, column = _ARCHITECTURES[os.uname().machine]
    code: _Code = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_ABOVE, 0, 1, _X32_BIT - 1),
        (_RETURN, 0, 0, _KILL),
        (_ABOVE, 0, 1, _NEWEST),
        (_RETURN, 0, 0, _ABSENT),
    ]
    for numbers in _ENDING.values():
        code += _always(numbers[column], _KILL)
    for numbers in _REFUSED.values():
        code += _always(numbers[column], _REFUSE)
    if landlock_abi < 3:  # noqa: PLR2004 - see _TRUNCATE
        code += _always(_TRUNCATE[column], _REFUSE)
    for hidden in _HIDDEN.values():
        code += _always(hidden[column], _ABSENT)
    # Threads come from clone.
    code += _asked(
        _CLONE[column],
        [(_LOAD, 0, 0, _ARGUMENTS_AT), (_SET, 1, 0, _CLONE_THREAD), (_RETURN, 0, 0, _REFUSE)],
    )
    # A pair of streams reaches nobody; a pair of datagram sockets can be aimed at any socket.
    code += _only(_SOCKETPAIR[column], 0, (1,)) + _only(_SOCKETPAIR[column], 1, (1,), mask=0xF)
    code += _only(_PERSONALITY[column], 0, (0xFFFFFFFF,))
    for name, numbers in _OF_ITSELF.items():
        code += _only(numbers[column], 0, (pid,) if name in _SIGNALS else (0, pid))
    for numbers, position, values in _NEVER:
        code += _never(numbers[column], position, values)
    for made, position in _MAKING.values():
        code += _asked(made[column], _without_mode(position))
    for opened, position in _OPENING.values():
        block = _without_mode(position)
        flags = [
            (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * (position - 1)),
            (_SET, 0, len(block), _MAKES),
        ]
        code += _asked(opened[column], [*flags, *block])
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _always(number: int | None, action: int) -> _Code:
    return [] if number is None else [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, action)]


def _only(number: int, position: int, values: tuple[int, ...], *, mask: int = 0xFFFFFFFF) -> _Code:
    """Return what refuses a call whose argument is none of the values."""
    count = len(values)
    tests = [(_EQUAL, count - place, 0, value) for place, value in enumerate(values)]
    masked = [(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * position), (_AND, 0, 0, mask)]
    return _asked(number, [*masked, *tests, (_RETURN, 0, 0, _REFUSE)])


def _never(number: int, position: int, values: tuple[int, ...]) -> _Code:
    """Return what refuses a call whose argument is one of the values."""
    last = len(values) - 1
    tests = [
        (_EQUAL, last - place, 1 if place == last else 0, value)
        for place, value in enumerate(values)
    ]
    load = (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * position)
    return _asked(number, [load, *tests, (_RETURN, 0, 0, _REFUSE)])


def _without_mode(position: int) -> _Code:
    """Return what refuses a mode by which a file would run with its owner's rights."""
    load = (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * position)
    return [load, (_SET, 0, 1, _OF_THE_OWNER), (_RETURN, 0, 0, _REFUSE)]


def _asked(number: int | None, block: _Code) -> _Code:
    """Return a block that is reached by one call, and that goes on with the call's number."""
    if number is None:
        return []
    whole = [*block, (_LOAD, 0, 0, _NUMBER_AT)]
    return [(_EQUAL, 0, len(whole), number), *whole]
