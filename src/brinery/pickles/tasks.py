"""How many processes and threads a model may start where no filter of system calls refuses it any.

The kernel counts them for the user, not for the process, and does not count root's: it is a second
layer, which bounds a fork bomb and no more. It reads the standard library only.
"""

from __future__ import annotations

import os
import resource

# Beside what the user runs already: as many as a process may have threads, as its parent watches.
SPARE = 512


def limit() -> None:
    """Let the user of this process run no more than `SPARE` tasks beside those of now.

    Raises:
        OSError: the kernel does not tell what runs, or refuses the limit.
    """
    most = _running(os.getuid()) + SPARE
    allowed = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    if allowed != resource.RLIM_INFINITY:
        most = min(most, allowed)
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))


def are_counted() -> bool:
    """Return whether the kernel keeps this process to a number of tasks, having tried it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
    try:
        child = os.fork()
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return False


def _running(user: int) -> int:
    """Return how many processes and threads a user has.

    Raises:
        OSError: there is no list of them.
    """
    count = 0
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib is not needed yet
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/status", encoding="utf-8", errors="replace") as status:  # noqa: PTH123 - as above
                told = dict(line.split(":", 1) for line in status if ":" in line)
        except OSError:
            continue  # it has ended
        if told.get("Uid", "").split()[:1] == [str(user)]:
            count += int(told.get("Threads", "1"))
    return count
