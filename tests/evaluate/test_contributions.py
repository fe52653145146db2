from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from brinery.evaluate import contributions
from brinery.records.contributions import Contributions, Unit
from brinery.records.effects import Dependence
from brinery.records.importance import MeanContributions


def given(rows: int = 50, *, outputs: int = 1, seed: int = 0) -> Contributions:
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, 2, outputs))
    base = np.arange(outputs, dtype=np.float64)
    return Contributions(
        columns=("a", "b"),
        values=values,
        base=base,
        answers=base + values.sum(axis=1),
        unit=Unit.PROBABILITY if outputs > 1 else Unit.VALUE,
        method="by hand",
        exact=True,
        classes=tuple(f"class {place}" for place in range(outputs)) if outputs > 1 else (),
    )


def test_mean_is_of_the_sizes() -> None:
    """It is the mean size of the contributions, with the interval of a mean."""
    of = given(400)
    found = contributions.means(of)
    sizes = np.abs(of.values[:, 0, 0])
    estimate = found.columns[0].absolute
    assert estimate.value == pytest.approx(sizes.mean())
    assert estimate.interval is not None
    half = 1.959964 * stats.sem(sizes)
    assert estimate.interval.low == pytest.approx(sizes.mean() - half)
    assert estimate.interval.high == pytest.approx(sizes.mean() + half)
    assert found.columns[0].signed == pytest.approx([of.values[:, 0, 0].mean()])
    assert found.gap == pytest.approx(0, abs=1e-12)


def test_of_several_classes_it_is_their_mean() -> None:
    """Each class has a mean of its own, and the column that of all."""
    of = given(outputs=3)
    (one, _) = contributions.means(of).columns
    each = np.abs(of.values[:, 0]).mean(axis=0)
    assert [estimate.value for estimate in one.by_class] == pytest.approx(each)
    assert one.absolute.value == pytest.approx(each.mean())


def test_weights_count() -> None:
    """A row of weight 2 counts as two, and one of weight 0 not at all."""
    of = given(30)
    weights = np.random.default_rng(1).integers(0, 3, 30)
    repeated = np.repeat(of.values, weights, axis=0)
    (one, _) = contributions.means(of, weights=weights.astype(np.float64)).columns
    assert one.absolute.value == pytest.approx(np.abs(repeated[:, 0]).mean())
    assert one.signed == pytest.approx(repeated[:, 0].mean(axis=0))


def test_one_row_has_no_interval() -> None:
    """Of one row there is a value and the reason why it has no interval."""
    estimate = contributions.means(given(1)).columns[0].absolute
    assert estimate.interval is None
    assert estimate.reason == "one row has no interval"


def test_ranked_by_size() -> None:
    """The column that moves the answers most comes first."""
    of = given()
    larger = msgspec.structs.replace(of, values=of.values * np.array([1.0, 9.0])[:, np.newaxis])
    assert [one.column for one in contributions.means(larger).ranked] == ["b", "a"]


def test_joined_is_one_after_the_other() -> None:
    """The contributions of two tables are those of both, one below the other."""
    both = contributions.joined([given(3), given(4, seed=1)])
    assert len(both) == 7
    assert np.array_equal(both.values[3:], given(4, seed=1).values)
    assert both.standard_errors is None


def test_dependence_is_value_beside_contribution() -> None:
    """Each point has its row, its value, where that is among all, and what it added."""
    of = given(5)
    table = pa.table({"a": [3, 1, None, 2, 9], "b": ["u", "v", None, "u", "u"]})
    places = np.array([10, 20, 30, 40, 50])
    number, text = contributions.dependences(of, table, places=places)
    assert number.rows == (10, 20, 30, 40, 50)
    assert number.values == (3, 1, None, 2, 9)
    assert number.positions == pytest.approx((2 / 3, 0, None, 1 / 3, 1))
    assert number.contributions[0] == pytest.approx(of.values[:, 0, 0], abs=1e-6)
    assert text.values == ("u", "v", None, "u", "u")
    assert text.positions == (None,) * 5


def test_dependence_is_thinned() -> None:
    """Of many rows some are drawn, the same for each column and each seed."""
    of = given(1_000, outputs=2)
    table = pa.table({"a": np.arange(1_000), "b": np.arange(1_000)})
    one, other = contributions.dependences(of, table, most=300)
    assert len(one.rows) == 150
    assert one.rows == other.rows
    assert (one, other) == contributions.dependences(of, table, most=300)
    assert np.array(one.contributions).shape == (2, 150)


def test_are_json() -> None:
    """The records can be written as JSON and read back."""
    found = contributions.means(given(outputs=2))
    assert msgspec.json.decode(msgspec.json.encode(found), type=MeanContributions) == found
    table = pa.table({"a": np.arange(50), "b": np.arange(50)})
    points = contributions.dependences(given(), table)
    assert msgspec.json.decode(msgspec.json.encode(points), type=tuple[Dependence, ...]) == points


def test_gap_is_seen() -> None:
    """Contributions that do not add up to the answer say by how much."""
    of = given(outputs=3)
    assert of.gap < 1e-12
    assert msgspec.structs.replace(of, answers=of.answers + 0.25).gap == pytest.approx(0.25)
