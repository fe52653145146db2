"""The scalers: every setting, missing values among the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from tests.conftest import stable
from tests.scorers.agreement import agrees

from brinery.scorers.scaling import Scale, Stretch


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        rng.normal([0, 100, -3, 0], [1, 50, 1e-3, 1e6], size=(200, 4)), columns=list("abcd")
    )


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        MinMaxScaler((-1, 2)),
        MinMaxScaler(clip=True),
        MaxAbsScaler(),
        RobustScaler(),
        RobustScaler(with_centering=False, quantile_range=(5, 95)),
    ],
    ids=stable,
)
def test_a_scaler_scales_as_the_library(frame: pd.DataFrame, scaler: Any) -> None:
    """Values that lie outside of those fitted on, too."""
    target = frame["a"] * frame["d"] > 0
    model = make_pipeline(scaler, LogisticRegression()).fit(frame.iloc[:100], target[:100])
    agrees(model, frame)


def test_figures_that_are_no_row_are_refused() -> None:
    """They would make rows of a row, or leave a sparse table without its values."""
    table = np.ones((3, 0))
    for fields in ({"shift": table}, {"scale": table}):
        with pytest.raises(ValueError, match="no row"):
            Scale(**fields)
    for factor, shift in ((table, np.ones(3)), (np.ones(3), table)):
        with pytest.raises(ValueError, match="no row"):
            Stretch(factor=factor, shift=shift)
