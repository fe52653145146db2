"""The digest of a model file or folder, and a copy of it that is known to have that digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

from brinery.errors import ModelFileChanged, ModelFileError

_CHUNK_BYTES = 1 << 20
_COMPILED = "__pycache__"


def digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal.

    Of a folder it is the sha256 of a line per file, sorted by name: the file's own sha256, two
    spaces, and its path within the folder with `/` between, as `sha256sum` prints it. What Python
    keeps of compiled modules is no part of it, nor of a copy.

    Raises:
        ModelFileError: it cannot be read, or the folder holds what is no file.
    """
    return _digest(path, None)


def copy(path: Path, into: Path, *, sha256: str) -> None:
    """Copy a file or folder, and make sure that the copy is what the digest says.

    Args:
        path: of the file or folder.
        into: what it becomes; its parent exists.
        sha256: what `digest` said of it.

    Raises:
        ModelFileChanged: it has another digest now.
        ModelFileError: it cannot be read, or the folder holds what is no file.
    """
    found = _digest(path, into)
    if found != sha256:
        raise ModelFileChanged(
            f"{path} is not the file it was: its sha256 is {found[:12]}…, not {sha256[:12]}…",
            hint="import it again",
        )


def files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and of those within, sorted by their path within it.

    Raises:
        ModelFileError: it holds what is neither file nor folder, such as a link to elsewhere.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise ModelFileError(
                    f"{path} is a link or a device, and a model is made of files",
                    hint="copy the folder with its links resolved: cp -rL",
                )
        found += [Path(parent, name) for name in names]
    yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def of_parts(parts: Mapping[str, str]) -> str:
    """Return the sha256 of a folder: a line per file, as `digest` says.

    Args:
        parts: path within the folder, with `/` between, to the file's own sha256; sorted.
    """
    lines = (f"{sha256}  {name}\n" for name, sha256 in parts.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(path: Path, into: Path | None) -> str:
    try:
        if not path.is_dir():
            return _file_digest(path, into)
        if into is not None:
            into.mkdir()
        parts = {}
        for file in files(path):
            name = file.relative_to(path)
            if _COMPILED in name.parts:
                continue  # any program that imports a module from the folder leaves it there
            if into is not None:
                (into / name).parent.mkdir(parents=True, exist_ok=True)
            parts[name.as_posix()] = _file_digest(file, into / name if into else None)
        return of_parts(parts)
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read: {error.strerror}", hint=f"ls -l {path} shows who may read it"
        ) from None


def _file_digest(path: Path, into: Path | None) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as stream, nullcontext() if into is None else into.open("xb") as written:
        while part := stream.read(_CHUNK_BYTES):
            whole.update(part)
            if written is not None:
                written.write(part)
    return whole.hexdigest()
