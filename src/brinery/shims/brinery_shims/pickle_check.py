"""`pickle-check`: a pickle from a managed folder is read before it is loaded, without running it.

What it asks for, and which releases wrote it, is said once. Where it cannot be loaded here, or
names what runs programs, loading it is refused before its first name is looked up.
"""

from __future__ import annotations

import sys
from typing import Any, Dict, List, Optional

from brinery_shims import notes, setup
from brinery_shims.errors import DataikuException
from brinery_shims.gateway import call

STEP = "pickle-check"
_ENDINGS = (".pkl", ".pickle", ".plk", ".joblib", ".sav", ".p")
_PROTOCOL = b"\x80"

# Streams that are open, and why what they hold is not to be loaded.
_REFUSED: Dict[int, str] = {}
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
    return refusal


def refuse(stream: Any, why: str) -> None:
    """Have loading refused as long as a stream is open."""
    _REFUSED[id(stream)] = why
    if not _LISTENING:
        _LISTENING.append(True)
        sys.addaudithook(_heard)


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
