from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from brinery.evaluate.placements import areas, by_score
from brinery.evaluate.rowwise import Ranked

ROWS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1),
        st.integers(0, 3),
        st.floats(0.125, 8),
    ),
    min_size=1,
    max_size=40,
)


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_areas_are_scikit_learns(rows: list[tuple[bool, float, int, float]]) -> None:
    """In every group the area is that of scikit-learn on its rows, with ties and weights."""
    positive, score, codes, weights = (np.array(column) for column in zip(*rows, strict=True))
    codes = np.unique(codes, return_inverse=True)[1]
    count = int(codes.max()) + 1
    found = areas(by_score(Ranked(positive, score), weights=weights), codes, n_groups=count)
    for group in range(count):
        own = codes == group
        assert found.positives[group] == pytest.approx(weights[own & positive].sum())
        if len(set(positive[own])) < 2:
            assert np.isnan(found.value[group])
            continue
        expected = roc_auc_score(positive[own], score[own], sample_weight=weights[own])
        assert found.value[group] == pytest.approx(expected)
        # Placements are those of each row among the other class's of its group.
        for row in np.flatnonzero(own):
            others = own & (positive != positive[row])
            side = score[others] < score[row] if positive[row] else score[others] > score[row]
            share = weights[others] @ (side + 0.5 * (score[others] == score[row]))
            assert found.placements[row] == pytest.approx(share / weights[others].sum())


def test_many_groups() -> None:
    """More groups than 16 bits count are told apart too."""
    rng = np.random.default_rng(0)
    groups = 70_000
    codes = np.repeat(np.arange(groups), 2)
    positive = np.tile([True, False], groups)
    score = rng.random(codes.size)
    ranked = by_score(Ranked(positive, score), weights=np.ones(codes.size))
    found = areas(ranked, codes, n_groups=groups)
    assert (found.value == (score[::2] > score[1::2])).all()
