"""Single rows, explained as those who ask want it, where no scorer has exact values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from brinery.errors import PredictionRefused
from brinery.evaluate.observed import Observed
from brinery.records.contributions import Unit
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.serve.row_explainer import ExplanationMethod, RowExplainer, TooMany, Wanted

SOURCE = np.random.default_rng(5)


def rows(count: int) -> pa.Table:
    """Two numbers, of which the model reads one, and one that it does not."""
    return pa.table({name: SOURCE.normal(size=count) for name in ("a", "b", "idle")})


def chance(table: pa.Table, /) -> Scores:
    """The probabilities of two classes."""
    odds = 2 * table["a"].to_numpy() - table["b"].to_numpy()
    positive = 1 / (1 + np.exp(-odds))
    return Scores(
        predictions=np.where(positive > 0.5, "yes", "no"),
        probabilities=np.stack([1 - positive, positive], axis=1),
    )


def explainer(kind: PredictionType = PredictionType.BINARY) -> RowExplainer:
    """Of the model above."""
    background = rows(30)
    observed = Observed(
        table=background, scores=chance(background), type=kind, classes=("no", "yes")
    )
    return RowExplainer(observed, read=["a", "b"], scorer=None, library=chance)


@pytest.mark.parametrize("method", ExplanationMethod)
def test_columns_that_are_read_are_explained_in_log_odds(method: ExplanationMethod) -> None:
    """Each way gives what the column is known to add, of the columns that are read alone."""
    asked = rows(4)
    found = explainer().explain(asked, Wanted(method=method, steps=200))
    assert (found.columns, found.unit, found.classes) == (("a", "b"), Unit.LOG_ODDS, ("yes",))
    spread = found.values[:, 0, 0] - 2 * asked["a"].to_numpy()
    np.testing.assert_allclose(spread, spread[0])
    assert found.method == ("ICE" if method is ExplanationMethod.ICE else "sampling")


@pytest.mark.parametrize("method", ExplanationMethod)
def test_no_more_is_asked_than_is_allowed(method: ExplanationMethod) -> None:
    """The model is not asked at all where it would be asked too much."""
    with pytest.raises(TooMany, match="rows"):
        explainer().explain(rows(100), Wanted(method=method), at_most=1000)


def test_every_class_of_several_is_explained() -> None:
    """Of more than two classes each has its own figures."""
    found = explainer(PredictionType.MULTICLASS).explain(rows(2), Wanted(steps=30))
    assert found.classes == ("no", "yes")
    np.testing.assert_allclose(found.values[:, :, 0], -found.values[:, :, 1])


def test_answers_that_are_no_numbers_are_not_explained() -> None:
    """It is said before a row is asked about."""
    background = rows(3)
    scores = Scores(predictions=np.array(["x", "y", "z"]))
    observed = Observed(table=background, scores=scores, type=PredictionType.REGRESSION)
    with pytest.raises(PredictionRefused, match="not every prediction"):
        RowExplainer(observed, read=["a"], scorer=None, library=chance)
