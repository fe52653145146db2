"""Who answers outside a server: the scorer that was compared, else the library; never another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from brinery.actions.answering import Answering
from brinery.actions.predict import LoadedModel
from brinery.actions.rooms import Rooms
from brinery.errors import ColumnMismatch, ColumnMissing, PredictionRefused
from brinery.records.scores import Scores
from brinery.records.version import Version
from brinery.registry.interface import SCORER_FILE


@pytest.fixture
def version(run: Any, iris: Path) -> Version:
    """The multiclass model of the irises, which has a scorer."""
    imported: Version
    imported, _ = run(
        model=iris / "classifier.pkl", name="iris", data=iris / "iris.parquet", target="species"
    )
    return imported


@pytest.fixture
def frame(iris: Path) -> pd.DataFrame:
    """The irises, without their species."""
    return pd.read_parquet(iris / "iris.parquet").drop(columns="species")


def chances(scores: Scores) -> np.ndarray:
    """Return the probabilities, which must be there."""
    assert scores.probabilities is not None
    return scores.probabilities


def test_a_scorer_that_was_changed_is_not_used(
    rooms: Rooms, version: Version, frame: pd.DataFrame
) -> None:
    """The library answers where the scorer's file is another than the one that was compared."""
    with Answering(rooms, version) as answering:
        assert answering.fast
        before = answering.score(answering.fit(frame))
        assert answering.library_rows == 0
    path = rooms.registry.kept_file(version, SCORER_FILE)
    assert path is not None
    path.write_bytes(path.read_bytes() + b"\0")
    with Answering(rooms, version, workers=2) as answering, ThreadPoolExecutor(4) as pool:
        assert not answering.fast
        table = answering.fit(frame)
        many = list(pool.map(answering.score, [table] * 4))
        assert answering.library_rows == 4 * 150
    for after in many:
        assert after.predictions.tolist() == before.predictions.tolist()
        assert np.allclose(chances(after), chances(before), rtol=0, atol=1e-9)


def test_a_model_file_that_is_gone(rooms: Rooms, version: Version, frame: pd.DataFrame) -> None:
    """A version whose scorer answers needs no process of its library, nor its file."""
    rooms.registry.model_file(version).unlink()
    with LoadedModel(rooms, version) as model:
        assert len(model.predict(frame)) == 150
        assert model.attempts == ()


def test_what_is_declined_is_asked_of_the_library(
    rooms: Rooms, version: Version, frame: pd.DataFrame
) -> None:
    """A row that the scorer declines is the library's to answer or refuse, by its own number."""
    many = pd.concat([frame] * 200, ignore_index=True)
    with Answering(rooms, version) as answering:
        plain = answering.score(answering.fit(many))
        assert answering.library_rows == 0
        assert np.array_equal(chances(plain)[:150], chances(plain)[-150:])
        many.loc[20_000, "petal_width"] = np.inf
        with pytest.raises(PredictionRefused, match="row 20001"):
            answering.score(answering.fit(many))


def test_a_table_is_fitted_as_a_frame_is(
    rooms: Rooms, version: Version, frame: pd.DataFrame
) -> None:
    """An Arrow table that fits is taken as it is, in the model's order; another is made to fit."""
    with Answering(rooms, version) as answering:
        table = pa.Table.from_pandas(frame[frame.columns[::-1]].assign(extra="x"))
        assert answering.fit(table).equals(answering.fit(frame))
        place = table.schema.get_field_index("petal_width")
        text = table.column(place).cast(pa.string())
        converted = answering.fit(table.set_column(place, "petal_width", text))
        assert converted.equals(answering.fit(frame))
        with pytest.raises(ColumnMissing):
            answering.fit(table.drop_columns(["petal_width"]))
        odd = pa.array(["wide"] * 150)
        with pytest.raises(ColumnMismatch, match="text in row 1001"):
            answering.fit(table.set_column(place, "petal_width", odd), first_row=1000)
