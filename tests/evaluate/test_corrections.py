from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import false_discovery_control

from brinery.evaluate.corrections import Floats, benjamini_hochberg, corrected, holm
from brinery.records.subpopulation import Correction

P_VALUES = arrays(np.float64, st.integers(0, 30), elements=st.floats(0, 1))


@given(P_VALUES)
def test_benjamini_hochberg_is_scipys(p_values: Floats) -> None:
    """Corrected for the share of false alarms, p-values are those of scipy."""
    if p_values.size:
        assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values))


def test_holms_own_example() -> None:
    """Five tests have the corrected p-values that R's `p.adjust` gives them."""
    given = np.array([0.01, 0.02, 0.03, 0.04, 0.05])
    assert holm(given) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert benjamini_hochberg(given) == pytest.approx([0.05] * 5)


@given(P_VALUES)
def test_holm_by_its_definition(p_values: Floats) -> None:
    """A test is an alarm where it and all those before it are below the level's share."""
    for level in (0.01, 0.05, 0.3):
        order = np.argsort(p_values, kind="stable")
        alarms = np.zeros(p_values.size, np.bool_)
        for step, at in enumerate(order):
            if p_values[at] * (p_values.size - step) > level:
                break
            alarms[at] = True
        assert ((holm(p_values) <= level) == alarms).all()


@pytest.mark.parametrize("method", list(Correction), ids=str)
@given(p_values=P_VALUES)
def test_every_correction(method: Correction, p_values: Floats) -> None:
    """A correction raises p-values, keeps their order, and leaves a single one as it is."""
    found = corrected(p_values, method=method)
    assert ((found >= p_values * (1 - 1e-12)) & (found <= 1)).all()
    assert (np.diff(found[np.argsort(p_values, kind="stable")]) >= -1e-15).all()
    assert corrected(np.array([0.04]), method=method).tolist() == [0.04]
