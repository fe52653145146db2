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

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from brinery.errors import InvalidAssertions, InvalidFilter
from brinery.specs.filters import Filter, Value
from brinery.specs.names import nearest

_MAX_BYTES: Final = 1_000_000
_TAG: Final = "tag:yaml.org,2002:"
_HINT: Final = "docs/how-to/assert.md shows how assertions are written"
_EXPECTATIONS: Final = ("class", "value", "probability")

Place = tuple[str | int, ...]


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
    try:
        with file.open("rb") as stream:
            given = stream.read(_MAX_BYTES + 1)
        text = given.decode("utf-8")
    except OSError as error:
        raise InvalidAssertions(
            f"{file} cannot be read: {error.strerror}", hint=f"ls -l {file} shows what is there"
        ) from None
    except UnicodeDecodeError:
        raise InvalidAssertions(f"{file} is not text in UTF-8", hint=_HINT) from None
    if len(given) > _MAX_BYTES:
        raise InvalidAssertions(f"{file} is larger than {_MAX_BYTES:,} bytes", hint=_HINT)
    stated, document = _parsed(text, file)
    faults = document.faults
    try:
        declared = Assertions.model_validate(stated).assertions
    except ValidationError as error:
        faults += [_fault(one, document.lines) for one in error.errors()]
    else:
        faults += _twice(declared, document.lines)
        if not declared:
            faults.append((1, "assertions has none"))
        if not faults:
            return declared
    told = "; ".join(f"{file}:{line}: {fault}" for line, fault in sorted(faults))
    raise InvalidAssertions(told, hint=_HINT)


class _Document(NamedTuple):
    """What is noted of a text while its values are read.

    Attributes:
        lines: the line of each value, by its path; from 1.
        faults: each with its line.
    """

    lines: dict[Place, int]
    faults: list[tuple[int, str]]


class _Loader(yaml.SafeLoader):
    """Knows the plain values of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to say so


_Loader.add_implicit_resolver(f"{_TAG}null", re.compile(r"^(?:~|null|Null|NULL|)$"), None)
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:[Tt]rue|[Ff]alse|TRUE|FALSE)$"), None)
_Loader.add_implicit_resolver(f"{_TAG}int", re.compile(r"^[-+]?\d{1,18}$"), None)
_Loader.add_implicit_resolver(
    f"{_TAG}float", re.compile(r"^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d{1,3})?$"), None
)


def _parsed(text: str, file: Path) -> tuple[Any, _Document]:
    """Return the values of a YAML text, and what is noted of it.

    Raises:
        InvalidAssertions: it is no YAML, or more than plain values.
    """
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, _Loader)):
            raise InvalidAssertions(f"{file} has an alias (*name), which is not read", hint=_HINT)
        root = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else f"{file}"
        raise InvalidAssertions(f"{where}: no YAML: {error.problem}", hint=_HINT) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidAssertions(f"{file} is no YAML: {error}", hint=_HINT) from None
    document = _Document({}, [])
    return _value(root, (), document), document


def _value(node: Any, path: Place, document: _Document) -> Any:
    """Return the value of a node, and note the lines of what is in it."""
    if node is None:
        return None
    lines, faults = document.lines, document.faults
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*path, at), document) for at, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                faults.append((key.start_mark.line + 1, f"'{name}' is said twice"))
            found[name] = _value(value, (*path, name), document)
            lines[*path, name] = key.start_mark.line + 1
        return found
    return _plain(node.tag, str(node.value))


def _plain(tag: str, text: str) -> Value | None:
    match tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case _:
            return text


def _twice(
    assertions: tuple[Assertion, ...], lines: Mapping[Place, int]
) -> Iterator[tuple[int, str]]:
    """Yield a fault for each assertion that is called as one before it."""
    seen: dict[str, int] = {}
    for at, assertion in enumerate(assertions):
        first = seen.setdefault(assertion.title, at)
        if first != at:
            line = lines["assertions", at]
            told = lines["assertions", first]
            yield line, f"'{assertion.title}' is also the name of that in line {told}"


def _fault(fault: Any, lines: Mapping[Place, int]) -> tuple[int, str]:
    """Return the line of one fault, and what is wrong with its path."""
    path: Place = tuple(fault["loc"])
    known = path
    while known not in lines and known:
        known = known[:-1]
    line, where = lines.get(known, 1), _told(path)
    if fault["type"] == "extra_forbidden":
        near = nearest(str(path[-1]), _keys(path[:-1]))
        return line, f"{where} is not known" + (f": did you mean {near}?" if near else "")
    if fault["type"] == "value_error":
        return line, f"{where} {fault['ctx']['error']}"
    return line, f"{where}: {fault['msg'].lower()}"


def _told(path: Place) -> str:
    """Return a path as it is read: `assertions[2].where`, counted from 1."""
    parts = [f"[{one + 1}]" if isinstance(one, int) else f".{one}" for one in path]
    return "".join(parts).removeprefix(".") or "the file"


def _keys(path: Place) -> list[str]:
    """Return the keys that may stand at a path."""
    part: type[_Part] = Assertions
    if path:
        inner: dict[str, type[_Part]] = {"value": Range, "probability": Probability}
        part = inner.get(str(path[-1]), Assertion)
    return [field.alias or name for name, field in part.model_fields.items()]
