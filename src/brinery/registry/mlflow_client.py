"""MLflow's client: how it is reached, and what it raises in our terms."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from filelock import FileLock

from brinery.errors import RegistryFault
from brinery.records.ready import decoded
from brinery.records.version import Stage, stage_due
from brinery.registry import bucket, mlflow_postgres
from brinery.registry.artifacts import Artifacts
from brinery.registry.mlflow_postgres import POSTGRES
from brinery.registry.mlflow_tables import SQLITE
from brinery.specs.places import without_passwords

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run
    from mlflow.entities.model_registry import ModelVersion

_MAX_VERSIONS = 10_000
_PAGE = 1000
_PROGRESS = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND", "BAD_REQUEST"}
_NO_STAGE = "No versions of model with name"  # of the code INTERNAL_ERROR
_HISTORY_TAG = "mlflow.log-model.history"
STAGE_TAG = "brinery.stage"
# A run of an import's has it, wherever it is in its course.
IMPORT_TAG = "brinery.import"
# Of runs, in MLflow's language: those of the users.
NO_IMPORT = f"tags.`{IMPORT_TAG}` IS NULL"
# An order of experiments, in MLflow's language.
CHANGED_LAST = "last_update_time DESC"
_ARTIFACT_ROOT = "_MLFLOW_SERVER_ARTIFACT_ROOT"


def connect(uri: str, artifacts: Artifacts) -> MlflowClient:
    """Return a client of the tracking store and registry at a URI; MLflow is imported here.

    Args:
        uri: of both; an SQLite database that is not there is made, and so are the tables of an
            empty PostgreSQL database.
        artifacts: where other programs' runs go by default in a database that is made.
    """
    # Set before MLflow is imported: it reports its use to its makers otherwise.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if uri.startswith(SQLITE):
        _ensure_database(Path(uri.removeprefix(SQLITE)), artifacts)
    elif uri.startswith(POSTGRES):
        mlflow_postgres.make(uri, lambda: _make_tables(uri, artifacts))
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiments(
    client: MlflowClient,
    *,
    view: str = "ACTIVE_ONLY",
    text: str = "",
    order: str = CHANGED_LAST,
    offset: int = 0,
    most: int,
) -> list[Experiment]:
    """Return experiments.

    Args:
        client: of their store.
        view: `ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
        text: that is in their names.
        order: a clause of MLflow.
        offset: how many are left out.
        most: of them.

    Raises:
        ValueError: there is no such view.
    """
    found: list[Experiment] = []
    page = page_token(offset)
    while len(found) < most:
        answer = client.search_experiments(
            view_type=view_of(view),
            filter_string=f"name ILIKE '%{quoted(text)}%'" if text else None,
            order_by=[order],
            max_results=min(most - len(found), _PAGE),
            page_token=page,
        )
        found += answer
        page = answer.token
        if not page:
            break
    return found


def view_of(name: str) -> Any:
    """Return MLflow's word for whether what was deleted is listed.

    Raises:
        ValueError: there is no such view.
    """
    from mlflow.entities import ViewType

    views = {
        "ACTIVE_ONLY": ViewType.ACTIVE_ONLY,
        "DELETED_ONLY": ViewType.DELETED_ONLY,
        "ALL": ViewType.ALL,
    }
    if name not in views:
        raise ValueError(f"Invalid view type: {name}; there are {', '.join(views)}")
    return views[name]


def quoted(text: str) -> str:
    """Return a text without what ends or escapes one in MLflow's language."""
    return text.replace("'", "_").replace("\\", "_").replace('"', "_")


def page_token(offset: int) -> str | None:
    """Return what MLflow calls the page that begins at a place; None for the first."""
    if not offset:
        return None
    from mlflow.utils.search_utils import SearchUtils

    token: bytes = SearchUtils.create_page_token(offset)  # type: ignore[no-untyped-call]
    return token.decode()


def other(uri: str) -> MlflowClient:
    """Return a client of an MLflow that is not the workspace's; nothing is made there.

    Raises:
        RegistryFault: it is a database that does not exist.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).is_file():
        raise RegistryFault(
            f"there is no database at {uri}",
            hint="--tracking-uri is what mlflow.set_tracking_uri was given",
        )
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def download(uri: str, into: Path, *, tracking_uri: str) -> Path | None:
    """Return a copy of what a URI means, made in a folder; None where it means nothing there.

    Call it once there is a client of that MLflow, which sets it up.

    Raises:
        MlflowException: the store failed.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    shown = os.environ.get(_PROGRESS)
    os.environ[_PROGRESS] = "false"
    try:
        with process_wide_uri(tracking_uri):
            made = download_artifacts(
                artifact_uri=uri,
                dst_path=str(into),
                tracking_uri=tracking_uri,
                registry_uri=tracking_uri,
            )
    except MlflowException as error:
        if error.error_code in _ABSENT or error.message.startswith(_NO_STAGE):
            return None
        raise
    except FileNotFoundError:
        return None
    finally:
        if shown is None:
            del os.environ[_PROGRESS]
        else:
            os.environ[_PROGRESS] = shown
    return Path(made)


def _ensure_database(path: Path, artifacts: Artifacts) -> None:
    """Make MLflow's database where it is missing: whole, or not at all.

    MLflow makes its tables in many steps, and a database that was killed between two of them can
    never be opened again. So it is made beside its place and then moved there.
    """
    if path.exists():
        return
    with FileLock(path.with_name(f"{path.name}.lock")):
        if path.exists():
            return
        part = path.with_name(f"{path.name}.part")
        part.unlink(missing_ok=True)
        _make_tables(f"{SQLITE}{part}", artifacts)
        part.rename(path)


def _make_tables(uri: str, artifacts: Artifacts) -> None:
    """Have MLflow make its tables."""
    from mlflow import MlflowClient

    before = os.environ.get(_ARTIFACT_ROOT)
    # The one way to say where the artifacts of MLflow's default experiment go.
    os.environ[_ARTIFACT_ROOT] = artifacts.root
    try:
        MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
    finally:
        if before is None:
            del os.environ[_ARTIFACT_ROOT]
        else:
            os.environ[_ARTIFACT_ROOT] = before


def versions(client: MlflowClient, name: str | None = None) -> list[ModelVersion]:
    """Return the versions of a model, or of every one, in no order."""
    asked = "" if name is None else f"name = '{name}'"
    return list(client.search_model_versions(asked, max_results=_MAX_VERSIONS))


def held(client: MlflowClient, name: str) -> dict[int, tuple[str, ...]]:
    """Return version number to aliases, of every version of a model."""
    found = aliases(client, name)
    numbers = (int(version.version) for version in versions(client, name))
    return {number: found.get(number, ()) for number in numbers}


def aliases(client: MlflowClient, name: str) -> dict[int, tuple[str, ...]]:
    """Return version number to its aliases, of those versions of a model that have some."""
    found: dict[int, tuple[str, ...]] = {}
    for alias, number in client.get_registered_model(name).aliases.items():
        found[int(number)] = (*found.get(int(number), ()), alias)
    return found


def standings(client: MlflowClient, *, champion: str) -> list[tuple[str, int, bool, bool]]:
    """Return name, number, and whether it is in `Production`, and whether it has an alias, of each.

    Versions that are neither are left out.
    """
    found = []
    champions: dict[str, str | None] = {}
    for version in versions(client):
        name = version.name
        if name not in champions:
            held = client.get_registered_model(name).aliases
            champions[name] = held.get(champion)
        is_champion = str(champions[name]) == str(version.version)
        in_production = version.current_stage == "Production"
        if is_champion or in_production:
            found.append((name, int(version.version), in_production, is_champion))
    return found


def restage(client: MlflowClient, name: str) -> None:
    """Give every version of a model the stage that its aliases mean, and tell its run.

    The new champion comes first, so that who asks for the stage Production always finds one.
    """
    found = aliases(client, name)
    due = [
        (version, stage_due(found.get(int(version.version), ()), version.current_stage or ""))
        for version in versions(client, name)
    ]
    for version, stage in sorted(due, key=lambda one: one[1] is not Stage.PRODUCTION):
        if version.current_stage != stage.value:
            if version.run_id:
                _tag_run(client, version.run_id, stage)
            client.transition_model_version_stage(
                name, version.version, stage.value, archive_existing_versions=False
            )


def _tag_run(client: MlflowClient, run_id: str, stage: Stage) -> None:
    """Tell a run the stage of its model; one that is gone need not know."""
    from mlflow.exceptions import MlflowException

    with suppress(MlflowException):
        client.set_tag(run_id, STAGE_TAG, stage.value)


def experiment(client: MlflowClient, name: str, *, artifacts: Artifacts) -> str:
    """Return the id of a model's experiment, made or brought back where it is not there.

    Args:
        client: of the registry.
        name: of the model.
        artifacts: under which a new one keeps its files.
    """
    found = client.get_experiment_by_name(name)
    if found is not None:
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=artifacts.under(name)))


def logged_model(run: Run) -> str:
    """Return the URI of the model that a run logged last; empty where it logged none."""
    outputs = run.outputs.model_outputs if run.outputs else []
    if outputs:
        return f"models:/{max(outputs, key=lambda output: output.step).model_id}"
    # MLflow 2 knows no logged models: its runs have a tag.
    history = decoded(run.data.tags.get(_HISTORY_TAG, "[]"), list[_Logged])
    return f"runs:/{run.info.run_id}/{history[-1].artifact_path}" if history else ""


def models_of(client: MlflowClient, run: Run) -> dict[str, str]:
    """Return name to URI of the models that a run logged, the first one first."""
    history = decoded(run.data.tags.get(_HISTORY_TAG, "[]"), list[_Logged])
    found = {one.artifact_path: f"runs:/{run.info.run_id}/{one.artifact_path}" for one in history}
    for output in run.outputs.model_outputs if run.outputs else ():
        model = client.get_logged_model(output.model_id)
        found[model.name] = f"models:/{model.model_id}"
    return found


class _Logged(msgspec.Struct):
    """A model that a run of MLflow 2 logged, as the run's tag has it."""

    artifact_path: str


def folder(client: MlflowClient, version: ModelVersion) -> str:
    """Return the URI of the model directory of a version."""
    uri = client.get_model_version_download_uri(version.name, version.version)
    if uri.startswith("models:/"):
        uri = client.get_logged_model(uri.removeprefix("models:/")).artifact_location
    return str(uri)


@contextmanager
def process_wide_uri(uri: str) -> Iterator[None]:
    """Make a URI the process's own for one call, and put back what was there.

    MLflow 3.17 looks up the source of a new version at the process-wide URI, whatever the client's.
    """
    from mlflow.tracking._tracking_service import utils

    variable = os.environ.get("MLFLOW_TRACKING_URI")
    try:
        with utils._use_tracking_uri(uri):  # noqa: SLF001 - the public pair cannot put "unset" back
            yield
    finally:
        if variable is not None:
            os.environ["MLFLOW_TRACKING_URI"] = variable


@contextmanager
def foreign_errors() -> Iterator[None]:
    """Translate what MLflow and the store beneath it raise, once, and keep its warnings out."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with warnings.catch_warnings():
            # Stages are deprecated there; they are kept in step on purpose.
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        # What a bucket raises is asked for only now: to import boto3 takes a while.
        known = (MlflowException, SQLAlchemyError, OSError, msgspec.MsgspecError, *bucket.foreign())
        if isinstance(error, known):
            raise failure(error) from error
        raise


def failure(error: Exception) -> RegistryFault:
    """Return what is told of an error of the registry."""
    reason = " ".join(without_passwords(str(error)).split())[:300]
    return RegistryFault(
        f"the registry failed: {reason}",
        hint="check that the workspace can be written, and that its MLflow is this one",
    )
