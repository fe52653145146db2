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

# More than this in one frame is a mistake or an attack, not a table.
MAX_FRAME_BYTES = 8 << 30


class ChannelClosed(Exception):
    """The other process closed its end."""


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

    def send(self, header: bytes, payload: bytes | memoryview = b"") -> None:
        """Write one frame.

        Raises:
            ChannelClosed: the other end is gone.
        """
        try:
            for part in (_LENGTHS.pack(len(header), len(payload)), header, payload):
                view = memoryview(part)
                while view:
                    view = view[os.write(self.writing, view) :]
        except OSError as error:
            raise ChannelClosed from error

    def receive(self, *, timeout_s: float | None = None) -> tuple[bytes, bytes]:
        """Return the header and the payload of the next frame.

        Args:
            timeout_s: how long to wait for the whole of it; None waits for ever.

        Raises:
            ChannelClosed: the other end is gone, or sent what is not a frame.
            ChannelTimeout: the time is over.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        header_bytes, payload_bytes = _LENGTHS.unpack(self._read(_LENGTHS.size, deadline))
        if header_bytes + payload_bytes > MAX_FRAME_BYTES:
            raise ChannelClosed
        return self._read(header_bytes, deadline), self._read(payload_bytes, deadline)

    def close(self) -> None:
        """Close both ends."""
        for descriptor in (self.reading, self.writing):
            try:
                os.close(descriptor)
            except OSError:
                continue

    def _read(self, count: int, deadline: float | None) -> bytes:
        read = bytearray()
        while len(read) < count:
            if deadline is not None:
                left = max(0.0, deadline - time.monotonic())
                if not select.select([self.reading], [], [], left)[0]:
                    raise ChannelTimeout
            try:
                part = os.read(self.reading, min(count - len(read), 1 << 20))
            except OSError as error:
                raise ChannelClosed from error
            if not part:
                raise ChannelClosed
            read += part
        return bytes(read)
