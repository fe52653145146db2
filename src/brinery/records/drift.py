"""How far two sets of rows are apart: the columns, together and one by one, and the answers."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.estimate import Estimate
from brinery.records.text_enum import TextEnum


class Handling(TextEnum):
    """How the values of a column are compared."""

    NUMERICAL = "NUMERICAL"
    CATEGORICAL = "CATEGORICAL"
    IGNORED = "IGNORED"


class ColumnDrift(Struct, frozen=True, kw_only=True):
    """How far one column is apart.

    Attributes:
        name: of the column.
        handling: how its values were compared.
        default: how they would be, were nothing said.
        psi: the population stability index over the bins of the reference; 0 where both are alike.
        ks: the Kolmogorov-Smirnov p-value; None unless numerical.
        chi_square: the p-value of the test of independence; None unless categorical.
        distance: Wasserstein's, in the unit of the column; None unless numerical.
        edges: (n_bins + 1,) of a numerical column's bins.
        labels: (n_bins,) of a categorical column's values.
        reference: (n_bins,) share of the reference's rows.
        current: (n_bins,) share of the other's.
        reason: why it was not compared; empty where it was.
    """

    name: str
    handling: Handling
    default: Handling
    psi: Optional[float] = None
    ks: Optional[float] = None
    chi_square: Optional[float] = None
    distance: Optional[float] = None
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    reference: tuple[float, ...] = ()
    current: tuple[float, ...] = ()
    reason: str = ""


class Drift(Struct, frozen=True, kw_only=True):
    """How far two sets of rows are apart.

    Attributes:
        accuracy: of a classifier that tells the sets apart, on rows it was not fitted on; 0.5
            where it cannot. None where there are too few rows.
        p_value: how likely so many right guesses are where the sets are alike (binomial,
            one-sided); None likewise.
        importance: column to how much the classifier needed it, summing to 1.
        rows: of each set that the classifier saw.
        columns: one by one.
        predictions: the answers, as a column; None where there are none.
        seed: of what was drawn.
        reason: why there is no classifier; else empty.
    """

    accuracy: Optional[Estimate] = None
    p_value: Optional[float] = None
    importance: dict[str, float] = {}
    rows: int = 0
    columns: tuple[ColumnDrift, ...] = ()
    predictions: Optional[ColumnDrift] = None
    seed: int = 0
    reason: str = ""
