"""How much each input column of a scorer moved its answers: Shapley values, exact for a background.

A row is compared with every row of a background sample: of a coalition of columns the values are
the row's, of the others those of the background row, and the answer is the mean over the
background. What the scorer's steps make of one input column belongs to that column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from brinery.records.contributions import Contributions
from brinery.scorers.scorer import Scorer, Values


@dataclass(frozen=True)
class Inexact:
    """That there is no exact way to a model's Shapley values.

    Attributes:
        reason: why, in words that go on after "because".
    """

    reason: str


def explain(
    scorer: Scorer, columns: Mapping[str, Values], *, background: Mapping[str, Values]
) -> Union[Contributions, Inexact]:
    """Return what each input column added to each answer, exactly; or why that is not known.

    Args:
        scorer: of the model.
        columns: name to (n_rows,) values of the rows that are explained, as `Scorer.score` takes.
        background: the same of the rows that they are compared with, at least one.
    """
    del scorer, columns, background
    return Inexact("no model is explained exactly yet")
