"""Managed folders: found by id or name, an empty id means one that is said."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from tests.actions.project_rooms import rooms_in

from brinery.actions import folders
from brinery.actions.project_rooms import ProjectRooms
from brinery.actions.projects import create_project
from brinery.errors import AlreadyThere, InvalidName, NotFound
from brinery.records.flow import UseKind


@pytest.fixture
def rooms(tmp_path: Path) -> ProjectRooms:
    """The rooms of a workspace of its own."""
    return rooms_in(tmp_path)


def test_a_folder_is_found_by_id_and_by_name(rooms: ProjectRooms) -> None:
    """The id has eight letters and digits and is in the path of its files once."""
    made = folders.create_folder(rooms, "models")
    assert len(made.id) == 8
    assert made.id.isalnum()
    for lookup in (made.id, "models", f"{made.project}.{made.id}"):
        assert folders.folder(rooms, lookup).folder == made
    assert folders.uri_of(rooms, made).count(made.id) == 1
    assert folders.local_path(rooms, made) == folders.home(rooms, made)


def test_an_empty_id_means_the_default_folder_and_says_so(rooms: ProjectRooms) -> None:
    """Nothing as an id finds one folder, the same each time, with a line for the user."""
    first, again = folders.folder(rooms), folders.folder(rooms, "")
    assert first.folder == again.folder
    assert first.folder.id in first.note
    assert folders.folder(rooms, first.folder.id).note == ""


def test_each_project_has_folders_of_its_own(rooms: ProjectRooms) -> None:
    """A name may be in two projects; each finds its own."""
    create_project(rooms, "OTHER")
    here = folders.create_folder(rooms, "models")
    there = folders.create_folder(rooms, "models", project_key="OTHER")
    assert folders.folder(rooms, "models").folder == here
    assert folders.folder(rooms, f"OTHER.{there.id}").folder == there
    assert folders.folders(rooms, "OTHER") == [there]


def test_what_cannot_be_is_refused(rooms: ProjectRooms) -> None:
    """A name that is taken, a wrong name or id, and what is not there, each say what to do."""
    folders.create_folder(rooms, "models", folder_id="abcdefgh")
    with pytest.raises(AlreadyThere, match="folder models"):
        folders.create_folder(rooms, "models")
    with pytest.raises(AlreadyThere, match="folder abcdefgh"):
        folders.create_folder(rooms, "others", folder_id="abcdefgh")
    with pytest.raises(InvalidName, match="no id"):
        folders.create_folder(rooms, "x", folder_id="short")
    with pytest.raises(InvalidName, match="not allowed"):
        folders.create_folder(rooms, "a/b")
    with pytest.raises(NotFound, match="did you mean models"):
        folders.folder(rooms, "model")


def test_a_use_has_the_content_of_what_was_used(rooms: ProjectRooms) -> None:
    """The same file has the same version, another content another, and what is gone none."""
    made = folders.create_folder(rooms, "models")
    versions = []
    for content in (b"one", b"two", b"one"):
        folders.write_file(rooms, made, path="/a.pkl", content=io.BytesIO(content))
        use = folders.use_of(rooms, made, kind=UseKind.WRITTEN, path="a.pkl")
        versions.append(use.version)
    assert (use.path, use.label, versions[0]) == ("/a.pkl", "models", versions[2])
    assert versions[0] != versions[1]
    assert folders.content_of(rooms, made, path="none") == ""


def test_a_folder_elsewhere_keeps_its_files(rooms: ProjectRooms, tmp_path: Path) -> None:
    """Files of a folder at a path of the user's outlive it; those of the workspace do not."""
    elsewhere = folders.create_folder(rooms, "mine", uri=str(tmp_path / "mine"))
    here = folders.create_folder(rooms, "ours")
    for one in (elsewhere, here):
        folders.write_file(rooms, one, path="a", content=io.BytesIO(b"x"))
        folders.delete_folder(rooms, one)
    assert (tmp_path / "mine" / "a").exists()
    assert not folders.home(rooms, here).exists()
    assert folders.folders(rooms) == []
