"""The process that the steps of a job are children of; a module that imports nothing of ours.

It reads a socket: one JSON object a line, `{"protect": [PATH, …]}`, `{"start": {…}}` or
`{"stop": NAME}`, and answers with `{"ended": {…}}` and `{"line": {…}}`. When the socket ends,
whoever asked is gone: everything that it started is killed, and it ends too, so that nothing
outlives an engine that was killed.

Orphans come to it (it is their subreaper), so that what a step left in the background is waited
for and its use counted. It is the child of a guard, to which the orphans of a nursery come that was
killed by itself: the guard kills them, and ends. As root it makes the folders that it is told of
read-only for all its children, in a mount namespace of its own: not even `chmod` helps a step to
write to what others read.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource  # noqa: F401 - else the first step's end would wait for `os.wait4` to import it
import selectors
import signal
import time
from contextlib import suppress

# As `typing` has it, which takes as long to import as a third of all else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_GRACE_S = 5.0
_TICK_S = 0.5
_CHUNK = 1 << 16
# The kernel's limit of one argument is 128 KiB.
_ARGUMENT_BYTES = 120_000
_NOT_RUN = 126
_BASH = "/bin/bash"
_SUBREAPER = 36
_NEW_MOUNTS = 0x00020000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _SLAVE = 1, 32, 4096, 16384, 1 << 19


class _Process:
    """One process of an attempt, with its group."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None

    def ended(self, status: int) -> None:
        """Take the status that the system gave."""
        code = os.waitstatus_to_exitcode(status)
        self.status = code if code >= 0 else 128 - code


class _Attempt:
    """An attempt that runs."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.name: str = told["name"]
        self.told: bool = told.get("told", False)
        self.waits: bool = told.get("waits", True)
        self.timeout_s: float | None = told.get("timeout_s")
        self.began = time.monotonic()
        self.processes: list[_Process] = []
        self.serving: int = told.get("serving", 0)
        self.failed = 0
        self.pipes: dict[int, bytearray] = {}
        self.log: int | None = None
        self.cpu_s = 0.0
        self.peak_bytes = 0
        self.late = self.stopped = False
        self.kill_at: float | None = None
        self.bash_ended: float | None = None
        self.noted = False
        self.strays: set[int] = set()


class Nursery:
    """Starts attempts, and tells of their ends.

    Args:
        sock: number of the socket that it is told on.
    """

    def __init__(self, sock: int) -> None:
        self.sock = sock
        os.set_inheritable(sock, False)  # noqa: FBT003 - the system's own signature
        os.set_blocking(sock, False)
        self.selector = selectors.DefaultSelector()
        self.inbox, self.outbox = bytearray(), bytearray()
        self.attempts: dict[str, _Attempt] = {}
        self.groups: dict[int, tuple[_Attempt, _Process]] = {}
        self.open = True
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(sock, selectors.EVENT_READ, "socket")
        self.selector.register(reader, selectors.EVENT_READ, "child")
        self.child = reader

    def run(self) -> None:
        """Serve until the socket ends."""
        while self.open:
            for key, mask in self.selector.select(self._patience()):
                if key.data == "socket":
                    self._talk(mask)
                elif key.data == "child":
                    with suppress(BlockingIOError):
                        os.read(self.child, _CHUNK)
                else:
                    self._read(key.fd, *key.data)
            self._reap()
            self._look_at_clocks()
        end_all()

    def _patience(self) -> float | None:
        if not self.attempts:
            return None
        now = time.monotonic()
        times = [_TICK_S] if any(each.bash_ended for each in self.attempts.values()) else []
        for each in self.attempts.values():
            if each.kill_at is not None:
                times.append(each.kill_at - now)
            elif each.timeout_s is not None:
                times.append(each.began + each.timeout_s - now)
        return max(0.0, min(times)) if times else None

    def _talk(self, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._send()
        if not mask & selectors.EVENT_READ:
            return
        try:
            content = os.read(self.sock, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if not content:
            self.open = False
            return
        self.inbox += content
        *lines, rest = self.inbox.split(b"\n")
        self.inbox = rest
        for line in lines:
            told = json.loads(line)
            if "start" in told:
                self._start(told["start"])
            elif "protect" in told:
                protect(told["protect"])
            else:
                self._stop(told["stop"])

    def _tell(self, kind: str, told: dict[str, Any]) -> None:
        self.outbox += json.dumps({kind: told}).encode() + b"\n"
        self._send()

    def _send(self) -> None:
        try:
            while self.outbox:
                sent = os.write(self.sock, self.outbox)
                del self.outbox[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.open = False
            self.outbox.clear()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outbox else 0)
        self.selector.modify(self.sock, events, "socket")

    def _start(self, told: dict[str, Any]) -> None:
        attempt = _Attempt(told)
        self.attempts[attempt.name] = attempt
        try:
            attempt.log = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            for more in told.get("processes") or [{}]:
                self._spawn(attempt, told, more)
        except OSError as error:
            self._write(attempt, [f"cannot be run: {error}".encode()])
            attempt.processes = [each for each in attempt.processes if each.status is None]
            if attempt.processes:
                self._stop(attempt.name)
            else:
                self._finish(attempt, _NOT_RUN, lost=str(error))

    def _spawn(self, attempt: _Attempt, told: dict[str, Any], more: dict[str, str]) -> None:
        reader, writer = os.pipe()
        try:
            # We are one thread, and where we are matters to nobody else.
            os.chdir(told["folder"])
            pid = os.posix_spawn(
                _BASH,
                [_BASH, *_words(told["command"], told["log"])],
                {**told["variables"], **more},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, writer, 1),
                    (os.POSIX_SPAWN_DUP2, writer, 2),
                ],
                setpgroup=0,
                # Python ignores them, and what is ignored stays so in a child.
                setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        os.set_blocking(reader, False)
        process = _Process(pid)
        attempt.processes.append(process)
        attempt.pipes[reader] = bytearray()
        self.groups[process.pid] = (attempt, process)
        self.selector.register(reader, selectors.EVENT_READ, (attempt,))

    def _stop(self, name: str) -> None:
        attempt = self.attempts.get(name)
        if attempt is None or attempt.kill_at is not None:
            return
        attempt.stopped = not attempt.late
        attempt.kill_at = time.monotonic() + _GRACE_S
        _signal(attempt, signal.SIGTERM)

    def _look_at_clocks(self) -> None:
        now = time.monotonic()
        for attempt in list(self.attempts.values()):
            if attempt.kill_at is not None:
                if now >= attempt.kill_at:
                    _signal(attempt, signal.SIGKILL)
                    attempt.kill_at = now + _GRACE_S
            elif attempt.timeout_s is not None and now - attempt.began >= attempt.timeout_s:
                attempt.late = True
                said = f"ended after {attempt.timeout_s:g} s, which is its time limit"
                self._write(attempt, [said.encode()])
                self._stop(attempt.name)
            if attempt.bash_ended is not None:
                self._settle(attempt)

    def _reap(self) -> None:
        """Reap what ended: steps, and what they left to itself."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            pid = ended.si_pid
            group = os.getpgid(pid)
            _, status, usage = os.wait4(pid, 0)
            if group not in self.groups:
                continue
            attempt, process = self.groups[group]
            attempt.cpu_s += usage.ru_utime + usage.ru_stime
            attempt.peak_bytes = max(attempt.peak_bytes, usage.ru_maxrss * 1024)
            if pid == process.pid:
                process.ended(status)
                self._bash_ended(attempt, process)

    def _bash_ended(self, attempt: _Attempt, process: _Process) -> None:
        processes = attempt.processes
        others = processes[: -attempt.serving] if attempt.serving else processes
        # How those end that we end is no news, nor is it of those that only serve.
        if process.status and not attempt.failed and (process in others or not others):
            attempt.failed = process.status
        if attempt.kill_at is None and len(processes) > 1:
            served = all(each.status is not None for each in others)
            # One of several failed, for which the others would wait for ever; or all is done.
            if attempt.failed or (served and others and attempt.serving):
                attempt.kill_at = time.monotonic() + _GRACE_S
                _signal(attempt, signal.SIGTERM)
        if all(each.status is not None for each in processes):
            attempt.bash_ended = time.monotonic()
            self._settle(attempt)

    def _settle(self, attempt: _Attempt) -> None:
        """Tell of an attempt's end, once nothing that it left in the background runs."""
        left = any(_lives(each.pid) for each in attempt.processes)
        if left and not attempt.waits:
            _signal(attempt, signal.SIGKILL)
        if left or any(_runs(each) for each in attempt.strays):
            waited_s = time.monotonic() - (attempt.bash_ended or time.monotonic())
            if not attempt.noted and waited_s > _GRACE_S:
                attempt.noted = True
                self._write(attempt, [b"bash ended; what it left in the background is waited for"])
            return
        self._finish(attempt, attempt.failed)

    def _finish(self, attempt: _Attempt, status: int, lost: str = "") -> None:
        for reader in list(attempt.pipes):
            self._read(reader, attempt)
        for reader in list(attempt.pipes):
            self._close(reader, attempt)
        for process in attempt.processes:
            self.groups.pop(process.pid, None)
        if attempt.log is not None:
            os.close(attempt.log)
        del self.attempts[attempt.name]
        usage = {
            "wall_s": time.monotonic() - attempt.began,
            "cpu_s": attempt.cpu_s,
            "peak_bytes": attempt.peak_bytes,
        }
        self._tell(
            "ended",
            {
                "name": attempt.name,
                "exit_status": status,
                "usage": usage,
                "late": attempt.late,
                "stopped": attempt.stopped,
                "lost": lost,
            },
        )

    def _read(self, reader: int, attempt: _Attempt) -> None:
        """Move what an attempt wrote to its log, line by line."""
        rest = attempt.pipes.get(reader)
        if rest is None:
            return
        while True:
            try:
                content = os.read(reader, _CHUNK)
            except BlockingIOError:
                break
            if not content:
                self._close(reader, attempt)
                return
            rest += content
            *lines, last = rest.split(b"\n")
            rest[:] = last
            if len(rest) > _CHUNK:
                lines.append(rest[:])
                rest.clear()
            self._write(attempt, lines)
            if len(content) < _CHUNK:
                break

    def _close(self, reader: int, attempt: _Attempt) -> None:
        rest = attempt.pipes.pop(reader)
        if rest:
            self._write(attempt, [bytes(rest)])
        self.selector.unregister(reader)
        os.close(reader)

    def _write(self, attempt: _Attempt, lines: Sequence[bytes | bytearray]) -> None:
        if not lines or attempt.log is None:
            return
        now = time.time()
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        head = f"{second}.{int(now * 1000) % 1000:03}Z ".encode()
        with suppress(OSError):  # a full disk ends the step, not us
            os.write(attempt.log, b"".join(head + line + b"\n" for line in lines))
        if attempt.told:
            for line in lines:
                text = line.decode("utf-8", "replace")
                self._tell("line", {"name": attempt.name, "text": text})


def end_all() -> None:
    """Kill everything that this process started, and what that started, wherever it went."""
    for _ in range(20):
        left = descendants(os.getpid())
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return
        time.sleep(0.01)


def guard(nursery: int) -> None:
    """Wait for the end of a nursery, and end what it leaves: nothing, unless it was killed."""
    ended = 0
    while ended != nursery:
        ended, _ = os.waitpid(-1, 0)
    end_all()


def _words(command: str, log: str) -> list[str]:
    """Return how bash is told a command; one too long for an argument lies beside the log."""
    text = command.encode()
    if len(text) <= _ARGUMENT_BYTES:
        return ["-c", command]
    place = f"{log}.sh"
    with open(place, "wb") as stream:  # noqa: PTH123 - as below
        stream.write(text)
    return [place]


def descendants(pid: int) -> list[int]:
    """Return what a process started and what those did, each before its own."""
    found: list[int] = []
    todo = [pid]
    while todo:
        above = todo.pop()
        with suppress(OSError):
            # pathlib takes as long to import as all else here.
            for task in os.listdir(f"/proc/{above}/task"):  # noqa: PTH208
                with open(f"/proc/{above}/task/{task}/children", "rb") as stream:  # noqa: PTH123
                    below = [int(each) for each in stream.read().split()]
                found += below
                todo += below
    return found


def _signal(attempt: _Attempt, number: signal.Signals) -> None:
    for process in attempt.processes:
        # What left the group is found by its parents.
        gone = descendants(process.pid) if process.status is None else []
        attempt.strays.update(gone)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        for pid in attempt.strays:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _runs(pid: int) -> bool:
    """Return whether a process that is one of our children, or theirs, has not ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123 - as above
            return stream.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def protect(folders: Sequence[str]) -> bool:
    """Make folders read-only for all children, where the system lets us; return whether it did."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not folders or os.geteuid() != 0 or libc.unshare(_NEW_MOUNTS) != 0:
        return False
    none = ctypes.c_char_p(b"none")
    done: bool = libc.mount(none, b"/", None, ctypes.c_ulong(_RECURSIVE | _SLAVE), None) == 0
    flags = ctypes.c_ulong(_REMOUNT | _BIND | _READ_ONLY)
    for folder in folders if done else ():
        path = os.fsencode(folder)
        # One that is gone, or cannot be mounted, leaves the others as they are to be.
        done &= (
            libc.mount(path, path, None, ctypes.c_ulong(_BIND), None) == 0
            and libc.mount(none, path, None, flags, None) == 0
        )
    return done


def main(number: int) -> None:
    """Guard a child that serves the socket with a number, and end the process."""
    # Not SIG_IGN, which our children would inherit: none would end when it is asked to.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: None)
    libc = ctypes.CDLL(None)
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    nursery = os.fork()
    if nursery:
        # That it ended is heard where nobody else holds the socket.
        os.close(number)
        guard(nursery)
    else:
        os.setpgid(0, 0)
        libc.prctl(_SUBREAPER, 1, 0, 0, 0)
        Nursery(number).run()
    os._exit(0)  # whoever closed the socket waits for us
