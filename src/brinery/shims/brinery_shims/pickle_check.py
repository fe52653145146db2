"""`pickle-check`: a pickle from a managed folder is read before it is loaded, without running it.

What it asks for, and which releases wrote it, is said once. Where it cannot be loaded here, or
names what runs programs, loading it is refused before its first name is looked up.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, Dict, List, Optional, Tuple

from brinery_shims import notes, setup
from brinery_shims.errors import DataikuException
from brinery_shims.gateway import call

STEP = "pickle-check"
_ENDINGS = (".pkl", ".pickle", ".plk", ".joblib", ".sav", ".p")
_PROTOCOL = b"\x80"
_BLOCK = 1 << 20

# Streams that are open, and why what they hold is not to be loaded.
_REFUSED: Dict[int, str] = {}
# Size of a file that is not to be loaded, to its digest and why: copies of it are not, either.
_COPIES: Dict[int, Dict[str, str]] = {}
# Folder of this machine to the id and the project of the managed folder that lies there.
_PLACES: Dict[str, Tuple[str, str]] = {}
# Files of those folders that were read, as they were, to why they are not to be loaded.
_READ: Dict[Tuple[str, int, int], Optional[str]] = {}
_LISTENING: List[bool] = []


class PickleRefused(DataikuException):
    """What would be loaded cannot be loaded here, or should not."""


def check(path: str, local: str, **folder: str) -> Optional[str]:
    """Say what a file asks for, where it is a pickle; return why it is not to be loaded, if so.

    Args:
        path: within its folder.
        local: of the file on this machine.
        folder: `folder` and `project`, for the gateway.
    """
    if setup.switched_off(STEP) or not _is_pickle(path, local):
        return None
    told = call("folders.check", path=path, python=_python(), packages=_packages(), **folder)
    if told["remark"]:
        notes.tell(STEP, told["remark"], known=True)
    refusal: Optional[str] = told["refusal"]
    if refusal:
        with open(local, "rb") as stream:
            _COPIES.setdefault(os.path.getsize(local), {})[_digest(stream)] = refusal
    return refusal


def lies_at(place: str, *, folder: str, project: str) -> None:
    """Have what is loaded from a folder of this machine be read before, too."""
    _PLACES[os.path.realpath(place) + os.sep] = (folder, project)


def of_path(path: str) -> Optional[str]:
    """Return why a file is not to be loaded: of a managed folder, or a copy of such a file."""
    if not _PLACES and not _COPIES:
        return None
    real = os.path.realpath(path)
    try:
        found = os.stat(real)
    except OSError:
        return None
    for place, (folder, project) in _PLACES.items():
        if real.startswith(place):
            key = (real, found.st_mtime_ns, found.st_size)
            if key not in _READ:
                _READ[key] = check(
                    "/" + real[len(place) :].replace(os.sep, "/"),
                    real,
                    folder=folder,
                    project=project,
                )
            return _READ[key]
    known = _COPIES.get(found.st_size)
    if not known:
        return None
    with open(real, "rb") as stream:
        return known.get(_digest(stream))


def of_bytes(content: Any) -> Optional[str]:
    """Return why bytes are not to be loaded: they are those of a file that is not."""
    known = _COPIES.get(len(content)) if _COPIES else None
    return known.get(_digest(io.BytesIO(content))) if known else None


def _digest(stream: Any) -> str:
    import hashlib

    found = hashlib.sha256()
    for block in iter(lambda: stream.read(_BLOCK), b""):
        found.update(block)
    return found.hexdigest()


def refuse(stream: Any, why: str) -> None:
    """Have loading refused as long as a stream is open."""
    _REFUSED[id(stream)] = why
    if not _LISTENING:
        _LISTENING.append(True)
        sys.addaudithook(_heard)


def of_stream(stream: Any) -> Optional[str]:
    """Return why what an open stream holds is not to be loaded."""
    return _REFUSED.get(id(stream))


def closed(stream: Any) -> None:
    """Forget a stream."""
    _REFUSED.pop(id(stream), None)


def _heard(event: str, given: Any) -> None:
    if event == "pickle.find_class" and _REFUSED:
        why = next(iter(_REFUSED.values()))
        _REFUSED.clear()
        raise PickleRefused(why)


def _is_pickle(path: str, local: str) -> bool:
    if path.lower().endswith(_ENDINGS):
        return True
    with open(local, "rb") as stream:
        return stream.read(1) == _PROTOCOL


def _python() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _packages() -> Dict[str, str]:
    from importlib import metadata

    found: Dict[str, str] = {}
    for each in metadata.distributions():
        name = each.metadata["Name"]
        if name:
            found.setdefault(name.lower().replace("_", "-"), each.version)
    return found
