"""What an input's path, or an output's, may be: a place of ours, an asset, or an address elsewhere.

Nothing is looked up here. What a name stands for is the store's to find, when a step starts.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from brinery.errors import InvalidReference
from brinery.specs.names import nearest

LATEST: Final = "latest"

_PREFIX: Final = "azureml:"
_KINDS: Final = {
    "components": "component",
    "environments": "environment",
    "data": "data",
    "models": "model",
}
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_HINT: Final = "azureml:NAME:VERSION, azureml:NAME@latest or azureml://datastores/NAME/paths/PATH"


class Local(NamedTuple):
    """A path of this machine.

    Attributes:
        path: as it was written, without `file:`.
    """

    path: str


class InDatastore(NamedTuple):
    """A path in a datastore.

    Attributes:
        datastore: its name.
        path: within it, without a slash at either end; may be empty.
    """

    datastore: str
    path: str


class OfAsset(NamedTuple):
    """A registered asset.

    Attributes:
        name: of the asset.
        version: of it; empty where a label says which.
        label: `latest` where nothing is said.
        kind: `component`, `environment`, `data` or `model`; empty where the reader knows.
        registry: of the vendor's that it is in; empty for the workspace.
        path: within it; empty for the whole.
    """

    name: str
    version: str = ""
    label: str = LATEST
    kind: str = ""
    registry: str = ""
    path: str = ""

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.name}:{self.version}" if self.version else f"{self.name}@{self.label}"


class OfJob(NamedTuple):
    """What a job left.

    Attributes:
        job: its name.
        output: of the job; `default` is the folder of its artifacts.
        path: within it; empty for the whole.
    """

    job: str
    output: str
    path: str = ""


class OfRun(NamedTuple):
    """An artifact of an MLflow run.

    Attributes:
        run_id: of the run.
        path: of the artifact; empty for all.
    """

    run_id: str
    path: str


class Elsewhere(NamedTuple):
    """An address that is none of ours.

    Attributes:
        uri: as it was written.
        scheme: `https`, `wasbs`, `s3`, …, in lower case.
    """

    uri: str
    scheme: str


Address = Local | InDatastore | OfAsset | OfJob | OfRun | Elsewhere


def parse(uri: str) -> Address:
    """Return what a path of a job file, or any address, stands for.

    Raises:
        InvalidReference: it begins as one of ours does, and goes on otherwise.
    """
    if uri.startswith("file:"):
        return Local(unquote(urlsplit(uri).path) if uri.startswith("file://") else uri[5:])
    if uri.startswith("runs:/"):
        run_id, _, path = uri.removeprefix("runs:").lstrip("/").partition("/")
        if not run_id:
            raise InvalidReference(f"'{uri}' names no run", hint="runs:/RUN_ID/PATH")
        return OfRun(run_id, path.strip("/"))
    if uri.startswith(_PREFIX):
        return _ours(uri)
    found = _SCHEME.match(uri)
    return Local(uri) if found is None else Elsewhere(uri, found[1].lower())


def _ours(uri: str) -> Address:
    rest = uri.removeprefix(_PREFIX)
    if rest.startswith("//"):
        return _long(uri)
    # Other clients print relative paths in this form.
    return Local(rest) if rest.startswith((".", "/")) else asset(rest)


def asset(reference: str) -> OfAsset:
    """Return the asset that `NAME`, `NAME:VERSION` or `NAME@LABEL` names, `azureml:` before or not.

    Raises:
        InvalidReference: it is none of these.
    """
    short = reference.removeprefix(_PREFIX)
    if short.startswith("//"):
        found = _long(reference)
        if isinstance(found, OfAsset):
            return found
        raise InvalidReference(f"'{reference}' names no asset", hint=_HINT)
    name, at, label = short.partition("@")
    name, colon, version = name.partition(":")
    parts = [name, *([version] if colon else []), *([label] if at else [])]
    if (colon and at) or not all(_NAME.fullmatch(part) for part in parts):
        raise InvalidReference(f"'{reference}' names no asset", hint=_HINT)
    return OfAsset(name, version, "" if version else label or LATEST)


def _long(uri: str) -> Address:
    """Return what an address that begins with `azureml://` stands for.

    Raises:
        InvalidReference: it is none that is known.
    """
    parts = [unquote(part) for part in uri.removeprefix(f"{_PREFIX}//").strip("/").split("/")]
    registry = ""
    # What comes before the workspace's own part.
    while len(parts) > 1 and parts[0].lower() in _OUTER:
        if parts[0].lower() == "registries":
            registry = parts[1]
        parts = parts[2:]
    kind, name, word, value, *rest = (*parts, "", "", "", "")[: max(len(parts), 4)]
    path = "/".join(rest).strip("/")
    if kind == "datastores" and name and word in ("", "paths"):
        if ".." in (value, *rest):
            raise InvalidReference(
                f"'{uri}' has .., which leads out of a datastore", hint="write the path without it"
            )
        return InDatastore(name, "/".join(filter(None, (value, path))))
    if kind == "jobs" and word == "outputs" and value and (not path or rest[0] == "paths"):
        return OfJob(name, value, path.removeprefix("paths").strip("/"))
    if kind in _KINDS and name and word in ("", "versions", "labels"):
        version = value if word == "versions" else ""
        label = "" if version else value or LATEST
        return OfAsset(name, version, label, _KINDS[kind], registry, path)
    near = nearest(kind, ["datastores", "jobs", *_KINDS])
    meant = f": did you mean azureml://{near}/…?" if near and near != kind else ""
    raise InvalidReference(f"'{uri}' is no address that is known{meant}", hint=_HINT)


_OUTER: Final = frozenset(
    {
        "subscriptions",
        "resourcegroups",
        "resource-groups",
        "providers",
        "workspaces",
        "registries",
        "locations",
    }
)


def check_asset_name(name: str, *, kind: str) -> str:
    """Return the name of an asset unchanged.

    Raises:
        InvalidReference: no reference could be written to it.
    """
    if _NAME.fullmatch(name):
        return name
    tidy = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:255]
    raise InvalidReference(
        f"'{name}' is not allowed as the name of a {kind}: up to 255 letters, digits, '-', '_' "
        "and '.', the first a letter, a digit or '_'",
        hint=f"try --name {tidy}" if tidy else "",
    )


def check_version(version: str, *, kind: str) -> str:
    """Return the version of an asset unchanged.

    Raises:
        InvalidReference: no reference could be written to it.
    """
    if _NAME.fullmatch(version):
        return version
    raise InvalidReference(
        f"'{version}' is not allowed as the version of a {kind}: letters, digits, '-', '_' and '.'",
        hint="leave it out for the next number",
    )
