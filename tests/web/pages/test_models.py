"""The pages of models and versions: what they show, hide, refuse and change."""

from __future__ import annotations

import html
import json
import pickle
import re
import shutil
import sqlite3
import time
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path

import httpx
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from tests.web.pages.conftest import Visitor
from tests.web.pages.models import LONG, QUOTES, SCRIPT, hostile

import brinery
from brinery.web.pages.version import Tab

GOLDEN = Path(__file__).parents[2] / "golden" / "pages"
_WAIT_S = 240
_SVG = "{http://www.w3.org/2000/svg}"
_VARIES = (
    (re.compile(r"<time [^>]*>[^<]*</time>"), "<time/>"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "DIGEST"),
    (re.compile(r"\d+(\.\d+)? (KB|B)\b"), "SIZE"),
    (re.compile(r"(<dt>by</dt><dd>)[^<]*"), r"\1WHO"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that the tests only read."""
    return hostile(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def guest(place: Path) -> Visitor:
    """A visitor of it."""
    return Visitor(place)


@pytest.fixture
def mine(place: Path, tmp_path: Path) -> Visitor:
    """A visitor of a copy, in which a test may change what it likes."""
    copy = tmp_path / "copy"
    shutil.copytree(place, copy)
    _moved(place, copy)
    return Visitor(copy)


def _moved(before: Path, after: Path) -> None:
    """Have MLflow's database of a copy say that its files lie in the copy."""
    with closing(sqlite3.connect(after / ".brinery" / "mlflow.db")) as database:
        for table, column in (
            ("logged_models", "artifact_location"),
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
        ):
            database.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)",  # noqa: S608 - fixed
                (str(before), str(after)),
            )
        database.commit()


def _followed(visitor: Visitor, answer: httpx.Response) -> str:
    """Return the page of a task that a form began, once it is done."""
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
    end = time.monotonic() + _WAIT_S
    while 'every 1s"' in (page := visitor.get(answer.headers["location"]).text):
        assert time.monotonic() < end, "the task never ended"
        time.sleep(0.3)
    return page


def _golden(name: str, page: str, *, part: str) -> None:
    """Compare a part of a page with the file that is kept of it."""
    found = re.search(part, page, re.DOTALL)
    assert found is not None
    text = found[0]
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    lines = "\n".join(line.strip() for line in text.splitlines() if line.strip()) + "\n"
    path = GOLDEN / f"{name}.html"
    assert lines == path.read_text(encoding="utf-8"), f"{path} is another now"


def test_without_models_the_first_command_is_taught(visitor: Visitor) -> None:
    """The list and the comparison of an empty workspace say what makes the first model."""
    for path in ("/models", "/compare"):
        answer = visitor.get(path)
        assert answer.status_code == httpx.codes.OK
        assert "brinery import model.pkl" in answer.text
    missing = visitor.get("/models/nobody")
    assert missing.status_code == httpx.codes.NOT_FOUND
    assert "brinery import MODEL --name nobody" in html.unescape(missing.text)


def test_models_are_listed_searched_and_downloaded(guest: Visitor) -> None:
    """Champion, headline with its interval and newest version stand in a row, and in the CSV."""
    page = guest.get("/models").text
    assert 'href="/models/risk/versions/1"' in page
    assert 'name="versions" value="risk@1" form="chosen"' in page
    assert re.search(r"0\.\d+ \(0\.\d+ to 0\.\d+\)", page)
    assert "Nothing matches" in guest.get("/models?q=zzz").text
    table = guest.get("/models?format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert "risk@1" in table.text


def test_models_are_sorted_by_their_headline(tmp_path: Path) -> None:
    """Best first over all pages, those of another figure by themselves; the CSV is in that order.

    A model that was never judged comes last, whichever way it is sorted.
    """
    x = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
    for name, slope in (("c", 0.9), ("a", 0.8), ("b", 1.0), ("unjudged", None)):
        path = tmp_path / f"{name}.pkl"
        path.write_bytes(pickle.dumps(LinearRegression().fit(x, x["x"] * (slope or 1))))
        target = None if slope is None else "y"
        data = x if slope is None else x.assign(y=x["x"])
        brinery.import_model(path, name=name, data=data, target=target, workspace=tmp_path)
    guest = Visitor(tmp_path)

    def order(query: str) -> list[str]:
        page = guest.get(f"/models?{query}").text
        return re.findall(r'<td><a href="/models/([a-z]+)">', page)

    assert order("sort=-figure") == ["b", "c", "a", "unjudged"]
    assert order("sort=figure") == ["a", "c", "b", "unjudged"]
    assert order("sort=-figure&per=2&page=2") == ["a", "unjudged"]
    assert order("sort=-figure&q=u") == ["unjudged"]
    table = guest.get("/models?sort=-figure&format=csv").text
    assert [line.split(",")[0] for line in table.splitlines()[1:]] == ["b", "c", "a", "unjudged"]
    assert 'href="/models?sort=-figure' in guest.get("/models?sort=figure").text


def test_the_way_of_a_version_is_a_graph(guest: Visitor) -> None:
    """Its boxes lead to pages that are there; lines go from the data to the endpoint; told as text.

    Where no gate was asked and nothing is served, the boxes say so and lead nowhere.
    """
    drawn = _drawn(guest, 1)
    boxes = {one.get("data-node"): one for one in drawn.iter(f"{_SVG}g")}
    way = ["data", "model file", "run", "version", "decision", "endpoint"]
    assert list(boxes) == way
    assert len(list(drawn.iter(f"{_SVG}path"))) == len(way) - 1
    for kind, box in boxes.items():
        link = box.find(f"{_SVG}a")
        assert link is not None, kind
        place = link.get("href", "")
        assert place.startswith("/endpoints/") or guest.get(place).status_code == httpx.codes.OK
    here = boxes["version"].find(f"{_SVG}a")
    assert here is not None
    assert here.get("aria-current") == "true"
    for said in ("risk@1", "test.csv", "/v1/models/risk"):
        assert said in (drawn.get("aria-label") or "")
    lefts = [float(rect.get("x", "0")) for rect in drawn.iter(f"{_SVG}rect")]
    assert lefts == sorted(lefts)
    other = {one.get("data-node"): one for one in _drawn(guest, 2).iter(f"{_SVG}g")}
    assert other["endpoint"].find(f"{_SVG}a") is None
    assert "idle" in other["endpoint"].get("class", "")


def _drawn(guest: Visitor, number: int) -> ET.Element:
    page = guest.get(f"/models/risk/versions/{number}?tab=lineage").text
    found = re.search(r'<svg xmlns[^>]* class="graph".*?</svg>', page, re.DOTALL)
    assert found is not None
    return ET.fromstring(found[0])  # noqa: S314 - of our own making


def test_versions_are_sorted_by_any_figure(guest: Visitor) -> None:
    """Newest first; by a metric, rows change places with the direction."""

    def order(query: str) -> list[str]:
        page = guest.get(f"/models/risk{query}").text
        return re.findall(r'<td><a href="/models/risk/versions/(\d)"', page)

    assert order("") == ["2", "1"]
    assert order("?sort=version") == ["1", "2"]
    assert order("?sort=roc_auc") == order("?sort=-roc_auc")[::-1]
    assert order("?sort=nonsense") == ["2", "1"]
    assert order("?q=champion") == ["1"]


@pytest.mark.parametrize("tab", list(Tab))
def test_no_name_of_a_user_becomes_markup(guest: Visitor, tab: Tab) -> None:
    """Columns, categories, classes, files and reasons are text on every tab."""
    answer = guest.get(f"/models/risk/versions/1?tab={tab.value}")
    assert answer.status_code == httpx.codes.OK
    assert "<img src=x" not in answer.text
    assert "<b>.pkl" not in answer.text
    assert not re.search(r"<[^>]*\sstyle=|<style|javascript:", answer.text)


def test_hostile_words_are_shown_as_they_are(guest: Visitor) -> None:
    """What was escaped is there to read, and JSON in a page cannot end its script."""
    signature = guest.get("/models/risk/versions/1?tab=signature").text
    for name in (SCRIPT, QUOTES, LONG):
        assert name in html.unescape(signature)
    for path in ("/models/risk/versions/1", "/models/risk?tab=history"):
        page = guest.get(path).text
        assert "<img src=x" not in page
        for script in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page):
            assert "<" not in script
            json.loads(script)
    assert SCRIPT in html.unescape(guest.get("/models/risk?tab=history").text)


def test_what_a_version_takes_and_where_it_comes_from(guest: Visitor) -> None:
    """The signature, and the way from the data to the endpoint, are laid out as they were."""
    path = "/models/risk/versions/1"
    _golden(
        "version-signature", guest.get(f"{path}?tab=signature").text, part=r"<section.*?</section>"
    )
    _golden("version-lineage", guest.get(f"{path}?tab=lineage").text, part=r"<ol.*?</ol>")


def test_the_threshold_is_in_the_url(guest: Visitor) -> None:
    """Without scripts, the figures are those of the cut that is nearest to the one asked for."""

    def shown(threshold: str) -> tuple[float, float]:
        page = guest.get(f"/models/risk/versions/1?threshold={threshold}").text
        at = re.search(r'name="threshold" step="any" value="([^"]+)"', page)
        found = re.search(r'data-metric="recall">([^<]+)<', page)
        assert at is not None
        assert found is not None
        return float(at[1]), float(found[1])

    low, high = shown("0.01"), shown("0.99")
    assert low[0] < high[0]
    assert low[1] > high[1]
    assert shown("nan") == shown("0.5") == shown("wide")


def test_every_cut_adds_up(guest: Visitor) -> None:
    """The slider's cells are all rows at each cut, and its recall is that of the cells."""
    page = guest.get("/models/risk/versions/1").text
    found = re.search(r'id="cuts">(.*?)</script>', page)
    assert found is not None
    cuts = json.loads(found[1])
    cells = [
        cuts[f"{one}s"]
        for one in ("true_positive", "false_negative", "false_positive", "true_negative")
    ]
    for tp, fn, fp, tn, recall in zip(*cells, cuts["metrics"]["recall"], strict=True):
        assert tp + fn + fp + tn == 160
        assert recall == pytest.approx(tp / (tp + fn))


def test_groups_are_a_table(guest: Visitor) -> None:
    """They are sorted and searched by the server, and downloaded without formulas."""
    path = "/models/risk/versions/1?tab=groups"
    rows = [
        int(one.replace(",", ""))
        for one in re.findall(
            r'<td class="number">([\d,]+)</td>', guest.get(f"{path}&sort=-rows").text
        )
    ]
    assert rows == sorted(rows, reverse=True)
    assert guest.get(f"{path}&format=csv").text.startswith("Group,Rows,")


def test_a_row_that_was_not_explained_is_said_so(guest: Visitor) -> None:
    """With the command that explains it; nonsense shows the first one."""
    page = guest.get("/models/risk/versions/1?tab=rows&row=100000").text
    assert "Row 100000 was not explained" in page
    assert "--row 100000" in page
    assert guest.get("/models/risk/versions/1?tab=rows&row=-1").status_code == httpx.codes.OK


def test_files_are_sent_as_bytes_and_no_others(guest: Visitor) -> None:
    """A file is an attachment in a sandbox; a path that is not of the version is none."""
    page = guest.get("/models/risk/versions/1?tab=files").text
    names = re.findall(r'href="/models/risk/versions/1/files/([^"]+)"', page)
    assert "MLmodel" in names
    for name in names:
        answer = guest.get(f"/models/risk/versions/1/files/{name}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["content-security-policy"]
    for name in ("../../../mlflow.db", "%2e%2e/%2e%2e/mlflow.db", "/etc/passwd", "nothing"):
        answer = guest.get(f"/models/risk/versions/1/files/{name}")
        assert answer.status_code == httpx.codes.NOT_FOUND


def test_what_if_is_answered_as_the_model_answers(guest: Visitor, place: Path) -> None:
    """The same probability as `brinery predict`, and contributions that add up to the answer."""
    row = {SCRIPT: 0.25, QUOTES: SCRIPT, LONG: 3}
    page = "/models/risk/versions/1?tab=whatif"
    token = re.search(r'x-brinery-token": "([0-9a-f]+)"', guest.get(page).text)
    assert token is not None
    ask = guest.json("/models/risk/versions/1/whatif", row, token=token[1])
    assert ask.status_code == httpx.codes.OK, ask.text
    answer = ask.json()
    with brinery.load("risk@1", workspace=place) as model:
        scores = model.predict(pd.DataFrame([row]))
    assert scores.probabilities is not None
    assert list(answer["probabilities"].values()) == pytest.approx(scores.probabilities[0])
    total = answer["base"] + sum(one["amount"] for one in answer["contributions"])
    assert total == pytest.approx(answer["answer"])
    wrong = guest.json("/models/risk/versions/1/whatif", {**row, SCRIPT: "tall"}, token=token[1])
    assert SCRIPT in wrong.json()["refused"][0]
    strange = guest.json("/models/risk/versions/1/whatif", row, token="0" * 64)
    assert strange.status_code == httpx.codes.FORBIDDEN


def test_a_category_is_a_value_whatever_is_in_it(guest: Visitor) -> None:
    """The form's choices are JSON within quotes that no category can end."""
    page = guest.get("/models/risk/versions/1?tab=whatif").text
    told = [json.loads(html.unescape(one)) for one in re.findall(r'<option value="([^"]*)"', page)]
    assert told == ["../../etc/passwd", SCRIPT]


def test_nothing_is_changed_without_the_pages_token(guest: Visitor) -> None:
    """A form of another page does nothing, whatever it asks for."""
    version = "/models/risk/versions/2"
    for path in ("/models/risk/rollback", *(f"{version}/{w}" for w in ("check", "promote"))):
        answer = guest.post(path, {"force": "yes", "why": "because", "to": "2"})
        assert answer.status_code == httpx.codes.FORBIDDEN
    assert guest.post(f"{version}/package", {"to": "gcf"}).status_code == httpx.codes.FORBIDDEN


def test_the_gate_is_asked_and_its_refusal_shown(mine: Visitor) -> None:
    """Its decision stands rule by rule; a version it does not pass stays where it is."""
    page = "/models/risk/versions/2/promote"
    asked = _followed(mine, mine.send("/models/risk/versions/2/check", page=page))
    assert "What the gate said last" in asked
    assert "headline better than the champion" in html.unescape(asked)
    refused = _followed(mine, mine.send(page, {"why": "it is newer"}, page=page))
    assert "risk@2 is not promoted" in refused
    assert "--force" in refused
    assert 'href="/models/risk/versions/1"><strong>risk@1</strong></a> is the champion' in (
        mine.get("/models/risk").text
    )
    compared = mine.get("/models/risk").text
    assert "fails" in compared or "not decidable" in compared


def test_force_needs_a_reason_and_rollback_undoes_it(mine: Visitor) -> None:
    """Without one it is refused; with one it is told for ever, and taken back by one form."""
    page = "/models/risk/versions/2/promote"
    without = mine.send(page, {"force": "yes", "why": " "}, page=page)
    assert without.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "needs a reason" in without.text
    done = _followed(mine, mine.send(page, {"force": "yes", "why": SCRIPT}, page=page))
    assert "risk@2 is the champion now" in done
    assert "Roll risk back" in mine.get("/models/risk").text
    back = mine.send("/models/risk/rollback", {"to": "1", "why": "too bold"}, page="/models/risk")
    assert back.headers["location"] == "/models/risk?tab=history"
    story = mine.get(back.headers["location"]).text
    assert "rolled back" in story
    assert "too bold" in story
    assert "forced" in story
    assert "<img src=x" not in story
    never = mine.send("/models/risk/rollback", {"to": "9"}, page="/models/risk")
    assert never.status_code == httpx.codes.NOT_FOUND


def _compared(visitor: Visitor, path: str) -> str:
    """Return the page of a comparison, once it is made."""
    end = time.monotonic() + _WAIT_S
    while 'every 1s"' in (page := visitor.get(path).text):
        assert time.monotonic() < end, "the comparison never ended"
        time.sleep(0.3)
    return page


def test_two_versions_are_compared(mine: Visitor) -> None:
    """On the rows of the base, wherever they lay; the link is the whole state."""
    page = _compared(mine, "/compare?versions=risk@2&versions=risk@1")
    assert "risk@2 beside risk@1" in page
    assert "How they differ" in page
    assert "<img src=x" not in page
    assert "Choose two versions" not in page
    # In either order, who may be promoted is the one that is not the champion.
    for told in (page, _compared(mine, "/compare?versions=risk@1&versions=risk@2")):
        assert "Ask the gate about risk@2" in told
        assert "risk@1…" not in told
    assert "needs another version" in mine.get("/compare?versions=risk@1").text
    missing = mine.get("/compare?versions=risk@1&versions=risk@7")
    assert missing.status_code == httpx.codes.NOT_FOUND


def test_a_package_that_nobody_made_is_not_there(guest: Visitor) -> None:
    """The targets are offered; a file is sent only of a target that was made."""
    path = "/models/risk/versions/1/package"
    assert "Amazon SageMaker" in guest.get(path).text
    for target in ("gcf", "nonsense", "..%2f..%2fmlflow"):
        assert guest.get(f"{path}/{target}.zip").status_code == httpx.codes.NOT_FOUND
