"""The saved models of a workspace: a folder for each, a document for each version.

`saved_models/ID/model.json` is the model, `saved_models/ID/versions/VERSION.json` a version, and
`saved_models/ID/waiting/VERSION/` a copy of a model that waits for data. The registry holds the
models themselves.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from filelock import FileLock

from brinery.records.saved_model import SavedModel, SavedVersion
from brinery.store.documents import write

_MODEL: Final = "model.json"
_VERSIONS: Final = "versions"
_WAITING: Final = "waiting"

T = TypeVar("T", SavedModel, SavedVersion)


class SavedModels:
    """Keeps saved models.

    Args:
        folder: of the workspace; made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[SavedModel]:
        """Return the saved models, the oldest first."""
        found = [_read(path, SavedModel) for path in self._folder.glob(f"*/{_MODEL}")]
        return sorted(found, key=lambda one: (one.created, one.id))

    def keep(self, model: SavedModel) -> None:
        """Keep a saved model, in place of what was known of it.

        Raises:
            OutputUnwritable: the system refuses.
        """
        path = self._folder / model.id / _MODEL
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, msgspec.json.encode(model))

    def change(self, model: SavedModel, edit: Callable[[SavedModel], SavedModel]) -> SavedModel:
        """Return a saved model that is otherwise from now on.

        Args:
            model: which one.
            edit: is given what is kept at that moment.
        """
        with FileLock(self._folder / model.id / ".lock"):
            changed = edit(_read(self._folder / model.id / _MODEL, SavedModel))
            self.keep(changed)
            return changed

    def remove(self, model: SavedModel) -> None:
        """Forget a saved model and all that is said of its versions."""
        shutil.rmtree(self._folder / model.id)

    def versions(self, model: SavedModel) -> list[SavedVersion]:
        """Return the versions of a saved model, the oldest first."""
        folder = self._folder / model.id / _VERSIONS
        found = [_read(path, SavedVersion) for path in folder.glob("*.json")]
        return sorted(found, key=lambda one: (one.created, one.id))

    def keep_version(self, model: SavedModel, version: SavedVersion) -> SavedVersion:
        """Keep a version, in place of what was known of it.

        Raises:
            OutputUnwritable: the system refuses.
        """
        path = self._folder / model.id / _VERSIONS / f"{version.id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, msgspec.json.encode(version))
        return version

    def remove_version(self, model: SavedModel, version: SavedVersion) -> None:
        """Forget a version and the copy that waits for data."""
        (self._folder / model.id / _VERSIONS / f"{version.id}.json").unlink(missing_ok=True)
        self.let_go(model, version)

    def hold(self, model: SavedModel, version_id: str, *, folder: Path) -> Path:
        """Return a copy of a model that waits for data; it is whole, or is not there."""
        place = self.waiting(model, version_id)
        place.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
        try:
            copied = Path(shutil.copytree(folder, staged / "model"))
            shutil.rmtree(place, ignore_errors=True)
            copied.rename(place)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return place

    def waiting(self, model: SavedModel, version_id: str) -> Path:
        """Return where the copy of a model that waits for data lies, whether or not it does."""
        return self._folder / model.id / _WAITING / version_id

    def let_go(self, model: SavedModel, version: SavedVersion) -> None:
        """Remove the copy of a model that waits no more."""
        shutil.rmtree(self.waiting(model, version.id), ignore_errors=True)


def _read(path: Path, kind: type[T]) -> T:
    return msgspec.json.decode(path.read_bytes(), type=kind)
