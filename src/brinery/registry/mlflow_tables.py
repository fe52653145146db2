"""Versions and aliases, read from the tables of MLflow's own database.

To import MLflow takes seconds and more than a hundred megabytes, which who only reads need not
spend. Nothing is written here. The tables must be those of the MLflow that this was written for,
by the revision that they carry; of any others nothing is read, and the client is asked.

Source: mlflow/store/model_registry/dbmodels/models.py of MLflow 3.17.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, TypeVar

from msgspec import Struct

REVISION = "dc11669786a5"

# Of a version: the digest of what is recorded beside its model.
PASSPORT_TAG = "brinery.passport"

SQLITE = "sqlite:///"
_BUSY_S = 30
_LOGGED = "models:/"

_REVISION = "SELECT version_num FROM alembic_version"
# MLflow keeps prompts and what was deleted in the same tables.
# What is behind models:/ is cut off, rather than put before each key: so the key's index is used.
_VERSIONS = """
SELECT v.name, v.version, v.creation_time, v.run_id,
    coalesce(nullif(v.storage_location, ''), v.source, ''),
    (SELECT m.artifact_location FROM logged_models m
        WHERE m.model_id = substr(coalesce(nullif(v.storage_location, ''), v.source), 9)),
    EXISTS (SELECT 1 FROM model_version_tags t WHERE t.workspace = v.workspace
        AND t.name = v.name AND t.version = v.version AND t.key = :tag),
    v.current_stage = 'Archived',
    (SELECT t.value FROM model_version_tags t WHERE t.workspace = v.workspace
        AND t.name = v.name AND t.version = v.version AND t.key = :passport)
FROM model_versions v
WHERE v.workspace = 'default' AND v.current_stage <> 'Deleted_Internal'
    AND (CAST(:name AS TEXT) IS NULL OR v.name = :name)
    AND (CAST(:number AS TEXT) IS NULL OR v.version = CAST(:number AS INTEGER))
    AND NOT EXISTS (SELECT 1 FROM model_version_tags t WHERE t.workspace = v.workspace
        AND t.name = v.name AND t.version = v.version
        AND t.key = 'mlflow.prompt.is_prompt' AND lower(t.value) = 'true')
ORDER BY v.name, v.version DESC
"""
_ALIASES = """
SELECT name, version, alias FROM registered_model_aliases
WHERE workspace = 'default' AND (CAST(:name AS TEXT) IS NULL OR name = :name) ORDER BY alias
"""
_STANDINGS = """
SELECT v.name, v.version, v.current_stage = 'Production',
    EXISTS (SELECT 1 FROM registered_model_aliases a WHERE a.workspace = v.workspace
        AND a.name = v.name AND a.version = v.version AND a.alias = :champion)
FROM model_versions v
WHERE v.workspace = 'default' AND v.current_stage <> 'Deleted_Internal'
"""

# Name and number of a version, whether it is in `Production`, and whether it has an alias.
Standing = tuple[str, int, bool, bool]

T = TypeVar("T")

# An SQL text with names for values, and the values, to the rows of it.
Ask = Callable[[str, Mapping[str, str | None]], Iterable[tuple[Any, ...]]]


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
        passport: digest of what is recorded beside its model; empty where none is known.
    """

    name: str
    number: int
    created_ms: int
    run_id: str
    location: str
    tagged: bool
    aliases: tuple[str, ...]
    archived: bool = False
    passport: str = ""


class Tables(Protocol):
    """MLflow's tables in one database."""

    def rows(
        self, name: str | None = None, *, tag: str, number: int | None = None
    ) -> list[Row] | None:
        """Return the versions of a model, or of all, the newest first.

        Args:
            name: of the model.
            tag: that a row tells of.
            number: of the one version that is asked for; all when None.

        Returns:
            None where MLflow must be asked.
        """
        ...

    def standings(self, *, champion: str) -> list[Standing] | None:
        """Return the versions that are in `Production` or have an alias; None: ask MLflow."""
        ...


class SqliteTables:
    """MLflow's tables in a file.

    Args:
        uri: of the registry; of any other kind nothing is read, and one that was not made yet
            holds nothing.
    """

    def __init__(self, uri: str) -> None:
        self._path = Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None

    def rows(
        self, name: str | None = None, *, tag: str, number: int | None = None
    ) -> list[Row] | None:
        """Return the versions of a model, or of all, the newest first; None: ask MLflow."""
        return self._asked(lambda ask: rows(ask, name, tag=tag, number=number))

    def standings(self, *, champion: str) -> list[Standing] | None:
        """Return the versions that are in `Production` or have an alias; None: ask MLflow."""
        return self._asked(lambda ask: standings(ask, champion=champion))

    def _asked(self, read: Callable[[Ask], list[T] | None]) -> list[T] | None:
        if self._path is None:
            return None
        if not self._path.exists():
            return []  # without making the database, which takes MLflow
        try:
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_S)) as database:
                database.execute("BEGIN")  # one state of all tables
                return read(database.execute) if known(database.execute) else None
        except sqlite3.Error:
            return None


def known(ask: Ask) -> bool:
    """Return whether the tables are those that this was written for."""
    return list(ask(_REVISION, {})) == [(REVISION,)]


def standings(ask: Ask, *, champion: str) -> list[Standing]:
    """Return the versions that are in `Production` or have an alias, within one transaction."""
    found = ask(_STANDINGS, {"champion": champion})
    return [(name, number, bool(p), bool(c)) for name, number, p, c in found if p or c]


def rows(ask: Ask, name: str | None, *, tag: str, number: int | None = None) -> list[Row] | None:
    """Return the versions of a model, or of all, within one transaction; None: ask MLflow."""
    aliases: dict[tuple[str, int], tuple[str, ...]] = {}
    for model, held_by, alias in ask(_ALIASES, {"name": name}):
        aliases[model, held_by] = (*aliases.get((model, held_by), ()), alias)
    found = []
    only = None if number is None else str(number)
    asked = {"name": name, "number": only, "tag": tag, "passport": PASSPORT_TAG}
    for row in ask(_VERSIONS, asked):
        model, which, created_ms, run_id, location, logged, tagged, archived, passport = row
        if tagged and location.startswith(_LOGGED):
            if logged is None:
                return None
            location = logged
        held = aliases.get((model, which), ())
        found.append(
            Row(
                model,
                which,
                created_ms,
                run_id or "",
                location,
                bool(tagged),
                held,
                bool(archived),
                passport or "",
            )
        )
    return found
