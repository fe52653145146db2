from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from brinery.errors import ModelConfined, ModelProcessDied, ModelProcessTimeout
from brinery.pickles.child import ChildProcess
from brinery.pickles.limits import Limits

# Light, so that a start takes little: it does what the header says.
ACTOR = """
import os, sys, threading, time
from brinery.pickles.frames import Channel, ChannelClosed

channel = Channel(int(sys.argv[1]), int(sys.argv[2]))
while True:
    try:
        header, payload = channel.receive()
    except ChannelClosed:
        os._exit(0)
    match header.decode().split():
        case ["echo"]:
            channel.send(header, payload)
        case ["sleep", seconds]:
            time.sleep(float(seconds))
            channel.send(header, payload)
        case ["speak"]:
            print("noise on stdout", flush=True)
            os.write(2, b"noise on stderr")
            channel.send(b"spoken")
        case ["exit", status, *words]:
            print(*words, file=sys.stderr)
            os._exit(int(status))
        case ["write", path, size]:
            os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), int(size))
            channel.send(b"written")
        case ["deaf"]:
            time.sleep(600)
        case ["junk"]:
            os.write(channel.writing, b"\\xff" * 64)
"""

WAIT_S = 240.0
Start = Callable[..., ChildProcess]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts children that do what they are told; ends them."""
    (tmp_path / "actor.py").write_text(ACTOR)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started: list[ChildProcess] = []

    def start(timeout_s: float, scratch_gb: float = 4.0) -> ChildProcess:
        limits = Limits(scratch_gb=scratch_gb)
        started.append(ChildProcess("actor", timeout_s=timeout_s, limits=limits))
        return started[-1]

    yield start
    for child in started:
        child.close()


def gone(pid: int) -> bool:
    """Whether a process is neither running nor waiting to be reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def gone_within(pid: int, limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if gone(pid):
            return True
        time.sleep(0.02)
    return False


def open_files() -> set[str]:
    """The descriptors of this process, with what they are."""
    found = set()
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208 - descriptors are no paths
        try:
            found.add(f"{entry} {Path(f'/proc/self/fd/{entry}').readlink()}")
        except FileNotFoundError:
            continue
    return found


def nothing_more_open(before: set[str]) -> bool:
    """Whether no descriptor stays open; those that other tests' threads hold soon vanish."""
    end = time.monotonic() + WAIT_S
    while not open_files() <= before:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_answers_and_end(start: Start) -> None:
    """A child answers each frame; when it is closed it is gone, and nothing is left open."""
    gc.collect()  # what other tests forgot
    before = open_files()
    with start(WAIT_S) as child:
        assert child.alive
        assert child.ask(b"echo", b"payload") == (b"echo", memoryview(b"payload"))
        large = os.urandom(300_000)
        assert child.ask(b"echo", large) == (b"echo", memoryview(large))
        pid = child.pid
    assert not child.alive
    assert gone(pid)
    assert nothing_more_open(before)
    child.close()


@pytest.mark.parametrize(("size", "most"), [(1001, 1000), (2 * 10**9, None)])
def test_a_file_that_is_too_large(
    start: Start, tmp_path: Path, size: int, most: int | None
) -> None:
    """A file of a child's is copied up to a size, and else nothing of it is kept."""
    child = start(WAIT_S, scratch_gb=1.5)
    path = child.outbox / "file"
    path.touch()
    os.truncate(path, size)  # by us: the child itself may not write as much
    with pytest.raises(ModelConfined, match="wrote a file 'file' of more than"):
        child.take("file", tmp_path / "copy", most_bytes=most)
    assert not (tmp_path / "copy").exists()
    child.ask(f"write {path} 1000".encode())
    child.take("file", tmp_path / "copy", most_bytes=1000)
    assert (tmp_path / "copy").stat().st_size == 1000


def test_speaking_child(start: Start) -> None:
    """What a child prints neither reaches the terminal nor disturbs its answers."""
    child = start(WAIT_S)
    assert child.ask(b"speak") == (b"spoken", memoryview(b""))
    assert child.ask(b"echo", b"a") == (b"echo", memoryview(b"a"))


def test_printing_stays_in_the_child(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output stays clean for the data that the command writes there."""
    start(WAIT_S).ask(b"speak")
    assert capfd.readouterr() == ("", "")


def test_child_that_exits(start: Start) -> None:
    """A child that ends instead of answering is reported with its status and last words."""
    gc.collect()  # what other tests forgot
    before = open_files()
    child = start(WAIT_S)
    with pytest.raises(ModelProcessDied, match="exit status 7") as caught:
        child.ask(b"exit 7 out of luck")
    assert caught.value.hint.startswith("its last words: out of luck; the model's own code ends")
    assert "look for exit, quit and os._exit in it" in caught.value.hint
    assert not child.alive
    assert nothing_more_open(before)


def test_child_that_is_silent(start: Start) -> None:
    """A child that ends without a word is said to have said nothing."""
    with pytest.raises(ModelProcessDied) as caught:
        start(WAIT_S).ask(b"exit 0")
    assert caught.value.hint.startswith("it said nothing before it ended; the model's own code")


def test_child_that_is_killed(start: Start) -> None:
    """A child that the system kills is reported with the signal and what it had said."""
    child = start(WAIT_S)
    child.ask(b"speak")
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ModelProcessDied, match="signal 9, SIGKILL") as caught:
        child.ask(b"echo")
    assert caught.value.hint.startswith("its last words: noise on stderr; something outside ended")
    assert "memory_gb in brinery.toml" in caught.value.hint


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (signal.SIGSEGV, "--environment auto"),
        (signal.SIGILL, "--environment auto"),
        (signal.SIGTERM, "brinery doctor"),
    ],
)
def test_what_to_do_about_a_signal(start: Start, number: signal.Signals, advice: str) -> None:
    """The hint for a child that a signal ended is a command to type next."""
    child = start(WAIT_S)
    child.ask(b"echo")
    os.kill(child.pid, number)
    with pytest.raises(ModelProcessDied, match=f"signal {number:d}, {number.name}") as caught:
        child.ask(b"echo")
    assert advice in caught.value.hint


def test_module_that_is_not_there() -> None:
    """A child that cannot start is reported with Python's own words."""
    with (
        ChildProcess("no_such_module", timeout_s=240) as child,
        pytest.raises(ModelProcessDied, match="exit status 1") as caught,
    ):
        child.ask(b"echo")
    assert "No module named no_such_module" in caught.value.hint


def test_child_that_hangs(start: Start) -> None:
    """A child that does not answer is ended when the time is over, and not long after."""
    child = start(WAIT_S)
    child.ask(b"echo")
    child.timeout_s = 1.0  # the start took its own time
    pid, began = child.pid, time.monotonic()
    with pytest.raises(ModelProcessTimeout, match="within 1 seconds") as caught:
        child.ask(b"deaf")
    assert "timeout_s in brinery.toml" in caught.value.hint
    assert 1.0 <= time.monotonic() - began < 60  # it is deaf for ten times as long
    assert gone(pid)


def test_child_that_does_not_read(start: Start) -> None:
    """A child that stops reading does not hang its parent, which has more to write."""
    child = start(WAIT_S)
    assert child.ask(b"echo")[0] == b"echo"
    child.timeout_s = 1.5  # the start took its own time
    os.kill(child.pid, signal.SIGSTOP)
    late = threading.Timer(60, os.kill, (child.pid, signal.SIGKILL))
    late.start()
    began = time.monotonic()
    try:
        with pytest.raises(ModelProcessTimeout):  # one that is killed late has died
            child.ask(b"echo", bytes(10_000_000))
    finally:
        late.cancel()
    assert time.monotonic() - began >= 1.5
    assert not child.alive


def test_child_that_answers_junk(start: Start) -> None:
    """What is not a frame ends the child rather than being read as one."""
    child = start(WAIT_S)
    with pytest.raises(ModelProcessDied):
        child.ask(b"junk")
    assert not child.alive


def test_asking_after_the_end(start: Start) -> None:
    """A child that was closed says so, and writes into no other file."""
    child = start(WAIT_S)
    child.ask(b"echo")
    child.close()
    reading, writing = os.pipe()
    with pytest.raises(ModelProcessDied, match="was closed"):
        child.ask(b"echo", b"secret")
    os.close(writing)
    assert os.read(reading, 100) == b""
    os.close(reading)


class Interrupt(Exception):
    """What Ctrl-C raises here."""


def test_interrupted_question(start: Start) -> None:
    """After an interrupted question the child is gone: its answer cannot reach the next one."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise Interrupt

    child = start(WAIT_S)
    child.ask(b"echo")
    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(Interrupt):
            child.ask(b"sleep 3", b"first")
    finally:
        signal.signal(signal.SIGALRM, previous)
    with pytest.raises(ModelProcessDied, match="was closed"):
        child.ask(b"echo", b"second")


def test_forgotten_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that nobody holds any more is ended without a warning, and nothing stays open."""
    (tmp_path / "actor.py").write_text(ACTOR)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    gc.collect()  # what other tests forgot
    before = open_files()
    child = ChildProcess("actor", timeout_s=240)
    pid = child.pid
    del child
    gc.collect()
    assert gone(pid)
    assert nothing_more_open(before)


PARENT = """
import os, sys, time
from brinery.pickles.child import ChildProcess
child = ChildProcess("actor", timeout_s=240)
child.ask(b"echo")
print(child.pid, flush=True)
if sys.argv[1] == "hang":
    time.sleep(60)
"""


@pytest.mark.parametrize("how", ["end", "hang"])
def test_parent_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """A child does not outlive its parent, whether that ends or is killed, and no one warns."""
    (tmp_path / "actor.py").write_text(ACTOR)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PARENT, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if how == "hang":
            parent.kill()
        _, said = parent.communicate(timeout=WAIT_S)
    assert said == ""
    assert gone_within(pid, WAIT_S)


def test_children_do_not_share_ends(start: Start) -> None:
    """One child's end is not kept open by another that was started later."""
    first, second = start(WAIT_S), start(WAIT_S)
    first.ask(b"echo")
    second.ask(b"echo")
    first._channel.close()  # what `close` does first, before it waits and kills
    assert first._process.wait(timeout=WAIT_S) == 0
    assert second.alive


def test_threads_may_close(start: Start) -> None:
    """A close from another thread ends a question that waits."""
    child = start(600)
    child.ask(b"echo")
    closing = threading.Timer(0.2, child.close)
    closing.start()
    began = time.monotonic()
    with pytest.raises(ModelProcessDied):
        child.ask(b"deaf")
    closing.join()
    assert time.monotonic() - began < 60  # it is deaf for ten times as long
