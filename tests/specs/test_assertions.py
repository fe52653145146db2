from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from brinery.errors import InvalidAssertions
from brinery.specs.assertions import Assertion, Assertions, Range, read

GOOD = """
assertions:
  - name: pensioners who were won before
    where: age >= 60 and poutcome == 'success'
    class: yes
    min_ratio: 0.7
  - where: balance < 0
    probability: {of: yes, at_most: 0.5}
  - class: [no, yes]
  - value: {at_least: 0, at_most: 500000}
  - class: [1, true, 1.5]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "assertions.yml"


def refused(file: Path, text: str) -> list[str]:
    """The faults of a text, without the name of the file."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidAssertions) as caught:
        read(file)
    assert caught.value.hint
    return caught.value.message.replace(f"{file}:", "").split("; ")


def test_what_is_declared(file: Path) -> None:
    """Assertions are read as they stand; `yes` is a text, and a filter is written in one way."""
    file.write_text(GOOD)
    one, two, three, four, five = read(file)
    assert one.classes == ("yes",)
    assert one.where == 'age >= 60 and poutcome == "success"'
    assert one.min_ratio == 0.7
    assert one.title == "pensioners who were won before"
    assert two.probability is not None
    assert two.probability.of == "yes"
    assert two.title == "balance < 0: a probability of 'yes' at most 0.5"
    assert (two.min_ratio, three.where, three.classes) == (1.0, "", ("no", "yes"))
    assert four.value == Range(at_least=0, at_most=500_000)
    assert four.expected == "from 0 to 500,000"
    assert five.classes == (1, True, 1.5)
    assert [type(label) for label in five.classes] == [int, bool, float]
    assert three.filter.comparisons == ()


def test_every_fault_at_once(file: Path) -> None:
    """Every fault is told at once, each with its line and its path."""
    faults = refused(
        file,
        """assertions:
  - name: a
    where: age >= 60 and job = "retired"
    clas: yes
  - where: balance < 0
    probability: {of: yes, at_most: many}
    min_ratio: 1.5
  - name: b
    value: {at_least: 3, at_most: 1}
    value:
      at_leats: 3
  - oops
""",
    )
    assert faults == [
        (
            """3: assertions[1].where 'age >= 60 and job = "retired"' is no filter: """
            "not understood at '=', place 19"
        ),
        'write it like: age >= 60 and job == "retired"',
        "4: assertions[1].clas is not known: did you mean class?",
        (
            "6: assertions[2].probability.at_most: input should be a valid number, "
            "unable to parse string as a number"
        ),
        "7: assertions[2].min_ratio: input should be less than or equal to 1",
        "10: 'value' is said twice",
        "11: assertions[3].value.at_leats is not known: did you mean at_least?",
        "12: assertions[4]: input should be a valid dictionary or instance of assertion",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1: the file: input should be a valid dictionary or instance of assertions"),
        ("[]", "1: the file: input should be a valid dictionary or instance of assertions"),
        ("assertions: []", "1: assertions has none"),
        ("asertions: []", "1: asertions is not known: did you mean assertions?"),
        (
            "assertions: [{}]",
            "1: assertions[1] needs one of class, value, probability, and has none of them",
        ),
        (
            "assertions: [{class: a, value: {at_least: 1}}]",
            "1: assertions[1] needs one of class, value, probability, and has class and value",
        ),
        ("assertions: [{class: []}]", "1: assertions[1].class names no class"),
        (
            "assertions: [{class: {a: b}}]",
            "1: assertions[1].class is one class, or a list of classes",
        ),
        ("assertions: [{class: }]", "1: assertions[1].class is one class, or a list of classes"),
        (
            "assertions: [{value: {}}]",
            "1: assertions[1].value has neither at_least nor at_most",
        ),
        (
            "assertions: [{value: {at_least: 2, at_most: 1}}]",
            "1: assertions[1].value at_least 2 is above at_most 1",
        ),
        ("assertions:\n- class: a\n- class: a", "3: 'all rows: 'a'' is also the name of that in"),
        ("assertions: [", "1: no YAML: "),
        ("a: &b [1]\nc: *b", "has an alias (*name), which is not read"),
        ("assertions: !!python/name:os.system x", "1: assertions: input should be a valid tuple"),
        ("[" * 5000 + "]" * 5000, "is no YAML: "),
    ],
)
def test_faults(file: Path, text: str, fault: str) -> None:
    """What is no assertion is refused with what is wrong with it."""
    assert any(fault in one for one in refused(file, text)), refused(file, text)


def test_a_file_that_is_not_there(file: Path) -> None:
    """A file that cannot be read, or is no text, is told as that."""
    with pytest.raises(InvalidAssertions, match="cannot be read: No such file"):
        read(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidAssertions, match="is not text in UTF-8"):
        read(file)
    file.write_text("#" * 1_000_001)
    with pytest.raises(InvalidAssertions, match="is larger than 1,000,000 bytes"):
        read(file)


def test_from_python() -> None:
    """An assertion may be made in Python by the same names, and cannot be changed."""
    made = Assertion(classes=("yes",), where="age > 1")
    assert made == Assertion.model_validate({"class": "yes", "where": "age > 1"})
    with pytest.raises(ValidationError):
        made.where = ""  # type: ignore[misc]


def test_every_key_is_described() -> None:
    """Every key has a description, from which the reference is made."""
    for part in (Assertion, Range):
        assert all(field.description for field in part.model_fields.values())
    assert list(Assertions.model_fields) == ["assertions"]


def test_the_page_shows_what_is_read(file: Path) -> None:
    """The assertions that the page on them shows are read as they stand."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "assert.md"
    (block,) = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    file.write_text(block)
    assert [one.title for one in read(file)][:2] == [
        "who was won before is won again",
        "debts are no good sign",
    ]
