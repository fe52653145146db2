"""Promotion by many processes, and by processes that are killed: on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.actions.steps import GATES

from brinery.actions.rooms import open_rooms

pytestmark = pytest.mark.slow

VERSIONS = 4
KILLS = 100
RACES = 3


@dataclass(frozen=True)
class Place:
    """Where the models are.

    Attributes:
        folders: workspaces: of several machines, where there are several.
        options: of the program, that say which database they share.
    """

    folders: tuple[Path, ...]
    options: tuple[str, ...] = ()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Four versions of a model of which the first is the champion; a gate that passes them."""
    store, artifacts = None, None
    tmp_path = tmp_path_factory.mktemp("promoting")
    names = ["one"]
    if request.param == "postgres":
        store = request.getfixturevalue("postgres").database()
        artifacts = str(tmp_path / "artifacts")
        names.append("two")
    folders = tuple(tmp_path / name for name in names)
    for folder in folders:
        folder.mkdir()
        (folder / "brinery.toml").write_text(GATES, encoding="utf-8")
        open_rooms(folder).workspace.prepare()
    options = ("--store", store, "--artifacts", artifacts) if store and artifacts else ()
    made = Place(folders, options)
    run(made, "make", "--versions", str(VERSIONS))
    return made


def run(place: Place, what: str, *options: str) -> str:
    """Return what the program of this test prints."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.actions.promoting", what),
            *map(str, place.folders),
            *place.options,
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_killed_at_any_moment(place: Place) -> None:
    """A hundred kills leave one champion each, which the trail explains, and loses nothing done."""
    told = json.loads(run(place, "kill", "--rounds", str(KILLS)))
    assert told["kills"] == KILLS
    assert told["done"] > 0


def test_one_of_several_wins(place: Place) -> None:
    """Of versions judged against the same champion one is promoted; the others are told which."""
    rounds = json.loads(run(place, "race", "--rounds", str(RACES), "--versions", str(VERSIONS)))
    assert len(rounds) == RACES
    for told in rounds:
        (winner,) = [one.removeprefix("won ") for one in told if one.startswith("won ")]
        others = [one for one in told if one.startswith("told ")]
        assert len(others) == VERSIONS - 2
        for one in others:
            assert re.match(rf"told m@{winner} was made the champion by \S+ at ", one)
            assert "in place of m@1: nothing else was changed | brinery promote m@" in one
