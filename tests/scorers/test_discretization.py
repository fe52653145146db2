"""Thresholds and bins: every encoding and strategy, values at, next to and beyond the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import Binarizer, KBinsDiscretizer
from tests.conftest import stable
from tests.scorers.steps import declines, fitted, numbers, step_of, transforms, zeros

from brinery.scorers.data import Declined, Sparse
from brinery.scorers.discretization import Discretize, Encoding
from brinery.scorers.interface import Unsupported


def _rows(n_rows: int = 300) -> pd.DataFrame:
    """Return columns, the last of which is constant."""
    return numbers(n_rows)[["a", "b", "c", "e"]]


@pytest.mark.parametrize("threshold", [0.0, 0.5, -1.0])
def test_values_above_the_threshold_are_1(threshold: float) -> None:
    """Those at it are 0."""
    frame = numbers()
    frame.iloc[::7, 0] = threshold
    transforms(fitted(Binarizer(threshold=threshold), frame), frame)


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_a_sparse_table_keeps_what_is_above_the_threshold(threshold: float) -> None:
    """And nothing else."""
    transforms(fitted(Binarizer(threshold=threshold), zeros()), zeros())


def test_a_sparse_table_with_a_negative_threshold_is_declined() -> None:
    """Its zeros would all be 1."""
    declines(fitted(Binarizer(threshold=-1.0), numbers().to_numpy()), zeros()[:, :5])


@pytest.mark.parametrize("encode", list(Encoding))
@pytest.mark.parametrize("strategy", ["uniform", "quantile", "kmeans"])
@pytest.mark.parametrize("bins", [2, 5, [2, 3, 6, 4]], ids=stable)
def test_values_are_put_into_their_bins(encode: str, strategy: str, bins: int | list[int]) -> None:
    """Those beyond the outer edges too, and those at an edge or one float next to it."""
    frame = _rows()
    discretizer = fitted(KBinsDiscretizer(bins, encode=str(encode), strategy=strategy), frame[:100])
    found = discretizer.bin_edges_[:3]
    edges = np.array([[row[k % len(row)] for row in found] for k in range(8)])
    frame.iloc[10:18, :3] = edges
    frame.iloc[20:28, :3] = np.nextafter(edges, -np.inf)
    frame.iloc[30:38, :3] = np.nextafter(edges, np.inf)
    transforms(discretizer, frame)


def test_many_rows_are_binned_as_few_are() -> None:
    """Another way is taken for them."""
    frame = _rows(5000)
    transforms(fitted(KBinsDiscretizer(7, encode="ordinal"), frame), frame)


def test_values_just_below_an_edge_can_count_as_above_it() -> None:
    """As versions of scikit-learn before 1.1 have it."""
    step = Discretize(edges=np.array([[1.0, 2.0]]), encoding=Encoding.PLACE, raises=True)
    found = step.transform(np.array([[0.99998], [1.0 - 1e-6], [1.99999], [9.0]]))
    assert np.asarray(found).ravel().tolist() == [0.0, 1.0, 2.0, 2.0]


def test_a_missing_value_is_declined() -> None:
    """As the library refuses it."""
    frame = _rows()
    discretizer = fitted(KBinsDiscretizer(3), frame)
    frame.iloc[0, 0] = np.nan
    declines(discretizer, frame)


def test_a_column_without_a_bin_is_left_to_the_library() -> None:
    """One whose values are as good as the same."""
    made = KBinsDiscretizer(3, encode="ordinal", strategy="kmeans")
    with pytest.raises(Unsupported, match="without a bin"):
        step_of(fitted(made, np.linspace(0, 1e-9, 50).reshape(-1, 1)))


def test_numbers_of_less_precision_are_declined() -> None:
    """The library would go on in float32."""
    step = step_of(fitted(KBinsDiscretizer(3, encode="ordinal"), _rows()))
    with pytest.raises(Declined):
        step.transform(_rows().to_numpy(np.float32))


def test_bins_in_float32_are_left_to_the_library() -> None:
    """No node stands for them."""
    with pytest.raises(Unsupported, match="dtype float32"):
        step_of(fitted(KBinsDiscretizer(3, dtype=np.float32), _rows()))


@pytest.mark.parametrize("edges", [np.zeros(3), np.array([[np.nan]]), np.zeros((1, 1), np.int64)])
def test_forged_edges_are_refused(edges: np.ndarray) -> None:
    """Before any value is put between them."""
    with pytest.raises(ValueError, match="bins without edges"):
        Discretize(edges=edges, encoding=Encoding.PLACE, raises=False)


def test_the_largest_number_lies_in_the_last_bin() -> None:
    """Also where it is raised beyond all numbers, as older versions do, and edges are missing."""
    edges = np.array([[0.0, np.inf, np.inf]])
    step = Discretize(edges=edges, encoding=Encoding.SPARSE_COLUMNS, raises=True)
    found = step.transform(np.array([[np.finfo(np.float64).max]]))
    assert isinstance(found, Sparse)
    assert (found.columns.tolist(), found.width) == ([1], 2)
