"""The whole evaluations of versions: kept in the workspace, and beside the version where it shares.

Workspaces that share a database find each other's evaluations beside the models' files. What is
found there is kept here, too, with its report; each has a name of its own and never changes.
"""

from __future__ import annotations

import logging
import re
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from brinery.actions.rooms import Rooms
from brinery.charts import report as page
from brinery.errors import BrineryError
from brinery.records.appraisal import Appraisal
from brinery.records.ready import decoded
from brinery.records.version import Version
from brinery.store.appraisals import Appraisals
from brinery.store.documents import write

_log = logging.getLogger("brinery")

# Names that are sorted by time.
_TIME: Final = "%Y%m%dT%H%M%S%f"
_NAME: Final = re.compile(r"\d{8}T\d{12}-[0-9a-f]{1,64}\.json")


def keep(rooms: Rooms, version: Version, *, appraisal: Appraisal) -> Path:
    """Return the report of an evaluation, once both are kept in the workspace."""
    kept = Appraisals(rooms.workspace.evaluations)
    kept.keep(appraisal, name=version.name, number=version.number)
    path = kept.report(appraisal, name=version.name, number=version.number)
    write(path, page.render(appraisal, version).encode())
    return path


def share(rooms: Rooms, version: Version, *, appraisal: Appraisal) -> str:
    """Keep an evaluation beside its version, where others look for it; return why it is not there.

    It is empty where nobody else looks, too.
    """
    if not rooms.places.shared:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, _name(appraisal))
        file.write_bytes(msgspec.json.encode(appraisal))
        try:
            rooms.registry.put_beside(version, file)
        except (BrineryError, OSError) as error:
            return f"other workspaces do not find this evaluation: {error}"
    return ""


def newest(rooms: Rooms, version: Version, *, data: str = "") -> Appraisal | None:
    """Return the newest evaluation of a version, of whatever workspace; None where there is none.

    Where others cannot be asked, it is the newest of this one.

    Args:
        rooms: of the workspace.
        version: that was evaluated.
        data: SHA-256 of the data that it is on; of any where it is empty.
    """
    kept = Appraisals(rooms.workspace.evaluations)
    here = kept.newest(version.name, version.number, data=data)
    if not rooms.places.shared or version.candidate is None:
        return here
    try:
        beside = [name for name in rooms.registry.beside(version) if _NAME.fullmatch(name)]
        names = [name for name in beside if name.endswith(f"{data}.json")]
        if not names or (here is not None and max(names) <= _name(here)):
            return here
        path = rooms.registry.file_beside(version, max(names))
        found = None if path is None else decoded(path.read_bytes(), Appraisal)
    except (BrineryError, OSError, msgspec.DecodeError) as error:
        _log.warning("what others found out about %s cannot be read: %s", version.reference, error)
        return here
    if found is not None:
        keep(rooms, version, appraisal=found)
    return found or here


def _name(appraisal: Appraisal) -> str:
    return f"{appraisal.created.strftime(_TIME)}-{appraisal.data.sha256}.json"
