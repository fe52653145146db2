"""How the error is spent over looks, and what is a look."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from brinery.evaluate import spending
from brinery.records.decision import Decision, DecisionData, Outcome

DATA = DecisionData(name="test.csv", rows=800, sha256="aa")


def decided(question: str, *, looks: int, sha256: str = "aa") -> Decision:
    return Decision(
        reference="bank@2",
        champion="bank@1",
        gate="default",
        created=datetime(2026, 11, 22, tzinfo=UTC),
        data=DecisionData(name="test.csv", rows=800, sha256=sha256),
        rules=(),
        outcome=Outcome.FAILS,
        looks=looks,
        question=question,
    )


def test_all_looks_together_err_no_more_than_was_asked() -> None:
    """However many looks follow, what they may err sums to the whole error and no more."""
    assert spending.spent(100_000) == pytest.approx(1, abs=1e-4)
    assert spending.spent(100_000) < 1
    assert spending.spent(0) == 0
    levels = [spending.level(0.95, look) for look in range(1, 50)]
    assert levels == sorted(levels)
    assert sum(1 - level for level in levels) == pytest.approx(0.05 * spending.spent(49))


def test_what_is_a_look() -> None:
    """Each question that was tested on the rows is a look; others, and the same again, are none."""
    earlier = [
        decided("one", looks=1),
        decided("one", looks=1),
        decided("two", looks=2),
        decided("other rows", looks=1, sha256="bb"),
        decided("not tested", looks=0),
    ]
    assert spending.look_at(DATA, "one", earlier=[]) == 1
    assert spending.look_at(DATA, "three", earlier=earlier) == 3
    assert spending.look_at(DATA, "one", earlier=earlier) == 1
    assert spending.look_at(DATA, "two", earlier=earlier) == 2
    assert spending.look_at(DATA, "not tested", earlier=earlier) == 3


def test_rows_in_another_order_are_the_same_rows() -> None:
    """They are known by what they hold; records without that are known by the file's content."""
    mixed = DecisionData(name="mixed.csv", rows=800, sha256="cc", rows_sha256="rr")
    kept = [
        replace(decided("one", looks=1), data=replace(DATA, rows_sha256="rr")),
        replace(decided("two", looks=2), data=replace(DATA, rows_sha256="rr")),
        replace(decided("old", looks=1, sha256="dd")),
    ]
    assert spending.look_at(mixed, "three", earlier=kept) == 3
    assert spending.look_at(replace(mixed, rows_sha256=""), "three", earlier=kept) == 1
    assert spending.look_at(replace(mixed, sha256="dd"), "three", earlier=kept[2:]) == 2


def test_how_worn_rows_are() -> None:
    """The sentence says which look it was, what is spent, and asks for fresh rows in time."""
    assert spending.wear(DATA, 0, confidence=0.95).startswith("nothing was tested on the 800 rows")
    first = spending.wear(DATA, 1, confidence=0.95)
    assert first == (
        "look 1 at the 800 rows of test.csv: 61 % of the 5 % chance of ever passing a model that "
        "is no better is spent, and this look asked for 97 % instead of 95 %"
    )
    fifth = spending.wear(DATA, 5, confidence=0.95)
    assert "89 %" in fifth
    assert "asked for 99.88 % instead of 95" in fifth
    assert fifth.endswith("fresh rows ask for less: --data FILE")
