"""The flow, datasets and folders on the page: what made what, rows, figures, files and previews."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pandas as pd
import pytest
from tests.web.pages.conftest import Visitor

from brinery.actions.datasets import RowSource, create_dataset, use_of
from brinery.actions.folders import create_folder, home, write_file
from brinery.actions.folders import use_of as folder_use
from brinery.actions.project_rooms import open_project_rooms
from brinery.evaluate.column_profiles import profiles
from brinery.records.flow import Activity, RecipeCall, UseKind

ELEMENT = "<img src=x onerror=alert(1)>"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
FOLDER = "aB3dE6gH"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace `w` with a dataset, what a recipe made of it, and a folder with files."""
    folder = tmp_path_factory.mktemp("data") / "w"
    folder.mkdir()
    (folder / "secret").write_text("nobody reads this")
    rooms = open_project_rooms(folder)
    frame = pd.DataFrame(
        {
            "age": [float(at % 50) for at in range(120)],
            "job": ["clerk", ELEMENT, "nurse"] * 40,
            ELEMENT: range(120),
            "at": pd.date_range("2026-01-01", periods=120, tz="UTC"),
        }
    )
    frame.to_parquet(folder / "people.parquet")
    source = RowSource(path=str(folder / "people.parquet"))
    people = create_dataset(rooms, "people", source=source, description=ELEMENT)
    old = create_dataset(rooms, "old", source=source)
    made = create_folder(rooms, ELEMENT.replace("/", ""), folder_id=FOLDER)
    files = {
        'a/it\'s "q".txt': ELEMENT.encode(),
        "page.html": b"<script>alert(1)</script>",
        "plot.png": PNG,
        "t.csv": f"x,y\n1,{ELEMENT}\n".encode(),
        "m.pkl": b"\x80\x04\x95" + b"\0" * 20,
    }
    for name, content in files.items():
        write_file(rooms, made, path=f"/{name}", content=io.BytesIO(content))
    (home(rooms, made) / "leads out").symlink_to(folder / "secret")
    now = datetime(2026, 1, 2, tzinfo=UTC)
    rooms.records.begin(
        Activity(
            project=people.project,
            recipe="clean.py",
            call=RecipeCall(script=str(folder / "clean.py")),
            job="a_job",
            started=now,
            ended=now,
            completed=True,
            uses=(
                use_of(people, kind=UseKind.READ),
                use_of(old, kind=UseKind.WRITTEN),
                folder_use(rooms, made, kind=UseKind.WRITTEN, path="/t.csv"),
            ),
        )
    )
    return folder


@pytest.fixture(scope="module")
def data(workspace: Path) -> Visitor:
    """A visitor of that workspace."""
    return Visitor(workspace)


def test_an_empty_workspace_teaches_the_first_commands(visitor: Visitor) -> None:
    """Where nothing was run and there is no dataset, the pages say how that begins."""
    assert "brinery run SCRIPT" in visitor.get("/flow").text
    text = visitor.get("/datasets").text
    assert "brinery dataset create NAME --path FILE" in text
    assert "brinery folder create NAME" in text


def test_the_flow_is_a_graph_whose_nodes_lead_to_their_pages(data: Visitor) -> None:
    """Datasets, folders and the jobs of recipes; what is out of date is said with its reason."""
    text = data.get("/flow").text
    assert 'href="/datasets/W.people"' in text
    assert f'href="/folders/W.{FOLDER}"' in text
    assert 'href="/jobs/a_job"' in text
    assert text.count('class="edge"') == 3
    assert "clean.py is out of date: the script of clean.py is gone" in text
    assert "brinery flow" in text
    assert 'style="' not in text
    assert "<img src=x" not in text


def test_building_is_refused_with_the_reason(data: Visitor) -> None:
    """A build whose script is gone says so on the page, as the command line does."""
    answer = data.send("/flow/build", {"target": "clean.py"}, page="/flow")
    assert answer.is_client_error
    assert "the script of clean.py is gone" in answer.text


def test_the_rows_of_a_dataset_are_paged(data: Visitor) -> None:
    """Fifty at a time; what is beyond the end is told; no value is an element."""
    first = data.get("/datasets/people").text
    assert first.count("<tr>") == 51
    assert 'rel="next" href="/datasets/people?page=2"' in first
    last = data.get("/datasets/W.people?page=3").text
    assert last.count("<tr>") == 21
    assert 'rel="next"' not in last
    assert "There are no more rows" in data.get("/datasets/people?page=99").text
    assert "<img src=x" not in first


def test_columns_have_figures_and_histograms(data: Visitor) -> None:
    """Of each column: its type, what is missing, its values; and a chart."""
    text = data.get("/datasets/people?tab=columns").text
    found = re.search(r'class="figures">(.*?)</script>', text)
    assert found is not None
    drawn = json.loads(found[1])
    assert [one["title"] for one in drawn] == ["age", "job", ELEMENT, "at"]
    assert sum(drawn[0]["data"][0]["y"]) == 120
    assert drawn[1]["data"][0]["y"] == [40, 40, 40]
    assert "<img src=x" not in text


def test_versions_and_uses_are_told(data: Visitor) -> None:
    """Which version is read, and which recipes read and wrote it."""
    assert "current" in data.get("/datasets/people?tab=versions").text
    used = data.get("/datasets/people?tab=used").text
    assert "clean.py" in used
    assert 'href="/jobs/a_job"' in used
    assert "did you mean people?" in data.get("/datasets/poeple").text


def test_files_of_a_folder_are_shown_and_never_as_pages(data: Visitor) -> None:
    """Texts are escaped, tables have rows, images are sent as such, HTML is a file to keep."""
    where = f"/folders/{FOLDER}"
    assert "it&#39;s &#34;q&#34;.txt" in data.get(f"{where}?path=a").text
    assert "<img src=x" not in data.get(f"{where}?path=t.csv").text
    assert "&lt;script&gt;" in data.get(f"{where}?path=page.html").text
    assert "brinery scan" in data.get(f"{where}?path=m.pkl").text
    assert data.get(f"{where}/file?path=plot.png&seen=1").headers["content-type"] == "image/png"
    page = data.get(f"{where}/file?path=page.html&seen=1")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["../../../secret", "leads out", "a/../../x", "a\0b"])
@pytest.mark.parametrize("kind", ["", "/file"])
def test_no_path_leads_out_of_a_folder(data: Visitor, path: str, kind: str) -> None:
    """Neither dots nor links."""
    answer = data.get(f"/folders/{FOLDER}{kind}?{httpx.QueryParams({'path': path})}")
    assert answer.is_client_error
    assert "nobody reads this" not in answer.text


def test_a_profile_counts_what_is_there() -> None:
    """Against pandas: missing values, different ones, moments; lists are compared as texts."""
    frame = pd.DataFrame({"n": [1.0, 2.0, 4.0, None], "l": [[1], [1], [2], None]})
    numbers, lists = profiles(frame)
    assert (numbers.missing, numbers.distinct, numbers.low, numbers.high) == (1, 3, 1.0, 4.0)
    assert numbers.std == pytest.approx(frame["n"].std())
    assert numbers.median == frame["n"].median()
    assert sum(numbers.counts) == 3
    assert lists.counts == (2, 1)
    assert lists.distinct == 2
