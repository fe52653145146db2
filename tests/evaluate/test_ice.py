"""What one column alone makes of an answer, on models of which that is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from brinery.evaluate import ice
from brinery.evaluate.ice import Ice
from brinery.evaluate.reasons import reasons
from brinery.evaluate.response import Response
from brinery.records.contributions import Contributions, Unit
from brinery.records.scores import Scores

SOURCE = np.random.default_rng(3)


def table(rows: int) -> pa.Table:
    """Two numbers and a text."""
    return pa.table(
        {
            "a": SOURCE.normal(size=rows),
            "b": SOURCE.normal(size=rows),
            "word": SOURCE.choice(["x", "y"], rows),
        }
    )


def plane(rows: pa.Table, /) -> Scores:
    """A sum of all columns, two times `a` less `b`, and one where the word is x."""
    words = np.array(rows["word"].to_pylist()) == "x"
    return Scores(predictions=2 * rows["a"].to_numpy() - rows["b"].to_numpy() + words)


def test_of_a_sum_each_column_has_its_difference_from_the_mean() -> None:
    """Where columns are added up, the figures are those of the column, and add up, too."""
    background, rows = table(40), table(7)
    explain = Ice(predictor=plane, background=background, response=Response(unit=Unit.VALUE))
    found = explain(rows)
    a = rows["a"].to_numpy() - background["a"].to_numpy().mean()
    b = rows["b"].to_numpy() - background["b"].to_numpy().mean()
    np.testing.assert_allclose(found.values[:, 0, 0], 2 * a)
    np.testing.assert_allclose(found.values[:, 1, 0], -b)
    assert found.gap < 1e-12
    assert (found.method, found.exact, found.background_rows) == ("ICE", False, 40)


def test_a_column_that_is_not_read_is_not_asked_about() -> None:
    """It adds nothing, and the model is asked no more often than is said before."""
    asked = 0

    def counted(rows: pa.Table, /) -> Scores:
        nonlocal asked
        asked += rows.num_rows
        return plane(rows)

    explain = Ice(
        predictor=counted,
        background=table(10),
        response=Response(unit=Unit.VALUE),
        unread=frozenset({"word"}),
    )
    found = explain(table(3))
    assert not found.values[:, 2].any()
    assert asked == ice.cost(3, columns=2, background_rows=10)


def test_reasons_are_those_of_the_likeliest_class() -> None:
    """Of several classes each row has the columns of its own, the strongest first."""
    values = np.zeros((2, 3, 2))
    values[0, :, 1] = [0.1, -0.5, 0.2]
    values[1, :, 0] = [1.0, 0.0, -2.0]
    found = Contributions(
        columns=("a", "b", "c"),
        values=values,
        base=np.zeros(2),
        answers=np.zeros((2, 2)),
        unit=Unit.PROBABILITY,
        method="sampling",
        exact=False,
        classes=("no", "yes"),
    )
    scores = Scores(
        predictions=np.array(["yes", "no"]), probabilities=np.array([[0.2, 0.8], [0.9, 0.1]])
    )
    told = reasons(found, scores, most=2)
    assert [list(one.items()) for one in told] == [
        [("b", -0.5), ("c", 0.2)],
        [("c", -2.0), ("a", 1.0)],
    ]
