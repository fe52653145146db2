from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from brinery.evaluate.gains import gains
from brinery.records.comparison import Verdict

RANDOM = np.random.default_rng(0)
ROWS = 2_000
AGE = RANDOM.integers(18, 90, ROWS)
JOB = RANDOM.choice(["retired", "student", "admin"], ROWS, p=[0.3, 0.2, 0.5])
INPUTS = pa.table({"age": AGE, "job": JOB, "id": [f"id {row}" for row in range(ROWS)]})


def test_a_gain_is_that_of_the_paired_t_test() -> None:
    """In each group gain, interval and p-value are those of scipy's paired t-test."""
    base, other = RANDOM.random(ROWS), RANDOM.random(ROWS)
    found = gains(base, other, inputs=INPUTS, weights=np.ones(ROWS))
    for each in found.found:
        if each.group.columns != ("job",):
            continue
        rows = np.array(each.group.value == JOB)
        theirs = stats.ttest_rel(base[rows], other[rows])
        assert each.rows == np.count_nonzero(rows)
        assert each.gain.value == pytest.approx(base[rows].mean() - other[rows].mean())
        assert each.p_value == pytest.approx(theirs.pvalue)
        assert each.gain.interval is not None
        low, high = theirs.confidence_interval(0.95)
        assert (each.gain.interval.low, each.gain.interval.high) == pytest.approx((low, high))
        assert each.p_corrected is not None
        assert each.p_corrected >= theirs.pvalue - 1e-12


def test_weights_count_as_repeated_rows_do() -> None:
    """With whole weights the mean losses are those of rows repeated as often."""
    base, other = RANDOM.random(ROWS), RANDOM.random(ROWS)
    times = RANDOM.integers(1, 4, ROWS)
    inputs = INPUTS.select(["job"])
    found = gains(base, other, inputs=inputs, weights=times.astype(np.float64)).found
    repeated = gains(
        np.repeat(base, times),
        np.repeat(other, times),
        inputs=inputs.take(np.repeat(np.arange(ROWS), times)),
        weights=np.ones(int(times.sum())),
    ).found
    by_job = {each.group.value: each for each in repeated}
    for each in found:
        twin = by_job[each.group.value]
        assert each.base == pytest.approx(twin.base)
        assert each.gain.value == pytest.approx(twin.gain.value)
        assert each.share == pytest.approx(twin.share)


def test_who_gains_and_who_loses_is_found() -> None:
    """The job that gains is better, the one that loses is worse, and the rest is neither."""
    base = RANDOM.random(ROWS)
    other = base + 0.1 * (JOB == "student") - 0.1 * (JOB == "retired")
    other = other + RANDOM.normal(scale=0.1, size=ROWS)
    found = gains(base, other, inputs=INPUTS.select(["job"]), weights=np.ones(ROWS)).found
    verdicts = {each.group.value: each.verdict for each in found}
    assert verdicts["student"] is Verdict.WORSE
    assert verdicts["retired"] is Verdict.BETTER
    assert found[0].p_value is not None
    assert found[-1].group.value == "admin"


def test_what_makes_no_groups_is_told() -> None:
    """A column with a value for each row is left out, with its reason."""
    even = np.ones(ROWS)
    found = gains(even, even, inputs=INPUTS, weights=even)
    assert "id" in found.left_out
    assert {each.group.columns[0] for each in found.found} == {"age", "job"}
    assert all(each.p_value == 1.0 for each in found.found)


def test_few_rows_are_not_tested() -> None:
    """A group of fewer than ten rows has its gain, no p-value, and the reason."""
    inputs = pa.table({"kind": ["few"] * 9 + ["many"] * 50})
    losses = RANDOM.random(59)
    found = gains(losses, losses**2, inputs=inputs, weights=np.ones(59)).found
    few = next(each for each in found if each.group.value == "few")
    assert few.p_value is None
    assert "too few" in few.gain.reason
    assert few.verdict is Verdict.UNKNOWN


@pytest.mark.slow
def test_p_values_are_uniform_where_nobody_gains() -> None:
    """Over 1,000 samples without a gain, 5 in 100 groups have a p-value below 0.05."""
    random = np.random.default_rng(1)
    p_values: list[float] = []
    for _ in range(1000):
        base = random.exponential(size=400)
        other = random.permuted(np.stack([base, random.exponential(size=400)]), axis=0)[0]
        swap = random.random(400) < 0.5
        one, two = np.where(swap, base, other), np.where(swap, other, base)
        inputs = pa.table({"job": random.choice(["a", "b", "c"], 400)})
        weights = random.gamma(3.0, size=400)
        found = gains(one, two, inputs=inputs, weights=weights).found
        p_values += [each.p_value for each in found if each.p_value is not None]
    assert stats.kstest(p_values, "uniform").statistic < 0.035
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.015)
