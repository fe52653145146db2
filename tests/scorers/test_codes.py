"""Categories that a booster kept: numbered in its order, text or not."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from msgspec.structs import replace
from tests.conftest import stable
from tests.scorers.agreement import columns_of, inputs_of

from brinery.flavors.lightgbm import LightGBM
from brinery.flavors.xgboost import XGBoost
from brinery.scorers.codes import Codes, behind_codes
from brinery.scorers.compiler import compile_model
from brinery.scorers.composition import Piped
from brinery.scorers.data import Columns, Declined
from brinery.scorers.interface import Model, Unsupported
from brinery.scorers.origin import Origin


def _codes(*categories: Any) -> Codes:
    node = behind_codes(Model(), dict(enumerate(categories, 1)))
    assert isinstance(node, Piped)
    assert isinstance(node.step, Codes)
    return node.step


def _columns(*values: Any) -> Columns:
    arrays = [np.array(one, dtype=object) if one is not None else np.zeros(2) for one in values]
    return Columns(tuple("abc"[: len(arrays)]), tuple(arrays), 2)


@pytest.mark.parametrize("known", [(7, 3, 5), (2.5, 1.5, -1.0), ("x", "y", "z")], ids=stable)
@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_a_booster_of_categories_answers_as_its_flavor(known: tuple[Any, ...], kind: str) -> None:
    """They are whole numbers, numbers or text; a missing one has no number."""
    if kind == "xgboost" and isinstance(known[0], float):
        pytest.skip("it takes no such categories")
    rng = np.random.default_rng(1)
    given = pd.DataFrame({"x": rng.normal(size=400), "c": rng.choice(np.array(known), size=400)})
    given["c"] = given["c"].astype(object if isinstance(known[0], str) else float)
    given.loc[::7, "c"] = np.nan
    frame = given.assign(c=pd.Categorical(given["c"], categories=known))
    labels = ((frame["c"].cat.codes == 1) ^ (frame["x"] > 0)).astype(int)
    model: Any = lightgbm.LGBMClassifier(n_estimators=9, verbose=-1, n_jobs=1)
    flavor: Any = LightGBM()
    if kind == "xgboost":
        model = xgboost.XGBClassifier(n_estimators=9, enable_categorical=True, n_jobs=1)
        flavor = XGBoost()
    model.fit(frame, labels)
    scorer = compile_model(model, inputs_of(given), classes=(0, 1))
    for part in (given, given[:1], given[1:4]):
        found: Any = scorer.score(columns_of(part))
        wanted = flavor.score(model, part)
        np.testing.assert_array_equal(found.probabilities, wanted.probabilities)


def test_a_category_is_its_place() -> None:
    """A missing one is NaN, and a column without categories stays as it is."""
    found: Any = _codes(("u", "v")).transform(_columns(None, ["v", np.nan]))
    np.testing.assert_array_equal(found.column(1), [1.0, np.nan])
    np.testing.assert_array_equal(found.column(0), [0.0, 0.0])


def test_a_number_of_a_category_does_not_tell_it() -> None:
    """There is no way back from it to its column, but the column is known."""
    kept, coded = Origin(0), Origin(1)
    assert _codes(("u", "v")).trace([kept, coded]) == [kept, coded.lost()]


@pytest.mark.parametrize(
    "rows", [_columns(None, ["v", "w"]), np.zeros((2, 2))], ids=["new", "bare"]
)
def test_what_the_library_refuses_is_declined(rows: Any) -> None:
    """A category that was not there at the fit, and a table without names."""
    with pytest.raises(Declined):
        _codes(("u", "v")).transform(rows)


@pytest.mark.parametrize("known", [("u", "u"), (1, 1.0), (np.nan,), (None,), (("u",),)], ids=stable)
def test_categories_that_cannot_be_told_apart_are_unsupported(known: tuple[Any, ...]) -> None:
    """Equal ones, missing ones, and what is neither text nor a number."""
    with pytest.raises(Unsupported, match="categories"):
        _codes(known)


def test_forged_categories_are_refused() -> None:
    """Those of columns that are not there."""
    codes = _codes(("u", "v"))
    for columns in (np.array([-1]), np.array([0, 1]), np.array([1.0])):
        with pytest.raises(ValueError, match="categories"):
            replace(codes, columns=columns)
    with pytest.raises(ValueError, match="categories"):
        replace(codes, columns=np.array([2])).transform(_columns(None, ["v", "u"]))
