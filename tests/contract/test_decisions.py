"""What every store of decisions does; run against the fake and against databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from brinery.records.decision import Decision, DecisionData, Outcome, RuleResult
from brinery.store.decisions import Decisions, MemoryDecisions, StoredDecisions
from brinery.store.decisions_database import SqlDecisions

DATA = "d" * 64


def decision(reference: str, question: str, *, data: str | None = DATA, looks: int = 1) -> Decision:
    """Return a decision with something in every field."""
    return Decision(
        reference=reference,
        champion="bank@1",
        gate="default",
        created=datetime(2026, 11, 22, 6, 1, 2, 345678, tzinfo=UTC),
        data=DecisionData(name="tést.csv", rows=1000, sha256=data) if data else None,
        rules=(
            RuleResult(
                rule="roc_auc is better than the champion's",
                outcome=Outcome.FAILS,
                why="0.70 is less than 0.71",
                champion=0.71,
                candidate=0.7,
                level=0.95,
                rows=1000,
            ),
        ),
        outcome=Outcome.FAILS,
        looks=looks,
        level=0.97,
        wear="look 1",
        question=question,
        forced=True,
        reason="bécause",
    )


@pytest.fixture(
    params=["memory", "sqlite", "late", pytest.param("postgres", marks=pytest.mark.slow)]
)
def decisions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Decisions]:
    """Each implementation, empty."""
    if request.param == "memory":
        yield MemoryDecisions()
        return
    uri = f"sqlite:///{tmp_path / 'brinery.db'}"
    if request.param == "late":
        yield StoredDecisions(uri)
        return
    if request.param == "postgres":
        uri = request.getfixturevalue("postgres").database()
        uri = uri.replace("postgresql://", "postgresql+psycopg://")
    kept = SqlDecisions(uri)
    yield kept
    kept.close()


def test_decisions_come_back_as_they_were(decisions: Decisions) -> None:
    """Decisions are given back whole, oldest first, with who asked and their numbers."""
    written = [decision("bank@2", "a"), decision("bank@3", "b", data=None), decision("iris@1", "c")]
    numbers = [decisions.add(one, who="ada") for one in written]
    assert len(set(numbers)) == 3
    assert decisions.of("bank") == written[:2]
    assert decisions.of("none") == []
    kept = decisions.kept("bank")
    assert [(one.number, one.who, one.decision) for one in kept] == [
        (numbers[0], "ada", written[0]),
        (numbers[1], "ada", written[1]),
    ]


def test_what_is_refused_now(decisions: Decisions) -> None:
    """The newest decision on each model counts: passed since, or forced, is refused no more."""
    refused = [replace(decision(f"{name}@2", name), forced=False) for name in ("bank", "iris", "x")]
    for one in refused:
        decisions.add(one)
    decisions.add(replace(decision("iris@3", "later"), outcome=Outcome.PASSES))
    decisions.add(decision("x@2", "forced"))
    assert [one.decision for one in decisions.refused(most=5)] == [refused[0]]
    decisions.add(replace(decision("iris@4", "again"), forced=False))
    assert [one.decision.reference for one in decisions.refused(most=1)] == ["iris@4"]
    latest = decisions.latest(["bank", "iris", "none"])
    assert {name: one.decision.reference for name, one in latest.items()} == {
        "bank": "bank@2",
        "iris": "iris@4",
    }
