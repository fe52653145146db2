"""The process a model lives in: started, confined, asked, ended."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import Self

import msgspec

from brinery.errors import ModelConfined, ModelProcessDied, ModelProcessTimeout, SandboxUnavailable
from brinery.pickles import surroundings, words
from brinery.pickles.frames import Channel, ChannelClosed, ChannelTimeout, NotAFrame
from brinery.pickles.limits import GB, Kernel, Limits
from brinery.pickles.watch import Watch
from brinery.records.sandbox import Sandbox

_LAUNCH = Path(__file__).with_name("launch.py")
_PACKAGE = Path(__file__).parent.parent
_END_WAIT_S = 2.0
_CHUNK_BYTES = 1 << 20
_OUTSIDE = "outside"  # a file that the process must not be able to read
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)
_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "out of memory")


class ChildProcess:
    """A confined Python process that runs one module and answers frames.

    Use it as a context manager: at its end the process is gone, whatever happened. One that is
    forgotten ends when it is collected, or with this process.

    Args:
        module: run as `python -m module READ_FD WRITE_FD ARGUMENT…`; it answers one frame per
            frame.
        arguments: what else it is told.
        timeout_s: for each answer.
        python: the interpreter; this one when None.
        limits: what it may use.
        kernel: which of the kernel's means may be used.

    Attributes:
        inbox: a folder of its own, for what the process is to read.
        outbox: a folder of its own, for what it writes.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        timeout_s: float,
        python: Path | None = None,
        limits: Limits | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        self.timeout_s = timeout_s
        self._limits = limits or Limits()
        self._greeting = threading.Lock()
        self._sandbox: Sandbox | None = None
        folder = Path(tempfile.mkdtemp(prefix="brinery-")).resolve()
        self.inbox, self.outbox = folder / "in", folder / "out"
        self.inbox.mkdir()
        self.outbox.mkdir()
        (folder / _OUTSIDE).touch()
        to_child, from_parent = os.pipe()
        to_parent, from_child = os.pipe()
        said, saying = os.pipe()
        self._channel = Channel(to_parent, from_parent)
        environ = surroundings.variables(os.environ, scratch=self.outbox)  # noqa: TID251 - what is passed on of it is listed there
        plan = {
            **_plan(folder, self._limits, kernel or Kernel()),
            "module": module,
            "arguments": [str(to_child), str(from_child), *arguments],
            "variables": list(environ),
        }
        try:
            self._process = subprocess.Popen(
                [str(python or sys.executable), str(_LAUNCH), json.dumps(plan)],
                stdin=subprocess.DEVNULL,
                stdout=saying,
                stderr=saying,
                pass_fds=(to_child, from_child),
                env=environ,
                start_new_session=True,
            )
        except BaseException:
            self._channel.close()
            os.close(said)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            for descriptor in (to_child, from_child, saying):
                os.close(descriptor)
        self._watch = Watch(self._process, said=said, scratch=self.outbox, limits=self._limits)
        self._finalizer = weakref.finalize(
            self, _end, self._process, self._channel, watch=self._watch, folder=folder
        )

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    @property
    def limits(self) -> Limits:
        """Return what it may use."""
        return self._limits

    @property
    def sandbox(self) -> Sandbox:
        """Return what holds the process back, as it found by trying; waits until it has.

        Raises:
            SandboxUnavailable: a layer is not in force, and the limits require all of them.
            ModelProcessDied, ModelProcessTimeout: it ended before it said so, or did not.
        """
        with self._greeting:
            if self._sandbox is None:
                self._sandbox = self._greeted()
                if self._limits.require and not self._sandbox.complete:
                    self.close()
                    raise _unavailable(self._sandbox)
            return self._sandbox

    def ask(
        self,
        header: bytes,
        payload: bytes | memoryview = b"",
        *,
        most_bytes: int | None = None,
    ) -> tuple[bytes, memoryview]:
        """Return the header and payload that the child answers with.

        Args:
            header: of the question.
            payload: of the question.
            most_bytes: how large the payload of the answer may be; None sets no limit of its own.

        Raises:
            SandboxUnavailable: see `sandbox`.
            ModelConfined: it took more than it may, and was ended.
            ModelProcessDied: it ended instead, or had been closed, or answered what is no answer.
            ModelProcessTimeout: it did not answer in time; it is ended.
        """
        if not self._finalizer.alive:
            raise ModelProcessDied(
                "the process that held the model was closed", hint="load the model again"
            )
        _ = self.sandbox
        return self._exchanged(header, payload, most_bytes=most_bytes)

    def take(self, name: str, into: Path, *, most_bytes: int | None = None) -> None:
        """Copy a file that the process wrote in its outbox; a link there leads nowhere.

        Args:
            name: of the file in the outbox.
            into: the copy, which must not exist; nothing is left there where this raises.
            most_bytes: how large it may be; as all that the process may write when None.

        Raises:
            ModelConfined: what lies there is no file of its own, or is too large.
            OSError: the copy cannot be written.
        """
        allowed = int(self._limits.scratch_gb * GB)
        most = allowed if most_bytes is None else min(most_bytes, allowed)
        try:
            source = os.open(self.outbox / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            raise _no_file(name) from None
        kind = os.fstat(source)
        if not stat.S_ISREG(kind.st_mode) or kind.st_nlink != 1:
            os.close(source)
            raise _no_file(name)
        with os.fdopen(source, "rb") as stream:
            if kind.st_size > most:
                raise _too_large(name, most)
            with into.open("xb") as written:
                # The process may go on writing meanwhile.
                while most >= 0 and (part := stream.read(_CHUNK_BYTES)):
                    most -= len(part)
                    written.write(part)
        if most < 0:
            into.unlink()
            raise _too_large(name, kind.st_size)

    def close(self) -> None:
        """End the process, gently and then not."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _greeted(self) -> Sandbox:
        header, _ = self._exchanged(None, b"", most_bytes=0)
        try:
            return msgspec.json.decode(header, type=Sandbox)
        except msgspec.DecodeError:
            raise self._broken() from None

    def _exchanged(
        self, header: bytes | None, payload: bytes | memoryview, *, most_bytes: int | None
    ) -> tuple[bytes, memoryview]:
        """Return the next frame, after a question where there is one."""
        began = time.monotonic()
        try:
            if header is not None:
                self._channel.send(header, payload, timeout_s=self.timeout_s)
            left_s = self.timeout_s - (time.monotonic() - began)
            return self._channel.receive(timeout_s=left_s, most_bytes=most_bytes)
        except ChannelTimeout:
            self._process.kill()
            self.close()
            raise ModelProcessTimeout(
                f"the model did not answer within {self.timeout_s:g} seconds",
                hint="a larger timeout_s in brinery.toml, [model] or [serve], gives it longer",
            ) from None
        except NotAFrame:
            raise self._broken() from None
        except ChannelClosed:
            raise self._died() from None
        except BaseException:
            # Interrupted: the next frame to come would be the answer to this question.
            self._process.kill()
            self.close()
            raise

    def _broken(self) -> ModelProcessDied:
        self._process.kill()
        self.close()
        return ModelProcessDied(
            "the process that held the model sent what is no answer, and was ended",
            hint="a model that writes into its own channel is broken or hostile: read its code",
        )

    def _died(self) -> ModelProcessDied | ModelConfined:
        self._channel.close()
        status = _status(self._process)
        tail = words.plain(self._watch.last_words())
        self.close()
        reason = self._watch.broken or _forbidden(status, tail, self._limits)
        if reason:
            return ModelConfined(
                f"the model's process was ended: {reason}",
                hint=f"its last words: {tail}" if tail else "docs/rooms/pickles.md says what holds",
            )
        said = f"its last words: {tail}" if tail else "it said nothing before it ended"
        return ModelProcessDied(
            f"the process that held the model ended ({_meaning(status)})",
            hint=f"{said}; {_advice(status)}",
        )


def _plan(folder: Path, limits: Limits, kernel: Kernel) -> dict[str, object]:
    """Return what the process is told, but for its program."""
    paths = surroundings.import_paths(os.environ)  # noqa: TID251 - as above
    return {
        "package": str(_PACKAGE),
        "paths": paths,
        "read": [
            str(folder / "in"),
            str(_PACKAGE),
            *surroundings.readable(os.environ),  # noqa: TID251 - as above
        ],
        "scratch": str(folder / "out"),
        "outside": str(folder / _OUTSIDE),
        "closed": [str(Path.home())],
        "limits": dataclasses.asdict(limits),
        "kernel": dataclasses.asdict(kernel),
        # The kernel's signal at the end of the parent comes at the end of its thread already.
        "with_parent": threading.current_thread() is threading.main_thread(),
        "parent": os.getpid(),
    }


def _end(process: subprocess.Popen[bytes], channel: Channel, *, watch: Watch, folder: Path) -> None:
    """End a process, and close what was between it and this one."""
    channel.close()
    _status(process)
    watch.close()
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:
        # Folders within folders, deeper than Python follows.
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False)


def _status(process: subprocess.Popen[bytes]) -> int:
    """Return how a process ended, once it has; it is made to."""
    try:
        return process.wait(timeout=_END_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _unavailable(sandbox: Sandbox) -> SandboxUnavailable:
    missing = [layer for layer in sandbox.layers if not layer.in_force]
    said = "; ".join(f"{layer.name} ({layer.reason})" for layer in missing)
    return SandboxUnavailable(
        f"require_sandbox asks for every layer of the sandbox, and not in force are: {said}",
        hint="brinery doctor shows what this machine has",
    )


def _no_file(name: str) -> ModelConfined:
    return ModelConfined(
        f"the model's process left no plain file '{name}' in its folder",
        hint="a model that puts a link there is hostile: read its code",
    )


def _too_large(name: str, most_bytes: int) -> ModelConfined:
    return ModelConfined(
        f"the model's process wrote a file '{name}' of more than {most_bytes:,} bytes",
        hint="scratch_gb under [sandbox] in brinery.toml says how much it may write; what Brinery "
        "itself asks for is far smaller",
    )


def _forbidden(status: int, tail: str, limits: Limits) -> str:
    """Return what a process was ended for by the kernel; empty where it was not."""
    if status == -signal.SIGSYS:
        return "it made a system call that its sandbox forbids"
    if status == -signal.SIGXCPU and limits.cpu_s is not None:
        return (
            f"it used more than {limits.cpu_s:g} seconds of processor time: timeout_s in "
            "brinery.toml, [model], allows it more"
        )
    if any(sign in tail for sign in _OUT_OF_MEMORY):
        return words.too_little_memory(limits.memory_gb)
    return ""


def _meaning(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else ""
    return f"signal {-status}{name and f', {name}'}"


def _advice(status: int) -> str:
    """Return what to do about a process that ended with a status."""
    if status >= 0:
        return (
            "the model's own code ends its process: look for exit, quit and os._exit in it, and "
            "raise an exception in their place"
        )
    if -status in _CRASHES:
        return (
            "a compiled library crashed: brinery import … --environment auto loads the model "
            "with the versions that wrote it, and brinery scan says which these are"
        )
    if -status == signal.SIGKILL:
        return (
            "something outside ended it, most often the system, for want of memory: "
            "dmesg | tail says so, and memory_gb in brinery.toml, [sandbox], lets it take less"
        )
    return "something ended it: brinery doctor shows what a model may do on this machine"
