"""How often the gate errs over many challenges on the same rows, and sees a better model.

Simulated from end to end: answers of models, looks counted, decisions made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from brinery.evaluate import spending
from brinery.evaluate.duel import Duel, Side
from brinery.evaluate.gate import Facts, judge
from brinery.records.decision import Decision, DecisionData
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.specs.gate_rules import Rule
from brinery.specs.gates import BUILT_IN, Gate

RANDOM = np.random.default_rng(7)
CHALLENGES = 200
ROWS = 400
CERTAIN = 1e-4

Makes = Callable[[float, Any], Side]


def classifier(noise: float, signal: Any) -> Side:
    """A binary model that sees the truth through noise of its own."""
    seen = signal + noise * RANDOM.normal(size=signal.size)
    chances = 1 / (1 + np.exp(-2 * seen))
    both = np.column_stack((1 - chances, chances))
    return Side(name="m", scores=Scores((chances >= 0.5).astype(int), both, (0, 1)), classes=(0, 1))


def regression(noise: float, signal: Any) -> Side:
    return Side(name="m", scores=Scores(signal + noise * RANDOM.normal(size=signal.size)))


def rows(kind: PredictionType) -> tuple[Any, Any]:
    """The signal and the truth of some rows."""
    signal = RANDOM.normal(size=ROWS)
    if kind is PredictionType.REGRESSION:
        return signal, signal + RANDOM.normal(size=ROWS)
    return signal, (RANDOM.random(ROWS) < 1 / (1 + np.exp(-2 * signal))).astype(int)


def decision(
    kind: PredictionType,
    actual: Any,
    *,
    sides: tuple[Side, Side],
    gate: Gate,
    earlier: list[Decision],
) -> Decision:
    """What the gate says of the second of two models."""
    data = DecisionData(name="test.csv", rows=ROWS, sha256="aa")
    question = str(len(earlier))
    champion, candidate = sides
    return judge(
        gate,
        Facts(
            reference="m@2",
            champion="m@1",
            created=datetime(2026, 11, 22, tzinfo=UTC),
            data=data,
            duel=Duel(
                kind,
                actual,
                candidate=candidate,
                champion=champion,
                inputs=pa.table({"row": np.arange(ROWS)}),
            ),
            latency="not timed",
            requirements={},
            look=spending.look_at(data, question, earlier=earlier),
            question=question,
        ),
    )


def gate(**rule: Any) -> Gate:
    return Gate(name="x", rule=(Rule(**rule),))


CASES = [
    pytest.param(classifier, PredictionType.BINARY, BUILT_IN.rule[0], id="roc_auc"),
    pytest.param(
        classifier, PredictionType.BINARY, Rule(metric="accuracy", versus="champion"), id="accuracy"
    ),
    pytest.param(
        classifier,
        PredictionType.BINARY,
        Rule(metric="f1", at_threshold=0.4, versus="champion"),
        id="f1",
    ),
    pytest.param(
        regression, PredictionType.REGRESSION, Rule(metric="rmse", versus="champion"), id="rmse"
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("makes", "kind", "rule"), CASES)
def test_no_better_models_are_seldom_promoted(
    makes: Makes, kind: PredictionType, rule: Rule
) -> None:
    """Challenged 200 times by models that are just as good, at most 5 % of data sets promote one.

    That is the bound of all looks together, within what a binomial allows.
    """
    sets, erred = 40 if rule == BUILT_IN.rule[0] else 12, 0
    asked = Gate(name="x", rule=(rule,))
    for _ in range(sets):
        signal, actual = rows(kind)
        champion = makes(0.8, signal)
        earlier: list[Decision] = []
        for _ in range(CHALLENGES):
            sides = (champion, makes(0.8, signal))
            found = decision(kind, actual, sides=sides, gate=asked, earlier=earlier)
            earlier.append(found)
            if found.passes:
                erred += 1
                break
    assert erred <= binom.ppf(1 - CERTAIN, sets, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("makes", "kind", "rule"), CASES)
def test_better_models_are_seen(makes: Makes, kind: PredictionType, rule: Rule) -> None:
    """A model that is truly better is promoted nine times in ten, also as the tenth challenge."""
    seen = {1: 0, 10: 0}
    tries = 40
    asked = Gate(name="x", rule=(rule,))
    for look in seen:
        for _ in range(tries):
            signal, actual = rows(kind)
            earlier: list[Decision] = []
            champion = makes(2.0, signal)
            for _ in range(look - 1):
                sides = (champion, makes(2.0, signal))
                earlier.append(decision(kind, actual, sides=sides, gate=asked, earlier=earlier))
            sides = (champion, makes(0.3, signal))
            found = decision(kind, actual, sides=sides, gate=asked, earlier=earlier)
            seen[look] += found.passes
    assert min(seen.values()) >= 0.9 * tries, seen


@pytest.mark.slow
def test_worse_models_pass_a_margin_as_seldom() -> None:
    """A model that is worse by the very margin of non-inferiority passes no more often than 5 %."""
    tries, passed = 600, 0
    asked = gate(metric="rmse", versus="champion", non_inferiority=0.1)
    for _ in range(tries):
        signal, actual = rows(PredictionType.REGRESSION)
        champion = regression(0.8, signal)
        # The root of 1 + noise^2 is 0.1 more.
        worse = regression(float(np.sqrt((np.sqrt(1 + 0.64) + 0.1) ** 2 - 1)), signal)
        found = decision(
            PredictionType.REGRESSION, actual, sides=(champion, worse), gate=asked, earlier=[]
        )
        passed += found.passes
    assert passed <= binom.ppf(1 - CERTAIN, tries, 0.05)
