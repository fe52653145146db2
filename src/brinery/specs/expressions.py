"""What is written as `${{…}}` in a job file, and blocks `$[[…]]` that go where a value is missing.

    python train.py --data ${{inputs.data}} $[[--rate ${{inputs.rate}}]]

Variables of bash (`$RANK`, `${HOME}`) are none of it and stay. Nothing is read or run here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from brinery.errors import InvalidExpression

# Name to text, one or two levels: `name`, `inputs.data`.
Scope = Mapping[str, "str | Mapping[str, str]"]

_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_BLOCK: Final = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
# The steps of a job have many templates in common, and each is looked at several times.
_REMEMBERED: Final = 256


class Reference(NamedTuple):
    """One `${{…}}` of a template.

    Attributes:
        path: its names: `("parent", "jobs", "prep", "outputs", "data")`.
        text: as it is written, braces included.
        at: position of its first character in the template, from 0.
        optional: whether it stands in a block `$[[…]]`.
    """

    path: tuple[str, ...]
    text: str
    at: int
    optional: bool


def references(template: str) -> list[Reference]:
    """Return every `${{…}}` of a template, in order."""
    return [*_references(template)] if "${{" in template else []


@lru_cache(_REMEMBERED)
def _references(template: str) -> tuple[Reference, ...]:
    blocks = [found.span() for found in _blocks(template)]
    return tuple(
        Reference(
            tuple(part.strip() for part in found[1].strip().split(".")),
            found[0],
            found.start(),
            any(start < found.start() < end for start, end in blocks),
        )
        # Only as far as one ends: what begins and does not would be looked at again and again.
        for found in _EXPRESSION.finditer(template, 0, template.rfind("}}") + 2)
    )


def whole(text: str) -> Reference | None:
    """Return the expression that a text is, with nothing before and after it; None for others."""
    found = references(text)
    return found[0] if len(found) == 1 and found[0].text == text.strip() else None


def render(template: str, scope: Scope) -> str:
    """Return a template with its expressions filled in.

    A block `$[[…]]` goes as a whole where an expression in it has no value, and loses its marks
    where all have one, or where it has none at all.

    Args:
        template: such as a command.
        scope: `{"inputs": {"data": "/a/b"}, "outputs": {…}, "name": "job"}`; what is optional and
            has no value is absent.

    Raises:
        InvalidExpression: an expression outside of a block has no value.
    """

    def _block(found: re.Match[str]) -> str:
        values = [_value(each.path, scope) for each in references(found[1])]
        if any(value is None for value in values):
            return ""
        return "".join(_filled(found[1], scope))

    # What was filled in is not read again: a value with `$[[` in it is a value.
    parts: list[str] = []
    end = 0
    for found in _blocks(template):
        parts += _filled(template[end : found.start()], scope)
        parts.append(_block(found))
        end = found.end()
    return "".join([*parts, *_filled(template[end:], scope)])


def unclosed(template: str) -> bool:
    """Return whether an expression begins in a template and does not end."""
    return template.rfind("${{") > template.rfind("}}")


def _blocks(template: str) -> Iterator[re.Match[str]]:
    return _BLOCK.finditer(template, 0, template.rfind("]]") + 2)


def _filled(text: str, scope: Scope) -> Iterator[str]:
    end = 0
    for found in references(text):
        value = _value(found.path, scope)
        if value is None:
            raise InvalidExpression(
                f"{found.text} has no value here",
                hint="an input that is optional stands in $[[…]]",
            )
        yield text[end : found.at]
        yield value
        end = found.at + len(found.text)
    yield text[end:]


def _value(path: tuple[str, ...], scope: Scope) -> str | None:
    head = scope.get(path[0])
    if isinstance(head, str):
        return head if len(path) == 1 else None
    if head is None or len(path) < 2:  # noqa: PLR2004 - a group and a name in it
        return None
    return head.get(".".join(path[1:]))
