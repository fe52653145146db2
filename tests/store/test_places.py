"""Where a workspace's models and records are."""

from __future__ import annotations

from pathlib import Path

import pytest

from brinery.errors import SettingsError
from brinery.specs.settings import StoreSettings
from brinery.store import places
from brinery.store.places import places_of
from brinery.store.workspace import Workspace


def _places(folder: Path, **settings: str) -> places.Places:
    return places_of(Workspace(folder), StoreSettings.model_validate(settings))


def test_a_workspace_has_its_own(tmp_path: Path) -> None:
    """Where nothing is said, all is in the workspace's own folder."""
    found = _places(tmp_path)
    assert found.tracking_uri == found.shown == f"sqlite:///{tmp_path}/.brinery/mlflow.db"
    assert found.database_uri == f"sqlite:///{tmp_path}/.brinery/brinery.db"
    assert found.artifacts == (tmp_path / ".brinery" / "artifacts").as_uri()
    assert not found.shared


def test_one_database_holds_both(tmp_path: Path) -> None:
    """MLflow's tables and ours are in the database that is named; files stay in the workspace."""
    found = _places(tmp_path, uri="postgresql://ada:secret@h/d")
    assert found.tracking_uri == found.database_uri == "postgresql+psycopg://ada:secret@h/d"
    assert (found.shown, found.shared) == ("postgresql://ada:***@h/d", True)
    assert found.artifacts == (tmp_path / ".brinery" / "artifacts").as_uri()
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("said", "uri"), [("s3://b/p/", "s3://b/p"), ("/mnt/a b/", "file:///mnt/a%20b")]
)
def test_files_go_where_they_are_said_to(tmp_path: Path, said: str, uri: str) -> None:
    """A bucket or a folder that is named holds the files of models."""
    assert _places(tmp_path, artifacts=said).artifacts == uri


def test_a_library_that_is_missing_is_named() -> None:
    """What needs a library that is not installed says how to install it."""
    with pytest.raises(SettingsError) as raised:
        places._need("no_such_library", extra="s3", place="s3://b/p")
    assert raised.value.message == "s3://b/p needs no_such_library, which is not installed"
    assert raised.value.hint == "pip install 'brinery[s3]'"
