from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.errors import InvalidName
from brinery.specs.names import check_name, nearest


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("my model", "try --name my-model"),
        ("a/b\\c", "try --name a-b-c"),
        ("../etc", "try --name etc"),
        (".hidden", "try --name hidden"),
        ("naïve", "try --name na-ve"),
        ("bank\n", "try --name bank"),
        ("x" * 101, f"try --name {'x' * 100}"),
        ("", "try --name my-model"),
        ("☃", "try --name my-model"),
    ],
)
def test_invalid_name(name: str, hint: str) -> None:
    """A name that a URL or a file could not have is refused with one that is near."""
    with pytest.raises(InvalidName) as caught:
        check_name(name)
    assert caught.value.hint == hint


@given(name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", fullmatch=True))
def test_valid_name(name: str) -> None:
    """Every allowed name is returned unchanged."""
    assert check_name(name) == name


@given(text=st.text())
def test_suggested_name(text: str) -> None:
    """A name is allowed, or the one that is suggested is."""
    try:
        check_name(text)
    except InvalidName as error:
        check_name(error.hint.removeprefix("try --name "))


@pytest.mark.parametrize(
    ("name", "found"),
    [("Ballance", "balance"), ("JOB", "Job"), ("zzz", None), ("", None), ("x" * 10_000, None)],
)
def test_nearest(name: str, found: str | None) -> None:
    """The nearest name is found whatever its case, and none where none is close."""
    assert nearest(name, ["age", "balance", "Job"]) == found
    assert nearest(name, []) is None
