from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.errors import InvalidFilter
from brinery.specs.filters import Comparison, Filter, Operator, Value, quoted

VALUES = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
)
ORDERS = {Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST}


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    column = draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8))
    how = draw(st.sampled_from(Operator))
    if how in {Operator.MISSING, Operator.NOT_MISSING}:
        return Comparison(column, how)
    several = how in {Operator.IN, Operator.NOT_IN}
    values = draw(st.lists(VALUES, min_size=1, max_size=4 if several else 1))
    if how in ORDERS:
        values = [int(one) if isinstance(one, bool) else one for one in values]
    return Comparison(column, how, tuple(values))


@given(st.lists(comparisons(), max_size=4))
def test_what_is_written_is_read(parts: list[Comparison]) -> None:
    """A filter of any columns and values is read from its own text as it was."""
    written = Filter(tuple(parts))
    assert Filter.parse(str(written)) == written


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("age >= 60", (60,)),
        ("age<-1.5e3", (-1500.0,)),
        ('job == "retired"', ("retired",)),
        ("job == 'it''s' ".replace("''", "\\'"), ("it's",)),
        ("job == 'say \"so\"'", ('say "so"',)),
        ("job in ['a', \"b\"]", ("a", "b")),
        ("job not in [ 1 , 2 ]", (1, 2)),
        ("`marital status` is missing", ()),
        ("a.b_1 is  not  missing", ()),
        ("`a``b` == true", (True,)),
        ("größe != false", (False,)),
    ],
)
def test_spellings(text: str, values: tuple[Value, ...]) -> None:
    """Numbers, texts in either quotes, lists, gaps and truth values are understood."""
    (one,) = Filter.parse(text).comparisons
    assert one.values == values
    assert [type(value) for value in one.values] == [type(value) for value in values]


def test_joined_by_and() -> None:
    """Comparisons are joined by `and`; an empty text is the filter of all rows."""
    joined = Filter.parse('age >= 60 and age < 70 and job == "and"')
    assert [str(one) for one in joined.comparisons] == ["age >= 60", "age < 70", 'job == "and"']
    assert Filter.parse("  ") == Filter()
    assert str(Filter()) == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("age = 60", "not understood at '=', place 5"),
        ("age >= 60 or job == 'a'", "knows no 'or' at 'or', place 11"),
        ("age >= sixty", "expected a number, or a text in quotes at 'sixty', place 8"),
        ("age >=", "expected a number, or a text in quotes at its end, place 7"),
        ("age >= true", "at 'true'"),
        ("age 60", "expected one of ==, !=, <, <=, >, >=, in, not in, is missing"),
        ("and == 1", "expected the name of a column at 'and'"),
        ("age == 1 job == 2", "expected 'and' at 'job'"),
        ("job in 'a'", "expected a list in square brackets"),
        ("job in []", "expected a number, or a text in quotes at ']'"),
        ("job in ['a' 'b']", "expected ',' or ']'"),
        ("job is gone", "expected one of"),
        ("job is not", "expected one of"),
        ("job == 'a\\q'", "a backslash stands before what it cannot escape"),
        ("job == 'a", "not understood at"),
        ("age == 1and", "not understood at '1'"),
        ("__import__('os').system('true')", "not understood at '('"),
        ("f(age) > 1", "not understood at '('"),
        ("age + 1 > 2", "not understood at '+'"),
    ],
)
def test_faults_are_told_with_their_place(text: str, fault: str) -> None:
    """What is no filter is refused with the place of the fault, and nothing of it is run."""
    with pytest.raises(InvalidFilter) as caught:
        Filter.parse(text)
    assert fault in caught.value.message
    assert caught.value.hint


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Of any text there is a filter or one clear error."""
    with suppress(InvalidFilter):
        assert Filter.parse(str(Filter.parse(text))) == Filter.parse(text)


@pytest.mark.parametrize(
    ("column", "written"),
    [("age", "age"), ("in", "`in`"), ("a b", "`a b`"), ("1st", "`1st`"), ("a`b", "`a``b`")],
)
def test_names_of_columns(column: str, written: str) -> None:
    """A column that is no plain word stands in backticks."""
    assert quoted(column) == written
