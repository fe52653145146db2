from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.pipeline.partition_format import Format

NAMES = st.text("abcXYZ09.-", min_size=1)


@pytest.mark.parametrize(
    ("form", "path", "values"),
    [
        (
            "/{Department}/{Day:yyyy/MM/dd}/data.csv",
            "../Accounts/2019/01/31/data.csv",
            {"Department": "Accounts", "Day": "2019-01-31T00:00:00"},
        ),
        (
            "{store}_{brand}.csv",
            "/data/s1000_dominicks.csv",
            {"store": "s1000", "brand": "dominicks"},
        ),
        ("/{day:yyyyMMdd-HHmmss}.*", "/x/20240229-235959.csv", {"day": "2024-02-29T23:59:59"}),
        ("/{a}/*/{b}.csv", "/x/1/any/2.csv", {"a": "1", "b": "2"}),
        ("/{a}/data.csv", "/x/1/data.csvx", None),
        ("/{a}/data.csv", "/x/1/dataxcsv", None),
        ("/{day:yyyy}/d", "/x/19/d", None),
    ],
)
def test_values(form: str, path: str, values: dict[str, str] | None) -> None:
    """A format matches the end of a path, and times are read by their form."""
    assert Format(form).values(path) == values


@given(NAMES, NAMES)
def test_what_was_written_is_read(first: str, second: str) -> None:
    """Any values without a slash are those that a path was made of."""
    found = Format("/{one}/{two}/part.csv").values(f"/root/{first}/{second}/part.csv")
    assert found == {"one": first, "two": second}


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("/data.csv", "has no column"),
        ("/{a}/{a}.csv", "has a column twice"),
        ("/{a:week}.csv", "is no time"),
        ("/{a:-}.csv", "is no time"),
    ],
)
def test_no_formats(form: str, why: str) -> None:
    """What is no format is refused."""
    with pytest.raises(ValueError, match=re.escape(why)):
        Format(form)
