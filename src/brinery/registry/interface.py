"""What a registry does, and nothing of how."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from brinery.errors import NotFound, NotServable
from brinery.records.fast_path import FastPath
from brinery.records.run import Run
from brinery.records.version import Alias, Candidate, Parity, Stage, Version
from brinery.specs.names import nearest
from brinery.specs.reference import LATEST, Reference

SCORER_FILE = "scorer.safetensors"
SAMPLE_FILE = "sample.msgpack"

# MLflow's own, of which Brinery keeps all but one in step.
_STAGES = frozenset({*Stage, "Archived"})


@dataclass(frozen=True)
class Staged:
    """A model that is stored and has no version yet.

    Attributes:
        key: the registry's own name for it.
        candidate: what is known of it.
        model_file: the model's file or folder, as the registry gives it back.
        code_folder: the user's own modules; None where it has none.
    """

    key: str
    candidate: Candidate
    model_file: Path
    code_folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A version in a list: what tells it from the others, and nothing that was recorded of it.

    Attributes:
        name: of the model.
        number: 1, 2, …
        aliases: sorted.
        ids: that users gave it, sorted.
        created: with time zone.
        imported: whether Brinery did it; another program registered it where not.
    """

    name: str
    number: int
    aliases: tuple[str, ...]
    ids: tuple[str, ...]
    created: datetime
    imported: bool

    @property
    def reference(self) -> str:
        """Return `name@number`."""
        return f"{self.name}@{self.number}"


@dataclass(frozen=True)
class Standing:
    """What MLflow's clients have said of a model that is to be served.

    Attributes:
        champion: number of the version that has the alias; None where none has.
        production: numbers of the versions in the stage `Production`.
    """

    champion: int | None = None
    production: frozenset[int] = frozenset()


class Files(Protocol):
    """The files that belong to versions."""

    def model_file(self, version: Version) -> Path:
        """Return the model's file or folder, of a version that was imported by Brinery.

        Raises:
            NotServable: the version was not.
        """
        ...

    def code_folder(self, version: Version) -> Path | None:
        """Return the folder of the user's own modules; None where the version has none.

        Raises:
            NotServable: the version was not imported by Brinery.
        """
        ...

    def kept_file(self, version: Version, name: str) -> Path | None:
        """Return what was stored beside a version's model; None where there is none.

        Args:
            version: which.
            name: `SCORER_FILE` or `SAMPLE_FILE`.
        """
        ...

    def files(self, version: Version) -> dict[str, int | None]:
        """Return name to bytes of every file of a version's model folder, sorted.

        A name has `/` where it lies deeper; the size is None where it is not known.
        """
        ...

    def file(self, version: Version, name: str) -> Path | None:
        """Return a file of a version's model folder; None where `files` has none of that name."""
        ...

    def put_beside(self, version: Version, file: Path) -> None:
        """Keep a file beside a version's model, where everybody finds it who finds the model.

        Args:
            version: which.
            file: with a name that is never used again: what is there never changes.

        Raises:
            RegistryFault: it cannot be written there.
        """
        ...

    def beside(self, version: Version) -> list[str]:
        """Return the names of the files that were put beside a version's model, sorted."""
        ...

    def file_beside(self, version: Version, name: str) -> Path | None:
        """Return a file that was put beside a version's model; None where there is none."""
        ...

    def here(self, version: Version) -> bool:
        """Return whether a version's model is on this machine, and need not be downloaded.

        Raises:
            NotServable: the version was not imported by Brinery.
        """
        ...


class Registry(Files, Protocol):
    """Where models, their versions and their aliases are."""

    def open(self, welcome: str = "") -> None:
        """Connect, so that the first call after it does not wait.

        Args:
            welcome: name of a model whose experiment is made where it is missing, for the runs of
                other programs; none where empty.
        """
        ...

    def stage(self, candidate: Candidate, model: Path, *, code: Path | None = None) -> Staged:
        """Return the model, stored where no one sees it yet.

        Args:
            candidate: what is known of it; `artifact.file` is what the stored file is called.
            model: a file or a folder.
            code: a folder of the user's own modules, where `artifact.code` says there is one.
        """
        ...

    def commit(
        self,
        staged: Staged,
        parity: Parity | None,
        *,
        fast_path: FastPath | None = None,
        scorer: Path | None = None,
        sample: Path | None = None,
    ) -> Version:
        """Return the version that the staged model has become.

        Args:
            staged: the model.
            parity: of the stored model with the file; None where it cannot be asked.
            fast_path: how its scorer compares with it.
            scorer: the file of its scorer, named `SCORER_FILE`; None where it is not used.
            sample: some rows with its answers, named `SAMPLE_FILE`.
        """
        ...

    def discard(self, staged: Staged) -> None:
        """Forget a staged model."""
        ...

    def sweep(self, name: str) -> int:
        """Return how many staged models of that name were found abandoned and removed.

        Call it only while no other import of that name can be running.
        """
        ...

    def find(self, name: str, sha256: str) -> Version | None:
        """Return the newest version that was imported from a file of that digest."""
        ...

    def names(self) -> list[str]:
        """Return the names of the models that have a version, sorted."""
        ...

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, newest first; none when there is no such model."""
        ...

    def entries(self, name: str | None = None) -> list[Entry]:
        """Return the versions of a model, or of all models by name, newest first.

        Cheap: what was recorded of them is not read.
        """
        ...

    def some(self, wanted: Collection[tuple[str, int]]) -> list[Version]:
        """Return the versions of these names and numbers that there are, by name, newest first.

        Of no other version what was recorded is read.
        """
        ...

    def runs(self, name: str) -> list[Run]:
        """Return the runs in a model's experiment that are no import, newest first; 1,000 at most.

        An empty list where there is no experiment of that name.
        """
        ...

    def outline(self, name: str) -> Mapping[int, tuple[str, ...]]:
        """Return version number to aliases, of every version of a model; cheap, to be asked often.

        Empty where there is no such model.
        """
        ...

    def standings(self) -> Mapping[str, Standing]:
        """Return the standing of every model that has one; cheap, to be asked often."""
        ...

    def set_alias(self, name: str, number: int, *, alias: Alias) -> None:
        """Give an alias to a version, taking it from any other, and the stage it means with it."""
        ...

    def drop_alias(self, name: str, *, alias: Alias) -> None:
        """Take an alias from the version that has it; nothing where none has."""
        ...

    def set_id(self, name: str, number: int, *, version_id: str) -> None:
        """Give a version the id that a user chose, taking it from any other."""
        ...

    def drop_id(self, name: str, *, version_id: str) -> None:
        """Take an id from the version that has it; nothing where none has."""
        ...

    def delete(self, name: str, number: int) -> None:
        """Delete a version for ever; its number is not given again.

        Raises:
            RegistryFault: there is no such version.
        """
        ...

    def restage(self, name: str) -> None:
        """Give every version of a model the stage that its aliases mean; its run is told, too."""
        ...

    def fetch(self, uri: str, into: Path, *, tracking_uri: str | None = None) -> Path:
        """Return a copy of what a `runs:/…` or `models:/…` URI means: a file or a folder.

        Nothing of it is run.

        Args:
            uri: of the model.
            into: an empty folder that the copy is made in.
            tracking_uri: where to look it up; in this registry when None.

        Raises:
            NotFound: it is not there; the message says what is.
        """
        ...


def resolve(registry: Registry, reference: Reference) -> Version:
    """Return the version that a reference means.

    A name alone means its champion; where there is none, its newest version.

    Raises:
        NotFound: there is no such model, version or alias; the message says what there is.
    """
    entries = registry.entries(reference.name)
    if not entries:
        raise _no_model(registry, reference.name)
    if reference.version is not None:
        found = next((v for v in entries if v.number == reference.version), None)
        found = found or next((v for v in entries if str(reference.version) in v.ids), None)
    elif reference.alias is None:
        champion = Alias.CHAMPION.value
        found = next((v for v in entries if champion in v.aliases), entries[0])
    elif reference.alias == LATEST:
        found = entries[0]
    else:
        held = (v for v in entries if reference.alias in v.aliases)
        found = next(held, None) or next((v for v in entries if reference.alias in v.ids), None)
    version = None if found is None else one(registry, found.name, number=found.number)
    if version is None:
        raise _no_version(reference, entries)
    return version


def one(registry: Registry, name: str, *, number: int) -> Version | None:
    """Return one version of a model; None where there is none."""
    return next(iter(registry.some([(name, number)])), None)


def imported(version: Version) -> Candidate:
    """Return what was recorded of a version at import.

    Raises:
        NotServable: another program registered it, so that nothing was checked.
    """
    if version.candidate is None:
        raise NotServable(
            f"{version.reference} was registered by another program: it is not checked yet",
            hint=f"brinery import MODEL --name {version.name} --data FILE",
        )
    return version.candidate


def askable(version: Version) -> Candidate:
    """Return what was recorded of a version that can be asked for predictions.

    Raises:
        NotServable: it cannot be asked, or another program registered it.
    """
    candidate = imported(version)
    unscored = candidate.description.unscored
    if unscored is not None:
        raise NotServable(
            f"{version.reference} cannot be asked for predictions, because {unscored.reason}",
            hint=unscored.instead,
        )
    return candidate


def model_of(uri: str) -> str:
    """Return the name of the model that a `models:/…` URI asks for; empty for another URI."""
    asked = uri.removeprefix("models:/")
    return "" if asked == uri else asked.split("/")[0].partition("@")[0]


def unresolved(
    uri: str, *, where: str, names: Collection[str], held: Mapping[int, Collection[str]]
) -> NotFound:
    """Return the error for a URI that means nothing, with the nearest there is.

    Args:
        uri: as it was given.
        where: it was looked up.
        names: of the models there.
        held: number to aliases, of the versions of the model that the URI names.
    """
    name = model_of(uri)
    if held:
        return _not_held(uri, name, where=where, held=held)
    near = nearest(name, names) if uri.startswith("models:/") and name not in names else None
    return NotFound(
        f"{uri} is not in {where}",
        hint=f"did you mean models:/{uri.removeprefix('models:/').replace(name, near, 1)}?"
        if near
        else "--tracking-uri, or MLFLOW_TRACKING_URI, says which MLflow to ask",
    )


def _not_held(uri: str, name: str, *, where: str, held: Mapping[int, Collection[str]]) -> NotFound:
    """Return the error for a version or an alias that a model does not have."""
    numbers = ", ".join(map(str, sorted(held)))
    versions = f"its version{'' if len(held) == 1 else 's'}: {numbers}"
    _, at, alias = uri.partition("@")
    if not at:
        asked = uri.removeprefix(f"models:/{name}").strip("/")
        if asked.capitalize() in _STAGES:
            said = f"{name} has no version in the stage {asked.capitalize()}"
        else:
            said = f"{name} has no version {asked}" if asked else f"{uri} names no version"
        return NotFound(f"{said} in {where}", hint=f"{versions}; models:/{name}/{max(held)}")
    aliases = sorted({alias for each in held.values() for alias in each})
    found = f"it has {', '.join(aliases)}" if aliases else "it has none"
    near = nearest(alias, aliases)
    return NotFound(
        f"{name} has no alias '{alias}' in {where}",
        hint=f"{found}; models:/{name}@{near}"
        if near
        else f"{found}; {versions}; models:/{name}/{max(held)}",
    )


def _no_model(registry: Registry, name: str) -> NotFound:
    names = registry.names()
    near = nearest(name, names)
    if near is not None:
        hint = f"did you mean {near}?"
    elif names:
        hint = "brinery model list shows the models"
    else:
        hint = f"brinery import MODEL --name {name} --data FILE"
    return NotFound(f"there is no model '{name}'", hint=hint)


def _no_version(reference: Reference, versions: list[Entry]) -> NotFound:
    name = reference.name
    if reference.version is not None:
        have = ", ".join(str(version.number) for version in reversed(versions))
        return NotFound(
            f"{name} has no version {reference.version}",
            hint=f"it has {have}: brinery model show {name}",
        )
    if reference.alias in {Alias.CHAMPION, Alias.CHALLENGER}:
        return NotFound(
            f"{name} has no {reference.alias}", hint=f"brinery promote {versions[0].reference}"
        )
    known = {alias for version in versions for alias in version.aliases + version.ids}
    have = ", ".join(sorted(known))
    return NotFound(
        f"{name} has no alias '{reference.alias}'",
        hint=f"it has {have}: brinery model show {name}"
        if have
        else f"brinery model show {name} shows what it has",
    )
