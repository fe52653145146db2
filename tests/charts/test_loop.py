"""The page of a loop: every turn is told, and what it was judged by is drawn."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.charts.test_report import text_of

from brinery.charts import loop
from brinery.records.decision import Decision, Outcome, RuleResult
from brinery.records.turn import Ending, Lineage, NewFile, Trigger, Turn

BEGUN = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOSTILE = "<script>alert('turn')</script>"


def turn(number: int, ending: Ending, **said: Any) -> Turn:
    """Return a turn of a week, as it was kept when it ended."""
    return Turn(
        loop="bank-weekly",
        model="bank",
        trigger=Trigger.CRON,
        number=number,
        started=BEGUN + timedelta(weeks=number),
        ended=BEGUN + timedelta(weeks=number, minutes=2),
        ending=ending,
        **said,
    )


def judged(number: int, figure: float, *, champion: tuple[int, float] | None) -> Decision:
    """Return what a gate decided of a version, by one figure."""
    better = champion is None or figure > champion[1]
    rule = RuleResult(
        rule="roc_auc is not below the champion's",
        outcome=Outcome.PASSES if better else Outcome.FAILS,
        why=f"roc_auc is {figure}",
        candidate=figure,
        champion=champion and champion[1],
    )
    return Decision(
        reference=f"bank@{number}",
        champion=champion and f"bank@{champion[0]}",
        gate="default",
        created=BEGUN,
        data=None,
        rules=(rule,),
        outcome=rule.outcome,
    )


@pytest.fixture(scope="module")
def turns() -> list[Turn]:
    """A turn of each ending: the first is promoted, the second kept, the third promoted."""
    new = NewFile(path="incoming/3.csv", size_bytes=7, sha256="ab")
    second = judged(2, 0.7, champion=(1, 0.8))
    third = judged(3, 0.9, champion=(1, 0.79))
    return [
        turn(1, Ending.PROMOTED, version=1, champion=1, decision=judged(1, 0.81, champion=None)),
        turn(2, Ending.KEPT, version=2, champion=1, decision=second),
        turn(3, Ending.NOTHING_NEW, champion=1),
        turn(
            4,
            Ending.PROMOTED,
            version=3,
            champion=3,
            decision=third,
            lineage=Lineage(new_files=(new,), command="python train.py", model_sha256="c0ffee"),
        ),
        turn(5, Ending.FAILED, champion=3, error=f"training-failed: {HOSTILE}"),
    ]


def figures(page: str) -> dict[str, Any]:
    """Return what is drawn on a page, by name."""
    found = re.search(r'id="data-of-figures">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return {one["name"]: one for one in json.loads(found.group(1))}


def test_the_story_is_told_first(turns: list[Turn]) -> None:
    """How many turns there were, how they ended, and who is the champion now."""
    told = text_of(loop.render(turns))
    assert "5 turns from 2026-01-12 to 2026-02-09: 2 promoted, 1 kept" in told
    assert "After the last one: bank@3 is the champion." in told


def test_every_turn_is_a_row(turns: list[Turn]) -> None:
    """The newest first: when, by what, with which files, which version, how it ended, and why."""
    rows = [
        [
            re.sub(r"<.*?>", "", cell)
            for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", loop.render(turns), re.DOTALL)
    ]
    numbered = [row for row in rows if row and row[0].isdigit()]
    assert [row[0] for row in numbered] == ["5", "4", "3", "2", "1"]
    assert numbered[1][1:7] == ["2026-02-02 06:00", "cron", "1", "3", "promoted", "3"]
    assert numbered[3][4:7] == ["2", "kept", "1"]
    assert "roc_auc is 0.7" in numbered[3][7]


def test_the_figures_are_drawn_at_their_turns(turns: list[Turn]) -> None:
    """A dot for each version by how its turn ended, and a line for the champion before it."""
    traces = {one["name"]: one for one in figures(loop.render(turns))["rule-0"]["data"]}
    assert (traces["promoted"]["x"], traces["promoted"]["y"]) == ([1, 4], [0.81, 0.9])
    assert (traces["kept"]["x"], traces["kept"]["y"]) == ([2], [0.7])
    assert (traces["champion"]["x"], traces["champion"]["y"]) == ([2, 4], [0.8, 0.79])


def test_who_was_champion_is_a_stair(turns: list[Turn]) -> None:
    """The champion after each turn, drawn where there was more than one, else not."""
    (stair,) = figures(loop.render(turns))["champions"]["data"]
    assert (stair["x"], stair["y"]) == ([1, 2, 3, 4, 5], [1, 1, 1, 3, 3])
    assert "champions" not in figures(loop.render(turns[:2]))


def test_where_the_last_one_comes_from(turns: list[Turn]) -> None:
    """The lineage of the last turn: what was run, and what it left."""
    told = text_of(loop.render(turns[:4]))
    assert "python train.py" in told
    assert "c0ffee" in told


def test_what_a_training_said_is_text(turns: list[Turn]) -> None:
    """What failed is told above all and beside its turn, and is never markup."""
    page = loop.render(turns)
    assert HOSTILE not in page
    assert page.count("bank-weekly turn 5 failed") >= 1
