"""What files hold, as BLAKE3; what was read once is not read again while it looks the same.

A file looks the same while its path, size, time of change in nanoseconds and inode do. What was
found out is kept in one small file for each tree, so that an unchanged tree costs one look at each
of its files, and one that changed a little is read a little.

The fingerprint of a tree is that of its files' names and contents, in the order of their names.
Links are followed, as a copy of the tree would; empty folders count. Names are bytes: whatever the
file system has. What changed while it was read is not kept: a file may change twice within the
clock's step, so one younger than that is read each time.
"""

from __future__ import annotations

import errno
import os
import stat as modes
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from blake3 import blake3

# A file of this size or more is mapped into memory, and hashed by more than one thread.
_MAPPED_BYTES: Final = 1 << 20
_MANY_BYTES: Final = 64 << 20
# Younger files may change again within the same time of change.
_SETTLED_NS: Final = 20_000_000


class Fingerprint(NamedTuple):
    """What lies at a path.

    Attributes:
        content: BLAKE3 of a file's bytes, or of a tree's names and files, in hexadecimal.
        file: whether it is one file.
        size_bytes: of all files.
        files: count.
        stamp: BLAKE3 of names, sizes, times and inodes.
    """

    content: str
    file: bool
    size_bytes: int
    files: int
    stamp: str


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    """What a file looked like when it was read, and what it held."""

    size: int
    changed_ns: int
    inode: int
    content: bytes


class _Found(NamedTuple):
    """A file of a tree."""

    name: str
    path: str
    size: int
    changed_ns: int
    inode: int
    executable: bool


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, _Seen])

Kept = Callable[[str, bool], bool]


class Fingerprints:
    """Fingerprints of files and trees. Each path is asked of by one thread at a time.

    Args:
        folder: what was found out is kept there; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def of(self, path: str, *, keeps: Kept | None = None) -> Fingerprint:
        """Return what lies at a path.

        Args:
            path: absolute; of a file or a folder.
            keeps: whether a name below the folder, `a/b.py`, and whether it is a folder, counts;
                everything does when None.

        Raises:
            OSError: it cannot be read.
        """
        return self._look(path, keeps)[0]

    def look(self, path: str, *, keeps: Kept | None = None) -> tuple[Fingerprint, dict[str, str]]:
        """Return what lies at a path, and the BLAKE3 of each file by its name below it.

        Raises:
            OSError: it cannot be read.
        """
        found, contents = self._look(path, keeps)
        return found, {name: content.hex() for name, content in contents.items()}

    def _look(self, path: str, keeps: Kept | None) -> tuple[Fingerprint, dict[str, bytes]]:
        top = os.stat(path)  # noqa: PTH116 - ten thousand of them are asked for in a row
        single = not modes.S_ISDIR(top.st_mode)
        if single and not modes.S_ISREG(top.st_mode):
            # A pipe would be waited for, a device read for ever.
            raise OSError(errno.EINVAL, "is neither a file nor a folder", path)
        if single:
            found = [_found(os.path.basename(path), path, top)]  # noqa: PTH119 - as above
            folders: list[str] = []
        else:
            found, folders = _tree(path, keeps)
        known = self._known(path)
        now_ns = time.time_ns()
        seen: dict[str, _Seen] = {}
        contents: dict[str, bytes] = {}
        for each in found:
            earlier = known.get(each.name)
            if (
                earlier is not None
                and earlier.size == each.size
                and earlier.changed_ns == each.changed_ns
                and earlier.inode == each.inode
            ):
                seen[each.name] = earlier
                contents[each.name] = earlier.content
                continue
            content = _hash_file(each.path, each.size)
            contents[each.name] = content
            if now_ns - each.changed_ns > _SETTLED_NS:
                seen[each.name] = _Seen(each.size, each.changed_ns, each.inode, content)
        if seen != known:
            self._keep(path, seen)
        stamp = _stamp(found, folders)
        size = sum(each.size for each in found)
        if single:
            whole = contents[found[0].name].hex()
            return Fingerprint(whole, True, size, 1, stamp), contents  # noqa: FBT003 - a field
        return _of_tree(found, folders, contents=contents, stamp=stamp), contents

    def _known(self, path: str) -> dict[str, _Seen]:
        if self._folder is None:
            return {}
        try:
            return _DECODER.decode(self._place(path).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return {}

    def _keep(self, path: str, seen: dict[str, _Seen]) -> None:
        if self._folder is None:
            return
        place = self._place(path)
        beside = place.with_name(f"{place.name}.{os.getpid()}")
        # It is only ever a saving: a full disk costs time, not the job.
        with suppress(OSError):
            try:
                beside.write_bytes(_ENCODER.encode(seen))
            except FileNotFoundError:
                self._folder.mkdir(parents=True, exist_ok=True)
                beside.write_bytes(_ENCODER.encode(seen))
            beside.replace(place)

    def _place(self, path: str) -> Path:
        assert self._folder is not None  # noqa: S101 - for the type checker
        return self._folder / blake3(os.fsencode(path)).hexdigest(length=16)


def stamp_of(path: str) -> str:
    """Return the stamp of what lies at a path: nothing in it is read; empty where nothing does.

    What has the stamp that it was kept with holds what it did then.
    """
    try:
        top = os.lstat(path)
        if modes.S_ISDIR(top.st_mode):
            return _stamp(*_tree(path, None))
        return _stamp([_found(os.path.basename(path), path, top)], [])  # noqa: PTH119 - a text
    except OSError:
        return ""


def hash_text(text: str) -> str:
    """Return the BLAKE3 of a text, in hexadecimal."""
    return blake3(text.encode("utf-8", "surrogateescape")).hexdigest()


def _of_tree(
    found: list[_Found], folders: list[str], *, contents: dict[str, bytes], stamp: str
) -> Fingerprint:
    whole = blake3(b"tree\0")
    for name in folders:
        whole.update(b"d" + os.fsencode(name) + b"\0")
    for each in found:
        kind = b"x" if each.executable else b"f"
        whole.update(kind + os.fsencode(each.name) + b"\0" + contents[each.name])
    size = sum(each.size for each in found)
    return Fingerprint(whole.hexdigest(), False, size, len(found), stamp)  # noqa: FBT003 - a field


def _hash_file(path: str, size: int) -> bytes:
    if size >= _MAPPED_BYTES:
        threads = blake3.AUTO if size >= _MANY_BYTES else 1
        return blake3(max_threads=threads).update_mmap(path).digest()
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(file, size + 1)
        if len(content) == size:
            return blake3(content).digest()
        # It grew, or is given in pieces.
        hasher = blake3(content)
        while content:
            content = os.read(file, _MAPPED_BYTES)
            hasher.update(content)
        return hasher.digest()
    finally:
        os.close(file)


def _tree(top: str, keeps: Kept | None) -> tuple[list[_Found], list[str]]:
    """Return the files below a folder by name, and the names of the empty folders."""
    found: list[_Found] = []
    empty: list[str] = []
    for folder, files, folders in _walk(top, keeps):
        if folder and not files and not folders:
            empty.append(folder)
        found += files
    found.sort()
    empty.sort()
    return found, empty


def _walk(top: str, keeps: Kept | None) -> Iterator[tuple[str, list[_Found], list[str]]]:
    # The inodes of the folders above tell a link that leads back to one of them.
    start = os.stat(top)  # noqa: PTH116 - as above
    todo = [("", top, frozenset({(start.st_dev, start.st_ino)}))]
    while todo:
        prefix, folder, above = todo.pop()
        files: list[_Found] = []
        folders: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                name = f"{prefix}/{entry.name}" if prefix else entry.name
                try:
                    is_folder = entry.is_dir()
                    if keeps is not None and not keeps(name, is_folder):
                        continue
                    seen = entry.stat()
                except OSError:
                    continue  # a link to nowhere: a copy has none either
                if is_folder:
                    identity = (seen.st_dev, seen.st_ino)
                    if identity not in above:
                        folders.append(name)
                        todo.append((name, entry.path, above | {identity}))
                elif modes.S_ISREG(seen.st_mode):
                    files.append(_found(name, entry.path, seen))
        yield prefix, files, folders


def _found(name: str, path: str, seen: os.stat_result) -> _Found:
    return _Found(
        name,
        path,
        seen.st_size,
        seen.st_mtime_ns,
        seen.st_ino,
        bool(seen.st_mode & modes.S_IXUSR),
    )


def _stamp(found: list[_Found], folders: list[str]) -> str:
    lines = [f"{each.name}\0{each.size}\0{each.changed_ns}\0{each.inode}" for each in found]
    return hash_text("\n".join([*lines, "", *folders]))
