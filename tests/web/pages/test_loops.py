"""The pages of loops and gates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from tests.web.pages.conftest import Visitor

from brinery.actions.rooms import open_rooms
from brinery.records.decision import Decision, Outcome, RuleResult
from brinery.records.turn import Ending, Phase, StageRun, State, Trigger, Turn

HOSTILE = "<img src=x onerror=alert(1)>\"'>"


@pytest.fixture
def loops(tmp_path: Path) -> Visitor:
    """A visitor of a workspace whose loop `weekly` had four turns, the last of which goes on."""
    rooms = open_rooms(tmp_path)
    rooms.workspace.prepare()
    start = datetime.now(UTC) - timedelta(days=20)
    for week, ending in enumerate((Ending.PROMOTED, Ending.FAILED, Ending.KEPT, None), start=1):
        begun = start + timedelta(days=week)
        turn = rooms.turns.begin(
            Turn(loop="weekly", model="bank", trigger=Trigger.CRON, started=begun)
        )
        trained = StageRun(
            phase=Phase.TRAIN,
            state=State.DONE,
            started=begun,
            ended=begun + timedelta(seconds=42),
            note=HOSTILE,
        )
        rooms.turns.keep(
            replace(
                turn.with_stage(trained),
                version=week,
                champion=1,
                ending=ending,
                ended=None if ending is None else begun + timedelta(minutes=4),
                error=f"train-failed: {HOSTILE}" if ending is Ending.FAILED else "",
                decision=judged(week) if ending in (Ending.PROMOTED, Ending.KEPT) else None,
            )
        )
    return Visitor(tmp_path)


def judged(week: int) -> Decision:
    """Return what a gate decided of a week's version."""
    return Decision(
        reference=f"bank@{week}",
        champion="bank@1",
        gate="default",
        created=datetime.now(UTC),
        data=None,
        rules=(
            RuleResult(
                rule="roc_auc better than the champion's",
                outcome=Outcome.FAILS if week > 1 else Outcome.PASSES,
                why="-0.01, and at least 0 is asked",
                champion=0.8,
                candidate=0.8 + week / 100,
            ),
        ),
        outcome=Outcome.FAILS if week > 1 else Outcome.PASSES,
    )


def test_no_loop_yet(visitor: Visitor) -> None:
    """The first command is told."""
    assert "brinery loop run loop.yml" in visitor.get("/loops").text


def test_every_loop_is_listed(loops: Visitor) -> None:
    """With its turns, how the last one ended, and its model; as a file, too."""
    page = loops.get("/loops").text
    assert 'href="/loops/weekly"' in page
    assert "going on" in page
    assert loops.get("/loops?format=csv").text.splitlines()[1].startswith("weekly,bank,4,going on")
    assert "Nothing matches." in loops.get("/loops?q=other").text


def test_the_story_of_a_loop(loops: Visitor) -> None:
    """Its turns stand there with stages, reasons, versions and whom they were held against."""
    page = loops.get("/loops/weekly").text
    assert "Turn 4" in loops.get("/loops/weekly?page=9").text
    assert page.index("Turn 4") < page.index("Turn 1")
    assert "train: done" in page
    assert "42 s" in page
    assert "-0.01, and at least 0 is asked" in page
    assert 'href="/models/bank/versions/3"' in page
    assert 'href="/compare?versions=bank%403&amp;versions=bank%401"' in page
    assert HOSTILE not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize("name", ["none", "loop.yml", "..%2F..%2Fetc%2Floop.yml"])
def test_a_loop_that_is_none(loops: Visitor, name: str) -> None:
    """It is not found, and no file is read for it."""
    assert loops.get(f"/loops/{name}").status_code == httpx.codes.NOT_FOUND


def test_gates_in_words(tmp_path: Path) -> None:
    """What brinery.toml declares is told rule by rule; a path is no gate."""
    (tmp_path / "brinery.toml").write_text(
        '[gates.strict]\nrequire = ["parity"]\n[[gates.strict.rule]]\nlatency_p99_ms = 5\n'
    )
    visitor = Visitor(tmp_path)
    assert 'href="/gates/strict"' in visitor.get("/gates").text
    page = visitor.get("/gates/strict").text
    assert "p99 latency of one row at most 5 ms" in page
    assert "The registered model answers exactly as the file that was imported." in page
    (tmp_path / "other.toml").write_text("[gates.default]\n")
    missing = visitor.get("/gates/other.toml")
    assert missing.status_code == httpx.codes.NOT_FOUND
    assert "there is no gate &#39;other.toml&#39;" in missing.text
    assert "there are default, strict: brinery gate show" in missing.text
