from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.errors import InvalidName, InvalidReference
from brinery.specs.reference import LATEST, Reference

allowed = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("bank", Reference("bank")),
        ("bank@1", Reference("bank", version=1)),
        ("bank@999999999", Reference("bank", version=999_999_999)),
        ("bank@champion", Reference("bank", alias="champion")),
        ("bank@latest", Reference("bank", alias=LATEST)),
        ("bank@Production", Reference("bank", alias="champion")),
        ("bank@production", Reference("bank", alias="champion")),
        ("bank@Staging", Reference("bank", alias="challenger")),
        ("b.a-n_k@my-alias_2", Reference("b.a-n_k", alias="my-alias_2")),
    ],
)
def test_parse(text: str, reference: Reference) -> None:
    """A reference is a name, or a name with a version, an alias or one of MLflow's stages."""
    assert Reference.parse(text) == reference


@pytest.mark.parametrize(
    "text", ["bank@", "bank@0", "bank@01", "bank@-1", "bank@1.0", "bank@@1", "bank@1@2", "bank@a b"]
)
def test_invalid_reference(text: str) -> None:
    """What is neither version nor alias is refused with what would be."""
    with pytest.raises(InvalidReference) as caught:
        Reference.parse(text)
    assert caught.value.hint == "try bank@1, bank@champion or bank@latest"


def test_invalid_name_in_a_reference() -> None:
    """The name within a reference is checked, too."""
    with pytest.raises(InvalidName):
        Reference.parse("my model@1")


@given(name=allowed)
def test_valid_name(name: str) -> None:
    """Every allowed name is a reference to its model."""
    assert Reference.parse(name) == Reference(name)


@given(
    name=allowed,
    which=st.none()
    | st.integers(1, 999_999_999)
    | st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,99}", fullmatch=True),
)
def test_text_of_a_reference(name: str, which: object) -> None:
    """A reference's text is read to the same reference."""
    reference = Reference.parse(name if which is None else f"{name}@{which}")
    assert Reference.parse(str(reference)) == reference


@given(text=st.text())
def test_any_text(text: str) -> None:
    """Any text is a reference or is refused as one of ours."""
    try:
        assert Reference.parse(text).name == text.partition("@")[0]
    except (InvalidName, InvalidReference) as error:
        assert error.hint  # noqa: PT017 - either end is right
