"""Rules of a gate: what a figure, a figure in groups of rows, or a latency must hold.

A rule that contradicts itself is refused; what it asks for is said in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from brinery.errors import InvalidFilter
from brinery.specs.filters import Filter
from brinery.specs.metrics import (
    HEADLINE,
    METRICS,
    WITHOUT_DIRECTION,
    is_metric,
    is_of_labels,
    limits,
)
from brinery.specs.names import nearest

CONFIDENCE: Final = 0.95
_FEWEST: Final = 20


class RuleKind(StrEnum):
    """What a rule is about."""

    VERSUS = "versus the champion"
    ABSOLUTE = "a bound of its own"
    SUBPOPULATIONS = "subpopulations"
    LATENCY = "latency"


class Rule(BaseModel):
    """One rule: a metric, a metric in groups of rows, or how long an answer takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field("", description="a metric of an evaluation, or `headline`")
    at_threshold: float | None = Field(
        None, ge=0, le=1, description="of a binary model: positive from this probability on"
    )
    where: str = Field("", description="a filter of the rows; all rows when empty")
    versus: Literal["champion"] | None = Field(None, description="`champion`, on the same rows")
    better_by: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="how much better than the champion, at least"
    )
    non_inferiority: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="how much worse than the champion, at most"
    )
    confidence: float | None = Field(
        None, gt=0.5, lt=1, description="how sure it must be; 0.95 versus the champion"
    )
    at_least: float | None = Field(None, allow_inf_nan=False, description="the lower bound")
    at_most: float | None = Field(None, allow_inf_nan=False, description="the upper bound")
    subpopulations: tuple[str, ...] = Field((), description="columns that make the groups")
    max_drop: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="how much worse a group may become"
    )
    min_rows: int = Field(_FEWEST, ge=2, description="rows below which nothing is told")
    latency_p99_ms: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="most milliseconds of 99 in 100 answers"
    )
    max_ratio: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="most times the champion's latency"
    )

    @field_validator("versus", mode="before")
    @classmethod
    def _is_the_champion(cls, versus: object) -> object:
        number = isinstance(versus, int | float)
        if number:
            raise ValueError("is a number, which is written at_least or at_most")
        if versus != "champion":
            raise ValueError(f"is {versus!r}, and only 'champion' is known: did you mean champion?")
        return versus

    @field_validator("metric")
    @classmethod
    def _is_a_metric(cls, metric: str) -> str:
        if metric and not is_metric(metric):
            near = nearest(metric, (*METRICS, HEADLINE))
            told = f"did you mean {near}?" if near else f"such as {', '.join(METRICS[:6])}"
            raise ValueError(f"is {metric!r}, which is no metric: {told}")
        return metric

    @field_validator("where")
    @classmethod
    def _is_a_filter(cls, where: str) -> str:
        try:
            return str(Filter.parse(where))
        except InvalidFilter as error:
            raise ValueError(f"{error.message}; {error.hint}") from None

    @field_validator("subpopulations")
    @classmethod
    def _are_columns(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if not columns or not all(columns):
            raise ValueError("names no column")
        if twice := next((one for one in columns if columns.count(one) > 1), None):
            raise ValueError(f"names {twice!r} twice")
        return columns

    @model_validator(mode="after")
    def _makes_sense(self) -> Rule:
        faults = list(_contradictions(self))
        if faults:
            raise ValueError(", and ".join(faults))
        return self

    @property
    def kind(self) -> RuleKind:
        """Return what it is about."""
        if self.latency_p99_ms is not None or self.max_ratio is not None:
            return RuleKind.LATENCY
        if self.subpopulations:
            return RuleKind.SUBPOPULATIONS
        return RuleKind.ABSOLUTE if self.versus is None else RuleKind.VERSUS

    @property
    def sure(self) -> float | None:
        """Return how sure it must be, 0 to 1; None where the measured figure itself counts."""
        if self.confidence is None and self.kind is RuleKind.VERSUS:
            return CONFIDENCE
        return self.confidence

    @property
    def filter(self) -> Filter:
        """Return which rows it is about."""
        return Filter.parse(self.where)

    @property
    def scope(self) -> str:
        """Return its metric, with the threshold and the rows, in words."""
        at = "" if self.at_threshold is None else f" at threshold {self.at_threshold:g}"
        return f"{self.metric}{at}{f' where {self.where}' if self.where else ''}"

    @property
    def title(self) -> str:
        """Return what it asks for, in a line."""
        sure = "" if self.sure is None else f", {_percent(self.sure)} sure"
        match self.kind:
            case RuleKind.LATENCY:
                return f"p99 latency of one row {' and '.join(self._latencies)}"
            case RuleKind.SUBPOPULATIONS:
                groups = " and ".join(self.subpopulations)
                return (
                    f"{self.scope} no worse than the champion's by more than {self.max_drop:g} "
                    f"in any group of {groups}{sure}"
                )
            case RuleKind.ABSOLUTE:
                return f"{self.scope} {' and '.join(self._bounds)}{sure}"
            case RuleKind.VERSUS:
                return f"{self.scope} {self._better} the champion's{sure}"

    @property
    def explained(self) -> str:
        """Return what it asks for and how that is told, in a few sentences."""
        told = self._explained
        return f"{_EXPLAINED_HEADLINE} {told}" if self.metric == HEADLINE else told

    @property
    def _explained(self) -> str:
        match self.kind:
            case RuleKind.LATENCY:
                return _EXPLAINED_LATENCY
            case RuleKind.ABSOLUTE:
                return _EXPLAINED_FIGURE if self.confidence is None else _EXPLAINED_BOUND
            case RuleKind.SUBPOPULATIONS:
                return _EXPLAINED_HARM if self.confidence is None else _EXPLAINED_GROUPS
            case RuleKind.VERSUS:
                return _EXPLAINED_EQUAL if self.non_inferiority else _EXPLAINED_BETTER

    @property
    def _better(self) -> str:
        if self.non_inferiority is not None:
            return f"less than {self.non_inferiority:g} worse than"
        return f"better by more than {self.better_by:g} than" if self.better_by else "better than"

    @property
    def _bounds(self) -> list[str]:
        low = [] if self.at_least is None else [f"at least {self.at_least:,.12g}"]
        return [*low, *([] if self.at_most is None else [f"at most {self.at_most:,.12g}"])]

    @property
    def _latencies(self) -> list[str]:
        own = [] if self.latency_p99_ms is None else [f"at most {self.latency_p99_ms:g} ms"]
        ratio = (
            [] if self.max_ratio is None else [f"at most {self.max_ratio:g} times the champion's"]
        )
        return [*own, *ratio]


_EXPLAINED_HEADLINE: Final = (
    "The headline is the roc_auc of a binary model, the f1_macro of several classes and the r2 of "
    "a regression; the accuracy of a binary model that gives no probabilities."
)
_EXPLAINED_BETTER: Final = (
    "Both versions answer the same rows, and the difference is tested one-sided, paired: chance "
    "alone would show as much too seldom for it to be chance. Every further look at the same rows "
    "asks for more. With no champion it passes."
)
_EXPLAINED_EQUAL: Final = (
    "Both versions answer the same rows, and it is tested, one-sided and paired, that the version "
    "is not worse by the margin. Every further look at the same rows asks for more. Versions that "
    "are each a little worse may follow each other. With no champion it passes."
)
_EXPLAINED_FIGURE: Final = "The measured figure itself is held to the bound, whatever chance did."
_EXPLAINED_BOUND: Final = (
    "The figure's one-sided confidence bound is held to the bound, so that chance alone seldom "
    "lets a worse model through. Every further look at the same rows asks for more."
)
_EXPLAINED_HARM: Final = (
    "It fails where a group's measured figure is worse by more than that, and chance does not "
    "explain that it is worse at all (5 % for all groups together, Holm). Groups of fewer than "
    "`min_rows` rows are left out. With no champion it passes."
)
_EXPLAINED_GROUPS: Final = (
    "In every group it is tested, one-sided and paired, that the version is not worse by more than "
    "that; a group that is too small to tell fails it. Groups of fewer than `min_rows` rows are "
    "left out. With no champion it passes."
)
_EXPLAINED_LATENCY: Final = (
    "Single rows are answered by both versions in turns, in a process, without HTTP; the middle "
    "of several rounds counts. With no champion only the milliseconds do."
)


def _contradictions(rule: Rule) -> Iterator[str]:
    """Yield why a rule asks for nothing, or for what cannot be."""
    kind = rule.kind
    given = {name for name in type(rule).model_fields if name in rule.model_fields_set}
    if kind is RuleKind.LATENCY:
        yield from _timed(rule, given)
    elif not rule.metric:
        yield f"has no metric{f', but {_listed(sorted(given))}' if given else ''}"
    else:
        yield from _unfit(rule)
        if rule.max_drop is not None and kind is not RuleKind.SUBPOPULATIONS:
            yield "has max_drop, and no subpopulations"
        match kind:
            case RuleKind.SUBPOPULATIONS:
                yield from _grouped(rule, given)
            case RuleKind.VERSUS:
                yield from _against(rule, given)
            case _:
                yield from _alone(rule, given)


def _timed(rule: Rule, given: set[str]) -> Iterator[str]:
    others = sorted(given - {"latency_p99_ms", "max_ratio", "versus"})
    if others:
        yield f"is about latency, and has {_listed(others)}"
    if rule.max_ratio is not None and rule.versus is None:
        yield "has max_ratio, and not versus = 'champion'"
    if rule.versus is not None and rule.max_ratio is None:
        yield "is versus the champion, and has no max_ratio"


def _grouped(rule: Rule, given: set[str]) -> Iterator[str]:
    others = sorted(given & {"at_least", "at_most", "better_by", "non_inferiority", "where"})
    if others:
        yield f"is about subpopulations, and has {_listed(others)}"
    if rule.max_drop is None:
        yield "is about subpopulations, and has no max_drop"


def _unfit(rule: Rule) -> Iterator[str]:
    """Yield why a metric cannot be asked for so."""
    compared = rule.versus is not None or rule.subpopulations
    if rule.at_threshold is not None and not is_of_labels(rule.metric):
        yield f"has at_threshold, and {rule.metric} is of no labels that a threshold decides"
    if compared and rule.metric in WITHOUT_DIRECTION:
        yield f"compares {rule.metric}, of which neither high nor low is better"
    if rule.confidence is not None and rule.metric in WITHOUT_DIRECTION:
        yield f"has confidence, and {rule.metric} has no interval"


def _against(rule: Rule, given: set[str]) -> Iterator[str]:
    bounds = sorted(given & {"at_least", "at_most"})
    if bounds:
        yield f"is versus the champion, and has {_listed(bounds)}: make it two rules"
    if rule.better_by is not None and rule.non_inferiority is not None:
        yield "has better_by and non_inferiority: it is better, or not much worse"
    low, high = limits(rule.metric)
    for name in ("better_by", "non_inferiority"):
        value = getattr(rule, name)
        if value is not None and value >= high - low:
            yield f"has {name} = {value:g}, and {rule.metric} is from {low:g} to {high:g}"


def _alone(rule: Rule, given: set[str]) -> Iterator[str]:
    others = sorted(given & {"better_by", "non_inferiority"})
    if others:
        yield f"has {_listed(others)}, and not versus = 'champion'"
    elif rule.at_least is None and rule.at_most is None:
        yield "has neither versus = 'champion' nor at_least nor at_most"
    if rule.metric == HEADLINE and (rule.at_least is not None or rule.at_most is not None):
        yield "holds the headline to a number, and which metric that is depends on the model"
    if rule.at_least is not None and rule.at_most is not None and rule.at_least > rule.at_most:
        yield f"has at_least {rule.at_least:g} above at_most {rule.at_most:g}"
    low, high = limits(rule.metric)
    if rule.at_least is not None and rule.at_least > high:
        yield f"has at_least {rule.at_least:g}, and {rule.metric} is at most {high:g}"
    if rule.at_most is not None and rule.at_most < low:
        yield f"has at_most {rule.at_most:g}, and {rule.metric} is at least {low:g}"


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _percent(share: float) -> str:
    return f"{share * 100:.6g} %"
