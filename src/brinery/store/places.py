"""Where a workspace's models and records are: in its own folder, or where the settings say."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from brinery.errors import SettingsError
from brinery.specs.places import shown
from brinery.specs.settings import StoreSettings
from brinery.store.workspace import Workspace


@dataclass(frozen=True)
class Places:
    """Where everything is.

    Attributes:
        tracking_uri: of MLflow's tables; it may hold a password.
        database_uri: of our own tables; it may hold a password.
        artifacts: URI of what is above the files of models: `file://…` or `s3://…`.
    """

    tracking_uri: str = field(repr=False)
    database_uri: str = field(repr=False)
    artifacts: str

    @property
    def shared(self) -> bool:
        """Return whether others, on other machines, may have written there."""
        return not self.tracking_uri.startswith("sqlite:")

    @property
    def shown(self) -> str:
        """Return the tracking URI as it may be shown: without a password."""
        return shown(self.tracking_uri)


def places_of(workspace: Workspace, settings: StoreSettings) -> Places:
    """Return where everything of a workspace is.

    Raises:
        SettingsError: it needs a library that is not installed.
    """
    if settings.uri:
        _need("psycopg", extra="postgres", place="a PostgreSQL database")
    kept = settings.artifacts
    if kept.startswith("s3://"):
        _need("boto3", extra="s3", place=kept)
    else:
        kept = Path(kept or workspace.artifacts).as_uri()
    return Places(
        tracking_uri=settings.uri or workspace.tracking_uri,
        database_uri=settings.uri or workspace.database_uri,
        artifacts=kept,
    )


def _need(library: str, *, extra: str, place: str) -> None:
    if find_spec(library) is None:
        raise SettingsError(
            f"{place} needs {library}, which is not installed",
            hint=f"pip install 'brinery[{extra}]'",
        )
