"""Workspaces: found upwards, named outright, made when they are first written."""

from __future__ import annotations

from pathlib import Path

import pytest

from brinery.errors import SettingsError
from brinery.store.audit_database import SqlAudit
from brinery.store.workspace import Workspace


def test_found_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest folder upwards with a brinery.toml is the workspace."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "brinery.toml").touch()
    monkeypatch.chdir(inner)
    assert Workspace.find().root == tmp_path


def test_the_current_folder_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, the current folder is the workspace, and is not written to by looking."""
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.find()
    assert workspace.root == tmp_path
    assert not workspace.exists
    assert list(tmp_path.iterdir()) == []


def test_named_outright(tmp_path: Path) -> None:
    """A named folder is the workspace; one that is not there is refused."""
    assert Workspace.find(tmp_path).root == tmp_path
    with pytest.raises(SettingsError) as raised:
        Workspace.find(tmp_path / "no")
    assert raised.value.hint.startswith("mkdir -p")


@pytest.mark.parametrize("name", ["a b", "ü", "a+b", "a'b"])
def test_paths_that_a_database_takes(tmp_path: Path, name: str) -> None:
    """A workspace may lie in a folder with spaces and other letters."""
    folder = tmp_path / name
    folder.mkdir()
    workspace = Workspace.find(folder)
    workspace.prepare()
    trail = SqlAudit(workspace.database_uri)
    assert trail.entries() == []
    trail.close()
    assert (folder / ".brinery" / "brinery.db").exists()


@pytest.mark.parametrize("name", ["a%20b", "a?b", "a#b"])
def test_paths_that_no_uri_takes(tmp_path: Path, name: str) -> None:
    """A workspace in a folder whose name means something in a URI is refused before it is used."""
    folder = tmp_path / name
    folder.mkdir()
    with pytest.raises(SettingsError) as raised:
        Workspace.find(folder)
    assert "--workspace" in raised.value.hint


def test_prepare_keeps_what_is_there(tmp_path: Path) -> None:
    """Preparing makes the folders and the settings file, and never overwrites settings."""
    workspace = Workspace(tmp_path)
    workspace.prepare()
    assert workspace.exists
    workspace.settings_file.write_text("[serve]\nport = 9000\n")
    workspace.prepare()
    assert "9000" in workspace.settings_file.read_text()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A workspace whose state cannot be made is refused with another way."""
    (tmp_path / ".brinery").write_text("a file where a folder belongs")
    with pytest.raises(SettingsError) as raised:
        Workspace(tmp_path).prepare()
    assert "--workspace" in raised.value.hint
