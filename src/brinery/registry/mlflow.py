"""MLflow as the registry, through its own client.

A model directory is written by hand around the user's own files, so that nothing is unpickled
here, no requirement is guessed and no format is converted; the rest is MLflow's client calls.
Aliases are the truth; the stages that older clients know are kept in step.
"""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from brinery.records.fast_path import FastPath
from brinery.records.run import Run
from brinery.records.version import Alias, Candidate, Parity, Stage, Version
from brinery.registry import mlflow_client, mlflow_model, mlflow_tables
from brinery.registry.artifacts import Artifacts
from brinery.registry.interface import (
    SCORER_FILE,
    Staged,
    Standing,
    imported,
    model_of,
    unresolved,
)
from brinery.registry.mlflow_client import failure, foreign_errors, process_wide_uri
from brinery.registry.mlflow_flavors import CODE_FOLDER
from brinery.registry.mlflow_postgres import POSTGRES, PostgresTables
from brinery.registry.mlflow_tables import PASSPORT_TAG, Row, SqliteTables, Tables
from brinery.specs.user import login_name

if TYPE_CHECKING:
    from mlflow import MlflowClient, entities
    from mlflow.entities.model_registry import ModelVersion

_IMPORT_TAG = "brinery.import"
_PENDING = "pending"
_DONE = "done"
_SHA256_TAG = "brinery.sha256"
_EPOCH_MS = 1000
_MOST_RUNS = 1000
_DOWNLOADS = 8


class Passport(Struct, frozen=True):
    """What is recorded with a version, as it lies beside the model."""

    candidate: Candidate
    parity: Parity | None
    fast_path: FastPath | None = None


class MlflowRegistry:
    """A registry in any store that MLflow reaches.

    Args:
        tracking_uri: of runs, models and versions; `sqlite:///…` in a workspace.
        artifacts: the folder, or the `s3://…` or `file://…` URI, that model files go to.
        cache: folder of what was downloaded from a bucket; none is needed without one.
    """

    def __init__(
        self, tracking_uri: str, artifacts: Path | str, *, cache: Path | None = None
    ) -> None:
        self._uri = tracking_uri
        self._artifacts = Artifacts(artifacts, cache=cache)

    @cached_property
    def _tables(self) -> Tables:
        made = PostgresTables if self._uri.startswith(POSTGRES) else SqliteTables
        return made(self._uri)

    def open(self, welcome: str = "") -> None:
        """Import MLflow and connect, so that the first call after it waits for neither."""
        with foreign_errors():
            self._client.search_registered_models(max_results=1)
            if welcome:
                mlflow_client.experiment(self._client, welcome, artifacts=self._artifacts)

    @cached_property
    def _client(self) -> MlflowClient:
        return mlflow_client.connect(self._uri, self._artifacts)

    def stage(self, candidate: Candidate, model: Path, *, code: Path | None = None) -> Staged:
        """Return the model, stored under a run that is marked as pending."""
        from mlflow.entities import LoggedModelOutput

        with foreign_errors():
            experiment = mlflow_client.experiment(
                self._client, candidate.name, artifacts=self._artifacts
            )
            run = self._client.create_run(
                experiment,
                run_name=f"import {candidate.origin.file}",
                tags={
                    _IMPORT_TAG: _PENDING,
                    "mlflow.user": login_name(),
                    "mlflow.source.type": "LOCAL",
                    "mlflow.source.name": "brinery import",
                    **mlflow_model.tags(candidate),
                },
            )
            run_id = run.info.run_id
            logged = self._client.create_logged_model(
                experiment,
                name=candidate.name.replace(".", "-"),
                source_run_id=run_id,
                params=mlflow_model.params(candidate),
                model_type=candidate.description.type.value,
            )
            self._client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
            mlflow_model.log_figures(
                self._client, candidate, run_id=run_id, model_id=logged.model_id
            )
            with tempfile.TemporaryDirectory() as folder:
                directory = Path(folder)
                mlflow_model.write(
                    candidate,
                    mlflow_model.lay_out(candidate, directory, model=model, code=code),
                    location=logged.artifact_location,
                    run_id=run_id,
                    model_id=logged.model_id,
                )
                self._client.log_model_artifacts(logged.model_id, str(directory))
        place = logged.artifact_location
        return Staged(
            logged.model_id,
            candidate,
            self._model(place, candidate),
            self._code(place, candidate) if code else None,
        )

    def commit(
        self,
        staged: Staged,
        parity: Parity | None,
        *,
        fast_path: FastPath | None = None,
        scorer: Path | None = None,
        sample: Path | None = None,
    ) -> Version:
        """Return the version that the staged model has become; creating it is the one last step."""
        name = staged.candidate.name
        with foreign_errors():
            model = self._client.get_logged_model(staged.key)
            passport = msgspec.json.format(
                msgspec.json.encode(Passport(staged.candidate, parity, fast_path)), indent=1
            )
            for beside in (scorer, sample):
                if beside is not None:
                    self._client.log_model_artifact(staged.key, str(beside))
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, mlflow_model.PASSPORT_FILE)
                path.write_bytes(passport)
                self._client.log_model_artifact(staged.key, str(path))
            self._client.finalize_logged_model(staged.key, "READY")
            if not self._client.search_registered_models(f"name = '{name}'", max_results=1):
                self._client.create_registered_model(name)
            with process_wide_uri(self._uri):
                created = self._client.create_model_version(
                    name,
                    source=f"models:/{staged.key}",
                    run_id=model.source_run_id,
                    tags={
                        _SHA256_TAG: staged.candidate.origin.sha256,
                        PASSPORT_TAG: hashlib.sha256(passport).hexdigest(),
                        **mlflow_model.tags(staged.candidate),
                    },
                    model_id=staged.key,
                )
            _finish(self._client, str(model.source_run_id))
            return self._version(created, {})

    def discard(self, staged: Staged) -> None:
        """Forget a staged model, its run and its files; one that became a version stays."""
        with foreign_errors():
            model = self._client.get_logged_model(staged.key)
            self._settle(str(model.source_run_id))

    def sweep(self, name: str) -> int:
        """Return how many abandoned imports of that name were removed."""
        with foreign_errors():
            experiment = self._client.get_experiment_by_name(name)
            if experiment is None:
                return 0
            pending = self._client.search_runs(
                [experiment.experiment_id], filter_string=f"tags.`{_IMPORT_TAG}` = '{_PENDING}'"
            )
            return sum(self._settle(run.info.run_id) for run in pending)

    def find(self, name: str, sha256: str) -> Version | None:
        """Return the newest version that was imported from a file of that digest."""
        with foreign_errors():
            found = self._client.search_model_versions(
                f"name = '{name}' and tags.`{_SHA256_TAG}` = '{sha256}'"
            )
            if not found:
                return None
            return self._version(
                max(found, key=lambda v: int(v.version)), mlflow_client.aliases(self._client, name)
            )

    def names(self) -> list[str]:
        """Return the names of the models that have a version, sorted."""
        if mlflow_tables.absent(self._uri):
            return []  # without making the database, which takes MLflow
        rows = self._tables.rows(tag=_SHA256_TAG)
        if rows is not None:
            return sorted({row.name for row in rows})
        with foreign_errors():
            return sorted({v.name for v in mlflow_client.versions(self._client)})

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, newest first."""
        rows = self._tables.rows(name, tag=_SHA256_TAG)
        if rows is not None:
            return self._read(rows)
        with foreign_errors():
            found = mlflow_client.versions(self._client, name)
            aliases = mlflow_client.aliases(self._client, name) if found else {}
            ordered = sorted(found, key=lambda v: int(v.version), reverse=True)
            return [self._version(v, aliases) for v in ordered]

    def runs(self, name: str) -> list[Run]:
        """Return the runs in a model's experiment that are no import, newest first."""
        with foreign_errors():
            experiment = self._client.get_experiment_by_name(name)
            if experiment is None:
                return []
            found = self._client.search_runs(
                [experiment.experiment_id],
                max_results=_MOST_RUNS,
                order_by=["attributes.start_time DESC"],
            )
            return [_run(each) for each in found if _IMPORT_TAG not in each.data.tags]

    def outline(self, name: str) -> dict[int, tuple[str, ...]]:
        """Return version number to aliases, of every version of a model; empty where it is not."""
        rows = self._tables.rows(name, tag=_SHA256_TAG)
        if rows is not None:
            return {row.number: row.aliases for row in rows}
        with foreign_errors():
            if not self._client.search_registered_models(f"name = '{name}'", max_results=1):
                return {}
            return mlflow_client.held(self._client, name)

    def standings(self) -> dict[str, Standing]:
        """Return the standing of every model that has one."""
        champion = Alias.CHAMPION.value
        rows = self._tables.standings(champion=champion)
        if rows is None:
            with foreign_errors():
                rows = mlflow_client.standings(self._client, champion=champion)
        found: dict[str, Standing] = {}
        for name, number, in_production, is_champion in rows:
            before = found.get(name, Standing())
            found[name] = Standing(
                number if is_champion else before.champion,
                before.production | {number} if in_production else before.production,
            )
        return found

    def set_alias(self, name: str, number: int, *, alias: Alias) -> None:
        """Give an alias to a version: first the alias, which is the truth, then the stages."""
        with foreign_errors():
            self._client.set_registered_model_alias(name, alias.value, str(number))
            mlflow_client.restage(self._client, name)

    def drop_alias(self, name: str, *, alias: Alias) -> None:
        """Take an alias from the version that has it: first the alias, then the stages."""
        with foreign_errors():
            self._client.delete_registered_model_alias(name, alias.value)
            mlflow_client.restage(self._client, name)

    def restage(self, name: str) -> None:
        """Give every version of a model the stage that its aliases mean."""
        with foreign_errors():
            mlflow_client.restage(self._client, name)

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

    def here(self, version: Version) -> bool:
        """Return whether a version's model is on this machine, and need not be downloaded.

        Raises:
            NotServable: the version was not imported by Brinery.
        """
        file = imported(version).artifact.file
        return self._artifacts.here(self._location(version), file)

    def fetch(self, uri: str, into: Path, *, tracking_uri: str | None = None) -> Path:
        """Return a copy of what a `runs:/…` or `models:/…` URI means: a file or a folder.

        Raises:
            NotFound: it is not there; the message says what is.
        """
        with foreign_errors():
            client = self._client if tracking_uri is None else mlflow_client.other(tracking_uri)
            found = mlflow_client.download(uri, into, tracking_uri=tracking_uri or self._uri)
            if found is not None:
                return found
            names = sorted({v.name for v in mlflow_client.versions(client)})
            asked = model_of(uri)
            held = mlflow_client.held(client, asked) if asked in names else {}
        where = f"the MLflow at {tracking_uri}" if tracking_uri else "this workspace"
        raise unresolved(uri, where=where, names=names, held=held)

    def _location(self, version: Version) -> str:
        """Return the URI of the folder that a version's model is in."""
        for row in self._tables.rows(version.name, tag=_SHA256_TAG) or ():
            if row.number == version.number:
                return row.location
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
        number = int(version.version)
        tagged = _SHA256_TAG in version.tags
        row = Row(
            version.name,
            number,
            version.creation_timestamp,
            version.run_id or "",
            mlflow_client.folder(self._client, version) if tagged else "",
            tagged,
            tuple(sorted(aliases.get(number, ()))),
            version.current_stage == Stage.ARCHIVED,
            version.tags.get(PASSPORT_TAG, ""),
        )
        return self._described(row)

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
            passport = msgspec.json.decode(path.read_bytes(), type=Passport)
        return Version(
            name=row.name,
            number=row.number,
            aliases=row.aliases,
            created=datetime.fromtimestamp(row.created_ms / _EPOCH_MS, UTC),
            run_id=row.run_id or None,
            candidate=passport.candidate if passport else None,
            parity=passport.parity if passport else None,
            fast_path=passport.fast_path if passport else None,
            archived=row.archived,
        )

    def _settle(self, run_id: str) -> bool:
        """Return whether a pending import was removed; one that reached its version is finished."""
        if self._client.search_model_versions(f"run_id = '{run_id}'"):
            _finish(self._client, run_id)
            return False
        self._remove(run_id)
        return True

    def _remove(self, run_id: str) -> None:
        run = self._client.get_run(run_id)
        for output in run.outputs.model_outputs if run.outputs else ():
            model = self._client.get_logged_model(output.model_id)
            self._artifacts.remove(model.artifact_location)
            self._client.delete_logged_model(output.model_id)
        self._client.set_tag(run_id, _IMPORT_TAG, "abandoned")
        self._client.set_terminated(run_id, "KILLED")
        self._client.delete_run(run_id)


def _run(found: entities.Run) -> Run:
    inputs = found.inputs.dataset_inputs if found.inputs else []
    return Run(
        id=found.info.run_id,
        name=found.info.run_name or "",
        created=datetime.fromtimestamp((found.info.start_time or 0) / _EPOCH_MS, tz=UTC),
        metrics={name: value for name, value in found.data.metrics.items() if isfinite(value)},
        data=inputs[-1].dataset.name if inputs else "",
        model=mlflow_client.logged_model(found),
    )


def _finish(client: MlflowClient, run_id: str) -> None:
    client.set_tag(run_id, _IMPORT_TAG, _DONE)
    client.set_terminated(run_id, "FINISHED")
