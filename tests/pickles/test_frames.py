from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brinery.pickles.frames import MAX_FRAME_BYTES, Channel, ChannelClosed, ChannelTimeout

LARGE = os.urandom(1 << 20)
WAIT_S = 240.0


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """Two channels, each the other's end."""
    here, from_there = os.pipe()
    there, from_here = os.pipe()
    pair = Channel(here, from_here), Channel(there, from_there)
    yield pair
    for end in pair:
        end.close()


@contextmanager
def closed_late(end: Channel) -> Iterator[None]:
    """Close an end that was waited for too long: that is no `ChannelTimeout`."""
    late = threading.Timer(60, end.close)
    late.start()
    try:
        yield
    finally:
        late.cancel()
        late.join()


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(frames=st.lists(st.tuples(st.binary(), st.binary()), max_size=5))
def test_frames_arrive(ends: tuple[Channel, Channel], frames: list[tuple[bytes, bytes]]) -> None:
    """Frames arrive whole and in order, empty ones too."""
    here, there = ends
    for header, payload in frames:
        here.send(header, payload, timeout_s=WAIT_S)
    for header, payload in frames:
        assert there.receive(timeout_s=WAIT_S) == (header, memoryview(payload))


def test_large_frame(ends: tuple[Channel, Channel]) -> None:
    """A frame larger than the pipe arrives while it is being sent, in both directions."""
    here, there = ends

    def echo() -> None:
        there.send(*there.receive())

    answering = threading.Thread(target=echo)
    answering.start()
    here.send(b"header", memoryview(LARGE), timeout_s=WAIT_S)
    header, payload = here.receive(timeout_s=WAIT_S)
    answering.join()
    assert header == b"header"
    assert payload == LARGE


@pytest.mark.parametrize("timeout_s", [0.0, 0.2])
def test_receive_times_out(ends: tuple[Channel, Channel], timeout_s: float) -> None:
    """Waiting for an answer that does not come ends in time."""
    began = time.monotonic()
    with closed_late(ends[1]), pytest.raises(ChannelTimeout):
        ends[0].receive(timeout_s=timeout_s)
    assert time.monotonic() - began >= timeout_s


def test_receive_times_out_within_a_frame(ends: tuple[Channel, Channel]) -> None:
    """A part of a frame does not extend the time."""
    os.write(ends[1].writing, struct.pack("<QQ", 10, 10) + b"abc")
    with pytest.raises(ChannelTimeout):
        ends[0].receive(timeout_s=0.1)


def test_send_times_out(ends: tuple[Channel, Channel]) -> None:
    """Sending to one that does not read ends in time."""
    began = time.monotonic()
    with closed_late(ends[1]), pytest.raises(ChannelTimeout):
        ends[0].send(b"", LARGE, timeout_s=0.2)
    assert time.monotonic() - began >= 0.2


def test_endless_timeout(ends: tuple[Channel, Channel]) -> None:
    """A timeout of years is no fault."""
    ends[1].send(b"a")
    assert ends[0].receive(timeout_s=1e12) == (b"a", memoryview(b""))


def test_other_end_gone(ends: tuple[Channel, Channel]) -> None:
    """When the other end is gone, sending and receiving say so, within a frame too."""
    here, there = ends
    os.write(there.writing, struct.pack("<QQ", 10, 0) + b"abc")
    there.close()
    with pytest.raises(ChannelClosed):
        here.receive(timeout_s=WAIT_S)
    with pytest.raises(ChannelClosed):
        here.send(b"a", timeout_s=WAIT_S)


def test_frame_too_large(ends: tuple[Channel, Channel]) -> None:
    """Lengths beyond the limit are no frame, and take no memory."""
    os.write(ends[1].writing, struct.pack("<QQ", MAX_FRAME_BYTES, 1))
    with pytest.raises(ChannelClosed):
        ends[0].receive(timeout_s=WAIT_S)


def test_large_frame_that_never_comes(ends: tuple[Channel, Channel]) -> None:
    """Memory is taken for the bytes that come, not for those that are promised."""
    os.write(ends[1].writing, struct.pack("<QQ", 0, MAX_FRAME_BYTES))
    ends[1].close()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ChannelClosed):
        ends[0].receive(timeout_s=WAIT_S)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_closed_here(ends: tuple[Channel, Channel]) -> None:
    """A channel that was closed neither reads nor writes."""
    ends[0].close()
    with pytest.raises(ChannelClosed):
        ends[0].send(b"a", timeout_s=WAIT_S)
    with pytest.raises(ChannelClosed):
        ends[0].receive(timeout_s=WAIT_S)


CLOSED_TWICE = """
import os
from brinery.pickles.frames import Channel

channel = Channel(*os.pipe())
numbers = {channel.reading, channel.writing}
channel.close()
reading, writing = os.pipe()
assert {reading, writing} == numbers
channel.close()
os.write(writing, b"a")
assert os.read(reading, 1) == b"a"
"""


def test_closing_twice() -> None:
    """A second close does not close the file that has the number now.

    In a process of its own: here, a thread of another test may be quicker to take the number.
    """
    subprocess.run([sys.executable, "-c", CLOSED_TWICE], check=True)


def test_high_descriptors(ends: tuple[Channel, Channel]) -> None:
    """A server with more than a thousand open files can still start a model."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 1200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1200, hard))
    high = [os.dup2(ends[0].reading, 1100), os.dup2(ends[0].writing, 1101)]
    channel = Channel(*high)
    try:
        ends[1].send(b"a")
        assert channel.receive(timeout_s=WAIT_S) == (b"a", memoryview(b""))
        channel.send(b"b", timeout_s=WAIT_S)
        assert ends[1].receive(timeout_s=WAIT_S) == (b"b", memoryview(b""))
    finally:
        channel.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_wait_closed(ends: tuple[Channel, Channel]) -> None:
    """The wait for the other end's close ends with it, though a frame lies unread."""
    here, there = ends
    waiting = threading.Thread(target=there.wait_closed)
    waiting.start()
    here.send(b"unread")
    waiting.join(timeout=0.1)
    assert waiting.is_alive()
    here.close()
    waiting.join(timeout=WAIT_S)
    assert not waiting.is_alive()
