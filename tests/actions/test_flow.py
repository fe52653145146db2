"""The flow of real runs: recorded by `brinery run`, explained, and built where out of date."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import BRINERY

from brinery.actions import datasets, folders, projects
from brinery.actions.flow import build, flow
from brinery.actions.flow_rooms import FlowRooms, open_flow_rooms
from brinery.errors import NotFound
from brinery.records.flow import Flow
from brinery.records.job import JobRun, Status

pytestmark = pytest.mark.slow

STEP1 = """
import pandas as pd
import dataiku

rows = pd.DataFrame({"age": range(20, 60), "y": [0, 1] * 20})
dataiku.Dataset("bank").write_with_schema(rows)
"""
STEP2 = """
import dataiku
from shares import SHARE

rows = dataiku.Dataset("bank").get_dataframe()
cut = int(len(rows) * SHARE)
dataiku.Dataset("bank_test").write_with_schema(rows.iloc[cut:])
with dataiku.Folder("").get_writer("mean.txt") as file:
    file.write(str(float(rows.age.iloc[:cut].mean())).encode())
"""
STEP3 = """
import dataiku

rate = float(dataiku.get_custom_variables().get("rate", "1"))
with dataiku.Folder("").get_download_stream("/mean.txt") as file:
    mean = rate * float(file.read())
rows = dataiku.Dataset("bank_test").get_dataframe()
dataiku.Dataset("scored").write_with_schema(rows.assign(score=rows.age / mean))
"""


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """A workspace in which three recipes were run, one after the other."""
    folder = tmp_path
    library = folder / "lib" / "python"
    library.mkdir(parents=True)
    (library / "shares.py").write_text("SHARE = 0.5\n")
    (folder / "brinery.toml").write_text("")
    for name, text in (("step1", STEP1), ("step2", STEP2), ("step3", STEP3)):
        (folder / f"{name}.py").write_text(text)
        done = subprocess.run(
            [BRINERY, "--workspace", folder, "run", folder / f"{name}.py"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return folder


def built(rooms: FlowRooms, targets: Sequence[str] = ()) -> tuple[JobRun, dict[str, str]]:
    """Build targets; returns the job, and why of each recipe that ran."""
    working = build(rooms, targets)
    while True:
        try:
            next(working)
        except StopIteration as end:
            job: JobRun = end.value
            assert job.status is Status.COMPLETED, job.error
            return job, {run.name: run.why for run in job.steps if not run.reused}


def outdated(found: Flow) -> dict[str, str]:
    fine = {"current", "source"}
    return {node.name: node.why for node in found.nodes if str(node.state) not in fine}


def test_a_flow_is_recorded_explained_and_built(ran: Path) -> None:
    """What runs recorded is the flow; it is built from what changed on, and no further.

    What somebody wrote over is what its recipe left again, and a lost file is made again. One
    workspace is changed step by step here: each run of a recipe costs seconds.
    """
    rooms = open_flow_rooms(ran)
    found = flow(rooms)
    names = {node.id: node.name for node in found.nodes}
    assert {(names[one.source], names[one.target]) for one in found.edges} == {
        ("step1.py", "bank"),
        ("bank", "step2.py"),
        ("step2.py", "bank_test"),
        ("step2.py", "default"),
        ("bank_test", "step3.py"),
        ("default", "step3.py"),
        ("step3.py", "scored"),
        (f"variables of {found.project}", "step3.py"),
    }
    assert outdated(found) == {}
    versions = {node.name: node.version for node in found.nodes if str(node.kind) == "dataset"}

    # Nothing changed: what `brinery run` left stands.
    job, why = built(rooms)
    assert why == {}
    assert all(run.why.startswith("nothing changed since") for run in job.steps)

    # A comment: the recipe runs again, leaves the same, and what follows stands.
    with (ran / "step2.py").open("a") as stream:
        stream.write("# said\n")
    rooms = open_flow_rooms(ran)
    told = outdated(flow(rooms))
    assert "step2.py changed at line" in told["step2.py"]
    assert told["step3.py"].endswith("out of date")
    _, why = built(rooms, ["scored"])
    assert list(why) == ["step2"]
    assert "'# said' is new" in why["step2"]

    # A library: the recipe that names it, and what its rows go into; the first does not.
    (ran / "lib" / "python" / "shares.py").write_text("SHARE = 0.75\n")
    rooms = open_flow_rooms(ran)
    assert "shares.py changed at line 1" in outdated(flow(rooms))["step2.py"]
    _, why = built(rooms)
    assert sorted(why) == ["step2", "step3"]
    assert "input bank_test" in why["step3"]
    assert len(_rows(rooms, "scored")) == 10

    # The earlier state again: nothing has to run for the datasets, which were kept.
    (ran / "lib" / "python" / "shares.py").write_text("SHARE = 0.5\n")
    rooms = open_flow_rooms(ran)
    job, why = built(rooms)
    assert "step1" not in why
    assert datasets.dataset(rooms.projects, "bank_test").current == versions["bank_test"]
    assert len(_rows(rooms, "scored")) == 20
    assert outdated(flow(open_flow_rooms(ran))) == {}

    # A variable of the project: the recipe that asks for the variables.
    projects.set_variables(rooms.projects, {"rate": "2"})
    rooms = open_flow_rooms(ran)
    assert f"variables of {found.project}" in outdated(flow(rooms))["step3.py"]
    _, why = built(rooms)
    assert list(why) == ["step3"]
    _put_right(ran)


BY_PATH = """
import os
import dataiku

folder = dataiku.Folder("plain").get_path()
with open(os.path.join(folder, "given.txt")) as file:
    given = file.read()
with open(os.path.join(folder, "made.txt"), "w") as file:
    file.write(given * 2)
"""
AFTER = """
import os
import dataiku
import pandas as pd

with open(os.path.join(dataiku.Folder("plain").get_path(), "made.txt")) as file:
    dataiku.Dataset("said").write_with_schema(pd.DataFrame({"text": [file.read()]}))
"""


def test_what_is_written_by_the_path_of_a_folder_is_an_output(tmp_path: Path) -> None:
    """A script that opens files itself is up to date after it ran, and feeds those that read."""
    (tmp_path / "brinery.toml").write_text("")
    rooms = open_flow_rooms(tmp_path)
    plain = folders.create_folder(rooms.projects, "plain")
    folders.write_file(rooms.projects, plain, path="/given.txt", content=io.BytesIO(b"a"))
    for name, text in (("by_path", BY_PATH), ("after", AFTER)):
        (tmp_path / f"{name}.py").write_text(text)
        done = subprocess.run(
            [BRINERY, "--workspace", tmp_path, "run", tmp_path / f"{name}.py"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    rooms = open_flow_rooms(tmp_path)
    found = flow(rooms)
    assert outdated(found) == {}
    names = {node.id: node.name for node in found.nodes}
    assert {(names[one.source], names[one.target]) for one in found.edges} >= {
        ("plain", "after.py"),
        ("after.py", "said"),
    }
    folders.write_file(rooms.projects, plain, path="/given.txt", content=io.BytesIO(b"b"))
    told = outdated(flow(open_flow_rooms(tmp_path)))
    assert "plain/given.txt" in told["by_path.py"]
    rooms = open_flow_rooms(tmp_path)
    _, why = built(rooms)
    assert sorted(why) == ["after", "by_path"]
    assert _rows(rooms, "said")["text"].tolist() == ["bb"]
    assert outdated(flow(open_flow_rooms(tmp_path))) == {}


def _put_right(ran: Path) -> None:
    rooms = open_flow_rooms(ran)
    before = datasets.dataset(rooms.projects, "bank_test").current
    staged = datasets.stage(rooms.projects, "bank_test")
    pd.DataFrame({"age": [1]}).to_parquet(staged / "0.parquet")
    datasets.commit(rooms.projects, "bank_test", staged=staged)
    rooms = open_flow_rooms(ran)
    assert outdated(flow(rooms))["step2.py"] == "bank_test is not what it wrote"
    _, why = built(rooms, ["bank_test"])
    assert why == {}
    assert datasets.dataset(rooms.projects, "bank_test").current == before

    folder = folders.folder(rooms.projects).folder
    folders.delete_path(rooms.projects, folder, path="/mean.txt")
    rooms = open_flow_rooms(ran)
    assert "mean.txt is gone" in outdated(flow(rooms))["step2.py"]
    _, why = built(rooms, ["scored"])
    assert list(why) == ["step2"]
    assert why["step2"].startswith("its output default.mean.txt")
    with pytest.raises(NotFound, match="did you mean scored"):
        built(rooms, ["scord"])


def _rows(rooms: FlowRooms, name: str) -> pd.DataFrame:
    where = datasets.location(rooms.projects, datasets.dataset(rooms.projects, name))
    return pd.read_parquet(where.paths[0])
