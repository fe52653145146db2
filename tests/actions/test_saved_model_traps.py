"""What other platforms had to mend in their imports of MLflow models: each is right here.

Each test names the mistake as its release notes do. The models are small, the registry is MLflow's
own, and every model is loaded in a process apart.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline

from brinery.actions.rooms import Rooms, open_rooms
from brinery.actions.saved_evaluation import HowEvaluated, appraisal_of, evaluate_saved
from brinery.actions.saved_imports import Handover, Rows, hold, set_core_metadata
from brinery.actions.saved_models import create_saved_model
from brinery.errors import BrineryError
from brinery.records.appraisal import Appraisal
from brinery.records.saved_model import SavedModel, SavedType

ROWS = 60
_SOURCE = np.random.default_rng(11)
X = pd.DataFrame({"a": _SOURCE.normal(size=ROWS), "b": _SOURCE.integers(0, 5, ROWS)})
HIGH = (X["a"] > 0).to_numpy()
AMOUNT = (2 * X["a"] + 1).to_numpy()


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    """A workspace of its own."""
    return open_rooms(tmp_path_factory.mktemp("workspace"))


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Any]:
    """Saves a model as MLflow does, and returns its folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        import mlflow.sklearn

        def save(model: Any, **options: Any) -> Path:
            place = tmp_path / "model"
            if isinstance(model, type):
                mlflow.pyfunc.save_model(str(place), python_model=model())
            else:
                kept = {"serialization_format": "cloudpickle", **options}
                mlflow.sklearn.save_model(model, str(place), **kept)
            return place

        yield save


def python_model(answer: Any) -> type:
    """A class of MLflow's whose `predict` is a function of the rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc

        class Answers(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
            """Answers."""

            def predict(self, context: Any, model_input: Any) -> Any:  # noqa: ARG002 - MLflow's
                """Return the answers."""
                return answer(model_input)

    return Answers


def evaluated(
    rooms: Rooms,
    folder: Path,
    frame: pd.DataFrame,
    *,
    kind: SavedType,
    classes: list[str] | None = None,
) -> tuple[SavedModel, Appraisal, list[str]]:
    """A model that is taken from a folder and evaluated on rows, and what was told meanwhile."""
    told: list[str] = []
    model = create_saved_model(rooms, "trap", project="P", kind=kind)
    version = hold(
        rooms, model, handover=Handover(version_id="v1", folder=folder, origin="m", word="test")
    )
    set_core_metadata(rooms, model, saved=version, target="y", classes=classes)
    rows = Rows(dataset="rows", table=pa.Table.from_pandas(frame, preserve_index=False))
    how = HowEvaluated(cheap=True)
    evaluate_saved(rooms, model, version_id="v1", rows=rows, how=how, tell=told.append)
    return model, appraisal_of(rooms, model, version_id="v1"), told


def test_boolean_predictions(rooms: Rooms, saved: Any) -> None:
    """A model that answers True and False has the classes false and true of a script."""
    folder = saved(LogisticRegression().fit(X, HIGH))
    frame = X.assign(y=HIGH)
    kind = SavedType.BINARY_CLASSIFICATION
    _, found, _ = evaluated(rooms, folder, frame, kind=kind, classes=["False", "True"])
    assert found.evaluation is not None
    assert found.evaluation.metrics["accuracy"] > 0.9


def test_integer_columns_with_missing_values_and_dates(rooms: Rooms, saved: Any) -> None:
    """Whole numbers with gaps are numbers, and a date that the model does not read harms nobody."""
    inputs = X.assign(b=X["b"].where(X["b"] > 0))
    folder = saved(make_pipeline(SimpleImputer(), LogisticRegression()).fit(inputs, HIGH))
    frame = inputs.assign(
        b=inputs["b"].astype("Int64"),
        when=pd.Timestamp("2024-01-31"),
        y=np.where(HIGH, "yes", "no"),
    )
    frame["y"] = np.where(HIGH, 1, 0)
    kind = SavedType.BINARY_CLASSIFICATION
    _, found, _ = evaluated(rooms, folder, frame, kind=kind, classes=["0", "1"])
    assert found.evaluation is not None
    assert found.evaluation.rows == ROWS


def test_a_missing_target(rooms: Rooms, saved: Any) -> None:
    """Rows without a label are left out and counted; without the column it is said which."""
    folder = saved(LinearRegression().fit(X, AMOUNT))
    frame = X.assign(y=np.where(np.arange(ROWS) < 5, np.nan, AMOUNT))
    _, found, _ = evaluated(rooms, folder, frame, kind=SavedType.REGRESSION)
    assert found.evaluation is not None
    assert (found.evaluation.rows, found.evaluation.rows_left_out) == (ROWS - 5, 5)
    with pytest.raises(BrineryError, match="the target 'y' is not a column"):
        evaluated(rooms, folder, X, kind=SavedType.REGRESSION)


@pytest.mark.parametrize("form", ["list", "column", "frame"])
def test_list_and_two_dimensional_outputs(rooms: Rooms, saved: Any, form: str) -> None:
    """A regression answers a list, a table of one column, or a frame: the values are the same."""
    answers = {
        "list": lambda rows: (2 * rows["a"] + 1).tolist(),
        "column": lambda rows: (2 * rows["a"] + 1).to_numpy().reshape(-1, 1),
        "frame": lambda rows: (2 * rows["a"] + 1).to_frame("value"),
    }
    folder = saved(python_model(answers[form]))
    frame = X.assign(y=AMOUNT)
    _, found, _ = evaluated(rooms, folder, frame, kind=SavedType.REGRESSION)
    assert found.evaluation is not None
    assert found.evaluation.metrics["rmse"] == pytest.approx(0, abs=1e-9)


def test_predictions_that_are_no_numbers(rooms: Rooms, saved: Any) -> None:
    """Text is no regression: refused, and what it answers is named; nothing is registered."""
    folder = saved(python_model(lambda rows: ["high"] * len(rows)))
    with pytest.raises(BrineryError, match="it answers 'high'"):
        evaluated(rooms, folder, X.assign(y=AMOUNT), kind=SavedType.REGRESSION)


def test_predictions_that_are_missing(rooms: Rooms, saved: Any) -> None:
    """A regression that answers NaN for some rows says so, and is no crash."""
    folder = saved(python_model(lambda rows: np.where(rows["a"] > 0, rows["a"], np.nan)))
    try:
        _, found, _ = evaluated(rooms, folder, X.assign(y=AMOUNT), kind=SavedType.REGRESSION)
    except BrineryError as error:
        assert "NaN" in error.message or "no number" in error.message  # noqa: PT017 - either is clear
    else:
        assert found.evaluation is not None
        assert found.evaluation.not_computed or found.evaluation.rows < ROWS


def test_a_model_without_probabilities(rooms: Rooms, saved: Any) -> None:
    """Labels alone are evaluated; what needs probabilities is absent with its reason."""
    labels = np.where(HIGH, "yes", "no")
    folder = saved(python_model(lambda rows: np.where(rows["a"] > 0, "yes", "no")))
    kind = SavedType.BINARY_CLASSIFICATION
    _, found, _ = evaluated(rooms, folder, X.assign(y=labels), kind=kind, classes=["no", "yes"])
    assert found.evaluation is not None
    assert found.evaluation.metrics["accuracy"] == 1
    assert "roc_auc" in found.evaluation.not_computed


def test_classes_that_are_not_the_datas(rooms: Rooms, saved: Any) -> None:
    """Stated classes that are not those of the dataset are refused before anything is scored."""
    labels = np.where(HIGH, "yes", "no")
    folder = saved(DummyClassifier(strategy="prior").fit(X, labels))
    kind = SavedType.BINARY_CLASSIFICATION
    with pytest.raises(BrineryError, match="classes are stated to be 0, 1"):
        evaluated(rooms, folder, X.assign(y=labels), kind=kind, classes=["0", "1"])


def test_classes_in_another_order(rooms: Rooms, saved: Any) -> None:
    """Probabilities without names: an order that the data contradicts is refused."""
    labels = np.where(HIGH, "yes", "no")
    chances = python_model(lambda rows: np.stack([rows["a"] <= 0, rows["a"] > 0], 1).astype(float))
    folder = saved(chances)
    kind = SavedType.BINARY_CLASSIFICATION
    with pytest.raises(BrineryError, match=r"it is right on 100\.0%"):
        evaluated(rooms, folder, X.assign(y=labels), kind=kind, classes=["yes", "no"])


def test_a_dataset_that_is_not_the_models(rooms: Rooms, saved: Any) -> None:
    """A column that the model was fitted on and the dataset lacks is named."""
    folder = saved(LinearRegression().fit(X, AMOUNT))
    with pytest.raises(BrineryError, match="'b'"):
        evaluated(rooms, folder, X[["a"]].assign(y=AMOUNT), kind=SavedType.REGRESSION)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"a": "double", "b": "long", "c": "double"}, "has the column 'c', which rows has not"),
        ({"a": "string", "b": "long"}, "'a' is string, and rows has numbers there"),
    ],
)
def test_a_dataset_that_is_not_the_signatures(
    rooms: Rooms, saved: Any, columns: dict[str, str], says: str
) -> None:
    """A signature that the model was logged with and the dataset disagree: said before scoring."""
    stated = signature(**columns)
    folder = saved(LinearRegression().fit(X, AMOUNT), signature=stated)
    with pytest.raises(BrineryError, match=says):
        evaluated(rooms, folder, X.assign(y=AMOUNT), kind=SavedType.REGRESSION)


def test_a_signature_may_say_less_and_wider(rooms: Rooms, saved: Any) -> None:
    """Another width of numbers is no disagreement, nor a column that may be left out."""
    stated = signature(a="float", b="integer", c="double?")
    folder = saved(LinearRegression().fit(X, AMOUNT), signature=stated)
    frame = X.assign(y=AMOUNT)
    _, found, _ = evaluated(rooms, folder, frame, kind=SavedType.REGRESSION)
    assert found.evaluation is not None


def signature(**columns: str) -> Any:
    """A signature of MLflow's: name to type, with a question mark where it may be left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.models import ModelSignature
        from mlflow.types.schema import ColSpec, Schema

    told: list[Any] = [
        ColSpec(kind.rstrip("?"), name, required=not kind.endswith("?"))
        for name, kind in columns.items()
    ]
    return ModelSignature(inputs=Schema(told))
