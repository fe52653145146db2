from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from brinery.evaluate import filters, rule
from brinery.evaluate.moves import Bools
from brinery.records.comparison import Rule
from brinery.specs.filters import Filter

RANDOM = np.random.default_rng(0)
ROWS = 20_000
AGE = RANDOM.integers(18, 90, ROWS)
JOB = RANDOM.choice(["retired", "student", "admin", "technician"], ROWS)
BALANCE = np.where(RANDOM.random(ROWS) < 0.1, np.nan, RANDOM.normal(1000, 3000, ROWS))
VIP = RANDOM.random(ROWS) < 0.3
INPUTS = pa.table({"age": AGE, "job": JOB, "balance": BALANCE, "vip": VIP})


def mostly(rows: Bools) -> Bools:
    """Return rows that are nine in ten of some, and one in fifty of the others."""
    return np.where(rows, RANDOM.random(ROWS) < 0.9, RANDOM.random(ROWS) < 0.02)


def found(chosen: Bools) -> Rule:
    told = rule.describe(chosen, INPUTS)
    assert isinstance(told, Rule), told
    return told


@pytest.mark.parametrize(
    ("rows", "conditions"),
    [
        (AGE > 60, ("age >= 61",)),
        (AGE < 25, ("age < 25",)),
        (JOB == "student", ('job == "student"',)),
        (np.isin(JOB, ["student", "retired"]), ('job in ["retired", "student"]',)),
        (VIP, ("vip == true",)),
        (np.isnan(BALANCE), ("balance is missing",)),
    ],
    ids=["above", "below", "one", "two", "truth", "gap"],
)
def test_what_some_rows_have_in_common_is_told(rows: Bools, conditions: tuple[str, ...]) -> None:
    """A rule that is there is found, in as few words, with its precision and recall."""
    told = found(mostly(rows))
    assert told.conditions in {conditions, tuple(map(_swapped, conditions))}
    assert told.precision == pytest.approx(0.9, abs=0.03)
    assert told.recall > 0.7
    assert told.share_elsewhere == pytest.approx(0.02, abs=0.01)
    assert told.measured_on == ROWS // 2


def _swapped(condition: str) -> str:
    """Return a condition with the two categories in the other order."""
    return condition.replace('["retired", "student"]', '["student", "retired"]')


def test_two_conditions_are_found_together() -> None:
    """A rule of two columns has both, and nothing else."""
    told = found(mostly((AGE > 60) & (JOB == "admin")))
    assert set(told.conditions) == {"age >= 61", 'job == "admin"'}


def test_a_rule_is_a_filter_that_chooses_what_it_says() -> None:
    """Its conditions, joined by `and`, are a filter; over all rows it is as precise as it says."""
    chosen = mostly((BALANCE > 2500) & np.isin(JOB, ["admin", "student"]))
    told = found(chosen)
    parsed = Filter.parse(" and ".join(told.conditions))
    met = np.asarray(filters.matching(parsed, INPUTS))
    assert chosen[met].mean() == pytest.approx(told.precision, abs=0.03)
    assert chosen[~met].mean() == pytest.approx(told.share_elsewhere, abs=0.02)
    assert (chosen & met).sum() / chosen.sum() == pytest.approx(told.recall, abs=0.03)


def test_chance_makes_no_rule() -> None:
    """Of rows that have nothing in common, it says that no rule is better than chance."""
    told = [rule.describe(RANDOM.random(ROWS) < 0.05, INPUTS, seed=seed) for seed in range(10)]
    assert sum(isinstance(each, str) for each in told) >= 9


def test_few_rows_make_no_rule() -> None:
    """Of a handful of rows it says that they are too few."""
    chosen = np.zeros(ROWS, np.bool_)
    chosen[:5] = True
    assert "too few" in str(rule.describe(chosen, INPUTS))
    assert "too few" in str(rule.describe(np.ones(ROWS, np.bool_), INPUTS))


def test_a_seed_gives_the_same_rule() -> None:
    """The same rows and seed give the same rule."""
    chosen = mostly(AGE > 60)
    assert rule.describe(chosen, INPUTS, seed=3) == rule.describe(chosen, INPUTS, seed=3)


def test_columns_that_cannot_be_split_are_told() -> None:
    """Inputs without a column of numbers or categories make no rule."""
    empty = pa.table({"nothing": pa.nulls(ROWS)})
    assert rule.describe(mostly(VIP), empty) == "no column of the inputs can be split"
