"""Assertions: what the user says that a model must answer, declared in `assertions.yml`.

    assertions:
      - name: pensioners who were won before are won again
        where: age >= 60 and poutcome == "success"
        class: "yes"
        min_ratio: 0.7
      - where: balance < 0
        probability: {of: "yes", at_most: 0.5}

They are read and checked here, and nothing is known of a model yet. The text is YAML 1.2, whose
`yes` and `no` are texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from brinery.errors import InvalidAssertions, InvalidFilter
from brinery.specs import yaml_model
from brinery.specs.filters import Filter, Value
from brinery.specs.yaml_file import Document, Refusal

_REFUSAL: Final = Refusal(
    InvalidAssertions, "docs/how-to/assert.md shows how assertions are written"
)
_EXPECTATIONS: Final = ("class", "value", "probability")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Range(_Part):
    """Numbers between two ends, or beyond one; the ends belong to it."""

    at_least: float | None = Field(None, allow_inf_nan=False, description="the lower end")
    at_most: float | None = Field(None, allow_inf_nan=False, description="the upper end")

    @model_validator(mode="after")
    def _has_ends(self) -> Range:
        if self.at_least is None and self.at_most is None:
            raise ValueError("has neither at_least nor at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is above at_most {self.at_most:g}")
        return self

    def __str__(self) -> str:
        """Return it in words."""
        if self.at_most is None:
            return f"at least {self.at_least:,.12g}"
        if self.at_least is None:
            return f"at most {self.at_most:,.12g}"
        return f"from {self.at_least:,.12g} to {self.at_most:,.12g}"


class Probability(Range):
    """The probability that a row is of a class."""

    of: Value = Field(description="the class")

    def __str__(self) -> str:
        """Return it in words."""
        return f"a probability of {self.of!r} {super().__str__()}"


class Assertion(_Part):
    """Some rows, what the model must answer for them, and for what share of them."""

    name: str = Field("", max_length=200, description="what it is called; what it says when empty")
    where: str = Field("", description="a filter of the rows; all rows when empty")
    classes: tuple[Value, ...] = Field((), alias="class", description="one class, or several")
    value: Range | None = Field(None, description="the range of the answer of a regression")
    probability: Probability | None = Field(None, description="the range of a probability")
    min_ratio: float = Field(
        1.0, gt=0, le=1, description="the share of the rows that must be as expected"
    )

    @field_validator("where")
    @classmethod
    def _is_a_filter(cls, where: str) -> str:
        try:
            return str(Filter.parse(where))
        except InvalidFilter as error:
            raise ValueError(f"{error.message}; {error.hint}") from None

    @field_validator("classes", mode="before")
    @classmethod
    def _are_classes(cls, given: object) -> tuple[object, ...]:
        classes = tuple(given) if isinstance(given, list | tuple) else (given,)
        if not classes:
            raise ValueError("names no class")
        if not all(isinstance(one, str | int | float | bool) for one in classes):
            raise ValueError("is one class, or a list of classes")
        return classes

    @model_validator(mode="after")
    def _has_one_expectation(self) -> Assertion:
        given = (bool(self.classes), self.value is not None, self.probability is not None)
        if sum(given) != 1:
            found = [name for name, there in zip(_EXPECTATIONS, given, strict=True) if there]
            told = " and ".join(found) if found else "none of them"
            raise ValueError(f"needs one of {', '.join(_EXPECTATIONS)}, and has {told}")
        return self

    @property
    def filter(self) -> Filter:
        """Return which rows it is about."""
        return Filter.parse(self.where)

    @property
    def expected(self) -> str:
        """Return what is expected of the answers, in words."""
        if self.classes:
            return " or ".join(map(repr, self.classes))
        return str(self.value or self.probability)

    @property
    def title(self) -> str:
        """Return its name, or what it says."""
        return self.name or f"{self.where or 'all rows'}: {self.expected}"


class Assertions(_Part):
    """All that is asserted of a model."""

    assertions: tuple[Assertion, ...]


def read(file: Path) -> tuple[Assertion, ...]:
    """Return the assertions that a YAML file declares.

    Raises:
        InvalidAssertions: every fault at once, each with its line and path.
    """
    return yaml_model.read(file, Assertions, refusal=_REFUSAL, check=_twice).assertions


def _twice(declared: Assertions, document: Document) -> Iterator[tuple[int, str]]:
    """Yield a fault for each assertion that is called as one before it, and where there is none."""
    assertions, lines = declared.assertions, document.lines
    if not assertions:
        yield 1, "assertions has none"
    seen: dict[str, int] = {}
    for at, assertion in enumerate(assertions):
        first = seen.setdefault(assertion.title, at)
        if first != at:
            line = lines["assertions", at]
            told = lines["assertions", first]
            yield line, f"'{assertion.title}' is also the name of that in line {told}"
