"""Projects: one of the workspace, others, their variables and their modules."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.actions.project_rooms import rooms_in

from brinery.actions import projects
from brinery.actions.datasets import create_dataset
from brinery.actions.projects import VariableKind
from brinery.errors import AlreadyThere, InvalidName, NotFound


@pytest.mark.parametrize(
    ("folder", "key"),
    [("bank-demo", "BANK_DEMO"), ("2024 data", "PROJECT_2024_DATA"), ("été", "T")],
)
def test_the_workspace_is_a_project(tmp_path: Path, folder: str, key: str) -> None:
    """Its key is made of the folder's name once, and stays."""
    (tmp_path / folder).mkdir()
    rooms = rooms_in(tmp_path / folder)
    made = projects.default_project(rooms)
    assert (made.name, made.default) == (key, True)
    assert projects.project(rooms) == made
    assert projects.library(rooms) == tmp_path / folder / "lib" / "python"


def test_variables_are_set_and_taken_away(tmp_path: Path) -> None:
    """Local ones win over the standard ones; None takes one away; a whole set replaces all."""
    rooms = rooms_in(tmp_path)
    projects.set_variables(rooms, {"a": 1, "b": [2]})
    projects.set_variables(rooms, {"a": 3}, kind=VariableKind.LOCAL)
    assert projects.project(rooms).variables == {"a": 3, "b": [2]}
    projects.set_variables(rooms, {"b": None})
    assert projects.variables(rooms) == {"standard": {"a": 1}, "local": {"a": 3}}
    projects.set_variables(rooms, {"c": None}, whole=True)
    assert projects.variables(rooms)["standard"] == {"c": None}


def test_a_project_is_made_and_removed(tmp_path: Path) -> None:
    """It has modules of its own; one with datasets stays, and so does the workspace's."""
    rooms = rooms_in(tmp_path)
    projects.create_project(rooms, "OTHER")
    assert projects.library(rooms, "OTHER") == tmp_path / "projects" / "OTHER" / "lib" / "python"
    create_dataset(rooms, "bank", project_key="OTHER")
    with pytest.raises(AlreadyThere, match="has bank still"):
        projects.delete_project(rooms, "OTHER")
    with pytest.raises(AlreadyThere, match="stays"):
        projects.delete_project(rooms, projects.default_project(rooms).name)
    projects.create_project(rooms, "EMPTY")
    projects.delete_project(rooms, "EMPTY")
    with pytest.raises(NotFound, match="no project EMPTY"):
        projects.project_key(rooms, "EMPTY")


def test_a_wrong_key_is_told_with_a_right_one(tmp_path: Path) -> None:
    """Small letters and spaces are refused, with the key that was meant; so is one twice."""
    rooms = rooms_in(tmp_path)
    with pytest.raises(InvalidName) as refused:
        projects.create_project(rooms, "my project")
    assert refused.value.hint == "brinery project create MY_PROJECT"
    projects.create_project(rooms, "MY_PROJECT")
    with pytest.raises(AlreadyThere):
        projects.create_project(rooms, "MY_PROJECT")
    with pytest.raises(NotFound, match="did you mean MY_PROJECT"):
        projects.project(rooms, "MY_PROJCT")
