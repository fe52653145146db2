from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from brinery import errors
from brinery.errors import BrineryError, Fault, PromotionRefused, UserError

Tree = list[tuple[int, str]]


def drawn() -> Tree:
    """The tree in the docstring: depth and name, from top to bottom."""
    assert errors.__doc__ is not None
    lines = errors.__doc__.splitlines()[2:]
    found = [re.fullmatch(r"([│├└─ ]*)(\w+)(  .*)?", line) for line in lines]
    return [(len(match.group(1)) // 4, match.group(2)) for match in found if match]


def real(root: type[BrineryError] = BrineryError, depth: int = 0) -> Tree:
    """The tree of the classes, in the order in which they are written."""
    below = [line for child in root.__subclasses__() for line in real(child, depth + 1)]
    return [(depth, root.__name__), *below]


def classes(root: type[BrineryError] = BrineryError) -> Iterator[type[BrineryError]]:
    yield root
    for child in root.__subclasses__():
        yield from classes(child)


def test_tree_is_drawn() -> None:
    """The drawing shows every error, in its place and order, and no other."""
    assert drawn() == real()


def test_drawing_tells_the_meaning() -> None:
    """Every error that has no others under it is explained in the drawing."""
    assert errors.__doc__ is not None
    for error in classes():
        if not error.__subclasses__():
            assert re.search(rf"─ {error.__name__} {{2,}}\S", errors.__doc__), error.__name__


def test_one_parent() -> None:
    """The tree is a tree: every error has one parent, and lives in this module."""
    for error in classes():
        assert len(error.__bases__) == 1
        assert getattr(errors, error.__name__) is error


def test_codes_are_unique() -> None:
    """No two errors share a code, so programs can tell them apart."""
    codes = [error.code for error in classes()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", list(classes()), ids=lambda error: error.__name__)
def test_codes_follow_names(error: type[BrineryError]) -> None:
    """A code is its own error's name in kebab-case."""
    assert "code" in vars(error)
    assert (
        error.code
        == re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=A)(?=Pickle|Model)", "-", error.__name__).lower()
    )


@pytest.mark.parametrize("error", list(classes()), ids=lambda error: error.__name__)
def test_exit_status(error: type[BrineryError]) -> None:
    """What the user can mend exits with 2, what is ours with 1; a gate that says no, with 3."""
    if error is not BrineryError:
        assert issubclass(error, UserError) != issubclass(error, Fault)
    due = 2 if issubclass(error, UserError) else 1
    assert error.exit_status == (3 if error is PromotionRefused else due)


@pytest.mark.parametrize("error", list(classes()), ids=lambda error: error.__name__)
def test_message_and_hint(error: type[BrineryError]) -> None:
    """An error carries its message, as its text too, and a hint that may be empty."""
    made = error("it broke", hint="mend it")
    assert (made.message, made.hint, str(made)) == ("it broke", "mend it", "it broke")
    assert error("it broke").hint == ""
    assert error.__doc__
