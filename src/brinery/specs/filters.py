"""Filters of rows: comparisons of a column with a value, joined by `and`.

    age >= 60 and job == "retired"
    `marital status` in ["single", "divorced"] and balance is not missing

It is read, never run: there are no functions, no arithmetic, and nothing but these comparisons.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from brinery.errors import InvalidFilter

Value = str | int | float | bool


class Operator(StrEnum):
    """How a column is compared with a value."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    IN = "in"
    NOT_IN = "not in"
    MISSING = "is missing"
    NOT_MISSING = "is not missing"


_ORDERS: Final = (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST)
_SIGNS: Final = (Operator.EQUAL, Operator.UNEQUAL, *_ORDERS)
_WORDS: Final = ("and", "or", "not", "in", "is", "missing", "true", "false")

_NAME: Final = re.compile(r"[^\W\d][\w.]*")
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<name>[^\W\d][\w.]*)
    | `(?P<quoted>(?:[^`]|``)+)`
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<sign>==|!=|<=|>=|<|>|\[|\]|,)
    )""",
    re.VERBOSE,
)

_EXAMPLE: Final = 'write it like: age >= 60 and job == "retired"'


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class Comparison:
    """One column against values.

    Attributes:
        column: its name.
        operator: how it is compared.
        values: one; several where it is `in` or `not in`; none where it is about gaps.
    """

    column: str
    operator: Operator
    values: tuple[Value, ...] = ()

    def __str__(self) -> str:
        """Return it as it is typed."""
        name = quoted(self.column)
        match self.operator:
            case Operator.MISSING | Operator.NOT_MISSING:
                return f"{name} {self.operator}"
            case Operator.IN | Operator.NOT_IN:
                return f"{name} {self.operator} [{', '.join(map(_written, self.values))}]"
            case _:
                return f"{name} {self.operator} {_written(self.values[0])}"


@dataclass(frozen=True)
class Filter:
    """The rows for which every comparison holds; all rows where there is none."""

    comparisons: tuple[Comparison, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Return the filter that a text states; of an empty text, that of all rows.

        Raises:
            InvalidFilter: it is none; the message has the place, from 1.
        """
        return cls(tuple(_Reader(text).comparisons())) if text.strip() else cls()

    def __str__(self) -> str:
        """Return it as it is typed."""
        return " and ".join(map(str, self.comparisons))


def quoted(column: str) -> str:
    """Return the name of a column as a filter has it: in backticks where it is no plain word."""
    if _NAME.fullmatch(column) and column not in _WORDS:
        return column
    return f"`{column.replace('`', '``')}`"


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._next = 0

    def comparisons(self) -> Iterator[Comparison]:
        """Yield each comparison.

        Raises:
            InvalidFilter: what stands there is none.
        """
        yield self._comparison()
        while (token := self._take()).kind != "end":
            if token.text == "or" and token.kind == "name":
                raise self._fault(
                    token,
                    "a filter knows no 'or'",
                    hint="declare two assertions, or write: job in [..]",
                )
            if not (token.text == "and" and token.kind == "name"):
                raise self._fault(token, "expected 'and'")
            yield self._comparison()

    def _comparison(self) -> Comparison:
        token = self._take()
        if token.kind not in {"name", "quoted"} or (token.kind == "name" and token.text in _WORDS):
            raise self._fault(token, "expected the name of a column")
        column = token.text.replace("``", "`") if token.kind == "quoted" else token.text
        operator = self._operator()
        if operator in {Operator.MISSING, Operator.NOT_MISSING}:
            return Comparison(column, operator)
        if operator in {Operator.IN, Operator.NOT_IN}:
            return Comparison(column, operator, tuple(self._values()))
        return Comparison(column, operator, (self._value(operator),))

    def _operator(self) -> Operator:
        token = self._take()
        if token.kind == "sign" and token.text in _SIGNS:
            return Operator(token.text)
        words = [token.text]
        while " ".join(words) in {"not", "is", "is not"} and self._peek().kind == "name":
            words.append(self._take().text)
        try:
            return Operator(" ".join(words))
        except ValueError:
            told = ", ".join(Operator)
            raise self._fault(token, f"expected one of {told}") from None

    def _values(self) -> Iterator[Value]:
        token = self._take()
        if token.text != "[":
            raise self._fault(token, "expected a list in square brackets")
        while True:
            yield self._value(Operator.IN)
            token = self._take()
            if token.text == "]" and token.kind == "sign":
                return
            if token.text != "," or token.kind != "sign":
                raise self._fault(token, "expected ',' or ']'")

    def _value(self, operator: Operator) -> Value:
        token = self._take()
        if token.kind == "number":
            return _number(token.text)
        if token.kind == "text":
            return self._unescaped(token)
        if token.kind == "name" and token.text in {"true", "false"} and operator not in _ORDERS:
            return token.text == "true"
        expected = "expected a number, or a text in quotes"
        if token.kind == "name":
            raise self._fault(token, expected, hint=f'put texts in quotes: "{token.text}"')
        raise self._fault(token, expected)

    def _unescaped(self, token: _Token) -> str:
        inner = token.text[1:-1]
        if token.text[0] == "'":
            inner = re.sub(r'(?<!\\)"', r'\\"', inner.replace("\\'", "'"))
        try:
            return str(json.loads(f'"{inner}"', strict=False))
        except json.JSONDecodeError:
            raise self._fault(token, "a backslash stands before what it cannot escape") from None

    def _split(self) -> Iterator[_Token]:
        place, end = 0, len(self._text.rstrip())
        while place < end:
            found = _TOKEN.match(self._text, place)
            if found is None:
                start = place + len(self._text[place:]) - len(self._text[place:].lstrip())
                wrong = _Token("wrong", self._text[start], start)
                raise self._fault(wrong, "not understood")
            kind = str(found.lastgroup)
            yield _Token(kind, found.group(kind), found.start(kind))
            place = found.end()
        yield _Token("end", "", end)

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _peek(self) -> _Token:
        return self._tokens[min(self._next, len(self._tokens) - 1)]

    def _fault(self, token: _Token, what: str, *, hint: str = _EXAMPLE) -> InvalidFilter:
        at = f"at '{token.text}'" if token.text else "at its end"
        return InvalidFilter(
            f"'{self._text}' is no filter: {what} {at}, place {token.place + 1}",
            hint=hint,
        )


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
