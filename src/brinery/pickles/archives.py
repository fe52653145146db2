"""Zip archives, read without believing them: table of contents against members, sums against bytes.

What torch, skops, Keras and numpy write are zip archives. Readers of zip archives differ in which
of two contradicting statements they follow, and every contradiction is a problem here; the bytes
are read all the same, so that what they ask for is told.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from brinery.pickles import compression
from brinery.pickles.bounds import Broken, Budget, TooMuch
from brinery.pickles.evidence import Evidence
from brinery.pickles.programs import ARCHIVE
from brinery.pickles.streams import CHUNK_BYTES, drain

MAGIC = ARCHIVE

_END = b"PK\x05\x06"
_END_BYTES = 22
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_MAX_COMMENT_BYTES = 1 << 16
_MAX_CONTENTS_BYTES = 64 << 20
_DESCRIPTOR_BYTES = 24  # sizes and sum may follow a member instead of going before it
_ENCRYPTED, _SIZES_FOLLOW, _UTF_8 = 0x1, 0x8, 0x800
_UNKNOWN = 0xFFFFFFFF

# What zipfile raises on a table of contents that is none.
_DAMAGE = (
    zipfile.BadZipFile,
    OSError,
    OverflowError,
    RuntimeError,  # and its kind for a compression that zipfile does not know
    ValueError,
    IndexError,
    struct.error,
)

# Reads a member, given its name and its decompressed stream; tells whether it knows its format.
ReadMember = Callable[[str, Any], bool]


class _Window(io.RawIOBase):
    """Some bytes of a stream that can go back, with a place of its own."""

    def __init__(self, stream: BinaryIO, start: int, *, length: int) -> None:
        super().__init__()
        self._stream = stream
        self._place, self._end = start, start + length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._stream.seek(self._place)
        read = self._stream.read(min(len(buffer), self._end - self._place))
        self._place += len(read)
        buffer[: len(read)] = read
        return len(read)


class _Summed(io.RawIOBase):
    """A stream that keeps the sum and the count of what was read of it."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream
        self.crc, self.count = 0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._stream.readinto(buffer)
        self.crc = zlib.crc32(memoryview(buffer)[:count], self.crc)
        self.count += count
        return count


def ends_as_zip(stream: BinaryIO) -> bool:
    """Return whether a stream has a zip archive at its end; the stream stays where it is."""
    place = stream.tell()
    try:
        return _end(stream) is not None
    finally:
        stream.seek(place)


def _end(stream: BinaryIO) -> tuple[int, bytes] | None:
    """Return where the end of the table of contents lies, and all from there; None if nowhere."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _END_BYTES - _MAX_COMMENT_BYTES))
    tail = stream.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_BYTES:
        return None
    return size - len(tail) + place, tail[place:]


def contents(stream: BinaryIO, evidence: Evidence) -> list[zipfile.ZipInfo]:
    """Return the members of an archive, having noted what is wrong with their names and places.

    Raises:
        Broken: the table of contents cannot be read.
        TooMuch: it is larger than any honest one.
    """
    end = _end(stream)
    if end is None:
        raise Broken("it is cut off: a zip archive without its table of contents")
    table_bytes, _, comment_bytes = struct.unpack("<2LH", end[1][12:_END_BYTES])
    if table_bytes != _UNKNOWN and table_bytes > _MAX_CONTENTS_BYTES:
        raise TooMuch(f"its table of contents has {table_bytes:,} bytes")
    if len(end[1]) != _END_BYTES + comment_bytes:
        evidence.problem("bytes follow the zip archive")
    try:
        with zipfile.ZipFile(stream) as archive:
            members, table = archive.infolist(), archive.start_dir
    except _DAMAGE:
        raise Broken("the table of contents of its zip archive is damaged") from None
    _check_names(members, evidence)
    _check_places(stream, members, evidence, table=table)
    return members


def is_folder(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is a folder, which has a name and no bytes."""
    return member.orig_filename.endswith("/") and not member.file_size | member.compress_size


def _check_names(members: list[zipfile.ZipInfo], evidence: Evidence) -> None:
    seen: set[str] = set()
    for member in members:
        evidence.budget.spend_member()
        name = member.orig_filename
        shown = _shown(name)
        plain = name.replace("\\", "/")
        if plain in seen:
            evidence.problem(f"two members are named {shown}")
        seen.add(plain)
        if plain.startswith("/") or ".." in plain.split("/") or ":" in plain or "\0" in plain:
            evidence.problem(f"the member {shown} would be written outside of its folder")
        if stat.S_ISLNK(member.external_attr >> 16):
            evidence.problem(f"the member {shown} is a link")


def _check_places(
    stream: BinaryIO, members: list[zipfile.ZipInfo], evidence: Evidence, *, table: int
) -> None:
    """Note members that overlap, and bytes that belong to none, up to the table of contents."""
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        start = member.header_offset
        if start < end:
            evidence.problem("its members lie within each other, as only a bomb's do")
            return
        if not end and start:
            evidence.problem(f"{start:,} bytes lie before the zip archive")
        elif start - end > _DESCRIPTOR_BYTES:
            evidence.problem(f"{start - end:,} bytes lie between its members")
        header = _local(stream, member)
        if header is None:
            continue
        end = header[0] + member.compress_size
    if not 0 <= table - end <= _DESCRIPTOR_BYTES:
        evidence.problem("its table of contents does not follow its members")


def _local(stream: BinaryIO, member: zipfile.ZipInfo) -> tuple[int, tuple[Any, ...], bytes] | None:
    """Return where a member's bytes begin, and what is said before them; None if nothing is."""
    if member.header_offset < 0:
        return None
    stream.seek(member.header_offset)
    head = stream.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(_LOCAL_MAGIC):
        return None
    said = _LOCAL.unpack(head)
    name = stream.read(said[-2])
    return member.header_offset + _LOCAL.size + said[-2] + said[-1], said, name


def read_member(
    stream: BinaryIO, member: zipfile.ZipInfo, *, evidence: Evidence, read: ReadMember
) -> bool:
    """Return what reading a member returned, having noted where it is not what is said of it.

    Args:
        stream: of the archive.
        member: of its table of contents.
        evidence: of the member.
        read: is given the name and the decompressed stream.

    Raises:
        Broken: it cannot be read.
    """
    header = _local(stream, member)
    if header is None:
        raise Broken("it is not where the archive says")
    start, said, name = header
    for problem in _contradictions(member, said, name):
        evidence.problem(problem)
    packed: Any = io.BufferedReader(
        _Window(stream, start, length=member.compress_size), CHUNK_BYTES
    )
    summed = _Summed(_opened(packed, member.compress_type, evidence.budget))
    plain: Any = io.BufferedReader(summed, CHUNK_BYTES)
    known = read(member.filename, plain)
    drain(plain)
    if summed.crc != member.CRC:
        evidence.problem("its CRC is wrong")
    if summed.count != member.file_size:
        evidence.problem("it is not as long as the archive says")
    return known


def _opened(packed: Any, method: int, budget: Budget) -> Any:
    if method == zipfile.ZIP_STORED:
        return packed
    if method == zipfile.ZIP_DEFLATED:
        return compression.open_deflated(packed, budget=budget)
    if method == zipfile.ZIP_BZIP2:
        return compression.open_bz2(packed, budget=budget)
    raise Broken(f"its compression (zip method {method}) is not read")


def _contradictions(member: zipfile.ZipInfo, said: tuple[Any, ...], name: bytes) -> Iterator[str]:
    """Yield in what a member's own header differs from the table of contents."""
    _, _, flags, method, _, _, crc, packed, plain, _, _ = said
    code = "utf-8" if flags & _UTF_8 else "cp437"
    if name.decode(code, "replace") != member.orig_filename:
        yield f"the archive names it {_shown(member.orig_filename)}, it names itself {name[:80]!r}"
    if (flags | member.flag_bits) & _ENCRYPTED:
        yield "it is encrypted"
    if method != member.compress_type:
        yield "its compression is stated twice and differs"
    if flags & _SIZES_FOLLOW:
        return
    if crc != member.CRC:
        yield "its CRC is stated twice and differs"
    for one, other in ((packed, member.compress_size), (plain, member.file_size)):
        if one not in (other, _UNKNOWN):
            yield "its size is stated twice and differs"
            return


def _shown(name: str) -> str:
    return ascii(name[:100])
