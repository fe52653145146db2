from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from brinery.evaluate import change
from brinery.records.scores import Scores


class Squares:
    """A model of one column, which notes what it is asked about."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, table: pa.Table, /) -> Scores:
        values = table["x"].to_numpy()
        self.asked.extend(values.tolist())
        chance = 1 / (1 + values**2)
        named = np.array(["x" * int(value) for value in values])
        return Scores(named, np.column_stack([chance, 1 - chance]), ("a", "b"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_are_those_of_all_rows(rows: list[tuple[int, int]]) -> None:
    """They are the answers for all rows in their order, and only those that changed are asked."""
    old, new = (np.array(column) for column in zip(*rows, strict=True))
    before, predictor = Squares()(pa.table({"x": old})), Squares()
    table = pa.table({"x": new})
    found = change.answers(predictor, table, changed=old != new, before=before)
    whole = Squares()(table)
    assert found.predictions.tolist() == whole.predictions.tolist()
    assert found.probabilities is not None
    assert whole.probabilities is not None
    assert np.array_equal(found.probabilities, whole.probabilities)
    assert predictor.asked == new[old != new].tolist()
