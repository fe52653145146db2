"""Judging real versions: what is gathered, what is a look, and what cannot be told."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from brinery.actions.gate import GateAsked, check_steps, decide_steps, explained
from brinery.actions.import_model import import_steps
from brinery.actions.progress import result_of
from brinery.actions.rooms import Rooms
from brinery.actions.submission import Submission
from brinery.errors import InvalidGate, NotFound, TargetMissing
from brinery.records.decision import Decision, Outcome, RuleResult
from brinery.records.version import Alias
from brinery.registry.memory import MemoryRegistry
from brinery.specs.gate_rules import Rule
from brinery.specs.gates import BUILT_IN, Gate, Requirement
from brinery.specs.settings import EvaluateSettings, Settings
from brinery.store.audit import MemoryAudit
from brinery.store.workspace import Workspace

RANDOM = np.random.default_rng(7)
ROWS = 600


def frame(rows: int) -> pd.DataFrame:
    """Rows of which only `clear` tells the target."""
    clear, vague = RANDOM.normal(size=(2, rows))
    actual = RANDOM.random(rows) < 1 / (1 + np.exp(-3 * clear))
    return pd.DataFrame(
        {"clear": clear, "vague": vague + 0.2 * clear, "y": np.where(actual, "yes", "no")}
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weak and a strong model of the same columns, their data, and fresh rows."""
    folder = tmp_path_factory.mktemp("files")
    train = frame(2000)
    for name, weight in (("weak", 0.0), ("strong", 1.0)):
        seen = train.assign(clear=train.clear * weight + RANDOM.normal(size=2000) * (1 - weight))
        model = make_pipeline(FunctionTransformer(), LogisticRegression())
        model.fit(seen.drop(columns="y"), seen.y)
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
    wide = LogisticRegression().fit(train.assign(more=1.0).drop(columns="y"), train.y)
    (folder / "wide.pkl").write_bytes(pickle.dumps(wide))
    for name in ("test", "fresh"):
        frame(ROWS).to_csv(folder / f"{name}.csv", index=False)
    frame(ROWS).assign(more=1.0).to_csv(folder / "wide.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def judged(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    """Rooms in which m@1, the weak one, is the champion, m@2 is strong, m@3 takes a column more."""
    folder = tmp_path_factory.mktemp("judged")
    rooms = Rooms(
        workspace=Workspace(folder),
        settings=Settings(evaluate=EvaluateSettings(at_import=False)),
        registry=MemoryRegistry(folder),
        audit=MemoryAudit(),
    )
    for model, data in (("weak", "test"), ("strong", "test"), ("wide", "wide")):
        asked = Submission(
            model=str(files / f"{model}.pkl"), name="m", data=files / f"{data}.csv", target="y"
        )
        result_of(import_steps(rooms, asked))
    rooms.registry.set_alias("m", 1, alias=Alias.CHAMPION)
    return rooms


def decided(rooms: Rooms, reference: str, **asked: Any) -> Decision:
    earlier = asked.pop("earlier", [])
    return result_of(decide_steps(rooms, GateAsked(reference=reference, **asked), earlier=earlier))


def with_gate(rooms: Rooms, *rules: Rule, require: tuple[Requirement, ...] = ()) -> Rooms:
    gate = Gate(name="default", rule=rules, require=require)
    return replace(rooms, settings=rooms.settings.model_copy(update={"gates": {"default": gate}}))


def rule(decision: Decision, name: str) -> RuleResult:
    return next(each for each in decision.rules if each.rule.startswith(name))


def test_a_better_version_passes(judged: Rooms) -> None:
    """On what it was evaluated on, wherever that lies, the strong one passes the built-in gate."""
    decision = decided(judged, "m@2")
    assert decision.outcome is Outcome.PASSES, decision.verdict
    assert (decision.reference, decision.champion, decision.gate) == ("m@2", "m@1", "default")
    assert decision.data is not None
    assert (decision.data.name, decision.data.rows) == ("test.csv", ROWS)
    assert rule(decision, "headline").test == "DeLong"
    assert decision.looks == 1


def test_a_worse_version_fails(judged: Rooms) -> None:
    """The weak one is refused where the strong one is the champion, and the reason is in words."""
    judged.registry.set_alias("m", 2, alias=Alias.CHAMPION)
    try:
        decision = decided(judged, "m@1")
    finally:
        judged.registry.set_alias("m", 1, alias=Alias.CHAMPION)
    assert decision.outcome is Outcome.FAILS
    assert "it is worse" in decision.verdict


def test_the_same_question_has_the_same_answer(judged: Rooms) -> None:
    """It is no further look; another version, champion, gate or seed is one."""
    first = decided(judged, "m@2")
    again = decided(judged, "m@2", earlier=[first])
    assert again.looks == 1
    assert again.rules == first.rules
    assert decided(judged, "m@2", earlier=[first], seed=1).looks == 2
    own = with_gate(judged, Rule(metric="recall", versus="champion"))
    assert decided(own, "m@2", earlier=[first]).looks == 2


def test_fresh_rows_are_not_worn(judged: Rooms, files: Path) -> None:
    """Looks are counted for each data by its content."""
    first = decided(judged, "m@2")
    fresh = decided(judged, "m@2", earlier=[first], data=files / "fresh.csv")
    assert fresh.looks == 1
    assert fresh.data is not None
    assert fresh.data.name == "fresh.csv"


def test_the_same_rows_in_another_order_are_worn(
    judged: Rooms, files: Path, tmp_path: Path
) -> None:
    """Other places of rows and columns, and another format, make no fresh rows; fewer rows do."""
    first = decided(judged, "m@2")
    rows = pd.read_csv(files / "test.csv")
    mixed = rows.sample(frac=1, random_state=3)[["y", "vague", "clear"]]
    mixed.to_parquet(tmp_path / "mixed.parquet")
    again = decided(judged, "m@2", earlier=[first], data=tmp_path / "mixed.parquet", target="y")
    assert again.looks == 2
    assert decided(judged, "m@2", earlier=[first], data=rows[:-1], target="y").looks == 1


def test_a_check_is_a_look(judged: Rooms, files: Path) -> None:
    """What is checked without being promoted is kept, and counts for the next question."""
    asked = GateAsked(reference="m@2", data=files / "fresh.csv")
    rooms = replace(judged, decisions=type(judged.decisions)())
    first = result_of(check_steps(rooms, asked))
    assert rooms.decisions.of("m") == [first]
    assert result_of(check_steps(rooms, replace(asked, seed=5))).looks == 2


def test_a_column_more_blocks(judged: Rooms, files: Path) -> None:
    """A version that requires a column more is refused by name, though it is better; or allowed."""
    decision = decided(judged, "m@3", data=files / "wide.csv")
    schema = rule(decision, "schema-compatible")
    assert schema.outcome is Outcome.FAILS
    assert "column 'more' is new and required" in schema.why
    assert [(each.kind.value, each.name) for each in schema.changes] == [("added-column", "more")]
    assert rule(decision, "headline").outcome is Outcome.PASSES
    (files / "gate.toml").write_text(
        'require = ["schema-compatible"]\nallow = ["added-column more"]\n'
    )
    assert decided(judged, "m@3", gate=str(files / "gate.toml")).passes


def test_latency_is_measured_in_turns(judged: Rooms) -> None:
    """A bound that nothing is above passes, one that nothing is below fails, with both figures."""
    slow = with_gate(judged, Rule(latency_p99_ms=10_000, versus="champion", max_ratio=1000))
    found = decided(slow, "m@2").rules[0]
    assert found.outcome is Outcome.PASSES
    assert found.champion is not None
    fast = with_gate(judged, Rule(latency_p99_ms=1e-6))
    assert decided(fast, "m@2").rules[0].outcome is Outcome.FAILS


def test_without_a_champion(judged: Rooms) -> None:
    """What nothing is to be held against takes no rows, and passes but for bounds of its own."""
    asked = GateAsked(reference="m@1")
    decision = result_of(decide_steps(judged, asked, earlier=[]))
    assert (decision.champion, decision.data, decision.outcome) == (None, None, Outcome.PASSES)
    assert rule(decision, "headline").why == "it is the champion itself"
    bound = with_gate(judged, Rule(metric="roc_auc", at_least=0.99))
    assert decided(bound, "m@1").outcome is Outcome.FAILS


def test_a_report_may_be_required(judged: Rooms) -> None:
    """Without a kept report the requirement fails, and says what writes one."""
    own = with_gate(judged, require=(Requirement.REPORT, Requirement.NO_DANGEROUS_GLOBALS))
    decision = decided(own, "m@2")
    assert rule(decision, "report").outcome is Outcome.FAILS
    assert "brinery evaluate m@2 --data FILE" in rule(decision, "report").why
    assert rule(decision, "no-dangerous-globals").outcome is Outcome.PASSES


def test_data_that_is_gone_is_not_decidable(
    judged: Rooms, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where what it was evaluated on has changed, nothing is judged on it."""
    monkeypatch.chdir(files.parent)
    kept = (files / "test.csv").read_bytes()
    (files / "test.csv").write_bytes(kept + b"0,0,no\n")
    try:
        decision = decided(judged, "m@2")
    finally:
        (files / "test.csv").write_bytes(kept)
    assert decision.outcome is Outcome.NOT_DECIDABLE
    assert "gone or changed" in decision.verdict
    assert "--data FILE" in decision.verdict


def test_rows_that_a_version_cannot_answer_are_not_decidable(judged: Rooms, files: Path) -> None:
    """A column that a version needs and the rows lack is the reason why nothing is told."""
    decision = decided(judged, "m@3", data=files / "test.csv")
    assert rule(decision, "headline").outcome is Outcome.NOT_DECIDABLE
    assert "m@3" in rule(decision, "headline").why


def test_a_mistake_is_told_before_anything_is_measured(judged: Rooms, files: Path) -> None:
    """What is asked for and is not there is an error with the nearest name."""
    with pytest.raises(NotFound, match="there is no gate 'defualt'"):
        decided(judged, "m@2", gate="defualt")
    with pytest.raises(NotFound, match="m has no version 9"):
        decided(judged, "m@9")
    with pytest.raises(TargetMissing):
        decided(judged, "m@2", data=files / "fresh.csv", target="yy")
    (files / "bad.toml").write_text("[[rule]]\nmetric = 'acuracy'\nat_least = 0.5\n")
    with pytest.raises(InvalidGate, match="did you mean accuracy"):
        decided(judged, "m@2", gate=str(files / "bad.toml"))


def test_a_gate_in_words() -> None:
    """Every requirement and every rule of the built-in gate is explained, and so are looks."""
    found = explained(BUILT_IN)
    assert found.built_in
    assert [each.asks for each in found.require] == [each.value for each in BUILT_IN.require]
    assert all(each.explained for each in (*found.require, *found.rules))
    assert "roc_auc of a binary model" in found.rules[0].explained
    assert "look 2 asks for" in found.looks
