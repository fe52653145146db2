"""The data that versions were evaluated on, found again where it lay, and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brinery.actions.evaluation_data import EvaluationData, read_data
from brinery.actions.rooms import Rooms
from brinery.errors import BrineryError
from brinery.records.version import DataFingerprint, Version
from brinery.store.known_data import KnownData


def stored_data(
    rooms: Rooms, versions: Sequence[Version], *, target: str | None, separator: str | None
) -> EvaluationData | str:
    """Return what the first of some versions was evaluated on that is still there; or why none is.

    It is looked for where it lay at the import, and by its name in the current folder. What has
    changed since is not taken.

    Args:
        rooms: of the workspace.
        versions: in the order in which their data is preferred.
        target: the column with the truth; None where the data has none.
        separator: of a csv file; the one of the import when None.
    """
    missed: list[str] = []
    for version in versions:
        data = None if version.candidate is None else version.candidate.data
        if data is None or data.target != target:
            missed.append(f"{version.reference} was evaluated on nothing with the target {target}")
            continue
        found = _read(rooms, data, target=target, separator=separator)
        if found is not None:
            return found
        missed.append(f"{version.reference} was evaluated on {data.name}, which is gone or changed")
    return f"{'; '.join(missed)}: name the rows with --data FILE"


def _read(
    rooms: Rooms, data: DataFingerprint, *, target: str | None, separator: str | None
) -> EvaluationData | None:
    known = KnownData(rooms.workspace.data).place(data.sha256)
    places = [(Path(data.name), separator)]
    if known is not None:
        places.insert(0, (Path(known.path), separator or known.separator))
    for path, sep in places:
        if not path.is_file():
            continue
        try:
            found = read_data(path, target=target, separator=sep)
        except BrineryError:
            continue
        if found.fingerprint.sha256 == data.sha256:
            return found
    return None
