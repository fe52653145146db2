from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score, roc_auc_score

from brinery.evaluate.continuous import Rows
from brinery.evaluate.leakage import explained, powers, uncertainty
from brinery.evaluate.sample import Labelled


def labelled(codes: np.ndarray, n_classes: int = 2) -> Labelled:
    return Labelled(codes, codes, "none", None, tuple(range(n_classes)))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=2, max_size=60))
@settings(max_examples=80, deadline=None)
def test_uncertainty_is_of_mutual_information(rows: list[tuple[int, int]]) -> None:
    """The share that groups tell is their mutual information, less chance's, of the entropy."""
    codes, classes = np.array(rows, np.intp).T
    found = uncertainty(codes, classes, n_groups=5, n_classes=3)
    entropy = mutual_info_score(classes, classes)
    if entropy < 1e-12:
        assert found == 0
        return
    chance = (len(set(codes)) - 1) * (len(set(classes)) - 1) / (2 * len(rows))
    told = (mutual_info_score(codes, classes) - chance) / entropy
    assert found == pytest.approx(np.clip(told, 0, 1), abs=1e-9)


def test_explained_by_chance_is_none() -> None:
    """Groups that have nothing to do with the target explain none of it, however many."""
    rng = np.random.default_rng(0)
    shares = [
        explained(rng.integers(0, 40, 400), rng.normal(size=400), n_groups=40) for _ in range(200)
    ]
    told = [
        uncertainty(rng.integers(0, 40, 400), rng.integers(0, 2, 400), n_groups=40, n_classes=2)
        for _ in range(200)
    ]
    assert np.mean(shares) < 0.03
    assert np.mean(told) < 0.03
    assert explained(np.zeros(3, np.intp), np.ones(3), n_groups=1) == 0


def test_what_a_column_tells() -> None:
    """A column that is the target tells all of it; noise, and a name of the row, tell nothing."""
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 2, 1_000)
    noise = rng.normal(size=1_000)
    table = pa.table(
        {
            "same": np.where(classes == 1, "yes", "no"),
            "score": classes + 0.01 * noise,
            "reversed": -classes + rng.normal(size=1_000),
            "noise": noise,
            "gap": pa.array(np.where(classes == 1, noise, np.nan), from_pandas=True),
            "name": [f"row {each}" for each in range(1_000)],
        }
    )
    found = {(one.column, one.measure): one.value for one in powers(table, labelled(classes))}
    assert found["same", "Theil's U"] == pytest.approx(1, abs=0.01)
    assert found["gap", "Theil's U"] == pytest.approx(1, abs=0.1)
    assert found["score", "ROC AUC"] == 1
    area = roc_auc_score(classes, table.column("reversed").to_numpy())
    assert found["reversed", "ROC AUC"] == pytest.approx(1 - area)
    assert found["noise", "Theil's U"] < 0.1
    assert found["noise", "ROC AUC"] < 0.56
    assert "name" not in {column for column, _ in found}


def test_a_regressions_target() -> None:
    """Of a regression it is told how much of the variance a column explains."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=2_000)
    actual = 3 * x + rng.normal(size=2_000)
    table = pa.table({"x": x, "twice": 2 * actual, "noise": rng.normal(size=2_000)})
    found = {one.column: one for one in powers(table, Rows(actual, actual, None))}
    assert found["x"].value == pytest.approx(0.9, abs=0.02)
    assert found["twice"].value > 0.99
    assert found["noise"].value < 0.05
    assert {one.measure for one in found.values()} == {"R2"}


def test_few_rows_tell_nothing() -> None:
    """Of fewer than 30 rows nothing is told."""
    codes = np.array([0, 1] * 10)
    assert list(powers(pa.table({"x": codes}), labelled(codes))) == []
