"""Assets: versioned data, environments, components, models and datastores, each a folder.

`.brinery/assets/KIND/NAME/VERSION/` holds `asset.json` and, where a copy was taken, `content`. A
version comes into being by one rename, so that two processes never make the same one, and one
that is killed leaves none. Decision 017 says why these are files and not rows of our database.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from brinery.errors import AlreadyThere, NotFound, StoreFault
from brinery.records.asset import Asset, AssetChange, AssetKind
from brinery.records.ready import decoded
from brinery.specs.addresses import LATEST, OfAsset, asset, check_asset_name, check_version
from brinery.specs.names import nearest
from brinery.specs.user import login_name

_FILE: Final = "asset.json"
_CONTENT: Final = "content"
_STAGED: Final = ".new-"


class Draft(msgspec.Struct, frozen=True):
    """A folder in which a new version is made.

    Attributes:
        folder: of it; what is put in `content` becomes the version's copy.
    """

    folder: Path

    @property
    def content(self) -> Path:
        """Return where the copy is put, which is not there yet."""
        return self.folder / _CONTENT


class Assets:
    """The assets of a workspace.

    Args:
        folder: `.brinery/assets`, which need not exist.
        now: the clock.
    """

    def __init__(
        self, folder: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._folder = folder
        self._now = now

    def create(
        self, asset: Asset, *, fill: Callable[[Draft], Asset | None] = lambda _: None
    ) -> Asset:
        """Return an asset that is kept from now on.

        Args:
            asset: with an empty version for the next number; when and who are filled in here.
            fill: puts a copy into the draft; returns the asset with what it found, or None.

        Raises:
            AlreadyThere: there is this version already.
            InvalidReference: the name or the version could not be written in a reference.
            StoreFault: the folder cannot be written.
        """
        check_asset_name(asset.name, kind=asset.kind)
        if asset.version:
            check_version(asset.version, kind=asset.kind)
            if self.find(asset.kind, asset.name, version=asset.version) is not None:
                raise _taken(asset)
        home = self._folder / asset.kind / asset.name
        with _told(home):
            home.mkdir(parents=True, exist_ok=True)
            staged = home / f"{_STAGED}{os.urandom(8).hex()}"
            staged.mkdir()
            try:
                filled = fill(Draft(staged)) or asset
                return self._settle(filled, home, staged)
            except BaseException:
                _remove(staged)
                raise

    def find(
        self, kind: AssetKind, name: str, *, version: str = "", label: str = LATEST
    ) -> Asset | None:
        """Return a version of an asset; None where there is none.

        Args:
            kind: what it is.
            name: of the asset.
            version: of it; empty where a label says which.
            label: `latest` is the one that was created last, whatever its number.
        """
        if version:
            return self._read(self._folder / kind / name / version)
        versions = self.versions(kind, name)
        if label != LATEST:
            return next((one for one in versions if label in one.labels), None)
        return next((one for one in versions if not one.archived), next(iter(versions), None))

    def get(self, kind: AssetKind, name: str, *, version: str = "", label: str = LATEST) -> Asset:
        """Return a version of an asset.

        Raises:
            NotFound: there is none; the message has the nearest.
        """
        found = self.find(kind, name, version=version, label=label)
        if found is not None:
            return found
        raise self._missing(kind, OfAsset(name, version, "" if version else label))

    def referred(self, kind: AssetKind, reference: str) -> Asset:
        """Return the asset that `NAME`, `NAME:1`, `NAME@label`, or a long address, names.

        Raises:
            InvalidReference: it is none of these.
            NotFound: there is none.
        """
        told = asset(reference)
        return self.get(kind, told.name, version=told.version, label=told.label or LATEST)

    def names(self, kind: AssetKind) -> list[str]:
        """Return the names of a kind, sorted."""
        folder = self._folder / kind
        return sorted(one.name for one in _entries(folder) if one.is_dir())

    def versions(self, kind: AssetKind, name: str) -> list[Asset]:
        """Return the versions of an asset, the one that was created last first."""
        found = (self._read(Path(one.path)) for one in _entries(self._folder / kind / name))
        kept = [one for one in found if one is not None]
        return sorted(kept, key=lambda one: (one.created, _number(one.version)), reverse=True)

    def path(self, asset: Asset) -> Path | None:
        """Return where an asset's copy lies; None where it is at an address."""
        if not asset.content:
            return None
        return self._folder / asset.kind / asset.name / asset.version / asset.content

    def change(self, asset: Asset, what: str, *, edit: Callable[[Asset], Asset]) -> Asset:
        """Return an asset of which something else is said from now on.

        Args:
            asset: which one.
            what: the change in words, which is kept beside it.
            edit: returns it with what is changed; it is given what is kept at that moment.
        """
        home = self._folder / asset.kind / asset.name
        with self._lock(home):
            before = self.get(asset.kind, asset.name, version=asset.version)
            change = AssetChange(at=self._now(), who=login_name(), what=what)
            after = replace(edit(before), changes=(*before.changes, change))
            with _told(home):
                _write(home / asset.version / _FILE, after)
        return after

    def label(self, asset: Asset, label: str) -> Asset:
        """Return an asset that a label means from now on, and no other version of it.

        Raises:
            InvalidReference: the label could not be written in a reference, or is `latest`.
        """
        check_version(label, kind="label")
        for other in self.versions(asset.kind, asset.name):
            if label in other.labels and other.version != asset.version:
                self._labelled(other, f"label {label} taken away", {*other.labels} - {label})
        now = self.get(asset.kind, asset.name, version=asset.version)
        return self._labelled(now, f"label {label}", {*now.labels, label})

    def _labelled(self, asset: Asset, what: str, labels: set[str]) -> Asset:
        kept = tuple(sorted(labels))
        return self.change(asset, what, edit=lambda was: replace(was, labels=kept))

    def remove(self, kind: AssetKind, name: str) -> None:
        """Remove an asset with all its versions; nothing happens where there is none."""
        home = self._folder / kind / name
        with _told(home):
            _remove(home)

    def _settle(self, asset: Asset, home: Path, staged: Path) -> Asset:
        """Return an asset whose folder has got its version's name, by one rename."""
        with self._lock(home):
            version = asset.version or self._next(home)
            created = replace(asset, version=version, created=self._now(), who=login_name())
            if (home / version).exists():
                raise _taken(created)
            _write(staged / _FILE, created)
            staged.rename(home / version)
            _sync(home)
        return created

    @staticmethod
    def _next(home: Path) -> str:
        """Return the number after the greatest there is."""
        numbers = [_number(one.name) for one in _entries(home)]
        return str(max(numbers, default=0) + 1)

    @contextmanager
    def _lock(self, home: Path) -> Iterator[None]:
        """Hold the lock of one asset, which the system frees when its process is killed."""
        with (self._folder / f".{home.parent.name}-{home.name}.lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def _read(self, folder: Path) -> Asset | None:
        try:
            return decoded((folder / _FILE).read_bytes(), Asset)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise StoreFault(
                f"{folder / _FILE} cannot be read: {error}", hint=f"ls -l {folder}"
            ) from None

    def _missing(self, kind: AssetKind, wanted: OfAsset) -> NotFound:
        versions = self.versions(kind, wanted.name)
        create = f"brinery {kind} create -f FILE makes one"
        if versions:
            there = ", ".join(one.version for one in versions[:5])
            return NotFound(
                f"the {kind} {wanted.name} has no "
                + (f"version {wanted.version}" if wanted.version else f"label {wanted.label}")
                + f": there {'are' if len(versions) > 1 else 'is'} {there}",
                hint=f"brinery {kind} list --name {wanted.name}",
            )
        near = nearest(wanted.name, self.names(kind))
        meant = f": did you mean {near}?" if near else ""
        return NotFound(f"there is no {kind} {wanted.name}{meant}", hint=create)


def _taken(asset: Asset) -> AlreadyThere:
    return AlreadyThere(
        f"the {asset.kind} {asset.name} has a version {asset.version} already, and what is in a "
        "version never changes",
        hint="leave the version out for the next number",
    )


def _number(version: str) -> int:
    """Return a version as a number; 0 where it is none."""
    return int(version) if version.isdecimal() and version.isascii() else 0


def _entries(folder: Path) -> Iterable[os.DirEntry[str]]:
    """Return what is in a folder that may not be there, but for drafts and locks."""
    try:
        with os.scandir(folder) as found:
            return [one for one in found if not one.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _write(file: Path, record: Any) -> None:
    """Write a record as a file, which is whole whenever it is read."""
    staged = file.with_name(f".{file.name}.{os.getpid()}")
    with staged.open("wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(record), indent=1))
        stream.flush()
        os.fsync(stream.fileno())
    staged.replace(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    """Have the names in a folder outlast a power failure."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove(folder: Path) -> None:
    """Remove a folder, also one whose parts are read-only."""
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Translate what a file system raises."""
    try:
        yield
    except OSError as error:
        raise StoreFault(
            f"{error.filename or folder} cannot be written: {error.strerror or error}",
            hint="the disk may be full, or the workspace another's",
        ) from error
