"""Promote: what the gate passes becomes the champion, and every move is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.actions.steps import rooms_with

from brinery.actions.promote import PromoteAsked, overtaken, promote_in, promote_steps
from brinery.actions.rooms import Rooms
from brinery.errors import (
    ChampionChanged,
    NotFound,
    PromotionRefused,
    ReasonRequired,
    RegistryFault,
)
from brinery.records.audit import Change
from brinery.records.decision import Decision, DecisionData, Outcome
from brinery.records.event import Event
from brinery.records.version import Alias, Promotion, Stage, Version
from brinery.registry.memory import MemoryRegistry
from brinery.store.audit import MemoryAudit

NEVER = "strict"


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Three versions of `iris`; the default gate passes them all, the gate `strict` none."""
    return rooms_with(tmp_path, "iris", versions=3)


def promote(rooms: Rooms, reference: str, *, if_better: bool = False, **asked: Any) -> Promotion:
    """Return what was promoted."""
    return promote_in(rooms, PromoteAsked(reference=reference, **asked), if_better=if_better)


def aliases(rooms: Rooms) -> list[tuple[str, ...]]:
    """Return the aliases of the versions, the first version first."""
    return [version.aliases for version in reversed(rooms.registry.versions("iris"))]


def after(rooms: Rooms) -> list[str]:
    """Return what the audit trail says of aliases, oldest first."""
    entries = rooms.audit.entries("iris")
    return [entry.after for entry in entries if entry.change is not Change.IMPORT]


def test_champion_moves(rooms: Rooms) -> None:
    """A promotion says what it replaced, and the version shows its alias and stage."""
    first = promote(rooms, "iris@1")
    assert (first.previous, first.changed, first.version.stage) == (None, True, Stage.PRODUCTION)
    second = promote(rooms, "iris@2", why="better")
    assert (second.previous, second.version.aliases) == (1, ("champion",))
    assert after(rooms) == ["iris@1 champion", "iris@2 champion"]
    last = rooms.audit.entries("iris")[-1]
    assert (last.before, last.why, last.forced) == ("iris@1 champion", "better", False)


def test_the_champion_before_is_known(rooms: Rooms) -> None:
    """It has the alias `previous` and is archived, and so is who was it before."""
    for number in (1, 2, 3):
        promote(rooms, f"iris@{number}")
    assert aliases(rooms) == [(), ("previous",), ("champion",)]
    stages = [version.stage for version in reversed(rooms.registry.versions("iris"))]
    assert stages == [Stage.ARCHIVED, Stage.ARCHIVED, Stage.PRODUCTION]


def test_a_promotion_rests_on_a_decision(rooms: Rooms) -> None:
    """The decision is given back, kept, and named by the audit trail."""
    done = promote(rooms, "iris@1")
    assert done.decision is not None
    assert done.decision.outcome is Outcome.PASSES
    (kept,) = rooms.decisions.kept("iris")
    assert (kept.number, kept.decision) == (done.number, done.decision)
    assert kept.who == rooms.audit.entries("iris")[-1].who
    assert rooms.audit.entries("iris")[-1].decision == kept.number


def test_what_the_gate_does_not_pass_stays(rooms: Rooms) -> None:
    """It is an error with the next command; the decision is kept, and nothing else changes."""
    promote(rooms, "iris@1")
    before = rooms.registry.versions("iris")
    with pytest.raises(PromotionRefused, match="iris@2 is not promoted: it fails the") as raised:
        promote(rooms, "iris@2", gate=NEVER)
    assert raised.value.exit_status == 3
    assert "brinery promote iris@2 --force --reason" in raised.value.hint
    assert rooms.registry.versions("iris") == before
    assert after(rooms) == ["iris@1 champion"]
    assert [one.outcome for one in rooms.decisions.of("iris")] == [Outcome.PASSES, Outcome.FAILS]


def test_for_scripts_it_is_no_error(rooms: Rooms) -> None:
    """With `if_better` what the gate does not pass is told as it is."""
    done = promote(rooms, "iris@1", gate=NEVER, if_better=True)
    assert (done.refused, done.changed, done.forced) == (True, False, False)
    assert done.decision is not None
    assert not done.decision.passes
    assert aliases(rooms) == [(), (), ()]


def test_forced_with_a_reason(rooms: Rooms) -> None:
    """What is forced is promoted, and marked where it is kept and in the audit trail."""
    done = promote(rooms, "iris@1", gate=NEVER, force=True, why="the old one is wrong")
    assert (done.changed, done.forced, done.refused) == (True, True, False)
    (kept,) = rooms.decisions.of("iris")
    assert (kept.forced, kept.reason, kept.passes) == (True, "the old one is wrong", False)
    assert rooms.audit.entries("iris")[-1].forced


def test_nothing_is_forced_where_the_gate_passes(rooms: Rooms) -> None:
    """What passes anyway is promoted as any other, with the reason that was given."""
    done = promote(rooms, "iris@1", force=True, why="in a hurry")
    assert (done.changed, done.forced) == (True, False)
    assert (rooms.audit.entries("iris")[-1].forced, done.why) == (False, "in a hurry")


@pytest.mark.parametrize("why", ["", "  "])
def test_force_needs_a_reason(rooms: Rooms, why: str) -> None:
    """Without one nothing is judged and nothing changes."""
    with pytest.raises(ReasonRequired) as raised:
        promote(rooms, "iris@1", force=True, why=why)
    assert "--reason" in raised.value.hint
    assert rooms.decisions.of("iris") == []


def test_promoting_again_changes_nothing(rooms: Rooms) -> None:
    """Promoting the champion again is no change, no decision and no row of the audit trail."""
    promote(rooms, "iris@1")
    before = rooms.audit.entries(), rooms.decisions.of("iris")
    done = promote(rooms, "iris@champion", gate=NEVER)
    assert (done.changed, done.refused, done.decision) == (False, False, None)
    assert (rooms.audit.entries(), rooms.decisions.of("iris")) == before


def test_a_bare_name_means_its_newest(rooms: Rooms) -> None:
    """`promote iris` promotes the newest version, not the champion again."""
    promote(rooms, "iris@1")
    assert promote(rooms, "iris").version.number == 3


def test_moves_by_others_are_noted(rooms: Rooms) -> None:
    """An alias that another program moved is written down before the next promotion."""
    promote(rooms, "iris@1")
    rooms.registry.set_alias("iris", 2, alias=Alias.CHAMPION)
    promote(rooms, "iris@1")
    moves = [(e.before, e.after, e.why) for e in rooms.audit.entries("iris")][-2:]
    assert moves == [
        ("iris@1 champion", "iris@2 champion", "by another program"),
        ("iris@2 champion", "iris@1 champion", ""),
    ]
    assert aliases(rooms) == [("champion",), ("previous",), ()]


def test_challenger_beside_champion(rooms: Rooms) -> None:
    """The challenger is an alias of its own, is Staging to older clients, and needs no gate."""
    promote(rooms, "iris@1")
    done = promote(rooms, "iris@2", alias=Alias.CHALLENGER)
    assert (done.version.stage, done.decision) == (Stage.STAGING, None)
    assert aliases(rooms)[:2] == [("champion",), ("challenger",)]
    assert len(rooms.decisions.of("iris")) == 1


def test_nothing_to_promote(rooms: Rooms) -> None:
    """A model that is not there is refused with the command that makes one."""
    with pytest.raises(NotFound) as raised:
        promote(replace(rooms, registry=MemoryRegistry(Path())), "iris@1")
    assert "brinery import" in raised.value.hint


def test_what_a_killed_promotion_meant_is_kept(rooms: Rooms) -> None:
    """A promotion killed after the alias moved is written down with its own reason."""
    promote(rooms, "iris@1")
    meant = rooms.entry(Change.PROMOTE, "iris", after="iris@2 champion", why="better")
    rooms.audit.begin(meant)
    rooms.registry.set_alias("iris", 2, alias=Alias.CHAMPION)
    promote(rooms, "iris@1")
    assert [(e.after, e.why) for e in rooms.audit.entries("iris")][-2:] == [
        ("iris@2 champion", "better"),
        ("iris@1 champion", ""),
    ]


def test_a_promotion_that_never_happened_is_not_shown(rooms: Rooms) -> None:
    """A promotion killed before the alias moved is settled as not done."""
    rooms.audit.begin(rooms.entry(Change.PROMOTE, "iris", after="iris@2 champion"))
    promote(rooms, "iris@1")
    assert after(rooms) == ["iris@1 champion"]
    assert rooms.audit.open_entries("iris") == []


class BrokenRegistry(MemoryRegistry):
    """A registry whose aliases cannot be moved."""

    def set_alias(self, name: str, number: int, *, alias: Alias) -> None:
        """Fail as a registry does that cannot be written."""
        raise RegistryFault(f"{name}@{number} {alias}")


def test_a_failed_promotion_changes_nothing(rooms: Rooms, tmp_path: Path) -> None:
    """A promotion that the registry refuses is raised, and leaves no row and nothing open."""
    broken = BrokenRegistry(tmp_path)
    broken.__dict__.update(rooms.registry.__dict__)
    inside = replace(rooms, registry=broken)
    with pytest.raises(RegistryFault):
        promote(inside, "iris@1")
    assert after(rooms) == []
    assert rooms.audit.open_entries("iris") == []


def test_a_version_without_a_row_gets_one(rooms: Rooms) -> None:
    """A version whose import was killed before its row was written gets it at the next change."""
    forgetful = replace(rooms, audit=MemoryAudit())
    promote(forgetful, "iris@1")
    entries = forgetful.audit.entries("iris")
    assert [e.after for e in entries] == ["iris@1", "iris@2", "iris@3", "iris@1 champion"]
    assert entries[0].why == "found in the registry"


def judged_while(rooms: Rooms, reference: str, *, happens: Any, **asked: Any) -> Promotion:
    """Return what was promoted, where something happens as soon as its judging has begun."""
    steps = promote_steps(rooms, PromoteAsked(reference=reference, **asked))
    events: list[Event] = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            done: Promotion = end.value
            return done
        if len(events) == 1:
            happens()


@pytest.mark.parametrize("forced", [False, True])
def test_one_of_two_wins_and_the_other_is_told(rooms: Rooms, *, forced: bool) -> None:
    """A champion that came while another was judged stays; the other is told who and what now."""
    promote(rooms, "iris@1")
    asked = {"gate": NEVER, "force": True, "why": "now"} if forced else {}
    with pytest.raises(ChampionChanged, match="iris@2 was made the champion by") as it:
        judged_while(rooms, "iris@3", happens=lambda: promote(rooms, "iris@2"), **asked)
    assert "in place of iris@1" in it.value.message
    assert it.value.hint.startswith("brinery promote iris@3")
    assert aliases(rooms) == [("previous",), ("champion",), ()]
    assert after(rooms) == ["iris@1 champion", "iris@2 champion"]
    # It was a look at the data all the same, and promoted nothing.
    assert [(one.reference, one.forced) for one in rooms.decisions.of("iris")][-1] == (
        "iris@3",
        False,
    )


def test_what_does_not_pass_is_refused_whoever_is_the_champion(rooms: Rooms) -> None:
    """A version that the gate does not pass was not overtaken by anybody."""
    promote(rooms, "iris@1")
    done = judged_while(rooms, "iris@3", happens=lambda: promote(rooms, "iris@2"), gate=NEVER)
    assert (done.refused, done.previous) == (True, 2)


def test_two_who_want_the_same_agree(rooms: Rooms) -> None:
    """Who comes second with the same version finds it done."""
    done = judged_while(rooms, "iris@2", happens=lambda: promote(rooms, "iris@2"))
    assert (done.changed, done.version.aliases) == (False, ("champion",))
    assert after(rooms) == ["iris@2 champion"]


def test_a_champion_that_was_replaced_meanwhile_is_not_taken_back(
    rooms: Rooms, tmp_path: Path
) -> None:
    """Promoting the champion of a moment ago is told that it is not any more."""

    class Late(MemoryRegistry):
        """A registry in which another program moves the alias once the champion was asked for."""

        asked = 0

        def versions(self, name: str) -> list[Version]:
            """Return what was there before the other program moved the alias."""
            found = super().versions(name)
            self.asked += 1
            if self.asked == 1:
                super().set_alias(name, 2, alias=Alias.CHAMPION)
            return found

    promote(rooms, "iris@1")
    late = Late(tmp_path)
    late.__dict__.update(rooms.registry.__dict__)
    with pytest.raises(ChampionChanged, match="iris@2 was made the champion meanwhile"):
        promote(replace(rooms, registry=late), "iris@1")
    assert aliases(replace(rooms, registry=late)) == [("previous",), ("champion",), ()]


DATA = DecisionData(name="test.csv", rows=100, sha256="a" * 64)


def look(question: str, *, data: DecisionData | None = DATA, looks: int = 1) -> Decision:
    """Return a decision that somebody made."""
    return Decision(
        reference="iris@2",
        champion="iris@1",
        gate="default",
        created=datetime(2026, 11, 22, tzinfo=UTC),
        data=data,
        rules=(),
        outcome=Outcome.PASSES,
        looks=looks,
        question=question,
    )


def test_two_do_not_take_the_same_look() -> None:
    """A decision is made anew where another look at its rows was kept since it was counted."""
    ours = look("a")
    assert overtaken(ours, [look("b")])
    assert not overtaken(ours, [])
    assert not overtaken(ours, [look("a")])  # the same question has the same answer
    others = DecisionData(name="other.csv", rows=100, sha256="b" * 64)
    assert not overtaken(ours, [look("b", data=others), look("b", data=None, looks=0)])
    assert not overtaken(look("a", data=None, looks=0), [look("b")])
