"""Home, the audit trail, endpoints and settings, on a workspace with a champion and a stranger."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from tests.web.conftest import lines
from tests.web.pages.conftest import Visitor

import brinery
from brinery.actions.keys import create_key, delete_key
from brinery.actions.rooms import Rooms, open_rooms
from brinery.records.audit import Change
from brinery.records.traffic import Served
from brinery.records.turn import Ending, Trigger, Turn
from brinery.serve.traffic import Watched

HOSTILE = "<img src=x onerror=alert(1)>\"'>../../etc/passwd ✂"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
METRICS = """\
# TYPE brinery_requests counter
brinery_requests_total{{model="m",version="1",route="r",status="200"}} {good}
brinery_requests_total{{model="m",version="1",route="r",status="422"}} {bad}
# TYPE brinery_request_seconds histogram
brinery_request_seconds_bucket{{model="m",version="1",route="r",le="0.001"}} {good}
brinery_request_seconds_bucket{{model="m",version="1",route="r",le="+Inf"}} {good}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with two versions, whose first is the champion, and things that need attention."""
    folder = lines(tmp_path_factory.mktemp("overview"), versions=2)
    brinery.promote("m@1", force=True, why=HOSTILE, workspace=folder)
    rooms = open_rooms(folder)
    _need_attention(rooms)
    return folder


def _need_attention(rooms: Rooms) -> None:
    turn = rooms.turns.begin(
        Turn(loop="nightly", model="m", trigger=Trigger.CRON, started=datetime.now(UTC))
    )
    failed = {"ended": datetime.now(UTC), "ending": Ending.FAILED, "error": HOSTILE}
    rooms.turns.keep(replace(turn, **failed))


@pytest.fixture(scope="module")
def watched() -> Watched:
    """What a server counted in a minute: two looks, and 60 requests between them."""
    found = Watched()
    found.tell([Served(name="m", version=1, follows="champion", loaded=True)])
    found.look(METRICS.format(good=0, bad=0), at=AT)
    found.look(METRICS.format(good=57, bad=3), at=AT + timedelta(seconds=30))
    return found


@pytest.fixture(scope="module")
def visitor(workspace: Path, watched: Watched) -> Visitor:
    """A visitor of that workspace, whose server counts."""
    return Visitor(workspace, watched)


def test_an_empty_home_teaches_the_first_command(tmp_path: Path) -> None:
    """There is one sentence, and the command that begins."""
    text = Visitor(tmp_path).get("/").text
    assert "There is no model yet." in text
    assert "brinery import model.pkl --name NAME --data test.csv" in text


def test_home_says_it_in_a_sentence(visitor: Visitor) -> None:
    """How many models are in production, and how many things need attention."""
    text = visitor.get("/").text
    assert "1 model in production; 1 thing needs attention." in text
    assert "turn 1 of the loop nightly failed" in text


def test_a_card_says_how_good_and_how_busy_a_champion_is(visitor: Visitor) -> None:
    """The figure with its name, what it is asked, since when, and where more is said."""
    text = visitor.get("/").text
    assert 'href="/models/m/versions/1"' in text
    assert "R²" in text
    assert "2.00 requests a second" in text or "2 requests a second" in text
    assert 'href="/endpoints/m"' in text
    assert "no gate was asked" in text or "decision" in text


@pytest.mark.parametrize("path", ["/", "/audit", "/audit?q=m", "/endpoints/m"])
def test_what_users_wrote_is_text(visitor: Visitor, path: str) -> None:
    """A reason with markup in it is shown, and is none."""
    text = visitor.get(path).text
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_the_trail_is_sorted_searched_and_downloaded(visitor: Visitor) -> None:
    """By its URL alone: newest first, every word found, and every row in the file."""
    shown = visitor.get("/audit").text
    assert shown.index(">promote") < shown.index(">import<")
    assert "Nothing matches." in visitor.get("/audit?q=nobody-wrote-this").text
    assert "1 to 1 of 1" in visitor.get("/audit?q=m%401+champion").text
    sheet = visitor.get("/audit?format=csv&per=1")
    assert sheet.headers["content-type"].startswith("text/csv")
    assert sheet.text.count("\r\n") == 1 + 3
    assert "import" in visitor.get("/audit?sort=at").text


def test_endpoints_are_listed_with_their_traffic(visitor: Visitor) -> None:
    """The version that answers, how often, how soon; as a file, too."""
    text = visitor.get("/endpoints").text
    assert 'href="/endpoints/m"' in text
    assert "answers" in text
    assert re.search(r">\s*60\s*<", text)
    assert visitor.get("/endpoints?format=csv").text.startswith("Endpoint,Version,State")
    assert "Nothing matches." in visitor.get("/endpoints?q=zzz").text


def test_an_endpoint_draws_its_traffic_and_tells_its_swaps(visitor: Visitor) -> None:
    """Three charts, an example that is the signature's, and who promoted what."""
    text = visitor.get("/endpoints/m").text
    assert text.count('data-figure="') == 3
    assert 'data-example="{&#34;x&#34;:' in text
    assert "promoted by" in text
    assert 'href="/docs/m"' in text


def test_an_endpoint_that_is_not_there_names_the_nearest(visitor: Visitor) -> None:
    """As the command line says it."""
    answer = visitor.get("/endpoints/mm")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert "there is no model &#39;mm&#39;" in answer.text


def test_settings_say_where_everything_is(tmp_path: Path) -> None:
    """The workspace, its databases, versions of libraries, and keys by name alone."""
    made, secret = create_key("laptop", workspace=tmp_path)
    text = Visitor(tmp_path).get("/settings").text
    assert str(tmp_path) in text
    assert "mlflow.db" in text
    assert "scikit-learn" in text
    assert made.name in text
    assert secret not in text
    assert made.sha256 not in text


def test_settings_try_the_sandbox(visitor: Visitor) -> None:
    """Each layer with whether it is in force, and what was tried."""
    text = visitor.get("/settings/sandbox").text
    assert "network" in text
    assert "things that were tried" in text
    assert "None was built" in visitor.get("/settings/environments").text


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    """Of the database, wherever it is."""
    (tmp_path / "brinery.toml").write_text('[store]\nartifacts = "/nowhere"\n', encoding="utf-8")
    assert "/nowhere" in Visitor(tmp_path).get("/settings").text


def test_what_the_trail_says_of_keys(tmp_path: Path) -> None:
    """Who created one, and who deleted it."""
    create_key("mobile", workspace=tmp_path)
    delete_key("mobile", workspace=tmp_path)
    changes = [entry.change for entry in open_rooms(tmp_path).audit.entries("key mobile")]
    assert changes == [Change.CREATE_KEY, Change.DELETE_KEY]
    assert "delete key" in Visitor(tmp_path).get("/audit").text
