"""Functions and classes of the user's own, imported end to end: whatever form they answer in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow  # noqa: TID253 - what makes the folder
import numpy as np
import pandas as pd
import pytest
from tests.actions.conftest import Run

from brinery.actions.predict import LoadedModel
from brinery.actions.rooms import Rooms
from brinery.errors import PredictionRefused, TypeMismatch, UnseenClass
from brinery.records.evaluation import PredictionType
from brinery.records.event import Event, Step
from brinery.records.version import Candidate, Version

MODULE = """
import numpy as np
import pandas as pd

def share(frame, fill=None):
    sums = frame["a"] + frame["b"] if fill is None else frame["a"].fillna(fill) + frame["b"]
    high = (1 / (1 + np.exp(-3 * sums))).to_numpy()
    return np.column_stack([1 - high, high])

def named(frame):
    return pd.DataFrame(share(frame, 0.0), columns=["no", "yes"])

def turned(frame):
    return named(frame)[["yes", "no"]]

def numbered(frame):
    return pd.DataFrame(share(frame, 0.0), columns=[0, 1])

def other(frame):
    return pd.DataFrame(share(frame, 0.0), columns=["no", "maybe"])

def places(frame):
    return pd.DataFrame(share(frame, 0.0), columns=["p0", "p1"])

def table(frame):
    return share(frame)

def text(frame):
    return np.array(["yes" if high else "no" for high in truth(frame)], dtype=np.str_)

def lists(frame):
    return [[label] for label in text(frame).tolist()]

def truth(frame):
    return (frame["a"] + frame["b"] > 0).to_numpy()

def ones(frame):
    return truth(frame).astype(int)

def none(frame):
    return [None] * len(frame)

def some(frame):
    return [None, *text(frame)[1:]]

def always(frame):
    return ["yes"] * len(frame)

class Labels:
    def predict(self, frame):
        return text(frame)
"""
ROWS = 80
BINARY = PredictionType.BINARY


def data() -> pd.DataFrame:
    """Return inputs, and a target of text, numbers and truth values; the sums tell them all."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=ROWS), "b": random.normal(size=ROWS)})
    high = frame["a"] + frame["b"] > 0
    return frame.assign(y=np.where(high, "yes", "no"), one=high.astype(int), truth=high)


@pytest.fixture
def own(run: Run, tmp_path: Path) -> Run:
    """Imports a name of the module; the target is the column of text unless said otherwise."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "shares.py").write_text(MODULE)

    def imported(name: str, column: str | None = "y", **more: Any) -> tuple[Version, list[Event]]:
        kept = [each for each in ("a", "b", column) if each]
        return run(
            model=f"shares:{name}",
            name="own",
            data=data()[kept],
            target=column,
            code=code,
            **more,
        )

    return imported


def candidate_of(version: Version) -> Candidate:
    assert version.candidate is not None
    return version.candidate


def metrics_of(version: Version) -> dict[str, float]:
    evaluation = candidate_of(version).evaluation
    assert evaluation is not None
    return evaluation.metrics


def said(events: list[Event], *, warning: bool) -> str:
    return "\n".join(event.message for event in events if event.warning is warning)


def check_shares(rooms: Rooms, version: Version, *, accuracy: float = 1.0) -> None:
    """Check that a version is a classifier of no and yes that answers as the module does."""
    described = candidate_of(version).description
    assert described.type is BINARY
    assert set(described.classes) == {"no", "yes"}
    assert described.gives_probabilities
    assert metrics_of(version)["accuracy"] == accuracy
    with LoadedModel(rooms, version) as model:
        scores = model.predict(data())
    assert scores.predictions.tolist() == data()["y"].tolist()
    assert scores.probabilities is not None
    likeliest = scores.probabilities.argmax(axis=1)
    assert [scores.classes[place] for place in likeliest] == data()["y"].tolist()


@pytest.mark.parametrize("name", ["named", "turned", "numbered"])
def test_a_frame_of_probabilities(own: Run, rooms: Rooms, name: str) -> None:
    """A frame names the classes of its columns, in its own order; numbers are named by the data."""
    version, events = own(name)
    check_shares(rooms, version)
    by = "by the target" if name == "numbered" else "by the columns of its answers"
    assert by in said(events, warning=False)


def test_a_frame_of_probabilities_without_a_target(own: Run) -> None:
    """A frame names its classes where there is nothing to check them against, too."""
    version, _ = own("named", None)
    described = candidate_of(version).description
    assert described.type is BINARY
    assert described.classes == ("no", "yes")


@pytest.mark.parametrize(
    ("name", "classes", "stranger"),
    [("other", "'no', 'maybe'", "'yes' (38 rows"), ("places", "'p0', 'p1'", "'no' (42 rows")],
)
def test_a_frame_of_other_classes(own: Run, name: str, classes: str, stranger: str) -> None:
    """Columns that are no labels of the target are told, with the labels to name them by."""
    with pytest.raises(UnseenClass) as caught:
        own(name)
    assert f"the columns of the model's answers name its classes {classes}" in caught.value.message
    assert stranger in caught.value.message
    assert "name these columns as the target does: 'no', 'yes'" in caught.value.hint


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
def test_a_python_model_that_answers_a_frame(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """A PythonModel in an MLflow folder names its classes by the columns of its frame."""
    script: dict[str, Any] = {"__name__": "__main__"}
    exec(  # noqa: S102 - a class of a notebook, as users write it
        f"{MODULE}\nimport mlflow\nclass Wrapper(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input):\n        return named(model_input)\n",
        script,
    )
    folder = tmp_path / "wrapped"
    mlflow.pyfunc.save_model(
        folder, python_model=script["Wrapper"](), pip_requirements=[f"pandas=={pd.__version__}"]
    )
    version, _ = run(
        model=folder,
        name="wrapped",
        data=data()[["a", "b", "y"]],
        target="y",
        trust=("cloudpickle.*", "mlflow.*", "builtins.*"),
    )
    check_shares(rooms, version)


def test_a_table_that_turns_nan(own: Run, rooms: Rooms) -> None:
    """A table that is NaN for a missing input has inputs that may not be missing, and says NaN."""
    version, _ = own("table")
    check_shares(rooms, version)
    columns = candidate_of(version).signature.columns
    assert {column.name: column.nullable for column in columns} == {"a": False, "b": False}
    holed = data()
    holed.loc[3, "a"] = np.nan
    with (
        LoadedModel(rooms, version) as model,
        pytest.raises(PredictionRefused, match="row 4: the model answers NaN as a prob") as caught,
    ):
        model.predict(holed)
    assert "that row has no value in a" in caught.value.hint


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "column", "classes"),
    [
        ("text", "y", ("no", "yes")),
        ("lists", "y", ("no", "yes")),
        ("Labels", "y", ("no", "yes")),
        ("ones", "one", (0, 1)),
        ("truth", "truth", (False, True)),
        ("ones", "y", ("no", "yes")),
        ("truth", "y", ("no", "yes")),
        ("truth", "one", (0, 1)),
    ],
)
@pytest.mark.parametrize("kind", [BINARY, PredictionType.MULTICLASS])
def test_labels_alone_are_evaluated(
    own: Run,
    rooms: Rooms,
    name: str,
    column: str,
    *,
    classes: tuple[Any, ...],
    kind: PredictionType,
) -> None:
    """Labels without probabilities have the target's labels for classes, and are evaluated."""
    version, _ = own(name, column, type=kind)
    described = candidate_of(version).description
    assert described.type is kind
    assert described.classes == classes
    assert not described.gives_probabilities
    figures = metrics_of(version)
    assert figures["accuracy"] == 1.0
    assert figures["f1" if kind is BINARY else "f1_macro"] == 1.0
    assert "roc_auc" not in figures
    with LoadedModel(rooms, version) as model:
        scores = model.predict(data())
    assert scores.predictions.tolist() == data()[column].tolist()
    assert scores.probabilities is None


def test_a_label_that_was_not_answered_yet(own: Run, rooms: Rooms) -> None:
    """A label of the target that the model did not answer on the data is one of its classes."""
    version, _ = own("always", type=BINARY)
    assert candidate_of(version).description.classes == ("no", "yes")
    assert metrics_of(version)["accuracy"] == pytest.approx(38 / 80)
    with LoadedModel(rooms, version) as model:
        assert set(model.predict(data()).predictions.tolist()) == {"yes"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "column", "option"),
    [
        ("text", "y", "--type binary"),
        ("truth", "y", "--type binary"),
        ("ones", "one", "--type binary"),
        ("truth", "one", "--type binary"),
    ],
)
def test_labels_alone_without_a_type(own: Run, name: str, column: str, option: str) -> None:
    """Labels that nobody said to be labels are not evaluated, and the next command is told."""
    version, events = own(name, column)
    assert candidate_of(version).description.type is PredictionType.OTHER
    assert metrics_of(version) == {}
    (line,) = (each for each in events if each.step is Step.EVALUATE)
    assert line.warning
    assert f"import it again with {option} --new-version" in line.message
    again, _ = own(name, column, type=BINARY, new_version=True)
    assert metrics_of(again)["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("name", "column", "error", "message", "hint"),
    [
        ("text", "one", UnseenClass, "answers 'yes', which is no label of the target", "--target"),
        ("some", "y", PredictionRefused, "answers nothing (NaN) for 1 of 80 rows", "--type"),
        ("text", None, TypeMismatch, "is no binary model: it has no classes", "--target"),
    ],
)
def test_labels_that_do_not_fit(
    own: Run, name: str, column: str | None, *, error: type[Exception], message: str, hint: str
) -> None:
    """Labels that are none of the target's, are missing, or have no target, are refused."""
    with pytest.raises(error) as caught:
        own(name, column, type=BINARY)
    assert message in str(caught.value)
    assert hint in getattr(caught.value, "hint", "")


@pytest.mark.parametrize("name", ["text", "truth"])
def test_a_regression_that_answers_no_numbers(own: Run, rooms: Rooms, name: str) -> None:
    """A regression of text or truth values is refused, and nothing is registered."""
    with pytest.raises(TypeMismatch, match="is no regression model: it answers") as caught:
        own(name, "one", type=PredictionType.REGRESSION)
    assert "--type binary" in caught.value.hint
    assert rooms.registry.names() == []


@pytest.mark.parametrize("column", ["one", None])
def test_a_regression_that_answers_nothing(own: Run, column: str | None) -> None:
    """A model that answers NaN for every row is registered with a warning that says so."""
    _, events = own("none", column, type=PredictionType.REGRESSION)
    assert "the model answers nothing (NaN) for every row of the data" in said(events, warning=True)
