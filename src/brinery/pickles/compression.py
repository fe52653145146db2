"""The compressions that joblib and people use, told by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, cast


class Compression(StrEnum):
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

# What a reader of a damaged compressed file may raise.
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)

_CHUNK_BYTES = 1 << 16


class _ZlibFile(io.RawIOBase):
    """A zlib file, decompressed as it is read: the whole of it may not fit in memory."""

    def __init__(self, path: Path) -> None:
        self._packed = path.open("rb")
        self._machine = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._machine.eof:
            packed = self._machine.unconsumed_tail or self._packed.read(_CHUNK_BYTES)
            plain = self._machine.decompress(packed, len(buffer))
            if plain:
                buffer[: len(plain)] = plain
                return len(plain)
            if not packed:
                raise EOFError
        return 0

    def close(self) -> None:
        self._packed.close()
        super().close()


_FILES: dict[Compression, type[Any]] = {
    Compression.GZIP: gzip.GzipFile,
    Compression.BZ2: bz2.BZ2File,
    Compression.XZ: lzma.LZMAFile,
    Compression.LZMA: lzma.LZMAFile,
}


def sniff(head: bytes) -> Compression | None:
    """Return the compression that the first bytes of a file state, or None."""
    for compression, starts in _MAGIC.items():
        if head.startswith(starts):
            return compression
    return None


def open_plain(path: Path, compression: Compression | None) -> BinaryIO:
    """Return the decompressed stream of a file.

    Raises:
        OSError, EOFError, zlib.error, lzma.LZMAError: the file is damaged (see `DAMAGE`), here
            or at a later read.
    """
    if compression is None:
        return path.open("rb")
    if compression is Compression.ZLIB:
        return io.BufferedReader(_ZlibFile(path))
    return cast("BinaryIO", _FILES[compression](path))
