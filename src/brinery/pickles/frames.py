"""How two processes talk: frames of a header and a payload, over two pipes.

A frame is two little-endian 64-bit lengths, a header (MessagePack) and a payload (an Arrow
stream, or empty). It carries records and arrays, never a pickle.
"""

from __future__ import annotations

import os
import select
import struct
import time

_LENGTHS = struct.Struct("<QQ")
_PART_BYTES = 1 << 16  # what a pipe holds
_LONGEST_WAIT_S = 3600.0

# More than this in one frame is a mistake or an attack, not a table.
MAX_FRAME_BYTES = 8 << 30
# A description of a hundred thousand columns has about a fifth of it.
MAX_HEADER_BYTES = 64 << 20


class ChannelClosed(Exception):
    """The other process closed its end."""


class NotAFrame(ChannelClosed):
    """The other process sent what is not a frame, or more than it may."""


class ChannelTimeout(Exception):
    """The other process did not answer in time."""


class Channel:
    """One end of a pair of pipes.

    Attributes:
        reading: file descriptor that frames come from.
        writing: file descriptor that frames go to.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self.reading = reading
        self.writing = writing
        os.set_blocking(writing, False)  # a full pipe is waited for, with a deadline

    def send(
        self, header: bytes, payload: bytes | memoryview = b"", *, timeout_s: float | None = None
    ) -> None:
        """Write one frame.

        Args:
            header: of the frame.
            payload: of the frame.
            timeout_s: how long the other end may take to read it; None waits for ever.

        Raises:
            ChannelClosed: the other end is gone.
            ChannelTimeout: the time is over; a part of the frame may be written.
        """
        deadline = _deadline(timeout_s)
        for part in (_LENGTHS.pack(len(header), len(payload)), header, payload):
            view = memoryview(part)
            while view:
                _wait(self.writing, select.POLLOUT, deadline)
                try:
                    view = view[os.write(self.writing, view) :]
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise ChannelClosed from error

    def receive(
        self, *, timeout_s: float | None = None, most_bytes: int | None = None
    ) -> tuple[bytes, memoryview]:
        """Return the header and the payload of the next frame.

        Args:
            timeout_s: how long to wait for the whole of it; None waits for ever.
            most_bytes: how large the payload may be; None allows what any frame may have.

        Raises:
            ChannelClosed: the other end is gone.
            NotAFrame: it sent what is not a frame, or a larger one.
            ChannelTimeout: the time is over.
        """
        deadline = _deadline(timeout_s)
        header_bytes, payload_bytes = _LENGTHS.unpack(self._read(_LENGTHS.size, deadline))
        most = MAX_FRAME_BYTES if most_bytes is None else most_bytes
        if header_bytes > MAX_HEADER_BYTES or payload_bytes > most:
            raise NotAFrame
        header = bytes(self._read(header_bytes, deadline))
        return header, memoryview(self._read(payload_bytes, deadline))

    def wait_closed(self) -> None:
        """Return once the other end is closed, whatever lies unread."""
        poller = select.poll()
        poller.register(self.reading, 0)
        poller.poll()

    def close(self) -> None:
        """Close both ends, once: their numbers may soon be another file's."""
        closing = (self.reading, self.writing)
        self.reading = self.writing = -1
        for descriptor in closing:
            if descriptor >= 0:
                os.close(descriptor)

    def _read(self, count: int, deadline: float | None) -> bytearray:
        read = bytearray()
        while len(read) < count:
            _wait(self.reading, select.POLLIN, deadline)
            try:
                part = os.read(self.reading, min(count - len(read), _PART_BYTES))
            except OSError as error:
                raise ChannelClosed from error
            if not part:
                raise ChannelClosed
            read += part
        return read


def _deadline(timeout_s: float | None) -> float | None:
    return None if timeout_s is None else time.monotonic() + timeout_s


def _wait(descriptor: int, event: int, deadline: float | None) -> None:
    """Return once a descriptor is ready; unlike `select` it takes descriptors above 1023.

    Raises:
        ChannelClosed: it was closed here.
        ChannelTimeout: the time is over.
    """
    if descriptor < 0:
        raise ChannelClosed
    poller = select.poll()
    poller.register(descriptor, event)
    while True:
        left_s = _LONGEST_WAIT_S if deadline is None else deadline - time.monotonic()
        if poller.poll(1000 * min(max(left_s, 0.0), _LONGEST_WAIT_S)):
            return
        if left_s <= 0:
            raise ChannelTimeout
