"""Why a model answers as it does: for single rows, and all that was found together."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.contributions import Unit
from brinery.records.effects import Dependence, Effect, PartialDependence
from brinery.records.importance import Importances, MeanContributions
from brinery.records.signature import Scalar
from brinery.records.text_enum import TextEnum


class Chosen(TextEnum):
    """Why a row is explained."""

    ASKED = "asked for"
    LARGEST_LOSS = "the answer is farthest from the truth"
    FALSE_POSITIVE = "surely positive, and is not"
    FALSE_NEGATIVE = "surely not positive, and is"
    TOO_HIGH = "the prediction is too high by the most"
    TOO_LOW = "the prediction is too low by the most"
    HIGHEST = "the highest answer"
    LOWEST = "the lowest answer"
    SUREST = "the surest answer"
    LEAST_SURE = "the least sure answer"


class Contribution(Struct, frozen=True, kw_only=True):
    """What one column added to the answer for one row.

    Attributes:
        column: its name.
        value: what the row has there; a date in ISO 8601, long text cut short, None where missing.
        amount: with its sign, in the unit of the explanation.
        standard_error: of the amount; None where it is exact.
    """

    column: str
    value: Optional[Scalar] = None
    amount: float
    standard_error: Optional[float] = None


class RowExplanation(Struct, frozen=True, kw_only=True):
    """What made a model answer so for one row: base + contributions + rest = answer.

    Attributes:
        row: its place in the data, from 0.
        chosen: why this row.
        predicted: what the model says; None where it is no number.
        actual: what is true; None where that is not known.
        explained: the class whose answer is explained; None for a regression.
        answer: in the unit.
        base: the answer before anything is known of the row.
        contributions: the largest first.
        rest: the sum of those that are not listed.
        unit: of all figures.
        method: how they were found.
        exact: whether they are the Shapley values themselves.
    """

    row: int
    chosen: Chosen
    predicted: Optional[Scalar]
    actual: Optional[Scalar] = None
    explained: Optional[Scalar] = None
    answer: float
    base: float
    contributions: tuple[Contribution, ...]
    rest: float
    unit: Unit
    method: str
    exact: bool


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a model answers as it does, as far as it was computed.

    Attributes:
        importance: by shuffling each column.
        mean_contributions: by the contributions of many rows.
        effects: a column each, in the order of the data.
        partial_dependence: the same.
        dependence: the same.
        rows: single rows, explained.
        not_computed: name of a part to the reason it is absent or incomplete.
    """

    importance: Optional[Importances] = None
    mean_contributions: Optional[MeanContributions] = None
    effects: tuple[Effect, ...] = ()
    partial_dependence: tuple[PartialDependence, ...] = ()
    dependence: tuple[Dependence, ...] = ()
    rows: tuple[RowExplanation, ...] = ()
    not_computed: dict[str, str] = {}
