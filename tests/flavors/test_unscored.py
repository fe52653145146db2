from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
import statsmodels.api as sm
from safetensors.numpy import save_file
from sklearn.cluster import DBSCAN, KMeans
from sklearn.linear_model import LinearRegression
from sklearn.manifold import TSNE
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.conftest import stable

from brinery.flavors import unscored
from brinery.pickles.scanner import scan
from brinery.records.scan import ScanReport

X = np.random.default_rng(5).normal(size=(12, 2))
PREDICTS = [
    KMeans(2),
    make_pipeline(StandardScaler(), LinearRegression()),
    LocalOutlierFactor(2, novelty=True),
]


def pickled(model: Any, folder: Path) -> ScanReport:
    path = folder / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    return scan(path)


@pytest.mark.parametrize(
    "model", [DBSCAN(), TSNE(perplexity=2), make_pipeline(StandardScaler(), DBSCAN())], ids=stable
)
def test_a_class_tells(model: Any, tmp_path: Path) -> None:
    """What answers for its own rows alone is known by its class, or that of its last step."""
    report = pickled(model.fit(X), tmp_path)
    assert unscored.is_foreseen(report)
    assert not unscored.is_excluded(report)


@pytest.mark.filterwarnings("ignore")
def test_a_time_series(tmp_path: Path) -> None:
    """Results of a time series are known by their module; those of a regression predict."""
    series = pickled(sm.tsa.ARIMA(X[:, 0], order=(1, 0, 0)).fit(), tmp_path)
    assert unscored.is_foreseen(series)
    assert unscored.is_excluded(pickled(sm.OLS(X[:, 0], X).fit(), tmp_path))


@pytest.mark.parametrize("model", PREDICTS, ids=stable)
def test_what_predicts_is_not_foreseen(model: Any, tmp_path: Path) -> None:
    """What can be asked is never taken for what cannot."""
    report = pickled(model.fit(X, X[:, 0]), tmp_path)
    assert not unscored.is_foreseen(report)
    # Whether a detector judges other rows is for the loaded one to say.
    assert unscored.is_excluded(report) is not isinstance(model, LocalOutlierFactor)


def test_other_formats(tmp_path: Path) -> None:
    """The class is found in joblib's and skops' files too; safetensors hold weights."""
    model = make_pipeline(StandardScaler(), DBSCAN()).fit(X)
    joblib.dump(model, tmp_path / "model.joblib", compress=3)
    skops.io.dump(model, tmp_path / "model.skops")
    save_file({"a": X}, tmp_path / "model.safetensors")
    for ending in ("joblib", "skops", "safetensors"):
        report = scan(tmp_path / f"model.{ending}")
        assert unscored.is_foreseen(report)
        assert unscored.is_weights(report) is (ending == "safetensors")


def test_a_class_that_is_not_known(tmp_path: Path) -> None:
    """Of a class that no one knows nothing is said: the loaded model will tell."""
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04cmine\nClusterer\n)\x81.")
    report = scan(path)
    assert not unscored.is_foreseen(report)
    assert not unscored.is_excluded(report)
