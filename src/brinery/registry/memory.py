"""The fake registry: real behaviour, no disk but the model files it is given."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from brinery.records.version import Alias, Candidate, Parity, Version
from brinery.registry.interface import Staged, imported


class MemoryRegistry:
    """A registry that lasts as long as the object.

    Args:
        folder: where model files are copied to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys = count(1)
        self._staged: dict[str, Staged] = {}
        self._versions: dict[str, list[Version]] = {}
        self._files: dict[str, Path] = {}

    def open(self) -> None:
        """Do nothing: it is open."""

    def stage(self, candidate: Candidate, model_file: Path) -> Staged:
        """Return the model, copied."""
        key = str(next(self._keys))
        kept = self._folder / f"{key}.pkl"
        shutil.copyfile(model_file, kept)
        self._staged[key] = Staged(key, candidate, kept)
        return self._staged[key]

    def commit(self, staged: Staged, parity: Parity) -> Version:
        """Return the version that the staged model has become."""
        del self._staged[staged.key]
        versions = self._versions.setdefault(staged.candidate.name, [])
        version = Version(
            name=staged.candidate.name,
            number=len(versions) + 1,
            aliases=(),
            created=datetime.now(UTC),
            run_id=staged.key,
            candidate=staged.candidate,
            parity=parity,
        )
        versions.append(version)
        self._files[version.reference] = staged.model_file
        return version

    def discard(self, staged: Staged) -> None:
        """Forget a staged model."""
        del self._staged[staged.key]
        staged.model_file.unlink()

    def sweep(self, name: str) -> int:
        """Return how many staged models of that name were removed."""
        left = [staged for staged in self._staged.values() if staged.candidate.name == name]
        for staged in left:
            self.discard(staged)
        return len(left)

    def find(self, name: str, sha256: str) -> Version | None:
        """Return the newest version that was imported from a file of that digest."""
        return next(
            (v for v in self.versions(name) if v.candidate and v.candidate.origin.sha256 == sha256),
            None,
        )

    def names(self) -> list[str]:
        """Return the names of the models that have a version, sorted."""
        return sorted(self._versions)

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, newest first."""
        return self._versions.get(name, [])[::-1]

    def set_alias(self, name: str, number: int, *, alias: Alias) -> None:
        """Give an alias to a version, taking it from any other."""
        self._versions[name] = [
            msgspec.structs.replace(
                version,
                aliases=tuple(
                    sorted(
                        (set(version.aliases) - {alias.value})
                        | ({alias.value} if version.number == number else set())
                    )
                ),
            )
            for version in self._versions[name]
        ]

    def model_file(self, version: Version) -> Path:
        """Return the model file of a version.

        Raises:
            NotServable: it was not imported here.
        """
        imported(version)
        return self._files[version.reference]
