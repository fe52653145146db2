"""What a pickle would need, who wrote it, and what it holds: read without running it."""

from __future__ import annotations

import hashlib
import pickle
import struct
import warnings
from pathlib import Path
from typing import Any

from brinery.errors import ModelFileError, ModelFileMissing, NotAPickle
from brinery.pickles import compression
from brinery.pickles.stubs import Inert, InertUnpickler
from brinery.records.scan import Global, ScanReport

_CHUNK_BYTES = 1 << 20

# What the machine raises on a stream that is not a pickle, or is only a part of one.
_MALFORMED = (
    *compression.DAMAGE,
    pickle.UnpicklingError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    UnicodeError,
    ValueError,
    struct.error,
)

# What other formats begin with, so that the error can say what the file is.
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive (skops, torch, Keras and npz files are zip archives)",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a numpy array file",
    b"PAR1": "a Parquet file",
    b"{": "a JSON file",
    b"<": "an HTML or XML file",
    b"\x04\x22\x4d\x18": "an lz4 file: write it with another compression, such as zlib",
    b"\x28\xb5\x2f\xfd": "a zstd file: decompress it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"version https://git-lfs": "a Git LFS pointer: run git lfs pull",
}


def digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def scan(path: Path) -> ScanReport:
    """Return what a pickle states, without importing or making anything of it.

    Raises:
        ModelFileMissing: there is no such file.
        ModelFileError: it cannot be opened.
        NotAPickle: it is empty, truncated, or another format.
    """
    head = _head(path)
    if not head:
        raise NotAPickle(
            f"{path} is empty",
            hint="write it again, and close the file: with open(path, 'wb') as f: pickle.dump(…)",
        )
    packing = compression.sniff(head)
    try:
        with warnings.catch_warnings(), compression.open_plain(path, packing) as plain:
            # Noise may hold an escape that Python warns of.
            warnings.simplefilter("ignore")
            machine = InertUnpickler(plain)
            held = machine.load()
            while packing and plain.read(_CHUNK_BYTES):
                continue  # the checksum is at the end
    except _MALFORMED as error:
        raise _not_a_pickle(path, head, error) from None
    return ScanReport(
        format="joblib" if machine.raw_arrays else "pickle",
        protocol=machine.protocol,
        compression=packing,
        size_bytes=path.stat().st_size,
        sha256=digest(path),
        globals=tuple(sorted(machine.globals)),
        versions=_versions(machine.states),
        outermost=_outermost(held),
    )


def _head(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises:
        ModelFileMissing: there is no such file.
        ModelFileError: it cannot be opened.
    """
    try:
        if path.is_file():
            with path.open("rb") as stream:
                return stream.read(32)
        what = "is a folder" if path.is_dir() else "does not exist"
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be opened: {error.strerror}", hint=f"ls -l {path} shows who may read it"
        ) from None
    raise ModelFileMissing(
        f"{path} {what}", hint=f"ls {path.parent} shows what is there; give a pickled model"
    )


def _outermost(held: Any) -> str:
    match held:
        case Inert():
            return str(held.origin)
        case Global():
            return "type"
        case _:
            return type(held).__name__


def _not_a_pickle(path: Path, head: bytes, error: Exception) -> NotAPickle:
    for magic, what in _OTHER_FORMATS.items():
        if head.startswith(magic):
            return NotAPickle(
                f"{path} is not a pickle: it looks like {what}",
                hint="give the file that pickle.dump or joblib.dump wrote",
            )
    if head[0] == pickle.PROTO[0] or compression.sniff(head):
        return NotAPickle(
            f"{path} is damaged: it begins as a pickle and cannot be read to its end",
            hint="copy or write it again; compare its size and sha256 with the original's",
        )
    del error  # the machine's own words help nobody
    return NotAPickle(
        f"{path} is not a pickle",
        hint="give the file that pickle.dump or joblib.dump wrote",
    )


def _versions(states: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return the versions that scikit-learn writes beside every estimator's attributes."""
    stated = (state.get("_sklearn_version") for state in states)
    found = {version for version in stated if isinstance(version, str)}
    return {"scikit-learn": tuple(sorted(found))} if found else {}
