"""PCA and truncated SVD: every setting, dense and sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tests.conftest import stable
from tests.scorers.agreement import agrees
from tests.scorers.steps import data_of, declines, fitted, numbers, step_of, transforms, zeros

from brinery.scorers.data import Declined
from brinery.scorers.decomposition import Project
from brinery.scorers.interface import Unsupported

PROJECTIONS = (
    PCA(),
    PCA(3),
    PCA(0.9),
    PCA(2, whiten=True),
    PCA(whiten=True, svd_solver="full"),
    PCA(2, svd_solver="arpack"),
    PCA(2, svd_solver="randomized", random_state=0),
    IncrementalPCA(3),
    IncrementalPCA(2, whiten=True, batch_size=50),
    TruncatedSVD(3),
    TruncatedSVD(2, algorithm="arpack", random_state=0),
)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=stable)
def test_a_table_is_projected_as_by_the_library(projection: Any) -> None:
    """Rows that were not fitted on, too."""
    table = numbers().to_numpy() / [1, 1e6, 1, 1e-9, 1]
    transforms(fitted(projection, table[:100]), table)


@pytest.mark.parametrize("projection", PROJECTIONS[5:], ids=stable)
def test_a_sparse_table_is_projected_as_by_the_library(projection: Any) -> None:
    """And becomes dense."""
    if getattr(projection, "svd_solver", None) == "randomized":
        pytest.skip("scikit-learn takes no sparse table then")
    transforms(fitted(projection, zeros()[:100]), zeros())


def test_a_component_without_variance_is_whitened_as_by_the_library() -> None:
    """It divides by almost nothing."""
    table = np.random.default_rng(0).normal(size=(50, 1)) @ np.ones((1, 3))
    transforms(fitted(PCA(whiten=True), table), table, tolerance=1e-9)


def test_figures_of_float32_are_taken_as_they_are() -> None:
    """A projection that was fitted on numbers of less precision."""
    table = numbers().to_numpy() / [1, 1e6, 1, 1e-9, 1]
    transforms(fitted(PCA(3, whiten=True), table.astype(np.float32)), table, tolerance=1e-9)


@pytest.mark.parametrize(
    "projection",
    [
        LinearDiscriminantAnalysis(),
        LinearDiscriminantAnalysis(n_components=1),
        LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.3),
    ],
    ids=stable,
)
def test_a_table_is_projected_on_discriminants(projection: Any) -> None:
    """By what else is a classifier."""
    table = numbers().to_numpy()[:, :3] / [1, 1e6, 1]
    transforms(projection.fit(table, np.arange(len(table)) % 3), table, tolerance=1e-10)


def test_discriminants_that_cannot_project_are_left_to_the_library() -> None:
    """It says so."""
    model = LinearDiscriminantAnalysis(solver="lsqr").fit(numbers()[["a", "b"]], [0, 1] * 150)
    with pytest.raises(Unsupported, match="solver lsqr"):
        step_of(model)


@pytest.mark.parametrize(
    "projection",
    [PLSRegression(2), PLSRegression(2, scale=False), PLSCanonical(2), CCA(2), PLSSVD(2)],
    ids=stable,
)
def test_a_table_is_projected_by_partial_least_squares(projection: Any) -> None:
    """Each column is shifted and scaled first."""
    table = numbers().to_numpy()[:, :4] / [1, 1e6, 1, 1e-9]
    target = table[:, :2] @ [[1.0, 2.0], [3.0, -1.0]]
    transforms(projection.fit(table, target), table, tolerance=1e-10)


def test_what_projects_stands_before_a_model() -> None:
    """In a pipeline, and answers as the library."""
    frame = numbers()[["a", "b", "c"]] / [1, 1e6, 1]
    target = (frame["a"] > frame["c"] - 3).to_numpy()
    model = make_pipeline(LinearDiscriminantAnalysis(), LogisticRegression())
    agrees(model.fit(frame, target), frame)


def test_the_center_is_subtracted_first_in_older_versions() -> None:
    """Then a sparse table is left to the library."""
    step = Project(weights=np.array([[2.0], [1.0]]), turned=False, center=np.array([1.0, -1.0]))
    assert np.asarray(step.transform(np.array([[3.0, 4.0]]))).tolist() == [[9.0]]
    with pytest.raises(Declined):
        step.transform(data_of(zeros()[:, :2]))


def test_a_missing_value_is_declined() -> None:
    """As the library refuses it."""
    frame = numbers()
    for projection in (PCA(2), TruncatedSVD(2)):
        declines(fitted(projection, frame), frame.mask(frame < 0))


def test_forged_components_are_refused() -> None:
    """A center, a shift and a scale that are not theirs."""
    step = step_of(fitted(PCA(2, whiten=True), numbers()))
    assert isinstance(step, Project)
    forged: list[dict[str, Any]] = [
        {"weights": np.zeros(3)},
        {"center": np.zeros(3)},
        {"spread": np.zeros(3)},
        {"shift": np.zeros(1)},
        {"scale": np.zeros((2, 1))},
    ]
    for figures in forged:
        with pytest.raises(ValueError, match=r"components|center"):
            replace(step, **figures)
