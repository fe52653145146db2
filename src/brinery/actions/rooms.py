"""The rooms of one workspace, opened once at the front door."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from brinery.records.audit import AuditEntry, Change
from brinery.records.decision import Decision
from brinery.records.ready import make_ready
from brinery.registry.interface import Registry
from brinery.registry.mlflow import MlflowRegistry
from brinery.registry.mlflow_runs import MlflowRuns
from brinery.specs import settings
from brinery.specs.settings import Settings
from brinery.specs.user import login_name
from brinery.store import locks
from brinery.store.audit import Audit, StoredAudit
from brinery.store.decisions import Decisions, MemoryDecisions, StoredDecisions
from brinery.store.places import Places, places_of
from brinery.store.shared_documents import (
    MemorySharedDocuments,
    SharedDocuments,
    StoredSharedDocuments,
)
from brinery.store.turns import MemoryTurns, StoredTurns, Turns
from brinery.store.workspace import Workspace

Folder = str | os.PathLike[str]


@dataclass(frozen=True)
class Rooms:
    """A workspace and what works in it.

    Attributes:
        workspace: where its state lies.
        settings: of the workspace and of the process.
        registry: of models.
        audit: of state changes.
        tracking_uri: of the MLflow that `MLFLOW_TRACKING_URI` names; None where it names none.
        decisions: of gates.
        turns: of loops.
        documents: that all workspaces of the store see.
        database: URI of our own database; empty where nothing is kept in one.
    """

    workspace: Workspace
    settings: Settings
    registry: Registry
    audit: Audit
    tracking_uri: str | None = None
    decisions: Decisions = field(default_factory=MemoryDecisions)
    turns: Turns = field(default_factory=MemoryTurns)
    documents: SharedDocuments = field(default_factory=MemorySharedDocuments)
    database: str = field(default="", repr=False)

    def lock(self) -> AbstractContextManager[None]:
        """Return the lock that is held while the registry is changed, on whatever machine."""
        return locks.held(self.workspace.lock(), self.database)

    def runs(self) -> MlflowRuns:
        """Return the runs of jobs; a client of its own, made when it is used."""
        places = self.places
        return MlflowRuns(places.tracking_uri, places.artifacts, spool=self.workspace.untold_runs)

    def keep(self, decision: Decision) -> int:
        """Return the number of a decision that is kept as this user's: a look at its data."""
        return self.decisions.add(decision, who=login_name())

    @property
    def places(self) -> Places:
        """Return where models and records are."""
        return places_of(self.workspace, self.settings.store)

    def entry(
        self,
        change: Change,
        subject: str,
        *,
        after: str,
        before: str | None = None,
        why: str = "",
        decision: int | None = None,
        forced: bool = False,
    ) -> AuditEntry:
        """Return an entry of the audit trail, as this user and now."""
        return AuditEntry(
            at=datetime.now(UTC),
            who=login_name(),
            change=change,
            subject=subject,
            before=before,
            after=after,
            why=why,
            decision=decision,
            forced=forced,
        )


def open_rooms(
    workspace: Folder | None = None, *, store: str | None = None, artifacts: str | None = None
) -> Rooms:
    """Return the rooms of a workspace.

    Args:
        workspace: its folder; when None, `BRINERY_WORKSPACE`, or the nearest `brinery.toml`
            upwards, or the current folder.
        store: database of the models and records; as the settings say when None.
        artifacts: bucket or folder of the models' files; as the settings say when None.

    Raises:
        SettingsError: it is not a folder, its settings are wrong, or what they name needs a library
            that is not installed.
    """
    make_ready()
    chosen = workspace or os.environ.get("BRINERY_WORKSPACE")
    found = Workspace.find(Path(chosen) if chosen else None)
    flags = {("store", "uri"): store, ("store", "artifacts"): artifacts}
    told = settings.read(found.settings_file, os.environ, flags=flags)
    places = places_of(found, told.store)
    return Rooms(
        workspace=found,
        settings=told,
        registry=MlflowRegistry(
            places.tracking_uri, places.artifacts, cache=found.cache, spool=found.untold_runs
        ),
        audit=StoredAudit(places.database_uri),
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or None,
        decisions=StoredDecisions(places.database_uri),
        turns=StoredTurns(places.database_uri),
        documents=StoredSharedDocuments(places.database_uri),
        database=places.database_uri,
    )
