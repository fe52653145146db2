"""Predict: the same answers as the pickle, from frames and files, to every format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

import brinery
from brinery.errors import ColumnMismatch, ColumnMissing, OutputUnwritable, PredictionRefused
from brinery.records.scores import Scores
from brinery.store.tables import read_table


@pytest.fixture(scope="module")
def own(bank: Any) -> Any:
    """The pickle, loaded as its author would."""
    return joblib.load(bank.model)  # noqa: TID251 - the peer


def probabilities(scores: Scores) -> np.ndarray:
    """Return the probabilities, which must be there."""
    assert scores.probabilities is not None
    return scores.probabilities


@pytest.mark.parametrize("reference", ["bank", "bank@1", "bank@champion", "bank@Production"])
def test_load_by_every_name(bank: Any, bank_workspace: Path, own: Any, reference: str) -> None:
    """A version loaded by any of its names answers as the pickle does on every row."""
    inputs = bank.frame.drop(columns="y")
    with brinery.load(reference, workspace=bank_workspace) as model:
        scores = model.predict(bank.frame)
    assert np.array_equal(np.asarray(scores), own.predict(inputs))
    assert np.array_equal(probabilities(scores), own.predict_proba(inputs))
    assert scores.classes == ("no", "yes")
    assert len(scores) == 905


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_output_formats(
    bank: Any, bank_workspace: Path, own: Any, tmp_path: Path, ending: str
) -> None:
    """Every output format holds the kept columns, the labels and the exact probabilities."""
    output = tmp_path / f"scores.{ending}"
    brinery.predict("bank", data=bank.test, keep=["age"], output=output, workspace=bank_workspace)
    read = read_table(output)
    assert list(read.columns) == ["age", "prediction", "probability_no", "probability_yes"]
    assert read["prediction"].tolist() == own.predict(bank.frame).tolist()
    assert np.array_equal(read["probability_yes"], own.predict_proba(bank.frame)[:, 1])
    assert read["age"].tolist() == bank.frame["age"].tolist()


def test_columns_in_any_order_with_others(bank: Any, bank_workspace: Path, own: Any) -> None:
    """Columns may come in any order, with others, and without those the model does not read."""
    inputs = bank.frame.drop(columns="y")
    shuffled = inputs[inputs.columns[::-1]].drop(columns=["day", "pdays"]).assign(extra=1)
    with brinery.load("bank", workspace=bank_workspace) as model:
        assert np.array_equal(probabilities(model.predict(shuffled)), own.predict_proba(inputs))


def test_missing_values_are_filled_in(bank: Any, bank_workspace: Path, own: Any) -> None:
    """A missing number goes to the model's imputer, as in the pickle."""
    inputs = bank.frame.drop(columns="y").astype({"age": float})
    inputs.loc[::3, "age"] = np.nan
    with brinery.load("bank", workspace=bank_workspace) as model:
        assert np.array_equal(probabilities(model.predict(inputs)), own.predict_proba(inputs))


def test_a_missing_column(bank: Any, bank_workspace: Path) -> None:
    """A column that the model reads and the data lacks is named, with the nearest name."""
    data = bank.frame.rename(columns={"balance": "ballance"})
    with (
        brinery.load("bank", workspace=bank_workspace) as model,
        pytest.raises(ColumnMissing, match="'balance'") as raised,
    ):
        model.predict(data)
    assert "'ballance'" in raised.value.hint


def test_text_where_a_number_belongs(bank: Any, bank_workspace: Path) -> None:
    """Text in a column of numbers is refused with the column and the row."""
    data = bank.frame.astype({"age": object})
    data.loc[6, "age"] = "old"
    with (
        brinery.load("bank", workspace=bank_workspace) as model,
        pytest.raises(ColumnMismatch, match="'age' holds text in row 7"),
    ):
        model.predict(data)


def test_an_unwritable_output(bank: Any, bank_workspace: Path, tmp_path: Path) -> None:
    """An output of unknown format or in a missing folder is refused, and nothing is left of it."""
    with pytest.raises(OutputUnwritable) as raised:
        brinery.predict("bank", data=bank.test, output="scores.xls", workspace=bank_workspace)
    assert ".parquet" in raised.value.hint
    with pytest.raises(OutputUnwritable) as raised:
        brinery.predict(
            "bank", data=bank.test, output=tmp_path / "no" / "s.csv", workspace=bank_workspace
        )
    assert "mkdir -p" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_refused_row_is_named(iris: Path, tmp_path: Path) -> None:
    """A row that the model cannot take is named; the others were fine."""
    frame = pd.read_parquet(iris / "iris.parquet")
    brinery.import_model(
        iris / "classifier.pkl", name="iris", data=frame, target="species", workspace=tmp_path
    )
    frame.loc[41, "petal_width"] = np.nan
    with (
        brinery.load("iris", workspace=tmp_path) as model,
        pytest.raises(PredictionRefused, match="row 42"),
    ):
        model.predict(frame)
