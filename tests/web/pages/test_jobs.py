"""Jobs on the page: the list, a job as a graph, its steps, logs, files, and what is done to it."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.web.pages.conftest import Visitor
from tests.web.pages.made_jobs import HOSTILE, large, left, log_of, plan_of, ran, sweep, write

from brinery.actions.asset_rooms import open_asset_rooms
from brinery.records.job import Status

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
LINES = [f"line {at}" for at in range(2_000)]
ELEMENT = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a job that failed, one with hostile names, a sweep and a large one."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "secret").write_text("nobody reads this")
    out = left(
        folder / "out", rides__csv=b"a,b\n1,<b>x</b>\n", plot__png=PNG, page__html=b"<script>"
    )
    (folder / "out" / 'it\'s "q".txt').write_text(ELEMENT)
    (folder / "out" / "leads out").symlink_to(folder / "secret")
    runs = [
        ran("prep", outputs={"o": out}),
        ran("transform", reused="an_earlier_job", why="nothing changed", usage=None),
        ran("train", after_s=2, status=Status.FAILED, exit_status=1, why="ended with status 1"),
    ]
    plan = plan_of(["prep", "transform", "train", "report"], name="failed", display_name="Taxi")
    write(folder, plan, runs, status=Status.FAILED, error="the step train failed")
    log_of(folder, "failed", "train", lines=[*LINES, f"\x1b[31m{ELEMENT}\x1b[0m", "10%\r100%"])
    hostile = plan_of(
        HOSTILE, name="odd <b>", display_name=ELEMENT, description=ELEMENT, experiment=ELEMENT
    )
    write(folder, hostile, [ran(HOSTILE[0], why=ELEMENT)], status=Status.CANCELED, error=ELEMENT)
    sweep(folder)
    large(folder)
    return folder


@pytest.fixture(scope="module")
def jobs(workspace: Path) -> Visitor:
    """A visitor of that workspace."""
    return Visitor(workspace)


def boxes(text: str) -> dict[str, str]:
    """Return the classes of the boxes of a graph, by their names."""
    found = re.findall(r'<g class="node ([^"]*)" data-node="([^"]*)"', text)
    return {unescape(name): classes for classes, name in found}


def handlers(text: str) -> list[str]:
    """Return the attributes of a page's elements that would run a script."""
    found: list[str] = []

    class Elements(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(f"{tag} {name}" for name, _ in attrs if name.startswith("on"))

    Elements().feed(text)
    return found


def test_an_empty_workspace_teaches_the_first_command(visitor: Visitor) -> None:
    """Where there is no job, the page says how one is made."""
    assert "brinery job create -f job.yml" in visitor.get("/jobs").text


def test_the_list_is_filtered_sorted_and_downloaded(jobs: Visitor) -> None:
    """By state, by words, by a column; as CSV; and what was archived is elsewhere."""
    whole = jobs.get("/jobs").text
    assert {"Taxi", "five hundred steps", "sweep"} <= set(re.findall(r">([^<]+)</a>", whole))
    failed = jobs.get("/jobs?state=failed").text
    assert "Taxi" in failed
    assert "five hundred" not in failed
    assert "Taxi" not in jobs.get("/jobs?q=five").text
    table = jobs.get("/jobs?format=csv&sort=job&state=failed")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[1].startswith("Taxi,✕ failed,3 of 4,1,")
    assert "Taxi" not in jobs.get("/jobs?archived=1").text


def test_a_job_is_a_graph_with_states_and_reasons(jobs: Visitor) -> None:
    """Each box says its state by a class and in words, its reason, and leads to its step."""
    text = jobs.get("/jobs/failed").text
    found = boxes(text)
    assert found["prep"].endswith("good")
    assert found["train"].endswith("bad")
    assert found["report"].endswith("idle")
    assert "reused from an_earlier_job: nothing changed" in text
    assert 'href="/jobs/failed?step=train"' in text
    assert "the step train failed" in text
    assert text.count('class="edge"') == 3
    assert "brinery job show failed" in text


def test_a_step_says_what_it_was_given_and_what_it_took(jobs: Visitor) -> None:
    """Its reason, command, inputs, environment and resources, each under its own address."""
    text = jobs.get("/jobs/failed?step=prep").text
    assert "it was not run before" in text
    assert "47.7 MB" in text
    assert "echo ${{inputs.rate}}" in unescape(text)
    inputs = jobs.get("/jobs/failed?step=train&tab=inputs").text
    assert "o of transform" in inputs
    assert "MODE" in jobs.get("/jobs/failed?step=train&tab=environment").text
    gone = jobs.get("/jobs/failed?step=trian")
    assert gone.status_code == httpx.codes.NOT_FOUND
    assert "did you mean train?" in gone.text


def test_a_part_is_asked_for_alone(jobs: Visitor) -> None:
    """The part about a step, and the top of the page, come without the graph."""
    part = jobs.get("/jobs/failed?step=prep", hx_request="true", hx_target="step").text
    assert "<!doctype html>" not in part
    assert "<svg" not in part
    assert 'id="step"' in part
    head = jobs.get("/jobs/failed", hx_request="true", hx_target="job-head").text
    assert "Taxi" not in head
    assert "✕ failed" in head


def test_the_state_of_a_job_that_runs_is_asked_for_again(jobs: Visitor) -> None:
    """Also where nothing is told: a job may be over before its page listens."""
    renewed = 'id="job-head" hx-get="" hx-trigger="sse:jobs, every 3s"'
    assert renewed in jobs.get("/jobs/large").text
    assert renewed in jobs.get("/jobs/large", hx_request="true", hx_target="job-head").text
    assert "hx-trigger" not in jobs.get("/jobs/failed").text.partition('id="job-head"')[2][:40]


def test_a_log_is_read_from_its_end(jobs: Visitor) -> None:
    """The last lines are shown, without what colours terminals; those before are asked for."""
    text = jobs.get("/jobs/failed?step=train&tab=log").text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert ELEMENT not in text
    assert "\x1b" not in text
    assert "10%" not in text
    assert "100%" in text
    assert ">line 0<" not in text
    start = re.search(r'data-start="(\d+)"', text)
    assert start is not None
    before = jobs.get(f"/jobs/failed/log?step=train&before={start[1]}").json()
    assert before["end"] == int(start[1])
    assert before["lines"][-1]["text"].startswith("line ")
    whole = jobs.get("/jobs/failed/log.txt?step=train")
    assert whole.text.count("\n") == 2_002
    assert whole.headers["content-type"].startswith("text/plain")
    assert "sandbox" in whole.headers["content-security-policy"]


def test_a_log_is_followed_and_searched(jobs: Visitor) -> None:
    """What follows a byte is told once; a search finds the lines and no others."""
    end = jobs.get("/jobs/failed/log?step=train").json()["end"]
    again = jobs.get(f"/jobs/failed/log?step=train&after={end}").json()
    assert again == {"lines": [], "start": end, "end": end, "over": True}
    found = jobs.get("/jobs/failed?step=train&tab=log&find=line+1999").text
    assert found.count("<span>line") == 1


def test_files_are_shown_and_never_as_pages(jobs: Visitor) -> None:
    """A folder is listed, a table has rows, an image is one; a page of HTML is a file to keep."""
    listed = jobs.get("/jobs/failed?step=prep&tab=outputs").text
    assert "it&#39;s &#34;q&#34;.txt" in listed
    where = "/jobs/failed?step=prep&tab=outputs&output=o&path="
    assert "<td>&lt;b&gt;x&lt;/b&gt;</td>" in jobs.get(f"{where}rides.csv").text
    text = jobs.get(where + quote('it\'s "q".txt')).text
    assert "&lt;img src=x" in text
    file = "/jobs/failed/file?step=prep&output=o&path="
    image = jobs.get(f"{file}plot.png&seen=1")
    assert image.headers["content-type"] == "image/png"
    assert image.content == PNG
    page = jobs.get(f"{file}page.html&seen=1")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"].startswith("attachment")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["../secret", "..%2f..%2fetc/passwd", "leads%20out", "/etc/passwd", "a%00b", "none"]
)
def test_no_path_leads_out_of_an_output(jobs: Visitor, path: str) -> None:
    """Neither dots, nor links, nor a root; what is not there is said so."""
    answer = jobs.get(f"/jobs/failed/file?step=prep&output=o&path={path}")
    assert answer.status_code in {httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.NOT_FOUND}
    assert "nobody reads this" not in answer.text
    assert "root:" not in answer.text


def test_whatever_is_named_is_text(jobs: Visitor) -> None:
    """Names of jobs and steps, reasons and errors make no element, on any view."""
    name = quote("odd <b>")
    step = quote(HOSTILE[0])
    for path in (
        "/jobs",
        f"/jobs/{name}",
        f"/jobs/{name}?view=steps",
        f"/jobs/{name}?view=gantt&step={step}",
        f"/jobs/{name}?step={step}&tab=inputs",
        f"/jobs/{name}?step={quote(HOSTILE[1])}",
    ):
        answer = jobs.get(path)
        assert answer.status_code == httpx.codes.OK, path
        assert "<img src=x" not in answer.text, path
        assert "<b>" not in answer.text, path
        assert handlers(answer.text) == [], path
        assert 'style="' not in answer.text, path


def test_a_large_job_stays_readable(jobs: Visitor) -> None:
    """500 steps are ten boxes at first; each is opened and closed by the address."""
    text = jobs.get("/jobs/large").text
    assert set(boxes(text)) == {f"part{at}" for at in range(10)}
    assert boxes(text)["part0"] == "group good"
    assert "50 of 50 steps" in text
    opened = boxes(jobs.get("/jobs/large?open=part3,part9").text)
    assert len(opened) == 8 + 100
    assert set(boxes(jobs.get("/jobs/failed?shut=nothing").text)) == {
        "prep",
        "transform",
        "train",
        "report",
    }


def test_only_what_changed_is_told(jobs: Visitor) -> None:
    """From a mark on, the boxes of steps that moved since; a closed pipeline is one of them."""
    text = jobs.get("/jobs/large").text
    mark = re.search(r'data-mark="(\d+)"', text)
    assert mark is not None
    assert jobs.get(f"/jobs/large/changes?since={mark[1]}").json()["boxes"] == []
    whole = jobs.get("/jobs/large/changes?since=0").json()
    assert whole["mark"] == mark[1]
    assert [one["id"] for one in whole["boxes"]] == [f"part{at}" for at in range(5)]
    one = jobs.get("/jobs/failed/changes?since=0").json()["boxes"][2]
    assert (one["id"], one["state"], one["told"]) == ("train", "bad", "failed after 1.5 s")


def test_a_sweep_is_told_by_its_trials(jobs: Visitor) -> None:
    """Its chart, its best, and a table sorted by what is compared, whose rows lead to logs."""
    text = jobs.get("/jobs/sweep?view=trials&step=tune").text
    found = re.search(r'class="figures">(.*?)</script>', text)
    assert found is not None
    assert [one["name"] for one in json.loads(found[1])] == ["trials", "parallel"]
    assert "2 (best)" in text
    assert "trial=trial_2" in text
    odd = jobs.get("/jobs/sweep?step=tune&tab=log&trial=../../../secret")
    assert odd.status_code == httpx.codes.NOT_FOUND


def test_when_steps_ran_is_drawn(jobs: Visitor) -> None:
    """A bar for each step that ran; none for what was reused or not begun."""
    text = jobs.get("/jobs/failed?view=gantt").text
    drawn = re.findall(r'<text class="name"[^>]*>([^<]+)</text>', text)
    assert drawn == ["prep", "train"]
    assert "When the steps ran: 2 steps in 3.5 s" in text


def test_a_job_is_put_away_and_taken_back(tmp_path: Path) -> None:
    """By a form of the page, and by no other."""
    write(tmp_path, plan_of(["a"], name="put_away"), [ran("a")])
    visitor = Visitor(tmp_path)
    assert visitor.post("/jobs/put_away/archive", {"x": "y"}).status_code == httpx.codes.FORBIDDEN
    answer = visitor.send("/jobs/put_away/archive", page="/jobs/put_away")
    assert answer.headers["location"] == "/jobs/put_away"
    assert "put_away" in visitor.get("/jobs?archived=1&format=csv").text
    visitor.send("/jobs/put_away/restore", page="/jobs/put_away")
    assert "put_away" not in visitor.get("/jobs?archived=1&format=csv").text


def test_a_job_that_nobody_runs_is_cancelled(tmp_path: Path) -> None:
    """Its process is gone: the page says so, and cancelling closes its journal."""
    write(tmp_path, plan_of(["a"], name="lost"), status=None)
    visitor = Visitor(tmp_path)
    assert "not responding" in visitor.get("/jobs/lost").text
    visitor.send("/jobs/lost/cancel", page="/jobs/lost")
    assert open_asset_rooms(tmp_path).jobs.read("lost").status is Status.CANCELED
    assert visitor.send("/jobs/lost/dance", page="/jobs/lost").status_code == httpx.codes.NOT_FOUND


def test_a_job_that_completed_is_not_resumed(tmp_path: Path) -> None:
    """The refusal names the next step."""
    write(tmp_path, plan_of(["a"], name="done"), [ran("a")])
    answer = Visitor(tmp_path).send("/jobs/done/resume", page="/jobs/done")
    assert answer.is_client_error
    assert "brinery job rerun done" in answer.text
