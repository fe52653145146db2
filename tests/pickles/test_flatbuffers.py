"""What CatBoost's flat buffers tell, and that a damaged one tells nothing."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brinery.pickles.bounds import Broken
from brinery.pickles.flatbuffers import Table
from brinery.pickles.scanner import scan
from brinery.records.scan import Verdict

ROWS = 80
X = np.random.default_rng(0).random((ROWS, 3))
Y = (X[:, 0] > 0.5).astype(int)
FEW: dict[str, Any] = {"iterations": 3, "verbose": 0, "allow_writing_files": False}
HEAD_BYTES = 8


def of_every_kind() -> Any:
    """Return a model with columns of each kind that CatBoost knows, and one that is not used."""
    frame = pd.DataFrame(
        {
            "age": X[:, 0],
            "job": np.where(Y == 1, "nurse", "smith"),
            "empty": np.zeros(ROWS),
            "words": ["one two", "two three"] * (ROWS // 2),
            "balance": X[:, 1],
            "place": list(X[:, :2]),
        }
    )
    model = catboost.CatBoostClassifier(
        **FEW, cat_features=["job"], text_features=["words"], embedding_features=["place"]
    )
    return model.fit(frame, Y)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cbm file of a model of numbers, with names."""
    path = tmp_path_factory.mktemp("catboost") / "model.cbm"
    frame = pd.DataFrame(X, columns=["age", "balance", "größe"])
    catboost.CatBoostRegressor(**FEW).fit(frame, Y).save_model(str(path))
    return path


def test_columns_of_every_kind(tmp_path: Path) -> None:
    """CatBoost's columns are told in their order, of a cbm file and of a pickle, without CatBoost.

    A file says where each lies among all columns, whatever its kind.
    """
    model = of_every_kind()
    model.save_model(str(tmp_path / "model.cbm"))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    for name in ("model.cbm", "model.pkl"):
        report = scan(tmp_path / name)
        assert report.verdict is Verdict.SAFE
        assert report.feature_names == ("age", "job", "empty", "words", "balance", "place")


def test_columns_without_names(tmp_path: Path) -> None:
    """A model that was fitted on an array has numbers for names, which are none."""
    catboost.CatBoostRegressor(**FEW).fit(X, Y).save_model(str(tmp_path / "model.cbm"))
    assert scan(tmp_path / "model.cbm").feature_names is None


def test_a_buffer_that_points_outside(saved: Path) -> None:
    """A place outside of the buffer is refused, wherever it is told."""
    core = saved.read_bytes()[HEAD_BYTES:]
    with pytest.raises(Broken):
        Table.root(memoryview(b"\xff" + core[1:4] + b"\xff" * 8))
    with pytest.raises(Broken):
        Table.root(memoryview(b""))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_model(saved: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever the numbers of a cbm file are, its scan ends, and tells no endless names."""
    content = bytearray(saved.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(HEAD_BYTES, len(content) - 4))
        content[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    path = tmp_path / "damaged.cbm"
    path.write_bytes(content)
    report = scan(path)
    assert report.format == "catboost"
    assert all(len(name) <= 4096 for name in report.feature_names or ())
