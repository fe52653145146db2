"""The whole evaluations of a workspace: one file for each version and data, and its report beside.

`evaluations/bank/2/3f9a…json` is what was found out about bank@2 on the data of that digest, its
rows counted once each; another way to count them has a file of its own. The newest of a version is
the one that is shown.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec

from brinery.records.appraisal import Appraisal
from brinery.records.ready import decoded
from brinery.store.documents import write

_SHORT = 16


class Appraisals:
    """Keeps whole evaluations.

    Args:
        folder: of the workspace; made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, appraisal: Appraisal, *, name: str, number: int) -> Path:
        """Return the file that an evaluation was written to, in place of one like it.

        Raises:
            OutputUnwritable: the system refuses.
        """
        path = self._of(name, number) / f"{_key(appraisal)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, msgspec.json.encode(appraisal))
        return path

    def newest(self, name: str, number: int, *, data: str = "") -> Appraisal | None:
        """Return the newest evaluation of a version; None where there is none.

        One that a later Brinery wrote and this one cannot read is passed over.

        Args:
            name: of the model.
            number: of the version.
            data: SHA-256 of the data that it is on; of any where it is empty.
        """
        paths = self._of(name, number).glob(f"{data[:_SHORT]}*.json")
        found = [one for path in paths if (one := _read(path))]
        return max(found, key=lambda one: one.created, default=None)

    def mark(self, name: str, number: int) -> tuple[tuple[str, int], ...]:
        """Return what is another after each evaluation of a version that is kept."""
        paths = sorted(self._of(name, number).glob("*.json"))
        return tuple((path.name, path.stat().st_mtime_ns) for path in paths)

    def like(self, appraisal: Appraisal, *, name: str, number: int) -> Appraisal | None:
        """Return the evaluation that is kept of a version on the same data, counted the same way.

        None where there is none.
        """
        return _read(self._of(name, number) / f"{_key(appraisal)}.json")

    def report(self, appraisal: Appraisal, *, name: str, number: int) -> Path:
        """Return where the report of an evaluation is kept."""
        return self._of(name, number) / f"{_key(appraisal)}.html"

    def _of(self, name: str, number: int) -> Path:
        return self._folder / name / str(number)


def _key(appraisal: Appraisal) -> str:
    """Return what tells an evaluation from the others of its version."""
    counted = sha256(appraisal.weights.encode()).hexdigest() if appraisal.weights else ""
    return "-".join(part[:_SHORT] for part in (appraisal.data.sha256, counted) if part)


def _read(path: Path) -> Appraisal | None:
    try:
        return decoded(path.read_bytes(), Appraisal)
    except (OSError, msgspec.DecodeError):
        return None
