"""The process that the steps of a job are children of. Started as a script; imports nothing of ours.

It reads a socket: one JSON object a line, `{"start": {…}}` or `{"stop": NAME}`, and answers with
`{"ended": {…}}` and `{"line": {…}}`. When the socket ends, whoever asked is gone: everything that
it started is killed, and it ends too, so that nothing outlives an engine that was killed.

Orphans come to it (it is their subreaper), so that what a step left in the background is waited
for and its use counted. As root it makes the folders that it is told of read-only for all its
children, in a mount namespace of its own: not even `chmod` helps a step to write to what others
read.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

_GRACE_S = 5.0
_TICK_S = 0.5
_CHUNK = 1 << 16
_NOT_RUN = 126
_SUBREAPER = 36
_NEW_MOUNTS = 0x00020000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _SLAVE = 1, 32, 4096, 16384, 1 << 19


class _Process:
    """One process of an attempt, with its group."""

    def __init__(self, popen, number):
        self.popen = popen
        self.pid = popen.pid
        self.number = number
        self.status = None


class _Attempt:
    """An attempt that runs."""

    def __init__(self, told):
        self.name = told["name"]
        self.told = told.get("told", False)
        self.timeout_s = told.get("timeout_s")
        self.began = time.monotonic()
        self.processes = []
        self.pipes = {}
        self.log = None
        self.cpu_s = 0.0
        self.peak_bytes = 0
        self.late = self.stopped = False
        self.kill_at = None
        self.bash_ended = None
        self.noted = False


class Nursery:
    """Starts attempts, and tells of their ends."""

    def __init__(self, sock):
        self.sock = sock
        sock.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.inbox, self.outbox = bytearray(), bytearray()
        self.attempts = {}
        self.groups = {}
        self.open = True
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(sock, selectors.EVENT_READ, "socket")
        self.selector.register(reader, selectors.EVENT_READ, "child")
        self.child = reader

    def run(self):
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
        self._end_all()

    def _patience(self):
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

    def _talk(self, mask):
        if mask & selectors.EVENT_WRITE:
            self._send()
        if not mask & selectors.EVENT_READ:
            return
        try:
            content = self.sock.recv(_CHUNK)
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
            else:
                self._stop(told["stop"])

    def _tell(self, kind, told):
        self.outbox += json.dumps({kind: told}).encode() + b"\n"
        self._send()

    def _send(self):
        try:
            while self.outbox:
                sent = self.sock.send(self.outbox)
                del self.outbox[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.open = False
            self.outbox.clear()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outbox else 0)
        self.selector.modify(self.sock, events, "socket")

    def _start(self, told):
        attempt = _Attempt(told)
        self.attempts[attempt.name] = attempt
        try:
            attempt.log = open(told["log"], "ab", buffering=0)
            for number, more in enumerate(told.get("processes") or [{}]):
                self._spawn(attempt, told, number, more)
        except OSError as error:
            self._write(attempt, [f"cannot be run: {error}".encode()])
            attempt.processes = [each for each in attempt.processes if each.status is None]
            if attempt.processes:
                self._stop(attempt.name)
            else:
                self._finish(attempt, _NOT_RUN, lost=str(error))

    def _spawn(self, attempt, told, number, more):
        reader, writer = os.pipe()
        try:
            popen = subprocess.Popen(
                ["/bin/bash", "-c", told["command"]],
                cwd=told["folder"],
                env={**told["variables"], **more},
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                process_group=0,
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        os.set_blocking(reader, False)
        process = _Process(popen, number)
        attempt.processes.append(process)
        attempt.pipes[reader] = bytearray()
        self.groups[process.pid] = (attempt, process)
        self.selector.register(reader, selectors.EVENT_READ, (attempt,))

    def _stop(self, name):
        attempt = self.attempts.get(name)
        if attempt is None or attempt.kill_at is not None:
            return
        attempt.stopped = not attempt.late
        attempt.kill_at = time.monotonic() + _GRACE_S
        _signal(attempt, signal.SIGTERM)

    def _look_at_clocks(self):
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

    def _reap(self):
        """Reap what ended: steps, and what they left to itself."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            pid = ended.si_pid
            with suppress(ProcessLookupError):
                attempt, process = self.groups.get(os.getpgid(pid), (None, None))
            _, status, usage = os.wait4(pid, 0)
            if attempt is None:
                continue
            attempt.cpu_s += usage.ru_utime + usage.ru_stime
            attempt.peak_bytes = max(attempt.peak_bytes, usage.ru_maxrss * 1024)
            if pid == process.pid:
                code = os.waitstatus_to_exitcode(status)
                process.popen.returncode = code
                process.status = code if code >= 0 else 128 - code
                if process.status and len(attempt.processes) > 1:
                    # One of several failed: the others would wait for it for ever.
                    attempt.kill_at = attempt.kill_at or time.monotonic() + _GRACE_S
                    _signal(attempt, signal.SIGTERM)
                if all(each.status is not None for each in attempt.processes):
                    attempt.bash_ended = time.monotonic()
                    self._settle(attempt)

    def _settle(self, attempt):
        """Tell of an attempt's end, once nothing that it left in the background runs."""
        left = [each for each in attempt.processes if _lives(each.pid)]
        if left:
            if not attempt.noted and time.monotonic() - attempt.bash_ended > _GRACE_S:
                attempt.noted = True
                self._write(attempt, [b"bash ended; what it left in the background is waited for"])
            return
        failed = [each.status for each in attempt.processes if each.status]
        self._finish(attempt, failed[0] if failed else 0)

    def _finish(self, attempt, status, lost=""):
        for reader in list(attempt.pipes):
            self._read(reader, attempt)
        for reader in list(attempt.pipes):
            self._close(reader, attempt)
        for process in attempt.processes:
            self.groups.pop(process.pid, None)
        if attempt.log is not None:
            attempt.log.close()
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

    def _read(self, reader, attempt):
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
                lines.append(bytes(rest))
                rest.clear()
            self._write(attempt, lines)
            if len(content) < _CHUNK:
                break

    def _close(self, reader, attempt):
        rest = attempt.pipes.pop(reader)
        if rest:
            self._write(attempt, [bytes(rest)])
        self.selector.unregister(reader)
        os.close(reader)

    def _write(self, attempt, lines):
        if not lines or attempt.log is None:
            return
        now = time.time()
        head = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        head = f"{head}.{int(now * 1000) % 1000:03}Z ".encode()
        with suppress(OSError):  # a full disk ends the step, not us
            attempt.log.write(b"".join(head + line + b"\n" for line in lines))
        if attempt.told:
            for line in lines:
                text = line.decode("utf-8", "replace")
                self._tell("line", {"name": attempt.name, "text": text})

    def _end_all(self):
        """Kill everything that was started, and what that started, wherever it went."""
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


def descendants(pid):
    """Return what a process started and what those did, each before its own."""
    found, todo = [], [pid]
    while todo:
        above = todo.pop()
        with suppress(OSError):
            for task in os.listdir(f"/proc/{above}/task"):
                with open(f"/proc/{above}/task/{task}/children", "rb") as stream:
                    below = [int(each) for each in stream.read().split()]
                found += below
                todo += below
    return found


def _signal(attempt, number):
    for process in attempt.processes:
        # What left the group is found by its parents.
        gone = descendants(process.pid) if process.status is None else []
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        for pid in gone:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def protect(folders):
    """Make folders read-only for all children, where the system lets us; return whether it did."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    if not folders or os.geteuid() != 0 or libc.unshare(_NEW_MOUNTS) != 0:
        return False
    none = ctypes.c_char_p(b"none")
    done = libc.mount(none, b"/", None, ctypes.c_ulong(_RECURSIVE | _SLAVE), None) == 0
    for folder in folders:
        path = os.fsencode(folder)
        flags = ctypes.c_ulong(_REMOUNT | _BIND | _READ_ONLY)
        done = (
            done
            and libc.mount(path, path, None, ctypes.c_ulong(_BIND), None) == 0
            and libc.mount(none, path, None, flags, None) == 0
        )
    return done


def main(arguments):
    """Serve the socket with a number, with folders read-only."""
    number, *folders = arguments
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    protect(folders)
    Nursery(socket.socket(fileno=int(number))).run()


if __name__ == "__main__":
    main(sys.argv[1:])
