"""Parts of a stream as streams, and a pickle's frames; nothing here holds more than a chunk."""

from __future__ import annotations

import io
import math
from typing import Any, BinaryIO

from brinery.pickles.bounds import KEEP_TEXT_BYTES, MAX_LINE_BYTES, Broken

CHUNK_BYTES = 1 << 16

_LONGEST_ESCAPE = 10  # such as \U0001F600

_CUT_OFF = "it is cut off: it ends before its last opcode"


class _Limited(io.RawIOBase):
    """The next bytes of a stream, and no more of it."""

    def __init__(self, stream: Any, length: int, *, head: bytes = b"") -> None:
        super().__init__()
        self._stream = stream
        self._left = length
        self._head = memoryview(head)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._head:
            count = min(len(buffer), len(self._head))
            buffer[:count] = self._head[:count]
            self._head = self._head[count:]
            return count
        read = self._stream.read(min(len(buffer), self._left))
        self._left -= len(read)
        buffer[: len(read)] = read
        return len(read)


def limited(stream: Any, length: int, *, head: bytes = b"") -> io.BufferedReader:
    """Return the next bytes of a stream as a stream, after those of it that were read already.

    Args:
        stream: has `read`.
        length: how many of its bytes, `head` not counted.
        head: what comes before them.
    """
    return io.BufferedReader(_Limited(stream, length, head=head), CHUNK_BYTES)


def buffered(content: bytes) -> io.BufferedReader:
    """Return bytes as a stream that can look ahead and go back."""
    return io.BufferedReader(io.BytesIO(content))


def drain(stream: Any) -> int:
    """Return how many bytes were left in a stream, which is at its end now."""
    count = 0
    while part := stream.read(CHUNK_BYTES):
        count += len(part)
    return count


def skip(stream: BinaryIO, count: int) -> None:
    """Step over bytes, without reading them where the stream can.

    Raises:
        Broken: there are fewer.
    """
    if count > CHUNK_BYTES and stream.seekable():
        place = stream.tell()
        end = stream.seek(0, io.SEEK_END)
        if place + count > end:
            raise Broken("it ends in the middle of an array")
        stream.seek(place + count)
        return
    while count > 0:
        part = stream.read(min(count, CHUNK_BYTES))
        if not part:
            raise Broken("it ends in the middle of an array")
        count -= len(part)


class Frames:
    """Reads a pickle across its frames, without holding a frame.

    The standard library's machine in Python refuses frames that lie; the one in C reads on. So
    does this, and remembers.

    Args:
        stream: at the pickle's first byte.

    Attributes:
        place: how many bytes were read.
        lied: whether a frame ended within an opcode, or began within another.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._read = stream.read
        self._readline = stream.readline
        self._end = math.inf  # of the frame
        self.place = 0
        self.lied = False

    @property
    def open(self) -> bool:
        """Return whether a frame is not at its end."""
        return self.place < self._end < math.inf

    def read(self, count: int) -> bytes:
        """Return so many bytes.

        Raises:
            Broken: there are fewer.
        """
        end = self.place + count
        if end > self._end:
            self._leave()
        data: bytes = self._read(count)
        if len(data) < count:
            raise Broken(_CUT_OFF)
        self.place = end
        return data

    def readline(self) -> bytes:
        """Return a line, with its end.

        Raises:
            Broken: the file ends before the line does, or the line is no number and no name.
        """
        data = self._line(MAX_LINE_BYTES)
        if data.endswith(b"\n"):
            return data
        if len(data) == MAX_LINE_BYTES:
            raise Broken(f"a line of it has more than {MAX_LINE_BYTES:,} bytes")
        raise Broken(_CUT_OFF)

    def text_line(self) -> bytes:
        """Return a line that is a text, with its end; of a long one, its beginning and its end.

        Raises:
            Broken: the file ends before the line does.
        """
        data = self._line(KEEP_TEXT_BYTES)
        if data.endswith(b"\n"):
            return data
        escape = data.rfind(b"\\", -_LONGEST_ESCAPE)
        begun = data if escape < 0 else data[:escape].rstrip(b"\\")
        while not data.endswith(b"\n"):
            more = self._line(CHUNK_BYTES)
            if not more:
                raise Broken(_CUT_OFF)
            data = data[-1:] + more
        return begun + data[-2:]

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; there is no opcode left that needs it."""
        buffer[:] = self.read(len(buffer))
        return len(buffer)

    def begin(self, length: int) -> None:
        """Begin a frame."""
        self.lied = self.lied or self.open
        self._end = self.place + length

    def _line(self, most: int) -> bytes:
        """Return what is left of a line, and no more of it than so many bytes."""
        if self.place == self._end:
            self._leave()
        data: bytes = self._readline(most)
        self.place += len(data)
        if self.place > self._end:
            self.lied, self._end = True, math.inf
        return data

    def _leave(self) -> None:
        """Go on behind the frame, which should be at its end."""
        self.lied = self.lied or self.place < self._end
        self._end = math.inf
