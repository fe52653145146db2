"""What is declared of a package."""

from __future__ import annotations

import pytest

from brinery.errors import InvalidPackage
from brinery.specs.packaging import PackageSpec, aliases, module_name

IRIS = ["sepal length (cm)", "sepal width (cm)", "petal_length"]


@pytest.mark.parametrize(
    ("model", "module"),
    [("bank", "bank_model"), ("My-Model.v2", "my_model_v2_model"), ("2nd", "m_2nd_model")],
)
def test_a_model_is_a_module(model: str, module: str) -> None:
    """The name of a model becomes one that Python imports."""
    assert module_name(model) == module
    assert module.isidentifier()


def test_a_name_that_is_no_word_has_one() -> None:
    """The unit in brackets is left out, and a name that is a word already keeps it."""
    assert aliases(IRIS, ()) == {
        "sepal_length": "sepal length (cm)",
        "sepal_width": "sepal width (cm)",
    }


def test_words_that_would_be_one_are_none() -> None:
    """Two columns that would have the same word, or that of another, have none."""
    assert aliases(["a (cm)", "a (mm)", "b c", "b_c", "1 2", "for "], ()) == {}


def test_a_declared_alias_comes_first() -> None:
    """A column with an alias of its own gets no other."""
    assert aliases(IRIS, ["sl=sepal length (cm)"]) == {
        "sl": "sepal length (cm)",
        "sepal_width": "sepal width (cm)",
    }


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (["x"], "is not ALIAS=COLUMN"),
        (["x=petal_lenght"], "takes no column 'petal_lenght'"),
        (["petal_length=sepal width (cm)"], "means another column already"),
        (["x=petal_length", "x=sepal width (cm)"], "means another column already"),
    ],
)
def test_a_wrong_alias_is_said(declared: list[str], said: str) -> None:
    """An alias names a column that is there, and nothing else."""
    with pytest.raises(InvalidPackage, match=said):
        aliases(IRIS, declared)


@pytest.mark.parametrize("wrong", [{"python": "2.7"}, {"python": "3"}, {"key": "a b"}, {"key": ""}])
def test_what_cannot_be_is_said(wrong: dict[str, str]) -> None:
    """A Python that is too old and a key that is no name are refused with what would do."""
    with pytest.raises(InvalidPackage) as caught:
        PackageSpec(**wrong).check()
    assert caught.value.hint
