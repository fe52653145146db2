"""Versions and aliases, read from the tables of MLflow's own SQLite database.

To import MLflow takes seconds and more than a hundred megabytes, which who only reads need not
spend. Nothing is written here. The tables must be those of the MLflow that this was written for,
by the revision that they carry; of any others nothing is read, and the client is asked.

Source: mlflow/store/model_registry/dbmodels/models.py of MLflow 3.17.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct

REVISION = "dc11669786a5"

_SQLITE = "sqlite:///"
_BUSY_S = 30
_LOGGED = "models:/"

# MLflow keeps prompts and what was deleted in the same tables.
_VERSIONS = """
SELECT v.name, v.version, v.creation_time, v.run_id,
    coalesce(nullif(v.storage_location, ''), v.source, ''),
    EXISTS (SELECT 1 FROM model_version_tags t WHERE t.workspace = v.workspace
        AND t.name = v.name AND t.version = v.version AND t.key = :tag),
    v.current_stage = 'Archived'
FROM model_versions v
WHERE v.workspace = 'default' AND v.current_stage <> 'Deleted_Internal'
    AND (:name IS NULL OR v.name = :name)
    AND NOT EXISTS (SELECT 1 FROM model_version_tags t WHERE t.workspace = v.workspace
        AND t.name = v.name AND t.version = v.version
        AND t.key = 'mlflow.prompt.is_prompt' AND lower(t.value) = 'true')
ORDER BY v.name, v.version DESC
"""
_ALIASES = """
SELECT name, version, alias FROM registered_model_aliases
WHERE workspace = 'default' AND (:name IS NULL OR name = :name) ORDER BY alias
"""
_LOCATION = "SELECT artifact_location FROM logged_models WHERE model_id = ?"


class Row(Struct, frozen=True):
    """A version, as the tables have it.

    Attributes:
        name: of its model.
        number: of the version.
        created_ms: when, since 1970.
        run_id: of the run that it is from; empty where there is none.
        location: URI or path of its folder, where it is tagged; else what MLflow has.
        tagged: whether it has the tag that was asked for.
        aliases: that point to it, sorted.
        archived: whether that is its stage.
    """

    name: str
    number: int
    created_ms: int
    run_id: str
    location: str
    tagged: bool
    aliases: tuple[str, ...]
    archived: bool = False


def rows(uri: str, name: str | None = None, *, tag: str) -> list[Row] | None:
    """Return the versions of a model, or of all, the newest first; None where MLflow must be asked.

    Args:
        uri: of the registry.
        name: of the model.
        tag: that a row tells of.
    """
    path = Path(uri.removeprefix(_SQLITE))
    if not uri.startswith(_SQLITE) or not path.is_file():
        return None
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_S)) as database:
            return _read(database, name, tag=tag)
    except sqlite3.Error:
        return None


def _read(database: sqlite3.Connection, name: str | None, *, tag: str) -> list[Row] | None:
    database.execute("BEGIN")  # one state of all tables
    if database.execute("SELECT version_num FROM alembic_version").fetchall() != [(REVISION,)]:
        return None
    aliases: dict[tuple[str, int], tuple[str, ...]] = {}
    for model, number, alias in database.execute(_ALIASES, {"name": name}):
        aliases[model, number] = (*aliases.get((model, number), ()), alias)
    found = []
    for row in database.execute(_VERSIONS, {"name": name, "tag": tag}).fetchall():
        model, number, created_ms, run_id, location, tagged, archived = row
        if tagged and location.startswith(_LOGGED):
            logged = database.execute(_LOCATION, (location.removeprefix(_LOGGED),)).fetchone()
            if logged is None:
                return None
            location = logged[0]
        held = aliases.get((model, number), ())
        found.append(
            Row(
                model,
                number,
                created_ms,
                run_id or "",
                location,
                bool(tagged),
                held,
                bool(archived),
            )
        )
    return found
