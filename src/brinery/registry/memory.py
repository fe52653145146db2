"""The fake registry: real behaviour, no disk but the model files it is given."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from brinery.errors import RegistryFault
from brinery.records.fast_path import FastPath
from brinery.records.run import Run
from brinery.records.version import Alias, Candidate, Parity, Stage, Version, stage_due
from brinery.registry.interface import (
    SAMPLE_FILE,
    SCORER_FILE,
    Entry,
    Staged,
    Standing,
    imported,
    model_of,
    unresolved,
)

_URI = re.compile(r"models:/(?P<name>[^/@]+)(/(?P<number>\d+)|@(?P<alias>.+))")


class MemoryFiles:
    """The files of versions that were imported, where they were copied to."""

    def __init__(self) -> None:
        self._stored: dict[str, Staged] = {}
        self._versions: dict[str, list[Version]] = {}

    def entries(self, name: str | None = None) -> list[Entry]:
        """Return the versions of a model, or of all by name, newest first."""
        names = sorted(self._versions) if name is None else [name]
        return [_entry(one) for each in names for one in self._versions.get(each, [])[::-1]]

    def some(self, wanted: Collection[tuple[str, int]]) -> list[Version]:
        """Return the versions of these names and numbers that there are."""
        every = [one for name in sorted(self._versions) for one in self._versions[name][::-1]]
        return [one for one in every if (one.name, one.number) in set(wanted)]

    def model_file(self, version: Version) -> Path:
        """Return the model's file or folder.

        Raises:
            NotServable: it was not imported here.
        """
        imported(version)
        return self._stored[version.reference].model_file

    def code_folder(self, version: Version) -> Path | None:
        """Return the folder of the user's own modules, if there is one.

        Raises:
            NotServable: it was not imported here.
        """
        imported(version)
        return self._stored[version.reference].code_folder

    def kept_file(self, version: Version, name: str) -> Path | None:
        """Return what was stored beside its model, if it is there."""
        path = self._stored[version.reference].model_file.parent / name
        return path if path.is_file() else None

    def files(self, version: Version) -> dict[str, int | None]:
        """Return name to bytes of every file that was copied with the model."""
        folder = self._stored[version.reference].model_file.parent
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}

    def file(self, version: Version, name: str) -> Path | None:
        """Return a file that was copied with the model; None where there is none."""
        if name not in self.files(version):
            return None
        return self._stored[version.reference].model_file.parent / name

    def put_beside(self, version: Version, file: Path) -> None:
        """Keep a file beside a version's model."""
        folder = self._beside(version)
        folder.mkdir(exist_ok=True)
        shutil.copyfile(file, folder / file.name)

    def beside(self, version: Version) -> list[str]:
        """Return the names of the files that were put beside a version's model, sorted."""
        folder = self._beside(version)
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def file_beside(self, version: Version, name: str) -> Path | None:
        """Return a file that was put beside a version's model; None where there is none."""
        path = self._beside(version) / name
        return path if path.is_file() else None

    def _beside(self, version: Version) -> Path:
        folder = self.model_file(version).parent
        return folder.with_name(f"{folder.name}-beside")

    def here(self, version: Version) -> bool:
        """Return that a version's model is on this machine."""
        return bool(imported(version))


class MemoryRegistry(MemoryFiles):
    """A registry that lasts as long as the object.

    Args:
        folder: where model files are copied to.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._keys = count(1)
        self._staged: dict[str, Staged] = {}
        self._made: Counter[str] = Counter()
        self.logged: dict[str, list[Run]] = {}
        self.production: dict[str, set[int]] = {}

    def open(self, welcome: str = "") -> None:
        """Make the place for a model's runs; it is open."""
        if welcome:
            self.logged.setdefault(welcome, [])

    def stage(self, candidate: Candidate, model: Path, *, code: Path | None = None) -> Staged:
        """Return the model, copied."""
        key = str(next(self._keys))
        folder = self._folder / key
        folder.mkdir()
        kept = folder / candidate.artifact.file
        if model.is_dir():
            shutil.copytree(model, kept)
        else:
            shutil.copyfile(model, kept)
        if code is not None:
            shutil.copytree(code, folder / "code")
        self._staged[key] = Staged(key, candidate, kept, folder / "code" if code else None)
        return self._staged[key]

    def commit(
        self,
        staged: Staged,
        parity: Parity | None,
        *,
        fast_path: FastPath | None = None,
        scorer: Path | None = None,
        sample: Path | None = None,
    ) -> Version:
        """Return the version that the staged model has become."""
        if scorer is not None:
            shutil.copyfile(scorer, staged.model_file.parent / SCORER_FILE)
        if sample is not None:
            shutil.copyfile(sample, staged.model_file.parent / SAMPLE_FILE)
        del self._staged[staged.key]
        versions = self._versions.setdefault(staged.candidate.name, [])
        self._made[staged.candidate.name] += 1
        version = Version(
            name=staged.candidate.name,
            number=self._made[staged.candidate.name],
            aliases=(),
            created=datetime.now(UTC),
            run_id=staged.key,
            candidate=staged.candidate,
            parity=parity,
            fast_path=fast_path,
        )
        versions.append(version)
        self._stored[version.reference] = staged
        return version

    def discard(self, staged: Staged) -> None:
        """Forget a staged model."""
        del self._staged[staged.key]
        shutil.rmtree(staged.model_file.parent)

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

    def runs(self, name: str) -> list[Run]:
        """Return the runs that were put into `logged`."""
        return self.logged.get(name, [])

    def outline(self, name: str) -> dict[int, tuple[str, ...]]:
        """Return version number to aliases."""
        return {version.number: version.aliases for version in self.versions(name)}

    def standings(self) -> dict[str, Standing]:
        """Return the standing of every model that has one."""
        found = {}
        for name in self.names():
            standing = Standing(self._champion(name), frozenset(self.production.get(name, ())))
            if standing != Standing():
                found[name] = standing
        return found

    def _champion(self, name: str) -> int | None:
        champion = Alias.CHAMPION.value
        return next((v.number for v in self.versions(name) if champion in v.aliases), None)

    def set_alias(self, name: str, number: int, *, alias: Alias) -> None:
        """Give an alias to a version, taking it from any other."""
        self._versions[name] = [
            _named(
                version,
                (set(version.aliases) - {alias.value})
                | ({alias.value} if version.number == number else set()),
            )
            for version in self._versions[name]
        ]
        if alias is Alias.CHAMPION:
            self.restage(name)

    def drop_alias(self, name: str, *, alias: Alias) -> None:
        """Take an alias from the version that has it."""
        self._versions[name] = [
            _named(version, set(version.aliases) - {alias.value})
            for version in self._versions[name]
        ]

    def set_id(self, name: str, number: int, *, version_id: str) -> None:
        """Give a version the id that a user chose, taking it from any other."""
        self.drop_id(name, version_id=version_id)
        self._versions[name] = [
            msgspec.structs.replace(version, ids=tuple(sorted({*version.ids, version_id})))
            if version.number == number
            else version
            for version in self._versions[name]
        ]

    def drop_id(self, name: str, *, version_id: str) -> None:
        """Take an id from the version that has it."""
        self._versions[name] = [
            msgspec.structs.replace(
                version, ids=tuple(one for one in version.ids if one != version_id)
            )
            for version in self._versions[name]
        ]

    def delete(self, name: str, number: int) -> None:
        """Delete a version for ever.

        Raises:
            RegistryFault: there is no such version.
        """
        left = [version for version in self._versions.get(name, []) if version.number != number]
        if len(left) == len(self._versions.get(name, [])):
            raise RegistryFault(f"{name} has no version {number}")
        self._versions[name] = left

    def restage(self, name: str) -> None:
        """Have the champion alone be what other programs know as `Production`."""
        champion = self._champion(name)
        self.production[name] = set() if champion is None else {champion}

    def fetch(self, uri: str, into: Path, *, tracking_uri: str | None = None) -> Path:
        """Return a copy of the folder of a version, which a `models:/` URI names.

        Raises:
            NotFound: it is not there.
        """
        asked = _URI.fullmatch(uri)
        if tracking_uri is None and asked:
            for version in self.versions(asked["name"]):
                if str(version.number) == asked["number"] or asked["alias"] in version.aliases:
                    folder = self._stored[version.reference].model_file.parent
                    return Path(shutil.copytree(folder, into / "model"))
        raise unresolved(
            uri,
            where=tracking_uri or "this registry",
            names=self.names(),
            held={v.number: v.aliases for v in self.versions(model_of(uri))},
        )


def _entry(version: Version) -> Entry:
    return Entry(
        name=version.name,
        number=version.number,
        aliases=version.aliases,
        ids=version.ids,
        created=version.created,
        imported=version.candidate is not None,
    )


def _named(version: Version, aliases: set[str]) -> Version:
    """Return a version with other aliases; a former champion is archived."""
    archived = stage_due(aliases, version.stage) is Stage.ARCHIVED
    return msgspec.structs.replace(version, aliases=tuple(sorted(aliases)), archived=archived)
