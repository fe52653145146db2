"""What a model answers, and what is true, along the values of one column."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.contributions import Unit
from brinery.records.signature import Scalar
from brinery.records.text_enum import TextEnum


class Kind(TextEnum):
    """How the values of a column are laid out."""

    NUMBER = "number"
    DATE = "date"
    CATEGORY = "category"
    TEXT = "text"
    OTHER = "other"


class Bin(Struct, frozen=True, kw_only=True):
    """Rows whose values of one column are alike.

    Attributes:
        low: the least value among them: a number, a date in ISO 8601, or a number of words where
            the column is text. None where the values have no order.
        high: the greatest.
        value: the one value that stands for them, such as it is in the data; None for the rows
            without a value, for the other categories, and for text.
        rows: how many there are.
        missing: whether they are the rows without a value.
        other: whether they are the rows of every category that has no bin of its own.
    """

    low: Optional[Scalar] = None
    high: Optional[Scalar] = None
    value: Optional[Scalar] = None
    rows: int
    missing: bool = False
    other: bool = False


class Effect(Struct, frozen=True, kw_only=True):
    """What is true and what the model answers on average, in each bin of a column.

    Attributes:
        column: its name.
        kind: how its values are laid out.
        unit: of the answers.
        classes: (n_outputs,) those explained; empty for a regression, which has one output.
        bins: (n_bins,) in the order of the values, or the most frequent category first.
        predicted: (n_outputs, n_bins) mean answer; None where all rows of the bin weigh nothing.
        actual: (n_outputs, n_bins) mean of what is true, or the share of rows of the class; None
            where no row of the bin has a label.
        actual_errors: (n_outputs, n_bins) standard error of the same; None where fewer than two
            rows have a label.
        rows: how many were seen.
        reason: why there are no bins; else empty.
    """

    column: str
    kind: Kind
    unit: Unit
    classes: tuple[Scalar, ...] = ()
    bins: tuple[Bin, ...] = ()
    predicted: tuple[tuple[Optional[float], ...], ...] = ()
    actual: tuple[tuple[Optional[float], ...], ...] = ()
    actual_errors: tuple[tuple[Optional[float], ...], ...] = ()
    rows: int = 0
    reason: str = ""


class PartialDependence(Struct, frozen=True, kw_only=True):
    """What a model answers on average, were a column to have one value in every row.

    Attributes:
        column: its name.
        kind: how its values are laid out.
        unit: of the answers.
        classes: (n_outputs,) those explained; empty for a regression, which has one output.
        bins: (n_values,) the value that was put into each row, and how many rows of the data are
            near it: the column's own distribution.
        mean: (n_outputs, n_values) mean answer.
        errors: (n_outputs, n_values) its standard error over the rows.
        log_odds: (n_outputs, n_values) the log-odds of the mean probability; None where that is 0
            or 1; empty where the answers are no probabilities.
        lines: (n_outputs, n_lines, n_values) the answers for single rows, rounded for a chart.
        line_rows: (n_lines,) their places in the data, from 0.
        rows: how many the mean is over.
        seed: of what was drawn.
        reason: why it was not computed; else empty.
    """

    column: str
    kind: Kind
    unit: Unit
    classes: tuple[Scalar, ...] = ()
    bins: tuple[Bin, ...] = ()
    mean: tuple[tuple[float, ...], ...] = ()
    errors: tuple[tuple[float, ...], ...] = ()
    log_odds: tuple[tuple[Optional[float], ...], ...] = ()
    lines: tuple[tuple[tuple[float, ...], ...], ...] = ()
    line_rows: tuple[int, ...] = ()
    rows: int = 0
    seed: int = 0
    reason: str = ""


class Dependence(Struct, frozen=True, kw_only=True):
    """The contributions of one column beside its values, row by row.

    Attributes:
        column: its name.
        kind: how its values are laid out.
        unit: of the contributions.
        classes: (n_outputs,) those explained; empty for a regression, which has one output.
        rows: (n_points,) places in the data, from 0.
        values: (n_points,) of the column; None where missing, text cut short.
        positions: (n_points,) where a value is among all of the column: 0 the least, 1 the
            greatest; None where the values have no order or are missing.
        contributions: (n_outputs, n_points) in the unit, rounded for a chart.
    """

    column: str
    kind: Kind
    unit: Unit
    classes: tuple[Scalar, ...] = ()
    rows: tuple[int, ...] = ()
    values: tuple[Optional[Scalar], ...] = ()
    positions: tuple[Optional[float], ...] = ()
    contributions: tuple[tuple[float, ...], ...] = ()
