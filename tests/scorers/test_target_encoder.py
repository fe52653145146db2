"""The target encoder: every kind of target, categories unknown and missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import TargetEncoder
from tests.scorers.steps import step_of, transforms

from brinery.scorers.interface import Unsupported


def _frame(n_rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "text": rng.choice(["a", "b", "c", "dd"], n_rows).astype(object),
            "number": rng.choice([1.0, 2.0, 3.5], n_rows),
            "whole": rng.integers(0, 5, n_rows),
            "truth": rng.random(n_rows) < 0.5,
        }
    )


TARGETS = {
    "binary": np.arange(200) % 2,
    "texts": np.array(["no", "yes"])[np.arange(200) % 2],
    "multiclass": np.arange(200) % 3,
    "continuous": np.linspace(-1, 5, 200) ** 2,
}


@pytest.mark.parametrize("target", list(TARGETS))
@pytest.mark.parametrize("smooth", ["auto", 0.0, 20.0])
def test_categories_are_encoded_as_by_the_library(target: str, smooth: Any) -> None:
    """Those not known at the fit as the mean of all."""
    frame = _frame(200)
    encoder = TargetEncoder(smooth=smooth).fit(frame, TARGETS[target])
    new = frame.copy()
    new.loc[::5, "text"] = "unheard of"
    new.loc[::7, "number"] = -1.0
    new.loc[::9, "whole"] = 99
    transforms(encoder, new, tolerance=0)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("target", list(TARGETS))
def test_a_missing_category_is_encoded_as_by_the_library(*, target: str, known: bool) -> None:
    """As one of its own where one was missing at the fit, else as one that is not known."""
    frame = _frame(200)[["text", "number"]]
    holed = frame.mask(np.random.default_rng(1).random(frame.shape) < 0.2, np.nan)
    encoder = TargetEncoder().fit(holed if known else frame, TARGETS[target])
    transforms(encoder, holed, tolerance=0)


def test_none_as_a_category_is_left_to_the_library() -> None:
    """A scorer is given NaN for it, which is another."""
    frame = pd.DataFrame({"a": ["x", "y", None, "x"] * 10}, dtype=object)
    with pytest.raises(Unsupported, match="None as a category"):
        step_of(TargetEncoder().fit(frame, np.arange(40) % 2))


def test_given_categories_are_encoded_as_by_the_library() -> None:
    """One of which was never seen."""
    frame = _frame(200)[["text"]]
    encoder = TargetEncoder(categories=[["a", "b", "c", "dd", "e"]])
    encoder.fit(frame, TARGETS["binary"])
    frame.iloc[::3, 0] = "e"
    transforms(encoder, frame, tolerance=0)
