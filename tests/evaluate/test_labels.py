from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brinery.errors import UnseenClass
from brinery.evaluate.labels import (
    Order,
    Unseen,
    canonical,
    codes,
    missing,
    order,
    refuse_unseen,
    unseen,
)

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


def indices(*counts: tuple[int, int, int]) -> tuple[Any, Any]:
    """Return a model's classes and the labels, from how often each pair occurs."""
    pairs = [(place, label) for place, label, count in counts for _ in range(count)]
    return np.array([place for place, _ in pairs]), np.array([label for _, label in pairs])


def test_order_is_that_of_sorted_labels() -> None:
    """Labels in sorted order are taken for the classes, and the data agrees."""
    predicted, at = indices((0, 0, 80), (1, 1, 60), (0, 1, 20), (1, 0, 10))
    found = order(np.array(["no", "yes"])[at], predicted, n_classes=2)
    assert found == Order(("no", "yes"), 140 / 170, None, 140 / 170)


def test_another_order_fits_clearly_better() -> None:
    """Where another order makes the model right far more often, it is named."""
    predicted, at = indices((0, 1, 80), (1, 0, 60), (0, 0, 20), (1, 1, 10))
    found = order(np.array(["no", "yes"])[at], predicted, n_classes=2)
    assert found.classes == ("no", "yes")
    assert found.better == ("yes", "no")
    assert found.agreement == pytest.approx(30 / 170)
    assert found.better_agreement == pytest.approx(140 / 170)


def test_a_poor_model_is_no_proof() -> None:
    """A model that is wrong a little more often than right does not reverse the order."""
    predicted, at = indices((0, 1, 26), (1, 0, 26), (0, 0, 24), (1, 1, 24))
    assert order(np.array([0, 1])[at], predicted, n_classes=2).better is None


def test_a_rare_class_is_no_proof() -> None:
    """A model that never finds the rare class likeliest keeps the sorted order."""
    predicted, at = indices((0, 0, 900), (0, 1, 100))
    assert order(np.array(["no", "yes"])[at], predicted, n_classes=2).better is None


def test_order_of_three() -> None:
    """Two of three classes that are exchanged are found; the third stays."""
    predicted, at = indices((0, 0, 50), (1, 2, 50), (2, 1, 40), (1, 1, 5))
    found = order(np.array(["a", "b", "c"])[at], predicted, n_classes=3)
    assert found.better == ("a", "c", "b")


def test_order_that_is_stated() -> None:
    """A stated order is checked as it is; numbers sort by size, and missing labels are left out."""
    labels = np.array([10.0, 9.0, np.nan] * 20)
    predicted = np.array([0, 1, 0] * 20)
    assert order(labels, predicted, n_classes=2, candidate=(10, 9)).better is None
    assert order(labels, predicted, n_classes=2).classes == (9.0, 10.0)
    assert order(labels, predicted, n_classes=2).better == (10.0, 9.0)


def test_order_of_other_numbers_of_labels() -> None:
    """Fewer or more labels than classes cannot name them."""
    with pytest.raises(UnseenClass, match="tells 3 classes apart, and the target has 2 labels"):
        order(np.array(["a", "b"]), np.array([0, 1]), n_classes=3)
