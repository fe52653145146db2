"""From the address of some data to where it lies on this machine, and back for what a step left.

Addresses are resolved when a step starts and not before: an earlier step may write what a later
one reads. What is far away is downloaded once, into `.brinery/cache/data`, and again where it
changed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, cast

from brinery.errors import BrineryError, DataFileMissing, DataUnreachable, NotFound, StoreFault
from brinery.records.asset import AssetKind
from brinery.specs.addresses import (
    LATEST,
    Elsewhere,
    InDatastore,
    Local,
    OfAsset,
    OfJob,
    OfRun,
    parse,
)
from brinery.specs.names import nearest
from brinery.store.assets import Assets
from brinery.store.workspace import Workspace

DEFAULT_DATASTORES: Final = (
    "workspaceblobstore",
    "workspaceartifactstore",
    "workspacefilestore",
    "workspaceworkingdirectory",
)


class Models(Protocol):
    """What only the registry of models can find; None where it has no such thing."""

    def artifact(self, run_id: str, path: str, /) -> Path | None:
        """Return where an artifact of an MLflow run lies on this machine."""

    def fetch(self, run_id: str, into: Path, /) -> None:
        """Copy all artifacts of an MLflow run to a folder; nothing where it has none."""

    def model(self, name: str, /, *, version: str, label: str) -> Path | None:
        """Return where a version of an MLflow model lies on this machine."""


class NoModels:
    """A registry that nobody opened."""

    def artifact(self, run_id: str, path: str, /) -> Path | None:
        """Return None."""
        del run_id, path
        return None

    def fetch(self, run_id: str, into: Path, /) -> None:
        """Do nothing."""

    def model(self, name: str, /, *, version: str, label: str) -> Path | None:
        """Return None."""
        del name, version, label
        return None


class DataPaths:
    """Where data of a workspace lies.

    Args:
        workspace: of the data.
        datastores: name to URI or path, as brinery.toml has them; a relative path begins in the
            workspace.
        mapped: address, or the beginning of addresses, to the path or URI that stands for it.
        models: the registry of models, opened when it is asked.
        note: told what a user should know, a line each.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        datastores: Mapping[str, str],
        mapped: Mapping[str, str],
        models: Models = NoModels(),  # noqa: B008 - it keeps nothing
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._workspace = workspace
        self._declared = dict(datastores)
        self._mapped = {key.rstrip("/"): value for key, value in mapped.items()}
        self.models = models
        self._note = note
        self.assets = Assets(workspace.assets)

    def resolve(self, uri: str) -> Path:
        """Return where data lies on this machine: what is elsewhere is downloaded first.

        Args:
            uri: a path, or any address that a job file may have.

        Raises:
            DataFileMissing: nothing is there.
            DataUnreachable: no map and no library leads there.
            NotFound: the asset, the datastore or the job is not known.
            InvalidReference: it is no address.
        """
        found = self._local(self.address(uri))
        if found.exists():
            return found
        told = "" if str(found) == uri else f" ({found})"
        raise DataFileMissing(
            f"there is nothing at {uri}{told}", hint=f"ls {_existing(found)} shows what is there"
        )

    def address(self, uri: str) -> str:
        """Return the absolute path, or the address elsewhere, that an address stands for.

        Raises:
            NotFound: the asset, the datastore or the job is not known.
            InvalidReference: it is no address.
            DataUnreachable: it is in a registry of the vendor's.
        """
        # A datastore may be in another, and a map may lead to a datastore; not for ever.
        for _ in range(_DEPTH):
            known = self._mapping(uri)
            if known is not None:
                uri = known
                continue
            match parse(uri):
                case Local(path):
                    return str(self._workspace.root / Path(path).expanduser())
                case Elsewhere():
                    return uri
                case InDatastore(name, path):
                    uri = _joined(self.datastore(name), path)
                case OfAsset() as asset:
                    uri = self._of_asset(asset, uri)
                case OfJob() as made:
                    return str(self._of_job(made))
                case OfRun(run_id, path):
                    return str(self._of_run(run_id, path))
        raise DataUnreachable(f"{uri} leads back to itself", hint="see [map] in brinery.toml")

    def publish(self, source: Path, uri: str) -> str:
        """Return where a file or folder was written to: an absolute path, or an address elsewhere.

        What was there stays, but for files of the same names.

        Args:
            source: a file or a folder.
            uri: an address in a datastore, a path, or an address elsewhere.

        Raises:
            DataUnreachable: nothing can be written there.
            StoreFault: it cannot be written.
            NotFound: the datastore is not known.
        """
        target = self.address(uri)
        if isinstance(parse(target), Elsewhere):
            if target.startswith(("http://", "https://")):
                raise DataUnreachable(
                    f"{target} cannot be written to", hint=f"--map {target}=FOLDER, or a datastore"
                )
            _remote().put(source, target)
            return target
        try:
            _copy(source, Path(target))
        except OSError as error:
            raise StoreFault(
                f"{target} cannot be written: {error.strerror or error}", hint=f"ls -ld {target}"
            ) from error
        return target

    def datastore(self, name: str) -> str:
        """Return the URI or the absolute path that a datastore is a name for.

        Raises:
            NotFound: there is none of that name; the message has the nearest.
        """
        if (declared := self._declared.get(name)) is not None:
            return self._absolute(declared)
        created = self.assets.find(AssetKind.DATASTORE, name)
        if created is not None:
            return self._absolute(created.address)
        folder = self._workspace.datastores / name
        if name in DEFAULT_DATASTORES or folder.is_dir():
            return str(folder)
        near = nearest(name, self.datastores())
        meant = f": did you mean {near}?" if near else ""
        raise NotFound(
            f"there is no datastore {name}{meant}",
            hint=f'in brinery.toml, [datastores] with {name} = "FOLDER or s3://BUCKET/PREFIX"',
        )

    def datastores(self) -> dict[str, str]:
        """Return every datastore's name and what it is a name for."""
        names = {
            *DEFAULT_DATASTORES[:1],
            *self._declared,
            *self.assets.names(AssetKind.DATASTORE),
            *(one.name for one in _folders(self._workspace.datastores)),
        }
        return {name: self.datastore(name) for name in sorted(names)}

    def _absolute(self, place: str) -> str:
        known = parse(place)
        if isinstance(known, Local):
            return str(self._workspace.root / Path(known.path).expanduser())
        return place

    def _mapping(self, uri: str) -> str | None:
        """Return what a map makes of an address: by its longest beginning that is mapped."""
        whole = uri.rstrip("/")
        fits = [
            key for key in self._mapped if whole == key or whole.startswith((f"{key}/", f"{key}?"))
        ]
        if not fits:
            return None
        key = max(fits, key=len)
        rest = whole[len(key) :].partition("?")[0].strip("/")
        return _joined(self._absolute(self._mapped[key]), rest)

    def _local(self, address: str) -> Path:
        known = parse(address)
        if not isinstance(known, Elsewhere):
            return Path(address)
        cache = self._workspace.cache / "data"
        try:
            if known.scheme in ("http", "https"):
                download = import_module("brinery.store.downloads").download
                found = cast("Path", download(address, cache, note=self._note))
            else:
                found = cast("Path", _remote().get(address, cache))
        except DataUnreachable as error:
            raise DataUnreachable(
                error.message,
                hint=error.hint
                or f'--map {address}=PATH, or in brinery.toml [map] with "{address}" = "PATH"',
            ) from error
        with suppress(OSError):  # somebody else's cache
            os.utime(found.parent)  # when it was used last, for `brinery job prune`
        return found

    def _of_asset(self, asked: OfAsset, uri: str) -> str:
        if asked.registry and not self._any(asked):
            raise DataUnreachable(
                f"{uri} is in the registry {asked.registry}, which is not here",
                hint=f"--map {uri}=PATH",
            )
        kinds = [AssetKind(asked.kind)] if asked.kind else [AssetKind.DATA, AssetKind.MODEL]
        for kind in kinds:
            found = self.assets.find(
                kind, asked.name, version=asked.version, label=asked.label or LATEST
            )
            if found is not None:
                copy = self.assets.path(found)
                return _joined(str(copy) if copy else found.address, asked.path)
        if AssetKind.MODEL in kinds:
            model = self.models.model(asked.name, version=asked.version, label=asked.label)
            if model is not None:
                return _joined(str(model), asked.path)
        raise self._unknown(asked, kinds[0])

    def _any(self, asked: OfAsset) -> bool:
        return bool(asked.kind) and self.assets.find(AssetKind(asked.kind), asked.name) is not None

    def _unknown(self, asked: OfAsset, kind: AssetKind) -> BrineryError:
        """Return that there is no such asset: of the nearest kind that knows its name."""
        try:
            self.assets.get(kind, asked.name, version=asked.version, label=asked.label or LATEST)
        except NotFound as error:
            return error
        raise AssertionError  # pragma: no cover - it was looked for a moment ago

    def _of_job(self, made: OfJob) -> Path:
        folder = self._workspace.jobs / made.job
        if not folder.is_dir():
            near = nearest(made.job, [one.name for one in _folders(self._workspace.jobs)])
            meant = f": did you mean {near}?" if near else ""
            raise NotFound(f"there is no job {made.job}{meant}", hint="brinery job list")
        outputs = folder / "named-outputs"
        whole = _artifacts(folder) if made.output in _ARTIFACTS else outputs / made.output
        if not whole.exists():
            there = ", ".join(one.name for one in _folders(outputs)) or "none"
            raise NotFound(
                f"the job {made.job} has no output {made.output}: its outputs are {there}",
                hint=f"brinery job show {made.job}",
            )
        return whole / made.path if made.path else whole

    def _of_run(self, run_id: str, path: str) -> Path:
        found = self.models.artifact(run_id, path)
        if found is None:
            raise NotFound(
                f"the run {run_id} has no artifact {path or 'at all'}", hint="brinery up"
            )
        return found


_DEPTH: Final = 8
_ARTIFACTS: Final = ("default", "artifacts")


def _artifacts(job: Path) -> Path:
    """Return the folder of what the step of a job left beside its outputs."""
    steps = list(_folders(job / "steps"))
    return steps[0] / "outputs" / "artifacts" if len(steps) == 1 else job / "artifacts"


def read_maps(told: Sequence[str], *, base: Path) -> dict[str, str]:
    """Return what `--map URL=PATH` says, of which there may be several; paths made absolute.

    Raises:
        DataUnreachable: one is no pair.
    """
    maps: dict[str, str] = {}
    for one in told:
        # An address may hold a `=`, and a path seldom does: the last one is what parts them.
        key, equals, value = one.rpartition("=")
        if not equals or not key or not value:
            raise DataUnreachable(f"--map {one} is no URL=PATH", hint="--map https://…=folder")
        local = isinstance(parse(value), Local)
        maps[key] = str(base / Path(value).expanduser()) if local else value
    return maps


def _joined(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path}" if path else base


def _remote() -> Any:
    # It takes as long to import as all else that a job of small steps needs.
    return import_module("brinery.store.remote_files")


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder into place; each file is whole whenever it is read."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for parent, folders, names in os.walk(source, followlinks=True):
            inner = target / Path(parent).relative_to(source)
            for folder in folders:
                (inner / folder).mkdir(exist_ok=True)
            for name in names:
                _copy_file(Path(parent, name), inner / name)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    _copy_file(source, target)


def _copy_file(source: Path, target: Path) -> None:
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, staged)
    staged.replace(target)


def _folders(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return


def _existing(path: Path) -> Path:
    """Return the nearest folder upwards that is there."""
    return next(one for one in path.parents if one.exists())
