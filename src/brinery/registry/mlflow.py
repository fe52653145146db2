"""MLflow as the registry, through its own client.

A model directory is written by hand around the user's own files, so that nothing is unpickled
here, no requirement is guessed and no format is converted; the rest is MLflow's client calls.
Aliases are the truth; the stages that older clients know are kept in step.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from brinery.records.fast_path import FastPath
from brinery.records.run import Run
from brinery.records.version import (
    Alias,
    Candidate,
    Parity,
    Version,
    id_alias,
    without_ids,
)
from brinery.registry import mlflow_client, mlflow_model
from brinery.registry.interface import (
    Staged,
    Standing,
    model_of,
    unresolved,
)
from brinery.registry.mlflow_client import foreign_errors, process_wide_uri
from brinery.registry.mlflow_files import EPOCH_MS, SHA256_TAG, MlflowFiles
from brinery.registry.mlflow_tables import PASSPORT_TAG
from brinery.registry.passports import Passport
from brinery.specs.user import login_name

if TYPE_CHECKING:
    from mlflow import MlflowClient, entities

_PENDING = "pending"
_DONE = "done"
_MOST_RUNS = 1000


class MlflowRegistry(MlflowFiles):
    """A registry in any store that MLflow reaches; see `MlflowFiles` for what it is made of."""

    def open(self, welcome: str = "") -> None:
        """Import MLflow and connect, so that the first call after it waits for neither."""
        with foreign_errors():
            self._client.search_registered_models(max_results=1)
            if welcome:
                mlflow_client.experiment(self._client, welcome, artifacts=self._artifacts)

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
                    mlflow_client.IMPORT_TAG: _PENDING,
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
                        SHA256_TAG: staged.candidate.origin.sha256,
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
                [experiment.experiment_id],
                filter_string=f"tags.`{mlflow_client.IMPORT_TAG}` = '{_PENDING}'",
            )
            return sum(self._settle(run.info.run_id) for run in pending)

    def find(self, name: str, sha256: str) -> Version | None:
        """Return the newest version that was imported from a file of that digest."""
        with foreign_errors():
            found = self._client.search_model_versions(
                f"name = '{name}' and tags.`{SHA256_TAG}` = '{sha256}'"
            )
            if not found:
                return None
            return self._version(
                max(found, key=lambda v: int(v.version)), mlflow_client.aliases(self._client, name)
            )

    def names(self) -> list[str]:
        """Return the names of the models that have a version, sorted."""
        rows = self._tables.rows(tag=SHA256_TAG)
        if rows is not None:
            return sorted({row.name for row in rows})
        with foreign_errors():
            return sorted({v.name for v in mlflow_client.versions(self._client)})

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, newest first."""
        rows = self._tables.rows(name, tag=SHA256_TAG)
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
            return [_run(each) for each in found if mlflow_client.IMPORT_TAG not in each.data.tags]

    def outline(self, name: str) -> dict[int, tuple[str, ...]]:
        """Return version number to aliases, of every version of a model; empty where it is not."""
        rows = self._tables.rows(name, tag=SHA256_TAG)
        if rows is not None:
            return {row.number: without_ids(row.aliases) for row in rows}
        with foreign_errors():
            if not self._client.search_registered_models(f"name = '{name}'", max_results=1):
                return {}
            held = mlflow_client.held(self._client, name)
            return {number: without_ids(aliases) for number, aliases in held.items()}

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

    def set_id(self, name: str, number: int, *, version_id: str) -> None:
        """Give a version the id that a user chose, taking it from any other."""
        with foreign_errors():
            self._client.set_registered_model_alias(name, id_alias(version_id), str(number))

    def drop_id(self, name: str, *, version_id: str) -> None:
        """Take an id from the version that has it; nothing where none has."""
        with foreign_errors():
            self._client.delete_registered_model_alias(name, id_alias(version_id))

    def delete(self, name: str, number: int) -> None:
        """Delete a version for ever."""
        with foreign_errors():
            self._client.delete_model_version(name, str(number))

    def restage(self, name: str) -> None:
        """Give every version of a model the stage that its aliases mean."""
        with foreign_errors():
            mlflow_client.restage(self._client, name)

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
        self._client.set_tag(run_id, mlflow_client.IMPORT_TAG, "abandoned")
        self._client.set_terminated(run_id, "KILLED")
        self._client.delete_run(run_id)


def _run(found: entities.Run) -> Run:
    inputs = found.inputs.dataset_inputs if found.inputs else []
    return Run(
        id=found.info.run_id,
        name=found.info.run_name or "",
        created=datetime.fromtimestamp((found.info.start_time or 0) / EPOCH_MS, tz=UTC),
        metrics={name: value for name, value in found.data.metrics.items() if isfinite(value)},
        data=inputs[-1].dataset.name if inputs else "",
        model=mlflow_client.logged_model(found),
    )


def _finish(client: MlflowClient, run_id: str) -> None:
    client.set_tag(run_id, mlflow_client.IMPORT_TAG, _DONE)
    client.set_terminated(run_id, "FINISHED")
