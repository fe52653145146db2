"""The compressions that joblib and people use, told by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from enum import StrEnum
from io import BytesIO
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

_FILES: dict[Compression, type[Any]] = {
    Compression.GZIP: gzip.GzipFile,
    Compression.BZ2: bz2.BZ2File,
    Compression.XZ: lzma.LZMAFile,
    Compression.LZMA: lzma.LZMAFile,
}

# What a reader of a damaged compressed file may raise.
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)


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
        return BytesIO(zlib.decompress(path.read_bytes()))
    return cast("BinaryIO", _FILES[compression](path))
