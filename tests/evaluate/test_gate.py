"""The gate: what each rule comes to, and what a whole gate does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from brinery.evaluate.duel import Duel, Side
from brinery.evaluate.gate import Facts, Found, judge, needs_latency, needs_rows, schema_found
from brinery.evaluate.latency import Latency, latency
from brinery.records.decision import Decision, DecisionData, Outcome, RuleResult, SchemaChange
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.specs.changes import ChangeKind
from brinery.specs.gate_rules import Rule
from brinery.specs.gates import BUILT_IN, Gate, Requirement

RANDOM = np.random.default_rng(7)
ROWS = 1200
NOW = datetime(2026, 11, 22, tzinfo=UTC)
DATA = DecisionData(name="test.csv", rows=ROWS, sha256="aa")
PASSES, FAILS, UNTOLD = Outcome.PASSES, Outcome.FAILS, Outcome.NOT_DECIDABLE


def sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))


def answers(chances: Any) -> Scores:
    return Scores((chances >= 0.5).astype(int), np.column_stack((1 - chances, chances)), (0, 1))


def duel(*, champion: float | None, candidate: float, harmed: str = "", rows: int = ROWS) -> Duel:
    """Two binary models that see the truth through noise; one group of rows may be harmed."""
    signal = RANDOM.normal(size=rows)
    actual = (RANDOM.random(rows) < sigmoid(2 * signal)).astype(int)
    job = RANDOM.choice(np.array(["clerk", "nurse", "pilot"]), rows)
    seen = sigmoid(2 * (signal + candidate * RANDOM.normal(size=rows)))
    seen = np.where((job == harmed) & (RANDOM.random(rows) < 0.6), 0.01, seen)
    before = None
    if champion is not None:
        before = answers(sigmoid(2 * (signal + champion * RANDOM.normal(size=rows))))
    return Duel(
        PredictionType.BINARY,
        actual,
        candidate=Side(name="bank@2", scores=answers(seen), classes=(0, 1)),
        champion=None if before is None else Side(name="bank@1", scores=before, classes=(0, 1)),
        inputs=pa.table({"signal": signal, "job": job}),
    )


def facts(found: Duel | str, *, champion: str | None = "bank@1", **others: Any) -> Facts:
    given: dict[str, Any] = {"latency": "nothing was timed", "requirements": {}, **others}
    return Facts(reference="bank@2", champion=champion, created=NOW, data=DATA, duel=found, **given)


def ruled(found: Duel | str, *, champion: str | None = "bank@1", **rule: Any) -> RuleResult:
    """What becomes of one rule."""
    decision = judge(Gate(name="x", rule=(Rule(**rule),)), facts(found, champion=champion))
    assert decision.outcome is decision.rules[0].outcome
    return decision.rules[0]


VERSUS: dict[str, Any] = {"metric": "roc_auc", "versus": "champion"}
GROUPS: dict[str, Any] = {"metric": "recall", "subpopulations": ["job"], "max_drop": 0.05}


@pytest.mark.parametrize(
    ("rule", "champion", "candidate", "outcome"),
    [
        (VERSUS, 1.5, 0.5, PASSES),
        (VERSUS, 0.5, 0.5, FAILS),
        (VERSUS, 0.5, 1.5, FAILS),
        ({**VERSUS, "better_by": 0.05}, 1.5, 0.5, PASSES),
        ({**VERSUS, "better_by": 0.3}, 1.5, 0.5, FAILS),
        ({**VERSUS, "non_inferiority": 0.1}, 0.5, 0.5, PASSES),
        ({**VERSUS, "non_inferiority": 0.01}, 0.5, 1.0, FAILS),
        ({**VERSUS, "metric": "headline"}, 1.5, 0.5, PASSES),
        ({**VERSUS, "metric": "log_loss"}, 1.5, 0.5, PASSES),
        ({**VERSUS, "metric": "brier"}, 0.5, 1.5, FAILS),
        ({**VERSUS, "metric": "accuracy"}, 1.5, 0.5, PASSES),
        ({**VERSUS, "metric": "recall", "at_threshold": 0.4}, 2.0, 0.3, PASSES),
        ({**VERSUS, "metric": "f0.5", "where": "signal > 0"}, 2.0, 0.3, PASSES),
        ({**VERSUS, "where": "signal > 90"}, 1.5, 0.5, UNTOLD),
        ({**VERSUS, "where": "sgnal > 0"}, 1.5, 0.5, UNTOLD),
        ({**VERSUS, "metric": "r2"}, 1.5, 0.5, UNTOLD),
        ({**VERSUS, "min_rows": ROWS + 1}, 1.5, 0.5, UNTOLD),
        ({"metric": "roc_auc", "at_least": 0.7}, 1.5, 0.5, PASSES),
        ({"metric": "roc_auc", "at_least": 0.95}, 1.5, 0.5, FAILS),
        ({"metric": "roc_auc", "at_least": 0.7, "confidence": 0.99}, 1.5, 0.5, PASSES),
        ({"metric": "accuracy", "at_least": 0.75, "confidence": 0.999}, 1.5, 0.5, FAILS),
        ({"metric": "log_loss", "at_most": 0.6, "confidence": 0.95}, 1.5, 0.5, PASSES),
        ({"metric": "specificity", "at_least": 0.6, "at_most": 0.9}, 1.5, 0.5, PASSES),
        ({"metric": "specificity", "at_most": 0.1, "confidence": 0.9}, 1.5, 0.5, FAILS),
        ({"metric": "f1_best", "at_least": 0.6}, 1.5, 0.5, PASSES),
        ({"metric": "mae", "at_most": 0.6}, 1.5, 0.5, UNTOLD),
        (GROUPS, 1.0, 0.5, PASSES),
        ({**GROUPS, "confidence": 0.95}, 1.5, 0.3, PASSES),
        ({**GROUPS, "max_drop": 0.01, "confidence": 0.95}, 0.5, 0.5, FAILS),
        ({**GROUPS, "subpopulations": ["jbo"]}, 1.0, 0.5, UNTOLD),
        ({**GROUPS, "min_rows": ROWS}, 1.0, 0.5, UNTOLD),
        ({"latency_p99_ms": 5}, 1.0, 0.5, UNTOLD),
    ],
    ids=str,
)
def test_a_rule(rule: dict[str, Any], champion: float, candidate: float, outcome: Outcome) -> None:
    """Each kind of rule passes, fails, or is not decidable, and says why in plain words."""
    found = ruled(duel(champion=champion, candidate=candidate), **rule)
    assert found.outcome is outcome, found.why
    assert found.why


def test_the_figures_of_a_comparison() -> None:
    """A rule against the champion has both figures, their difference and its interval."""
    found = ruled(duel(champion=1.5, candidate=0.5), **VERSUS)
    assert found.champion is not None
    assert found.candidate is not None
    assert found.difference is not None
    assert found.difference.interval is not None
    assert found.difference.value == pytest.approx(found.candidate - found.champion)
    assert found.difference.interval.low > 0
    assert found.p_value is not None
    assert found.level is not None
    assert found.p_value < 1 - found.level
    assert (found.test, found.rows, found.bound) == ("DeLong", ROWS, 0.0)


def test_a_harmed_group_fails() -> None:
    """A model that is better on the whole and worse in a group is held by the group's rule."""
    better = duel(champion=2.0, candidate=0.3, harmed="nurse")
    assert ruled(better, **VERSUS).outcome is PASSES
    found = ruled(better, **GROUPS)
    assert found.outcome is FAILS
    assert 'job == "nurse"' in found.why
    assert 'job == "pilot"' not in found.why


def test_without_a_champion_only_bounds_apply() -> None:
    """Rules against the champion pass where there is none, and say so; bounds still hold."""
    first = duel(champion=None, candidate=0.5)
    rules: list[dict[str, Any]] = [VERSUS, GROUPS, {"max_ratio": 2, "versus": "champion"}]
    for rule in rules:
        found = ruled(first, champion=None, **rule)
        assert (found.outcome, found.why) == (PASSES, "there is no champion yet")
    assert ruled(first, champion=None, metric="roc_auc", at_least=0.7).outcome is PASSES
    assert ruled(first, champion=None, metric="roc_auc", at_least=0.99).outcome is FAILS


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ({"latency_p99_ms": 5}, PASSES),
        ({"latency_p99_ms": 1}, FAILS),
        ({"max_ratio": 1.5, "versus": "champion"}, FAILS),
        ({"max_ratio": 2.5, "versus": "champion"}, PASSES),
        ({"latency_p99_ms": 5, "max_ratio": 1.5, "versus": "champion"}, FAILS),
    ],
    ids=str,
)
def test_latency(rule: dict[str, Any], outcome: Outcome) -> None:
    """A version that takes twice the champion's two milliseconds is held to both bounds."""
    measured = Latency(candidate=4, champion=2, ratio=2, rows=1000, rounds=5)
    decision = judge(Gate(name="x", rule=(Rule(**rule),)), facts("", latency=measured))
    assert decision.outcome is outcome
    assert decision.looks == 0


def test_latencies_are_the_middle_of_rounds() -> None:
    """A pause of the machine in one round does not decide, and few rows are not told of."""
    calm = np.full((5, 200), 0.001)
    paused = calm.copy()
    paused[2, :20] = 1.0
    found = latency(paused, calm)
    assert isinstance(found, Latency)
    assert found.candidate == pytest.approx(1.0)
    assert (found.ratio, found.rows) == (1.0, 1000)
    assert isinstance(latency(calm[:, :50], None), str)


def decided(**outcomes: Outcome) -> Decision:
    found = {
        Requirement(name.replace("_", "-")): Found(outcome, "so it is")
        for name, outcome in outcomes.items()
    }
    gate = Gate(name="x", require=tuple(found))
    return judge(gate, facts("no rows", requirements=found))


def test_only_a_gate_whose_every_rule_passes_does() -> None:
    """One rule that fails makes the gate fail; one that is not decidable keeps it from passing."""
    assert decided(parity=PASSES, report=PASSES).passes
    assert decided(parity=UNTOLD, report=PASSES).outcome is UNTOLD
    assert decided(parity=UNTOLD, report=FAILS).outcome is FAILS
    assert decided(parity=PASSES, report=FAILS).verdict == "fails the gate x: report: so it is"


def test_what_nobody_looked_for_is_not_decidable() -> None:
    """A requirement of which nothing was found out does not pass."""
    gate = Gate(name="x", require=(Requirement.PARITY,))
    assert judge(gate, facts("no rows")).outcome is UNTOLD


@pytest.mark.parametrize(
    ("allow", "outcome"),
    [((), FAILS), (("removed-class maybe",), PASSES), (("removed-class *",), PASSES)],
    ids=str,
)
def test_changes_of_the_schema_block_unless_allowed(
    allow: tuple[str, ...], outcome: Outcome
) -> None:
    """A class that is gone blocks, is named, and passes where the gate allows it by name."""
    change = SchemaChange(
        kind=ChangeKind.REMOVED_CLASS, name="maybe", breaks=True, why="class 'maybe' is gone"
    )
    gate = Gate(name="x", require=(Requirement.SCHEMA_COMPATIBLE,), allow=allow)
    found = schema_found((change,), gate)
    assert found.outcome is outcome
    assert "maybe" in found.why
    assert found.changes[0].allowed is (outcome is PASSES)


def test_no_rows_are_not_decidable() -> None:
    """Without rows to judge on, a rule about figures is not decidable, for the reason given."""
    found = ruled("name the rows with --data FILE", **VERSUS)
    assert (found.outcome, found.why) == (UNTOLD, "name the rows with --data FILE")


def test_a_later_look_asks_for_more() -> None:
    """A difference that passes at the first look may not be enough at a later one."""
    even = duel(champion=0.75, candidate=0.5)
    levels: list[float] = []
    for look in (1, 2, 40):
        decision = judge(BUILT_IN, facts(even, look=look))
        levels.append(decision.level or 0.0)
        assert decision.looks == look
        assert f"look {look} at the 1,200 rows of test.csv" in decision.wear
    assert levels == sorted(levels)
    assert "fresh rows" in decision.wear
    assert decision.rules[-1].outcome is FAILS


def test_a_gate_without_a_test_is_no_look() -> None:
    """A bound on the measured figure spends nothing of what the rows can bear."""
    gate = Gate(name="x", rule=(Rule(metric="roc_auc", at_least=0.5),))
    decision = judge(gate, facts(duel(champion=1.0, candidate=0.5), look=3))
    assert (decision.looks, decision.level) == (0, None)
    assert "no look" in decision.wear


def test_what_a_gate_needs() -> None:
    """Rows are asked about only where a rule needs them, and timed only where one is of latency."""
    versus, own = Gate(name="x", rule=(Rule(**VERSUS),)), Gate(name="x", require=("report",))
    assert needs_rows(versus, champion=True)
    assert not needs_rows(versus, champion=False)
    assert not needs_rows(own, champion=True)
    assert needs_latency(Gate(name="x", rule=(Rule(latency_p99_ms=5),)))
    assert not needs_latency(versus)


def test_a_decision_goes_through_json() -> None:
    """A decision is the same after it was written as JSON and read again."""
    decision = judge(BUILT_IN, facts(duel(champion=1.0, candidate=0.5)))
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision
    assert (decision.model, decision.champion) == ("bank", "bank@1")
