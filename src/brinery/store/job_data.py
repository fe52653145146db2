"""Data as the engine of jobs asks for it: where it lies, and where outputs go."""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from brinery.errors import StoreFault
from brinery.records.asset import Asset, AssetKind
from brinery.records.job import Made
from brinery.records.plan import Data, DataType
from brinery.specs.addresses import Elsewhere, parse
from brinery.store.assets import Draft
from brinery.store.data_paths import DataPaths


class JobData:
    """Data of a workspace's jobs.

    Args:
        paths: of the workspace.
        staging: folder in which outputs wait to be taken elsewhere.
    """

    def __init__(self, paths: DataPaths, *, staging: Path) -> None:
        self._paths = paths
        self._staging = staging

    def resolve(self, data: Data, /) -> str:
        """Return the absolute path at which data can be read, when the step starts.

        Raises:
            DataFileMissing: nothing is there.
            DataUnreachable: nothing here leads there.
            NotFound: the asset, the datastore or the job is not known.
        """
        return str(self._paths.resolve(data.uri))

    def destination(self, uri: str, /) -> str:
        """Return the absolute path that an output with an address is put at.

        Args:
            uri: absolute path, or an address in a datastore, filled in.

        Raises:
            NotFound: the datastore is not known.
        """
        address = self._paths.address(uri)
        if not isinstance(parse(address), Elsewhere):
            return address
        name = hashlib.sha256(address.encode()).hexdigest()[:32]
        return str(self._staging / name / (address.rstrip("/").rpartition("/")[2] or "data"))

    def stored(self, uri: str, path: str, /) -> None:
        """Take what now lies at a destination to where the address says, if that is elsewhere.

        Raises:
            DataUnreachable: it cannot be written there.
        """
        if isinstance(parse(self._paths.address(uri)), Elsewhere):
            self._paths.publish(Path(path), uri)

    def lost(self, uri: str, made: Made, /) -> bool:
        """Return False: what a step left is put at its address again."""
        del uri, made
        return False

    def register_data(
        self, name: str, version: str, /, *, made: Made, kind: DataType, job: str
    ) -> str:
        """Return the version under which an output was registered as a data asset.

        The same content under a version that is there already is that version, and what a job
        registered already is not registered again: it may have been resumed.

        Raises:
            AlreadyThere: the version has another content.
        """
        before = self._paths.assets.find(AssetKind.DATA, name, version=version)
        same = before is not None and before.digest == made.content
        if before is not None and same and (version or before.properties.get("job") == job):
            return before.version
        asset = Asset(
            kind=AssetKind.DATA,
            name=name,
            version=version,
            created=datetime.now(UTC),
            type=kind.value,
            digest=made.content,
            size_bytes=made.size_bytes,
            source=f"azureml://jobs/{job}",
            properties={"job": job},
        )

        def link(draft: Draft) -> Asset:
            # An output of a file keeps the name that it had.
            source = Path(made.path)
            name = source.name if made.file else "data"
            _link(source, draft.content / name)
            return replace(asset, content=f"{draft.content.name}/{name}")

        return self._paths.assets.create(asset, fill=link).version


def _link(source: Path, target: Path) -> None:
    """Have the files of a read-only tree a second name; copies where the disk has no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if source.is_dir():
            shutil.copytree(source, target, copy_function=_link_file)
        else:
            _link_file(str(source), str(target))
    except OSError as error:
        raise StoreFault(f"{target} cannot be written: {error.strerror or error}") from error


def _link_file(source: str, target: str) -> str:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)
    return target
