"""The versions that MLflow holds: what is recorded of each, and the files that belong to it."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from brinery.records.version import (
    Candidate,
    Stage,
    Version,
    ids_of,
    without_ids,
)
from brinery.registry import mlflow_client, mlflow_model, mlflow_runs
from brinery.registry.artifacts import Artifacts
from brinery.registry.interface import SCORER_FILE, Entry, imported
from brinery.registry.mlflow_client import failure, foreign_errors
from brinery.registry.mlflow_flavors import CODE_FOLDER
from brinery.registry.mlflow_postgres import POSTGRES, PostgresTables
from brinery.registry.mlflow_tables import PASSPORT_TAG, Row, SqliteTables, Tables
from brinery.registry.passports import Passports

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

SHA256_TAG = "brinery.sha256"
EPOCH_MS = 1000

_DOWNLOADS = 8
_BESIDE = "beside"


class MlflowFiles:
    """Versions in any store that MLflow reaches, and their files wherever it says that they lie.

    Args:
        tracking_uri: of runs, models and versions; `sqlite:///…` in a workspace.
        artifacts: the folder, or the `s3://…` or `file://…` URI, that model files go to.
        cache: folder of what was downloaded from a bucket; none is needed without one.
        spool: folder of the runs of jobs that MLflow is told of when it is reached; None for none.
    """

    def __init__(
        self,
        tracking_uri: str,
        artifacts: Path | str,
        *,
        cache: Path | None = None,
        spool: Path | None = None,
    ) -> None:
        self._uri = tracking_uri
        self._spool = spool
        self._artifacts = Artifacts(artifacts, cache=cache)
        self._passports = Passports()

    @cached_property
    def _tables(self) -> Tables:
        made = PostgresTables if self._uri.startswith(POSTGRES) else SqliteTables
        return made(self._uri)

    @cached_property
    def _client(self) -> MlflowClient:
        client = mlflow_client.connect(self._uri, self._artifacts)
        if self._spool is not None:
            with foreign_errors():
                mlflow_runs.catch_up(client, self._spool, artifacts=self._artifacts)
        return client

    def entries(self, name: str | None = None) -> list[Entry]:
        """Return the versions of a model, or of all, without what was recorded of them."""
        rows = self._tables.rows(name, tag=SHA256_TAG)
        if rows is None:
            with foreign_errors():
                rows = _asked(self._client, name)
        return [_entry(row) for row in rows]

    def some(self, wanted: Collection[tuple[str, int]]) -> list[Version]:
        """Return the versions of these names and numbers that there are."""
        names, numbers = {name for name, _ in wanted}, {number for _, number in wanted}
        name = next(iter(names)) if len(names) == 1 else None
        only = next(iter(numbers)) if name is not None and len(numbers) == 1 else None
        rows = self._tables.rows(name, tag=SHA256_TAG, number=only)
        if rows is None:
            with foreign_errors():
                rows = _asked(self._client, name)
        kept = set(wanted)
        return self._read([row for row in rows if (row.name, row.number) in kept])

    def model_file(self, version: Version) -> Path:
        """Return the model's file or folder, of a version that was imported by Brinery.

        Raises:
            NotServable: the version was not.
        """
        candidate = imported(version)
        return self._model(self._location(version), candidate)

    def code_folder(self, version: Version) -> Path | None:
        """Return the folder of the user's own modules; None where the version has none.

        Raises:
            NotServable: the version was not imported by Brinery.
        """
        candidate = imported(version)
        return self._code(self._location(version), candidate) if candidate.artifact.code else None

    def kept_file(self, version: Version, name: str) -> Path | None:
        """Return what was stored beside a version's model; None where there is none."""
        scorer = version.fast_path.sha256 if version.fast_path and name == SCORER_FILE else ""
        return self._artifacts.path(self._location(version), name, sha256=scorer)

    def files(self, version: Version) -> dict[str, int | None]:
        """Return name to bytes of every file of a version's model folder, sorted."""
        return self._artifacts.sizes(self._location(version))

    def file(self, version: Version, name: str) -> Path | None:
        """Return a file of a version's model folder; None where `files` has none of that name."""
        if name not in self.files(version):
            return None
        return self._artifacts.path(self._location(version), name)

    def put_beside(self, version: Version, file: Path) -> None:
        """Keep a file beside a version's model, where everybody finds it who finds the model."""
        self._artifacts.put(_beside(self._location(version)), file)

    def beside(self, version: Version) -> list[str]:
        """Return the names of the files that were put beside a version's model, sorted."""
        return self._artifacts.names(_beside(self._location(version)))

    def file_beside(self, version: Version, name: str) -> Path | None:
        """Return a file that was put beside a version's model; None where there is none."""
        return self._artifacts.path(_beside(self._location(version)), name)

    def here(self, version: Version) -> bool:
        """Return whether a version's model is on this machine, and need not be downloaded.

        Raises:
            NotServable: the version was not imported by Brinery.
        """
        file = imported(version).artifact.file
        return self._artifacts.here(self._location(version), file)

    def _location(self, version: Version) -> str:
        """Return the URI of the folder that a version's model is in."""
        rows = self._tables.rows(version.name, tag=SHA256_TAG, number=version.number)
        if rows:
            return rows[0].location
        with foreign_errors():
            created = self._client.get_model_version(version.name, str(version.number))
            return mlflow_client.folder(self._client, created)

    def _model(self, place: str, candidate: Candidate) -> Path:
        """Return the file or folder of a stored model."""
        artifact = candidate.artifact
        found = self._artifacts.path(place, artifact.file, sha256=artifact.sha256)
        return found or self._artifacts.absent(place, artifact.file)

    def _code(self, place: str, candidate: Candidate) -> Path:
        """Return the folder of the user's own modules that is stored with a model."""
        found = self._artifacts.path(place, CODE_FOLDER, sha256=candidate.artifact.code_sha256)
        return found or self._artifacts.absent(place, CODE_FOLDER)

    def _version(self, version: ModelVersion, aliases: dict[int, tuple[str, ...]]) -> Version:
        return self._described(_row(self._client, version, aliases))

    def _read(self, rows: list[Row]) -> list[Version]:
        """Return the versions of MLflow's tables.

        Raises:
            RegistryFault: what lies beside the model of one cannot be read.
        """
        try:
            if any(self._artifacts.remote(row.location) for row in rows if row.tagged):
                with ThreadPoolExecutor(_DOWNLOADS) as pool:
                    return list(pool.map(self._described, rows))
            return [self._described(row) for row in rows]
        except (OSError, msgspec.MsgspecError) as error:
            raise failure(error) from error

    def _described(self, row: Row) -> Version:
        """Return a version, with what lies beside its model where it was imported."""
        passport = None
        if row.tagged:
            file = mlflow_model.PASSPORT_FILE
            found = self._artifacts.path(row.location, file, sha256=row.passport)
            path = found or self._artifacts.absent(row.location, file)
            passport = self._passports.read(path)
        return Version(
            name=row.name,
            number=row.number,
            aliases=without_ids(row.aliases),
            created=datetime.fromtimestamp(row.created_ms / EPOCH_MS, UTC),
            run_id=row.run_id or None,
            candidate=passport.candidate if passport else None,
            parity=passport.parity if passport else None,
            fast_path=passport.fast_path if passport else None,
            archived=row.archived,
            ids=ids_of(row.aliases),
        )


def _asked(client: MlflowClient, name: str | None) -> list[Row]:
    """Return what MLflow's client says of the versions of a model, or of all, newest first."""
    found = mlflow_client.versions(client, name)
    names = {version.name for version in found}
    aliases = {each: mlflow_client.aliases(client, each) for each in names}
    ordered = sorted(found, key=lambda one: (one.name, -int(one.version)))
    return [_row(client, one, aliases[one.name]) for one in ordered]


def _row(client: MlflowClient, version: ModelVersion, aliases: dict[int, tuple[str, ...]]) -> Row:
    number = int(version.version)
    tagged = SHA256_TAG in version.tags
    return Row(
        version.name,
        number,
        version.creation_timestamp,
        version.run_id or "",
        mlflow_client.folder(client, version) if tagged else "",
        tagged,
        tuple(sorted(aliases.get(number, ()))),
        version.current_stage == Stage.ARCHIVED,
        version.tags.get(PASSPORT_TAG, ""),
    )


def _entry(row: Row) -> Entry:
    return Entry(
        name=row.name,
        number=row.number,
        aliases=without_ids(row.aliases),
        ids=ids_of(row.aliases),
        created=datetime.fromtimestamp(row.created_ms / EPOCH_MS, UTC),
        imported=row.tagged,
    )


def _beside(location: str) -> str:
    """Return the URI of the folder beside that of a model: what is put there is no part of it."""
    return f"{location.rpartition('/')[0]}/{_BESIDE}"
