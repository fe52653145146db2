"""The compressions that joblib and people use: told by their first bytes, read in parts."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from brinery.pickles.bounds import (
    MAX_PLAIN_BYTES,
    MAX_RATIO,
    RATIO_FREE_BYTES,
    Broken,
    Budget,
    TooMuch,
)
from brinery.records.text_enum import TextEnum


class Compression(TextEnum):
    """How a model file is compressed."""

    ZLIB = "zlib"
    GZIP = "gzip"
    BZ2 = "bz2"
    XZ = "xz"
    LZMA = "lzma"


_MAGIC = {
    Compression.GZIP: (b"\x1f\x8b",),
    Compression.BZ2: (b"BZh",),
    Compression.XZ: (b"\xfd7zXZ\x00",),
    Compression.LZMA: (b"\x5d\x00\x00",),
    Compression.ZLIB: (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"),
}

# What a reader of a damaged compressed stream may raise.
DAMAGE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, MemoryError)

_CHUNK_BYTES = 1 << 16
_GZIP_WINDOW = 31  # the largest window, and a gzip header: zlib checks its sum and its size
_RAW_WINDOW = -15
_MAGIC_BYTES = 6
_EXACT_BYTES = 2048
_SMALL_BYTES = 64
_LZMA_MEMORY_BYTES = 512 << 20


class _Zlib:
    """zlib's machine with the manners of bz2's and lzma's: what it holds back is its own matter."""

    def __init__(self, window: int) -> None:
        self._machine = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._machine.eof

    @property
    def needs_input(self) -> bool:
        return not self._machine.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._machine.unused_data

    def decompress(self, packed: bytes, most: int) -> bytes:
        return self._machine.decompress(self._machine.unconsumed_tail + packed, most)


_MACHINES: dict[Compression, Callable[[], Any]] = {
    Compression.ZLIB: lambda: _Zlib(zlib.MAX_WBITS),
    Compression.GZIP: lambda: _Zlib(_GZIP_WINDOW),
    Compression.BZ2: bz2.BZ2Decompressor,
    Compression.XZ: lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY_BYTES),
    Compression.LZMA: lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY_BYTES),
}

# One stream may follow another, as their own tools write it; of the others there is one.
_SEVERAL = (Compression.GZIP, Compression.BZ2, Compression.XZ)


def _piece(place: int) -> int:
    """Return how much is decompressed at once: little at first.

    A machine that meets damage gives none of the bytes that came before it in the same piece.
    """
    if place < _EXACT_BYTES:
        return 1
    return _SMALL_BYTES if place < _CHUNK_BYTES else _CHUNK_BYTES


class Plain(io.RawIOBase):
    """A compressed stream, decompressed as it is read: the whole of it may not fit in memory.

    Args:
        packed: the stream, at its first compressed byte.
        machine: makes what decompresses one stream.
        words: how its damage is told.
        budget: what may still be read of the file, in all its layers; None where nothing counts.
        again: tells from its first bytes whether another stream follows one that ended.

    Attributes:
        trailing: whether bytes follow that are not compressed.
    """

    def __init__(
        self,
        packed: Any,
        machine: Callable[[], Any],
        *,
        words: str,
        budget: Budget | None = None,
        again: Callable[[bytes], bool] = lambda _: False,
    ) -> None:
        super().__init__()
        self._packed = packed
        self._make = machine
        self._machine = machine()
        self._words = words
        self._budget = budget
        self._again = again
        self._pending = memoryview(b"")
        self._damage: Broken | None = None
        self._read_bytes = 0
        self._plain_bytes = 0
        self.trailing = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, and return how many bytes of it were filled.

        Raises:
            Broken: the stream is damaged, or ends too early.
            TooMuch: it grows as only a bomb does.
        """
        filled = 0
        while filled < len(buffer) and (plain := self._next(len(buffer) - filled, held=filled)):
            buffer[filled : filled + len(plain)] = plain
            filled += len(plain)
        return filled

    def _next(self, most: int, *, held: int) -> bytes:
        """Return some plain bytes; none at the end, or at damage behind bytes that are held."""
        if self._damage is None:
            try:
                plain = self._decompressed(min(most, _piece(self._plain_bytes)))
            except DAMAGE:
                self._damage = Broken(f"its {self._words} compression is damaged or cut off")
            else:
                self._plain_bytes += len(plain)
                self._check_growth(len(plain))
                return plain
        if held:
            return b""
        raise self._damage

    def _check_growth(self, count: int) -> None:
        if self._budget is not None:
            self._budget.spend_plain(count)
        grown = self._plain_bytes - RATIO_FREE_BYTES
        if grown > MAX_RATIO * self._read_bytes or self._plain_bytes > MAX_PLAIN_BYTES:
            raise TooMuch(
                f"{self._read_bytes:,} compressed bytes of it become more than "
                f"{self._plain_bytes:,}, as only a bomb's do"
            )

    def _decompressed(self, most: int) -> bytes:
        while True:
            if self._machine.eof and not self._next_stream():
                return b""
            packed = b""
            if self._machine.needs_input:
                self._pending = self._pending or memoryview(self._more())
                if not self._pending:
                    raise EOFError
                count = _piece(self._plain_bytes)
                packed, self._pending = bytes(self._pending[:count]), self._pending[count:]
            plain: bytes = self._machine.decompress(packed, most)
            if plain:
                return plain

    def _next_stream(self) -> bool:
        """Return whether another stream follows the one that ended; zeros between are padding."""
        if self.trailing:
            return False
        rest = (self._machine.unused_data + self._pending.tobytes()).lstrip(b"\0")
        self._pending = memoryview(b"")
        while len(rest) < _MAGIC_BYTES and (more := self._more()):
            rest = (rest + more).lstrip(b"\0")
        if rest and self._again(rest):
            if self._budget is not None:
                self._budget.spend_member()
            self._machine, self._pending = self._make(), memoryview(rest)
            return True
        self.trailing = bool(rest)
        return False

    def _more(self) -> bytes:
        packed: bytes = self._packed.read(_CHUNK_BYTES)
        self._read_bytes += len(packed)
        return packed


def sniff(head: bytes) -> Compression | None:
    """Return the compression that the first bytes of a stream state, or None."""
    for compression, starts in _MAGIC.items():
        if head.startswith(starts):
            return compression
    return None


def open_plain(
    packed: BinaryIO, compression: Compression, *, budget: Budget | None = None
) -> tuple[io.BufferedReader, Plain]:
    """Return the decompressed stream of a compressed one, and what tells of bytes after it.

    Reading it raises `Broken` where it is damaged and `TooMuch` where it is a bomb.
    """
    plain = Plain(
        packed,
        _MACHINES[compression],
        words=str(compression),
        budget=budget,
        again=lambda head: compression in _SEVERAL and sniff(head) is compression,
    )
    return io.BufferedReader(plain, _CHUNK_BYTES), plain


def open_deflated(packed: Any, *, budget: Budget) -> Plain:
    """Return the decompressed stream of a zip archive's member."""
    return Plain(packed, lambda: _Zlib(_RAW_WINDOW), words="deflate", budget=budget)


def open_bz2(packed: Any, *, budget: Budget) -> Plain:
    """Return the decompressed stream of a zip archive's bz2 member."""
    return Plain(packed, bz2.BZ2Decompressor, words="bz2", budget=budget)
