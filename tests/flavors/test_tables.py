from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.errors import PredictionRefused
from brinery.flavors.tables import pack, pack_scores, unpack, unpack_scores
from brinery.records.scores import Scores


def through(predictions: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The predictions as they are at the other end."""
    return unpack_scores(unpack(pack_scores(Scores(predictions=predictions))), ()).predictions


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, 3]),
        pa.array([1, None, 2**62]),
        pa.array([1.5, float("nan"), None]),
        pa.array(["a", None, "naïve ☃"]),
        pa.array([True, None, False]),
        pa.array([datetime(2020, 1, 1), None, datetime(2020, 1, 2, 3)]),  # noqa: DTZ001 - as in data
        pa.array(["a", "b", "a"]).dictionary_encode(),
        pa.nulls(3),
    ],
    ids=lambda column: str(column.type).partition("<")[0] + str(column.null_count),
)
def test_tables(column: pa.Array) -> None:
    """A table arrives with its types, values and gaps, and names in any script."""
    table = pa.table({"naïve ☃": column, "": pa.array([1, 2, 3])})
    again = unpack(pack(table))
    assert again.schema == table.schema
    assert again.to_pydict().keys() == table.to_pydict().keys()
    assert str(again.to_pylist()) == str(table.to_pylist())


def test_slice() -> None:
    """Of a slice only its own rows are sent."""
    table = pa.table({"a": pa.array(range(100_000))})
    packed = pack(table.slice(7, 2))
    assert unpack(packed).column("a").to_pylist() == [7, 8]
    assert len(packed) < 2000


def test_no_rows() -> None:
    """A table without rows keeps its columns."""
    table = pa.table({"a": pa.array([], pa.float64())})
    assert unpack(pack(table)).schema == table.schema


@pytest.mark.parametrize(
    ("predictions", "kind"),
    [
        (np.array([1.5, np.nan, -0.0]), "f"),
        (np.array([1.5, 2.5], np.float32), "f"),
        (np.array([1, 2]), "i"),
        (np.array([0, 255], np.uint8), "u"),
        (np.array([True, False]), "b"),
        (np.array(["yes", "no"]), "O"),
        (np.array([np.str_("yes"), "no"], object), "O"),
        (np.array(["2020-01-01"], "datetime64[us]"), "M"),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, np.ndarray) else None,
)
def test_predictions(predictions: npt.NDArray[Any], kind: str) -> None:
    """Predictions arrive with their values; text is Python's own, not numpy's."""
    again = through(predictions)
    assert again.dtype.kind == kind
    assert str(again.tolist()) == str(predictions.tolist()).replace("np.str_('yes')", "'yes'")
    assert {type(value) for value in again.tolist()}.isdisjoint({np.str_, np.bool_})


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([np.int64(1), 2], np.int64),
        ([np.float32(1.5), 2.0], np.float64),
        ([np.True_, False], np.bool_),
    ],
)
def test_predictions_in_objects(values: list[Any], dtype: type[np.generic]) -> None:
    """Plain values in an array of objects arrive as an array of their type."""
    again = through(np.array(values, object))
    assert again.dtype == dtype
    assert again.tolist() == values


def test_missing_predictions() -> None:
    """A text that is None arrives as None."""
    assert through(np.array(["yes", None], object)).tolist() == ["yes", None]


@pytest.mark.parametrize(
    "predictions",
    [np.array([1, "a"], object), np.array([True, "a"], object), np.array([{}, 1], object)],
    ids=str,
)
def test_mixed_predictions(predictions: npt.NDArray[Any]) -> None:
    """Predictions of several types are refused in words of ours."""
    with pytest.raises(PredictionRefused, match=r"of a type \(object\) that no table holds$"):
        pack_scores(Scores(predictions=predictions))


@given(
    rows=st.integers(0, 5),
    classes=st.lists(st.text() | st.integers() | st.booleans(), min_size=1, max_size=4),
)
def test_probabilities(rows: int, classes: list[Any]) -> None:
    """Probabilities arrive in order, with the classes they are of, whatever those are named."""
    probabilities = np.random.default_rng(0).random((rows, len(classes)))
    scores = Scores(predictions=np.zeros(rows), probabilities=np.asfortranarray(probabilities))
    again = unpack_scores(unpack(pack_scores(scores)), tuple(classes))
    assert again.probabilities is not None
    assert again.probabilities.shape == probabilities.shape
    assert np.array_equal(again.probabilities, probabilities)
    assert again.classes == tuple(classes)


def test_many_classes() -> None:
    """More than ten classes keep their order."""
    probabilities = np.arange(24.0).reshape(2, 12)
    scores = Scores(predictions=np.zeros(2), probabilities=probabilities)
    again = unpack_scores(unpack(pack_scores(scores)), tuple(range(12)))
    assert np.array_equal(np.asarray(again.probabilities), probabilities)
