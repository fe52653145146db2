"""Registers data, environments, components, models and datastores, and tells of them.

What is registered is copied, so that later edits of a file do not change a version.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

import yaml
from msgspec.structs import replace

from brinery.actions.asset_rooms import AssetRooms, Folder, open_asset_rooms
from brinery.errors import InvalidJob, InvalidReference
from brinery.pipeline.planning import validate_component
from brinery.records.asset import Asset, AssetKind
from brinery.records.plan import Software
from brinery.specs import job_source
from brinery.specs.addresses import LATEST, Local, parse
from brinery.specs.assets import DatastoreAsset
from brinery.specs.job_source import Findings
from brinery.specs.job_yaml import Declared, Noun, checked, read
from brinery.store.assets import Draft
from brinery.store.component_copies import ComponentCopy, copy_conda
from brinery.store.data_copies import copy_data, protect
from brinery.store.fingerprints import Fingerprints
from brinery.store.snapshots import Snapshots

_COMPONENT_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_NOUNS: Final = {
    AssetKind.COMPONENT: Noun.COMPONENT,
    AssetKind.DATA: Noun.DATA,
    AssetKind.DATASTORE: Noun.DATASTORE,
    AssetKind.ENVIRONMENT: Noun.ENVIRONMENT,
    AssetKind.MODEL: Noun.MODEL,
}
_DEFAULT_TYPES: Final = {AssetKind.DATA: "uri_folder", AssetKind.MODEL: "custom_model"}


class Said(TypedDict, total=False):
    """What is said beside a file, or in its place.

    Attributes:
        name: of the asset.
        version: of it; the next number where it is not given.
        type: of the asset.
        path: of the data or the model.
        image: of the environment.
        conda_file: of the environment.
        description: in the user's words.
        sets: each `a.b.c=value`, set in the file before it is checked.
    """

    name: str | None
    version: str | None
    type: str | None
    path: str | None
    image: str | None
    conda_file: str | None
    description: str | None
    sets: Sequence[str]


@dataclass(frozen=True)
class Created:
    """A new version.

    Attributes:
        asset: as it is kept.
        notes: what was accepted and means nothing, or something else, here; a line each.
    """

    asset: Asset
    notes: tuple[str, ...] = ()


def create_asset(
    kind: AssetKind,
    file: Folder | None = None,
    *,
    workspace: Folder | None = None,
    **said: Unpack[Said],
) -> Created:
    """Return a version of an asset that is registered from now on.

    Args:
        kind: what it is.
        file: its YAML; None where all of it is said.
        workspace: its folder; the nearest upwards when None.
        said: what is said beside the file, which it goes before.

    Raises:
        InvalidJob: the file is wrong: every fault at once.
        AlreadyThere: there is this version already.
        DataFileMissing: what its path names is not there.
        InvalidReference: it has no name, or one that is not allowed.
    """
    rooms = open_asset_rooms(workspace)
    declared = None
    if file is not None:
        declared = _declared(kind, Path(file), said=said, rooms=rooms)
    stated = dict(declared.source.stated) if declared is not None else {}
    folder = declared.source.folder if declared is not None else Path.cwd()
    for key, value in said.items():
        if key != "sets" and value is not None:
            stated[key] = str(Path(str(value)).absolute()) if key == "conda_file" else value
    if isinstance(path := said.get("path"), str) and isinstance(parse(path), Local):
        stated["path"] = str(Path(path.removeprefix("file:")).expanduser().absolute())
    if not stated.get("name"):
        raise InvalidReference(f"the {kind} has no name", hint=f"brinery {kind} create --name NAME")
    rooms.workspace.prepare()
    asset = _asset(kind, stated)
    maker = _Maker(rooms, stated, folder)
    match kind:
        case AssetKind.COMPONENT:
            made = maker.component(asset)
        case AssetKind.DATA | AssetKind.MODEL:
            made = maker.files(asset)
        case AssetKind.ENVIRONMENT:
            made = maker.environment(asset)
        case AssetKind.DATASTORE:
            made = maker.datastore(asset, declared)
    return Created(made, tuple(declared.found.notes) if declared is not None else ())


def _declared(kind: AssetKind, file: Path, *, said: Said, rooms: AssetRooms) -> Declared:
    """Return what a file declares, a component checked as it is where a job names it."""
    sets = said.get("sets", ())
    if kind is not AssetKind.COMPONENT:
        return checked(file, sets=sets, noun=_NOUNS[kind])
    name = said.get("name") or ""
    # One that is not allowed is told of as what was said, not as what the file has.
    named = [f"name={name}"] if _COMPONENT_NAME.fullmatch(name) else []
    declared = read(file, sets=[*sets, *named], noun=Noun.COMPONENT)
    validate_component(declared, rooms.catalog)
    return declared


def _asset(kind: AssetKind, stated: dict[str, Any]) -> Asset:
    version = stated.get("version")
    return Asset(
        kind=kind,
        name=str(stated["name"]),
        version="" if version is None else str(version),
        created=datetime.now(UTC),
        type=str(stated.get("type") or _DEFAULT_TYPES.get(kind, "")),
        description=str(stated.get("description") or ""),
        display_name=str(stated.get("display_name") or ""),
        tags=_texts(stated.get("tags")),
        properties=_texts(stated.get("properties")),
    )


class _Maker:
    """Makes one version.

    Args:
        rooms: of the workspace.
        stated: the values of its file.
        folder: absolute, that its relative paths begin in.
    """

    def __init__(self, rooms: AssetRooms, stated: dict[str, Any], folder: Path) -> None:
        self._rooms = rooms
        self._stated = stated
        self._folder = folder

    def component(self, asset: Asset) -> Asset:
        """Return a component, with all the files that it names."""
        if not _COMPONENT_NAME.fullmatch(asset.name):
            tidy = re.sub(r"[^a-z0-9_]+", "_", asset.name.lower()).strip("_0123456789")
            raise InvalidReference(
                f"'{asset.name}' is not allowed as the name of a component: small letters, digits "
                "and '_', the first a letter",
                hint=f"--name {tidy}" if tidy else "",
            )
        copier = ComponentCopy(read=values_of, copy_code=copy_code)
        # The copy says its own name and version: whoever reads it needs nothing else.
        stated = {**self._stated, "name": asset.name}

        def fill(draft: Draft) -> Asset:
            copier.take(stated, self._folder, into=draft.content)
            return self._measured(replace(asset, type=asset.type or "command"), draft)

        return self._rooms.data.assets.create(asset, fill=fill)

    def files(self, asset: Asset) -> Asset:
        """Return data or a model: a copy of files of this machine, or else an address."""
        path = str(self._stated.get("path") or "")
        if not path:
            raise InvalidReference(
                f"the {asset.kind} {asset.name} has no path",
                hint=f"brinery {asset.kind} create --name {asset.name} --path PATH",
            )
        asset = replace(asset, source=path)
        known = parse(path)
        if not isinstance(known, Local):
            kept = asset.kind is AssetKind.DATA
            address = path if kept else str(self._rooms.data.resolve(path))
            if kept:
                return self._rooms.data.assets.create(replace(asset, address=address))
            known = Local(address)
        source = (self._folder / Path(known.path).expanduser()).resolve()
        if source.is_file() and asset.type == "uri_folder" and "type" not in self._stated:
            asset = replace(asset, type="uri_file")

        def fill(draft: Draft) -> Asset:
            copy_data(source, draft.content / source.name)
            content = f"{draft.content.name}/{source.name}"
            return self._measured(replace(asset, content=content), draft)

        return self._rooms.data.assets.create(asset, fill=fill)

    def environment(self, asset: Asset) -> Asset:
        """Return an environment: its definition, and a copy of the files that are part of it."""
        image = str(self._stated.get("image") or "")
        conda, build = self._stated.get("conda_file"), self._stated.get("build")

        def fill(draft: Draft) -> Asset:
            draft.content.mkdir()
            text = dockerfile = ""
            if isinstance(conda, dict):
                text = yaml.safe_dump(conda, sort_keys=False)
            elif conda:
                file = self._folder / str(conda).removeprefix("file:")
                text = (draft.content / copy_conda(file, draft.content)).read_text("utf-8")
            if isinstance(build, dict) and build.get("path"):
                context = (self._folder / str(build["path"])).resolve()
                draft.content.rmdir()
                copy_code(context, draft.content)
                named = draft.content / str(build.get("dockerfile_path") or "Dockerfile")
                if not named.is_file():
                    raise InvalidJob(f"there is no {named.name} in {context}", hint=f"ls {context}")
                dockerfile = named.read_text("utf-8")
            software = Software(image=image, conda=text, dockerfile=dockerfile)
            return self._measured(replace(asset, software=software), draft)

        return self._rooms.data.assets.create(asset, fill=fill)

    def datastore(self, asset: Asset, declared: Declared | None) -> Asset:
        """Return a datastore: a name for an address, of which there is one version."""
        model = declared.model if declared is not None else None
        assert isinstance(model, DatastoreAsset)  # noqa: S101 - for the type checker
        address = model.uri or _address(model)
        if isinstance(parse(address), Local):
            address = str((self._folder / Path(address).expanduser()).resolve())
        self._rooms.data.assets.remove(AssetKind.DATASTORE, asset.name)
        return self._rooms.data.assets.create(replace(asset, version="1", address=address))

    def _measured(self, asset: Asset, draft: Draft) -> Asset:
        """Return an asset with the size and the digest of its copy, which is made read-only."""
        size = protect(draft.content)
        content = draft.folder / asset.content if asset.content else draft.content
        digest = Fingerprints(None).of(str(content)).content
        return replace(
            asset,
            content=asset.content or draft.content.name,
            digest=digest,
            size_bytes=size,
            source=asset.source or str(self._folder),
        )


def assets(
    kind: AssetKind,
    *,
    name: str | None = None,
    archived: bool = False,
    workspace: Folder | None = None,
) -> list[Asset]:
    """Return the newest version of each asset, or all versions of one, the newest first.

    Args:
        kind: what they are.
        name: whose versions are asked for.
        archived: whether those that were archived are among them.
        workspace: its folder; the nearest upwards when None.
    """
    kept = open_asset_rooms(workspace).data.assets
    if name is not None:
        found = kept.versions(kind, name)
    else:
        newest = (kept.find(kind, one) for one in kept.names(kind))
        found = [one for one in newest if one is not None]
    return [one for one in found if archived or not one.archived]


def asset(
    kind: AssetKind,
    name: str,
    *,
    version: str | None = None,
    label: str | None = None,
    workspace: Folder | None = None,
) -> Asset:
    """Return one version of an asset; the one that was created last where none is named.

    Raises:
        NotFound: there is none; the message has the nearest.
    """
    kept = open_asset_rooms(workspace).data.assets
    return kept.get(kind, name, version=version or "", label=label or LATEST)


def archive_asset(
    kind: AssetKind,
    name: str,
    *,
    version: str | None = None,
    restored: bool = False,
    workspace: Folder | None = None,
) -> list[Asset]:
    """Return the versions that lists leave out from now on; all of the asset where none is named.

    Args:
        kind: what it is.
        name: of the asset.
        version: the one that is meant; all where it is None.
        restored: whether lists are to have them again instead.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is none.
    """
    kept = open_asset_rooms(workspace).data.assets
    first = kept.get(kind, name, version=version or "")
    chosen = [first] if version else kept.versions(kind, name)
    what = "restored" if restored else "archived"
    return [
        kept.change(one, what, edit=lambda was: replace(was, archived=not restored))
        for one in chosen
    ]


def update_asset(
    kind: AssetKind,
    name: str,
    *,
    sets: Sequence[str],
    version: str | None = None,
    label: str | None = None,
    workspace: Folder | None = None,
) -> Asset:
    """Return an asset of which something else is said from now on.

    Args:
        kind: what it is.
        name: of the asset.
        sets: each `tags.x=y`, `properties.x=y`, `description=…` or `display_name=…`.
        version: the one that is meant; the one that was created last where it is None.
        label: which means this version from now on, as in `azureml:NAME@LABEL`.
        workspace: its folder; the nearest upwards when None.

    Raises:
        NotFound: there is none.
        InvalidJob: something else is set, which cannot be changed.
    """
    kept = open_asset_rooms(workspace).data.assets
    found = kept.get(kind, name, version=version or "")
    edits = [_edit(one) for one in sets]

    def edit(was: Asset) -> Asset:
        for key, inner, value in edits:
            if inner:
                was = replace(was, **{key: {**getattr(was, key), inner: value}})
            else:
                was = replace(was, **{key: value})
        return was

    if edits:
        found = kept.change(found, f"set {', '.join(sets)}", edit=edit)
    return kept.label(found, label) if label else found


def datastores(*, workspace: Folder | None = None) -> dict[str, str]:
    """Return the name of each datastore, and the path or the address that it is a name for."""
    return open_asset_rooms(workspace).data.datastores()


def datastore(name: str, *, workspace: Folder | None = None) -> str:
    """Return the path or the address that a datastore is a name for.

    Raises:
        NotFound: there is none of that name; the message has the nearest.
    """
    return open_asset_rooms(workspace).data.datastore(name)


def forget_datastore(name: str, *, workspace: Folder | None = None) -> None:
    """Forget what a datastore is a name for; what lies there stays.

    Raises:
        NotFound: none of that name was created.
    """
    kept = open_asset_rooms(workspace).data.assets
    kept.get(AssetKind.DATASTORE, name)
    kept.remove(AssetKind.DATASTORE, name)


def _edit(given: str) -> tuple[str, str, str]:
    path, equals, value = given.partition("=")
    key, _, inner = path.partition(".")
    whole = key in ("description", "display_name") and not inner
    if equals and (whole or (key in ("tags", "properties") and inner)):
        return key, inner, value
    raise InvalidJob(
        f"--set {given}: what is in a version never changes, but tags.X, properties.X, "
        "description and display_name do",
        hint="create the next version for all else",
    )


def copy_code(source: Path, target: Path) -> None:
    """Copy a folder of code, without what its ignore file names.

    Raises:
        InvalidJob: it is no folder, or cannot be read.
    """
    if not source.is_dir():
        raise InvalidJob(f"there is no folder {source}", hint=f"ls {source.parent}")
    target.mkdir(parents=True, exist_ok=True)
    Snapshots(Fingerprints(None)).copy(str(source), (), target=str(target))


def values_of(file: Path) -> dict[str, Any]:
    """Return the values of a component's or an environment's file.

    Raises:
        InvalidJob: it cannot be read.
    """
    found = Findings()
    source = job_source.read(file, found=found)
    found.raise_if_any()
    return source.stated


def _texts(given: Any) -> dict[str, str]:
    held = given if isinstance(given, dict) else {}
    return {str(key): "" if value is None else str(value) for key, value in held.items()}


def _address(model: DatastoreAsset) -> str:
    """Return the URI of a datastore of the vendor's storage.

    Raises:
        InvalidJob: it says too little.
    """
    account = model.account_name
    container = model.container_name or model.filesystem
    host = (model.endpoint or "core.windows.net").removeprefix("https://").rstrip("/")
    if model.type == "azure_blob" and account and container:
        return f"wasbs://{container}@{account}.blob.{host}"
    if model.type == "azure_data_lake_gen2" and account and container:
        return f"abfss://{container}@{account}.dfs.{host}"
    if model.type == "azure_file" and account and model.file_share_name:
        return f"https://{account}.file.{host}/{model.file_share_name}"
    if model.type == "azure_data_lake_gen1" and model.store_name:
        return f"adl://{model.store_name}.azuredatalakestore.net"
    raise InvalidJob(
        f"the datastore {model.name} says no place",
        hint="uri: FOLDER or s3://BUCKET/PREFIX in its file",
    )
