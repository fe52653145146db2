"""What scripts keep beside their models: evaluation stores, comparisons and API services.

Each is one document, `KIND/ID.json`, that is replaced as a whole.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec
from filelock import FileLock

from brinery.records.evaluation_store import ApiService, EvaluationStore, ModelComparison
from brinery.records.ready import decoded
from brinery.store.documents import write

_ALPHABET: Final = string.ascii_letters + string.digits
_LENGTH: Final = 8

T = TypeVar("T", EvaluationStore, ModelComparison, ApiService)


class ScriptRecords(Generic[T]):
    """Keeps records of one kind.

    Args:
        folder: of the kind; made when the first one is kept.
        kind: of the records.
    """

    def __init__(self, folder: Path, kind: type[T]) -> None:
        self._folder = folder
        self._kind: type[T] = kind

    def all(self) -> list[T]:
        """Return the records, the oldest first."""
        found = [self._read(path) for path in self._folder.glob("*.json")]
        return sorted(found, key=lambda one: (one.created, one.id))

    def keep(self, record: T) -> T:
        """Keep a record, in place of what was known of it.

        Raises:
            OutputUnwritable: the system refuses.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        write(self._folder / f"{record.id}.json", msgspec.json.encode(record))
        return record

    def change(self, record: T, edit: Callable[[T], T]) -> T:
        """Return a record that is otherwise from now on.

        Args:
            record: which one.
            edit: is given what is kept at that moment.
        """
        with FileLock(self._folder / ".lock"):
            return self.keep(edit(self._read(self._folder / f"{record.id}.json")))

    def remove(self, record: T) -> None:
        """Forget a record."""
        (self._folder / f"{record.id}.json").unlink(missing_ok=True)

    def _read(self, path: Path) -> T:
        found: T = decoded(path.read_bytes(), self._kind)
        return found


def drawn_id() -> str:
    """Return a new id of eight letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
