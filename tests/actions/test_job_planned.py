"""Plans are made once: as long as nothing that they were made of, or name, is otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from brinery.actions.job import planned
from brinery.actions.job_rooms import open_job_rooms
from brinery.errors import InvalidJob
from brinery.records.plan import Plan

PIPELINE = """\
type: pipeline
jobs:
  a:
    component: ./parts/component.yml
    inputs:
      data: {type: uri_folder, path: ./data}
"""
COMPONENT = """\
type: command
name: part
command: ls ${{inputs.data}}
code: ./code
environment:
  image: python
  conda_file: ./conda.yml
inputs:
  data: {type: uri_folder}
"""
CONDA = "dependencies: [python=3.11]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a workspace with a pipeline, its component, and the conda file of that."""
    for below in ("parts/code", "data"):
        (tmp_path / below).mkdir(parents=True)
    (tmp_path / "brinery.toml").touch()
    (tmp_path / "pipeline.yml").write_text(PIPELINE)
    (tmp_path / "parts" / "component.yml").write_text(COMPONENT)
    (tmp_path / "parts" / "conda.yml").write_text(CONDA)
    return tmp_path


def made(folder: Path, *sets: str) -> tuple[Plan, bool]:
    """Return the plan of the pipeline, and whether it was made anew and written down."""
    before = _written(folder)
    plan = planned(open_job_rooms(folder), folder / "pipeline.yml", sets=sets)
    return plan, _written(folder) != before


def _written(folder: Path) -> set[int]:
    return {each.stat().st_ino for each in (folder / ".brinery" / "cache" / "plans").glob("*")}


def test_a_plan_is_found_again(folder: Path) -> None:
    """The same file with the same values is planned once, and comes to the same."""
    first, read = made(folder)
    assert read
    assert made(folder) == (first, False)
    assert made(folder, "display_name=other")[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "pipeline.yml").write_text(PIPELINE + "tags: {a: b}\n"),
        lambda folder: (folder / "parts" / "component.yml").write_text(COMPONENT + "version: 2\n"),
        lambda folder: (folder / "parts" / "conda.yml").write_text(CONDA + "name: x\n"),
        lambda folder: (folder / ".brinery" / "assets" / "data").mkdir(parents=True),
        lambda folder: (folder / "brinery.toml").write_text('[datastores]\nd = "data"\n'),
    ],
    ids=["job", "component", "conda", "assets", "settings"],
)
def test_what_changed_is_read(folder: Path, change: Callable[[Path], None]) -> None:
    """Whatever a plan was made of, a change of it has the plan made again."""
    made(folder)
    change(folder)
    assert made(folder)[1]
    assert not made(folder)[1]


def test_a_link_that_leads_elsewhere(folder: Path) -> None:
    """A plan names where links lead: one that leads elsewhere has the plan made again."""
    (folder / "newer").mkdir()
    (folder / "data").rmdir()
    (folder / "older").mkdir()
    (folder / "data").symlink_to("older")
    first, _ = made(folder)
    (folder / "data").unlink()
    (folder / "data").symlink_to("newer")
    second, read = made(folder)
    assert read
    assert first != second


def test_a_pattern_that_nothing_matches_any_more(folder: Path) -> None:
    """A pattern of files is looked at again each time: without a match nothing runs."""
    (folder / "pipeline.yml").write_text(PIPELINE.replace("./data", "./data/*.csv"))
    (folder / "data" / "a.csv").touch()
    made(folder)
    (folder / "data" / "b.csv").touch()
    assert not made(folder)[1]
    for each in (folder / "data").iterdir():
        each.unlink()
    with pytest.raises(InvalidJob, match="csv"):
        made(folder)


def test_what_is_gone_is_told(folder: Path) -> None:
    """Code and data that are gone are told at once, as they would be at first."""
    made(folder)
    (folder / "data").rmdir()
    with pytest.raises(InvalidJob, match="data"):
        made(folder)
    (folder / "data").mkdir()
    (folder / "parts" / "code").rmdir()
    with pytest.raises(InvalidJob, match="code"):
        made(folder)
