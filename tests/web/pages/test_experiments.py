"""The pages of experiments and runs, of what real MLflow logged."""

from __future__ import annotations

import httpx
import pytest
from tests.web.pages.conftest import Visitor

from brinery.actions.rooms import open_rooms

HOSTILE = "<img src=x onerror=alert(1)>"
RUNS = 60


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Visitor, str, str]:
    """A visitor of a workspace with 60 runs; the id of their experiment, and of the last run."""
    import mlflow

    workspace = tmp_path_factory.mktemp("runs")
    rooms = open_rooms(workspace)
    rooms.workspace.prepare()
    rooms.registry.open()
    client = mlflow.MlflowClient(tracking_uri=rooms.places.tracking_uri)
    client.create_experiment("zebra")
    experiment = client.create_experiment(f"sweep {HOSTILE}")
    for number in range(RUNS):
        run = client.create_run(experiment, start_time=1_700_000_000_000 + number * 1000)
        metrics = [
            mlflow.entities.Metric("score", number / 100 + step / 1000, 0, step)
            for step in range(3 if number == RUNS - 1 else 1)
        ]
        params = [
            mlflow.entities.Param("depth", str(number % 7)),
            mlflow.entities.Param("kind", "gbm" if number % 2 else HOSTILE),
        ]
        client.log_batch(run.info.run_id, metrics=metrics, params=params)
        client.update_run(run.info.run_id, name=f"trial-{number}")
        client.set_terminated(run.info.run_id, "FAILED" if number == 3 else "FINISHED")
    return Visitor(workspace), experiment, run.info.run_id


def test_nothing_was_logged(visitor: Visitor) -> None:
    """How to point MLflow here is told, and the experiment that MLflow always has is not shown."""
    assert "MLFLOW_TRACKING_URI" in visitor.get("/experiments").text


def test_experiments_are_found_by_name(logged: tuple[Visitor, str, str]) -> None:
    """A part of the name will do; what ends a text of MLflow's language does no harm."""
    visitor, experiment, _ = logged
    page = visitor.get("/experiments?q=swee").text
    assert f'href="/experiments/{experiment}"' in page
    assert HOSTILE not in page
    assert "Nothing matches." in visitor.get("/experiments?q=x'%20OR%20'1'='1").text


def test_runs_come_in_pages(logged: tuple[Visitor, str, str]) -> None:
    """The newest first, fifty at a time, with the commonest figures as columns."""
    visitor, experiment, _ = logged
    first = visitor.get(f"/experiments/{experiment}").text
    assert first.index("trial-59") < first.index("trial-10")
    assert "trial-9<" not in first
    assert "and more" in first
    second = visitor.get(f"/experiments/{experiment}?page=2").text
    assert "trial-9<" in second
    assert "51 to 60 of 60" in second
    assert HOSTILE not in first
    assert "score" in first


def test_runs_are_sorted_by_a_figure(logged: tuple[Visitor, str, str]) -> None:
    """MLflow sorts them, whatever page they are on."""
    visitor, experiment, _ = logged
    page = visitor.get(f"/experiments/{experiment}?sort=m:score").text
    assert page.index("trial-0<") < page.index("trial-1<") < page.index("trial-40<")
    assert 'aria-sort="ascending"' in page


def test_runs_are_filtered_in_mlflows_language(logged: tuple[Visitor, str, str]) -> None:
    """By a comparison, or by a word of their names; what MLflow does not take is told."""
    visitor, experiment, _ = logged
    path = f"/experiments/{experiment}"
    rows = visitor.get(f"{path}?q=metrics.score > 0.575&format=csv").text.splitlines()
    assert len(rows) == 1 + 2
    assert "trial-33" in visitor.get(f"{path}?q=trial-33").text
    refused = visitor.get(f"{path}?q=metrics.score >> 'x")
    assert refused.status_code == httpx.codes.OK
    assert "MLflow does not take this filter" in refused.text


def test_a_file_has_every_run(logged: tuple[Visitor, str, str]) -> None:
    """All that match, in the order of the page, with figures as they were logged and real times.

    A filter that MLflow does not take makes no file.
    """
    visitor, experiment, _ = logged
    path = f"/experiments/{experiment}?sort=m:score&format=csv"
    for page in ("", "&page=2", "&view=scatter"):
        rows = visitor.get(path + page).text.splitlines()
        assert [row.split(",")[1] for row in rows[1:]] == [f"trial-{n}" for n in range(RUNS)]
    assert rows[1].startswith("2023-11-14 22:13:20,")
    assert ",0.592," in rows[-1]
    refused = visitor.get(f"{path}&q=metrics.score >> 'x")
    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "MLflow does not take this filter" in refused.text


def test_experiments_are_sorted(logged: tuple[Visitor, str, str]) -> None:
    """By name or by when they were changed, in the page and in the file."""
    visitor, experiment, _ = logged
    link = f'href="/experiments/{experiment}"'
    for sort, first in (("", True), ("updated", False), ("name", True), ("-name", False)):
        page = visitor.get(f"/experiments?sort={sort}").text
        assert (page.index(link) < page.index(">zebra<")) is first, sort
        lines = visitor.get(f"/experiments?sort={sort}&format=csv").text.splitlines()
        assert (lines[1].startswith(f"sweep {HOSTILE},20")) is first, sort
        assert len(lines) == 1 + 2


def test_columns_are_chosen(logged: tuple[Visitor, str, str]) -> None:
    """Only those that were ticked stand there, and the links keep them."""
    visitor, experiment, _ = logged
    rows = visitor.get(f"/experiments/{experiment}?column=p:depth&format=csv").text.splitlines()
    assert rows[0] == "Started,Run,Status,Took,depth"
    page = visitor.get(f"/experiments/{experiment}?column=p:depth").text
    assert "columns=p%3Adepth" in page


@pytest.mark.parametrize("view", ["scatter", "parallel"])
def test_runs_are_drawn(logged: tuple[Visitor, str, str], view: str) -> None:
    """All of them, with their names escaped in what is drawn."""
    visitor, experiment, _ = logged
    page = visitor.get(f"/experiments/{experiment}?view={view}").text
    assert f'data-figure="{view}"' in page
    assert "60 runs" in page
    assert HOSTILE not in page


def test_a_run_whole(logged: tuple[Visitor, str, str]) -> None:
    """Its figures, its curves, and where it stands."""
    visitor, experiment, run = logged
    page = visitor.get(f"/runs/{run}").text
    assert "trial-59" in page
    assert 'data-figure="curve-0"' in page
    assert f'href="/experiments/{experiment}"' in page
    assert f"/mlflow/#/experiments/{experiment}/runs/{run}" in page


@pytest.mark.parametrize("path", ["/runs/none", "/experiments/99999", "/experiments/x%27y"])
def test_what_is_not_there(logged: tuple[Visitor, str, str], path: str) -> None:
    """It is not found, and told as the command line tells it."""
    answer = logged[0].get(path)
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert "there is no" in answer.text
