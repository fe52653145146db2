"""The saved models of a store: a document for each, one for each version, and copies that wait.

The documents lie in the database, where every workspace of the store finds them. A copy of a model
that waits for data lies in the workspace it was handed to, `saved_models/ID/waiting/VERSION/`. The
registry holds the models themselves.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from filelock import FileLock

from brinery.records.ready import decoded
from brinery.records.saved_model import SavedModel, SavedVersion
from brinery.store.shared_documents import Place, SharedDocuments

_MODEL: Final = "model.json"
_VERSIONS: Final = "versions"
_WAITING: Final = "waiting"
_KIND: Final = "saved_model"
_VERSION: Final = "saved_version"

T = TypeVar("T", SavedModel, SavedVersion)


class SavedModels:
    """Keeps saved models.

    Args:
        documents: where what is said of them is kept.
        folder: of the workspace, for copies; made when the first one is kept. Documents that an
            earlier Brinery wrote there are taken over.
    """

    def __init__(self, documents: SharedDocuments, folder: Path) -> None:
        self._documents = documents
        self._folder = folder
        self._take_over()

    def all(self) -> list[SavedModel]:
        """Return the saved models, the oldest first."""
        found = [_read(text, SavedModel) for text in self._documents.all(_KIND, "")]
        return sorted(found, key=lambda one: (one.created, one.id))

    def knows(self, model: SavedModel) -> bool:
        """Return whether a saved model is kept; one that no script made is not."""
        return self._documents.find(_place(model)) is not None

    def keep(self, model: SavedModel) -> None:
        """Keep a saved model, in place of what was known of it.

        Raises:
            StoreFault: the database failed.
        """
        self._documents.keep(_place(model), _text(model))

    def change(self, model: SavedModel, edit: Callable[[SavedModel], SavedModel]) -> SavedModel:
        """Return a saved model that is otherwise from now on.

        Args:
            model: which one.
            edit: is given what is kept at that moment.

        Raises:
            NotFound: it is gone.
        """

        def edited(text: str) -> str:
            return _text(edit(_read(text, SavedModel)))

        return _read(self._documents.change(_place(model), edited), SavedModel)

    def remove(self, model: SavedModel) -> None:
        """Forget a saved model and all that is said of its versions."""
        versions = (_version_place(model, version.id) for version in self.versions(model))
        self._documents.remove(*versions, _place(model))
        shutil.rmtree(self._folder / model.id, ignore_errors=True)

    def versions(self, model: SavedModel) -> list[SavedVersion]:
        """Return the versions of a saved model, the oldest first."""
        found = [_read(text, SavedVersion) for text in self._documents.all(_VERSION, model.id)]
        return sorted(found, key=lambda one: (one.created, one.id))

    def keep_version(self, model: SavedModel, version: SavedVersion) -> SavedVersion:
        """Keep a version, in place of what was known of it.

        Raises:
            StoreFault: the database failed.
        """
        self._documents.keep(_version_place(model, version.id), _text(version))
        return version

    def remove_version(self, model: SavedModel, version: SavedVersion) -> None:
        """Forget a version and the copy that waits for data."""
        self._documents.remove(_version_place(model, version.id))
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

    def _take_over(self) -> None:
        """Keep what an earlier Brinery wrote to files where all workspaces find it.

        A file goes once its content is kept, a model's last, so that a crash loses nothing; what is
        kept already is newer.
        """
        if not any(self._folder.glob(f"*/{_MODEL}")):
            return
        with FileLock(self._folder / ".lock"):
            for path in sorted(self._folder.glob(f"*/{_MODEL}")):
                model = _read(path.read_text("utf-8"), SavedModel)
                for file in sorted((path.parent / _VERSIONS).glob("*.json")):
                    version = _read(file.read_text("utf-8"), SavedVersion)
                    self._documents.add(_version_place(model, version.id), _text(version))
                    file.unlink()
                self._documents.add(_place(model), _text(model))
                path.unlink()


def _place(model: SavedModel) -> Place:
    return Place(_KIND, "", model.id)


def _version_place(model: SavedModel, version_id: str) -> Place:
    return Place(_VERSION, model.id, version_id)


def _text(record: SavedModel | SavedVersion) -> str:
    return msgspec.json.encode(record).decode()


def _read(text: str, kind: type[T]) -> T:
    return decoded(text, kind)
