from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brinery.errors import UnseenClass
from brinery.evaluate.labels import Unseen, canonical, codes, missing, refuse_unseen, unseen

if TYPE_CHECKING:
    from collections.abc import Sequence

labels = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(np.str_("yes"))
)


def objects(values: Sequence[object]) -> npt.NDArray[np.object_]:
    return np.array(values, np.object_)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (True, "true"),
        (np.False_, "false"),
        ("True", "True"),
        (np.str_("yes"), "yes"),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (np.int8(-3), "-3"),
        (np.float32(2.0), "2"),
        (0.5, "0.5"),
        (float("inf"), "inf"),
    ],
)
def test_canonical_text(label: object, text: str) -> None:
    """A label is one text, whatever type it is kept in."""
    assert canonical(label) == text
    assert type(canonical(label)) is str


def test_missing_in_objects() -> None:
    """None and every kind of NaN are missing; empty and falsy labels are not."""
    values = objects([None, float("nan"), np.float32("nan"), "", 0, False, "nan"])
    assert missing(values).tolist() == [True, True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("values", "absent"),
    [
        (np.array([1.0, np.nan]), [False, True]),
        (np.array([1, 2]), [False, False]),
        (np.array([True, False]), [False, False]),
        (np.array(["a", "nan"]), [False, False]),
        (np.array(["2020-01-01", "NaT"], "datetime64[D]"), [False, True]),
    ],
)
def test_missing_in_typed_arrays(values: npt.NDArray[Any], absent: list[bool]) -> None:
    """Only NaN and NaT are missing where the array has a type of its own."""
    assert missing(values).tolist() == absent


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (np.array([1.0, 0.0, np.nan]), (0, 1)),
        (objects(["1", "0", None]), (0, 1)),
        (objects([1, 0.0, None]), ("0", "1")),
        (objects([np.str_("yes"), "no", None]), ("no", "yes")),
        (objects([True, np.False_, None]), (False, True)),
        (objects(["True", "false", None]), (False, True)),
        (objects(["TRUE", "FALSE", None]), (False, True)),
        (objects([True, False, None]), ("False", "True")),
    ],
)
def test_codes_match_across_types(values: npt.NDArray[Any], classes: tuple[str | int, ...]) -> None:
    """The data and the model may keep the same label in different types."""
    assert codes(values, classes).tolist() == [1, 0, -1]
    assert unseen(values, classes) == ()


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint64, np.float32, np.str_, np.object_])
def test_codes_of_every_array_type(dtype: type[np.generic]) -> None:
    """Codes do not depend on the array's own type."""
    values = np.array([True, False, True]).astype(dtype)
    classes = tuple(np.unique(values).tolist())
    assert codes(values, classes).tolist() == [1, 0, 1]


def test_a_spelling_belongs_to_the_class_that_has_it() -> None:
    """Where both `true` and `True` are classes, each keeps its own spelling."""
    assert codes(objects(["true", "True", "TRUE"]), ("True", "true")).tolist() == [1, 0, 0]


def test_a_bool_is_not_a_number() -> None:
    """True and 1 are different labels even side by side in one column."""
    values = objects([True, 1, False, 0])
    assert codes(values, (1, True, 0)).tolist() == [1, 0, -1, 2]
    assert unseen(values, (1, True, 0)) == (Unseen("false", 1, 2),)


@given(st.lists(labels, max_size=30), st.lists(labels, max_size=3))
@settings(max_examples=100, deadline=None)
def test_codes_agree_with_a_loop(values: list[object], known: list[object]) -> None:
    """Codes and unseen labels are what a plain loop over canonical texts finds."""
    spellings = {"true", "false"}
    classes = tuple(
        dict.fromkeys(canonical(x) for x in known if canonical(x).lower() not in spellings)
    )
    array = objects(values)
    absent = missing(array)
    texts = ["" if gap else canonical(x) for x, gap in zip(values, absent, strict=True)]
    expected = [
        classes.index(text) if text in classes and not gap else -1
        for text, gap in zip(texts, absent, strict=True)
    ]
    assert codes(array, classes).tolist() == expected
    strangers = {
        text: Unseen(text, texts.count(text), texts.index(text))
        for text, gap in zip(texts, absent, strict=True)
        if not gap and text not in classes and text
    }
    assert [found for found in unseen(array, classes) if found.label] == list(strangers.values())


@pytest.mark.parametrize("dtype", [np.str_, np.object_])
def test_unseen_in_order_of_appearance(dtype: type[np.generic]) -> None:
    """Unseen labels come with their count and the index of their first row."""
    values = np.array(["z", "yes", "a", "z", "no"]).astype(dtype)
    assert unseen(values, ("no", "yes")) == (("z", 2, 0), ("a", 1, 2))


def test_unseen_numbers() -> None:
    """Unseen labels of a numeric target are canonical texts too."""
    assert unseen(np.array([2.0, 0.0, 1.5, np.nan, 2.0]), (0, 1)) == (("2", 2, 0), ("1.5", 1, 2))


def test_known_labels_are_not_refused() -> None:
    """A target with the model's classes and gaps passes, and so does an empty one."""
    refuse_unseen(objects(["yes", None, "no"]), ("no", "yes"))
    refuse_unseen(objects([]), ("no", "yes"))


def test_refusal_names_classes_counts_and_rows() -> None:
    """The refusal says which labels, how many rows, where first, and what was perhaps meant."""
    values = objects(["no", "YES", "maybe", "YES"])
    with pytest.raises(UnseenClass) as refusal:
        refuse_unseen(values, ("no", "yes"))
    assert refusal.value.message == (
        "the target has classes the model never saw: "
        "'YES' (2 rows, first in row 2), 'maybe' (1 row, first in row 3)"
    )
    assert refusal.value.hint == "the model's classes are 'no', 'yes'; is 'YES' meant to be 'yes'?"


def test_refusal_stays_short() -> None:
    """A target of many labels, such as a regression's, does not fill the screen."""
    with pytest.raises(UnseenClass) as refusal:
        refuse_unseen(np.arange(2000) + 0.5, tuple(range(5000, 5050)))
    assert refusal.value.message.endswith("'9.5' (1 row, first in row 10) and 1,990 more")
    assert "'5009' and 40 more" in refusal.value.hint
