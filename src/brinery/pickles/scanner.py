"""What a model file or folder would need, who wrote it, and what it holds, without running it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import BinaryIO

from brinery.errors import (
    FormatNotRead,
    ModelFileChanged,
    ModelFileError,
    ModelFileMissing,
    NotAPickle,
)
from brinery.pickles import compression, folders, parts
from brinery.pickles.bounds import Broken, Budget, TooMuch
from brinery.pickles.digest import digest, files
from brinery.pickles.evidence import Evidence
from brinery.pickles.pickled import is_avowed
from brinery.records.scan import ScanReport

# What other formats begin with, so that the error can say what the file is.
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive without a model in it",
    b"\x89HDF": "an HDF5 file: save a Keras model as model.keras instead",
    b"PAR1": "a Parquet file",
    b"{": "a JSON file",
    b"[": "a JSON file",
    b"<": "an HTML or XML file",
    b"%PDF": "a PDF file",
    b"version https://git-lfs": "a Git LFS pointer: run git lfs pull",
}
# CatBoost saves as JSON too, in which case the first of its sections is one of these.
_CATBOOST_JSON = re.compile(rb'\s*\{\s*"(?:ctr_data|features_info|model_info)"')
_GIVE = (
    "give the file that pickle.dump or joblib.dump wrote, or one of a format in the documentation"
)

# What a pickle's protocol tells of the Python that wrote it.
_PROTOCOLS = {3: "≥ 3.0", 4: "≥ 3.4", 5: "≥ 3.8"}


def scan(path: Path) -> ScanReport:
    """Return what a model file or folder states, without importing or making anything of it.

    What is malformed is reported, together with all that was read before it broke.

    Raises:
        ModelFileMissing: there is no such file, or the folder holds no model.
        ModelFileError: it cannot be read.
        ModelFileChanged: it was written to while it was read.
        NotAPickle: it is empty, or of no model's format.
        FormatNotRead: it is of a format that is known and not read.
    """
    with warnings.catch_warnings():
        # Noise may hold an escape that Python warns of.
        warnings.simplefilter("ignore")
        return _scan_folder(path) if _is_folder(path) else _scan_file(path)


def _scan_file(path: Path) -> ScanReport:
    before = _state(path)
    sha256 = digest(path)
    evidence = Evidence(Budget(source_bytes=before[1]))
    with path.open("rb") as stream:
        found = _read(stream, evidence, path)
    if _state(path) != before:
        raise ModelFileChanged(
            f"{path} was written to while it was read", hint="wait until it is whole"
        )
    return report(evidence, found, size_bytes=before[1], sha256=sha256)


def report(evidence: Evidence, found: str, *, size_bytes: int, sha256: str) -> ScanReport:
    """Return what was gathered as a record."""
    python = evidence.python
    told = python[min(python)] if python else _PROTOCOLS.get(evidence.protocol or 0, "")
    return ScanReport(
        format=found,
        protocol=evidence.protocol,
        compression=evidence.compression,
        size_bytes=size_bytes,
        sha256=sha256,
        findings=evidence.findings(),
        problems=evidence.problems,
        versions=evidence.versions,
        python=told,
        outermost=evidence.outermost,
        tree=evidence.tree,
        feature_names=evidence.feature_names,
        classes=evidence.classes,
    )


def _read(stream: BinaryIO, evidence: Evidence, path: Path) -> str:
    """Return the format of a file, having read it.

    Raises:
        NotAPickle: it is of no model's format.
        FormatNotRead: it is of one that is not read.
    """
    head = stream.read(32)
    stream.seek(0)
    try:
        found = parts.read(stream, evidence)
    except Broken as broken:
        evidence.problem(str(broken))
        found = None
    except TooMuch as much:
        evidence.problem(f"{much}; it was not read to its end")
        found = None
    except parts.Unread as unread:
        raise FormatNotRead(f"{path} is {unread}, which is not read", hint=unread.hint) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if found is not None:
        return found
    if not evidence.problems:
        raise _not_a_pickle(path, head)
    return "pickle" if is_avowed(head) or compression.sniff(head) else "unknown"


def _scan_folder(folder: Path) -> ScanReport:
    """Return what a folder states: one of MLflow's, or files of any kind.

    Raises:
        ModelFileMissing: it holds no model.
    """
    before = _states(folder)
    sha256 = digest(folder)
    size_bytes = sum(size for _, size, _ in before.values())
    evidence = Evidence(Budget(source_bytes=size_bytes), in_folder=True)
    try:
        found = folders.read(folder, evidence)
    except TooMuch as much:
        evidence.problem(f"{much}; it was not read to its end")
        found = "unknown"
    except OSError as error:
        raise _unreadable(folder, error) from None
    if found is None and not evidence.problems:
        raise ModelFileMissing(
            f"{folder} is a folder without a model in it",
            hint=f"ls {folder} shows what is there; give a model file, or an MLflow model's folder",
        )
    if _states(folder) != before:
        raise ModelFileChanged(
            f"{folder} was written to while it was read", hint="wait until it is whole"
        )
    return report(evidence, found or "unknown", size_bytes=size_bytes, sha256=sha256)


def _states(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Return what tells of each file whether it was written to."""
    return {file: _state(file) for file in files(folder)}


def _state(file: Path) -> tuple[int, int, int]:
    now = file.stat()
    return now.st_mtime_ns, now.st_size, now.st_ino


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder, having made sure that a file is there and not empty.

    Raises:
        ModelFileMissing: there is no such file.
        ModelFileError: it cannot be opened.
        NotAPickle: it is empty.
    """
    try:
        if path.is_dir():
            return True
        if not path.exists():
            raise ModelFileMissing(
                f"{path} does not exist",
                hint=f"ls {path.parent} shows what is there; give a model file",
            )
        if not path.is_file():
            raise ModelFileError(f"{path} is a device or a pipe", hint="copy it to a file")
        with path.open("rb") as stream:
            if stream.read(1):
                return False
    except OSError as error:
        raise _unreadable(path, error) from None
    raise NotAPickle(
        f"{path} is empty",
        hint="write it again, and close the file: with open(path, 'wb') as f: pickle.dump(…)",
    )


def _unreadable(path: Path, error: OSError) -> ModelFileError:
    return ModelFileError(
        f"{path} cannot be opened: {error.strerror}", hint=f"ls -l {path} shows who may read it"
    )


def _not_a_pickle(path: Path, head: bytes) -> NotAPickle:
    if _CATBOOST_JSON.match(head):
        return FormatNotRead(
            f"{path} is a CatBoost model saved as JSON, which is not read",
            hint="load it with CatBoost, and save it as .cbm: model.save_model('model.cbm')",
        )
    for magic, what in _OTHER_FORMATS.items():
        if head.startswith(magic):
            return NotAPickle(f"{path} is not a pickle: it looks like {what}", hint=_GIVE)
    return NotAPickle(f"{path} is not a pickle, nor a model of another known format", hint=_GIVE)
