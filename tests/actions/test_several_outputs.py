"""Models that answer each row with several values, from import to export."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.preprocessing import StandardScaler
from tests.serve.conftest import Api, running
from tests.serve.test_openapi import mismatches, response_schema

import brinery
from brinery.actions.rooms import open_rooms
from brinery.actions.roster import endpoint_of
from brinery.errors import ColumnMismatch, NotAModel, TypeMismatch
from brinery.records.evaluation import PredictionType
from brinery.records.version import Version
from brinery.store.tables import read_table

pytestmark = pytest.mark.slow

FEW = 4

# Asks versions as any MLflow program does, and has MLflow's own server write the answers.
PROGRAM = """
import io, json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd
from mlflow.pyfunc.scoring_server import predictions_to_json
mlflow.set_tracking_uri(sys.argv[1])
found = {}
for name, path in json.loads(sys.argv[2]).items():
    frame = pd.read_parquet(path)
    loaded = mlflow.pyfunc.load_model(f"models:/{name}/1")
    answers = loaded.predict(frame)
    told = io.StringIO()
    predictions_to_json(answers[:int(sys.argv[3])], told)
    found[name] = {
        "rows": np.asarray(answers).tolist(),
        "answered": json.loads(told.getvalue()),
        "signature": loaded.metadata.signature.outputs.to_dict(),
        "inferred": mlflow.models.infer_signature(frame, answers).outputs.to_dict(),
    }
print(json.dumps(found))
"""

# A function that answers a frame, and one whose row sums to one where `a` is a quarter.
MODULE = """
import numpy as np
import pandas as pd

def bounds(frame):
    return pd.DataFrame({"low": frame["a"] - 1, "high": frame["a"] + 1, "who": frame["job"]})

def shares(frame):
    return np.column_stack([frame["a"], 0.75 + 0 * frame["b"]])

def probabilities(frame):
    first = 1 / (1 + np.exp(-frame["a"]))
    return np.column_stack([first, 1 - first])
"""


@dataclass(frozen=True)
class Case:
    """A model as a user has it.

    Attributes:
        model: what is given to `brinery import`.
        data: what it takes.
        answers: what its library answers for the data: a frame, or an array.
        outputs: what they are called.
    """

    model: str | Path
    data: pd.DataFrame
    answers: Any
    outputs: tuple[str, ...]

    @property
    def rows(self) -> list[list[Any]]:
        """Return the answers as lists."""
        rows: list[list[Any]] = np.asarray(self.answers).tolist()
        return rows


class Bench:
    """A workspace, with a version of each case in it once that is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        random = np.random.default_rng(3)
        numbers = random.normal(size=(40, 2))
        self.frame = pd.DataFrame(numbers, columns=["a", "b"])
        self.frame["job"] = random.choice(["clerk", "nurse"], 40)
        (folder / "code").mkdir()
        (folder / "code" / "tables.py").write_text(MODULE, encoding="utf-8")
        self._versions: dict[str, Version] = {}

    def case(self, name: str) -> Case:
        """Return a case."""
        return _CASES[name](self)

    def pickled(self, model: Any, name: str) -> Path:
        """Return the pickle of a model."""
        path = self.folder / f"{name}.pkl"
        path.write_bytes(pickle.dumps(model))
        return path

    def version(self, name: str) -> Version:
        """Return the version that a case was imported as."""
        if name not in self._versions:
            self._versions[name] = self.imported(self.case(name).model, name, self.case(name).data)
        return self._versions[name]

    def imported(self, model: str | Path, name: str, data: pd.DataFrame, **options: Any) -> Version:
        """Return the version that a model was imported as."""
        if isinstance(model, str):
            options["code"] = self.folder / "code"
        return brinery.import_model(model, name=name, data=data, workspace=self.folder, **options)

    @contextmanager
    def served(self, name: str) -> Iterator[Api]:
        """Serve a case."""
        rooms = open_rooms(self.folder)
        with running(endpoint_of(rooms, self.version(name))) as api:
            yield api

    def by_mlflow(self, data: dict[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
        """Return what an MLflow program is answered for some data by each version."""
        paths = {name: str(self.folder / f"given-{name}.parquet") for name in data}
        for name, path in paths.items():
            data[name].to_parquet(path)
        uri = f"sqlite:///{self.folder}/.brinery/mlflow.db"
        command = [sys.executable, "-W", "ignore", "-c", PROGRAM, uri, json.dumps(paths), str(FEW)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.folder)
        found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        return found


def columns(bench: Bench) -> Case:
    """A transformer of numbers that lets text through, whose answer is an array."""
    model = make_column_transformer((StandardScaler(), ["a", "b"]), remainder="passthrough")
    made = model.fit(bench.frame).transform(bench.frame)
    names = ("standardscaler__a", "standardscaler__b", "remainder__job")
    return Case(bench.pickled(model, "columns"), bench.frame, made, names)


def framed(bench: Bench) -> Case:
    """A transformer that answers with a frame, of its inputs' own names."""
    model = StandardScaler().set_output(transform="pandas")
    given = bench.frame[["a", "b"]]
    return Case(
        bench.pickled(model.fit(given), "framed"), given, model.transform(given), ("a", "b")
    )


def words(bench: Bench) -> Case:
    """A text vectoriser, whose answer is sparse."""
    texts = pd.DataFrame({"text": ["a good film", "a bad play", "so so"] * 9})
    model = TfidfVectorizer().fit(texts["text"])
    names = ("bad", "film", "good", "play", "so")
    made = model.transform(texts["text"]).toarray()
    return Case(bench.pickled(model, "words"), texts, made, names)


def regression(bench: Bench) -> Case:
    """A regression of two targets, which has a scorer."""
    given = bench.frame[["a", "b"]]
    model = LinearRegression().fit(given, np.column_stack([given["a"] * 2, given["b"] - 1]))
    names = ("output_0", "output_1")
    return Case(bench.pickled(model, "regression"), given, model.predict(given), names)


def boosted(bench: Bench) -> Case:
    """A regression of two targets by XGBoost, which has none."""
    given = bench.frame[["a", "b"]]
    model = xgboost.XGBRegressor(n_estimators=3).fit(given, given * 2)
    names = ("output_0", "output_1")
    return Case(bench.pickled(model, "boosted"), given, model.predict(given), names)


def labels(bench: Bench) -> Case:
    """A classifier of two targets, which answers labels of text."""
    given = bench.frame[["a", "b"]]
    model = MultiOutputClassifier(LogisticRegression()).fit(
        given, np.where(given > 0, "up", "down")
    )
    names = ("output_0", "output_1")
    return Case(bench.pickled(model, "labels"), given, model.predict(given), names)


def function(bench: Bench) -> Case:
    """A function of the user's own that answers with a frame of numbers and text."""
    frame = bench.frame
    made = pd.DataFrame({"low": frame["a"] - 1, "high": frame["a"] + 1, "who": frame["job"]})
    return Case("tables:bounds", frame, made, ("low", "high", "who"))


def chance(bench: Bench) -> Case:
    """A function whose answer for one row alone looks like probabilities."""
    frame = bench.frame[["a", "b"]].copy()
    frame.loc[0, "a"] = 0.25
    made = np.column_stack([frame["a"], np.full(len(frame), 0.75)])
    return Case("tables:shares", frame, made, ("output_0", "output_1"))


_CASES: dict[str, Callable[[Bench], Case]] = {
    made.__name__: made
    for made in (columns, framed, words, regression, boosted, labels, function, chance)
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A workspace of this module's own."""
    return Bench(tmp_path_factory.mktemp("several"))


@pytest.fixture(scope="module")
def peer(bench: Bench) -> dict[str, dict[str, Any]]:
    """What an MLflow program is answered by the version of each case."""
    for name in _CASES:
        bench.version(name)
    return bench.by_mlflow({name: bench.case(name).data for name in _CASES})


each = pytest.mark.parametrize("name", list(_CASES))


@each
def test_it_is_imported(bench: Bench, name: str) -> None:
    """It is *other*, its outputs are recorded, and the registered copy answers as the file."""
    case, version = bench.case(name), bench.version(name)
    assert version.candidate is not None
    assert version.candidate.description.type is PredictionType.OTHER
    assert tuple(output.name for output in version.candidate.signature.outputs) == case.outputs
    assert version.parity is not None
    assert version.parity.rows == len(case.data)


@each
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_it_predicts_a_file(bench: Bench, name: str, ending: str) -> None:
    """A file of predictions has a column for each output, beside what was kept."""
    case = bench.case(name)
    reference = bench.version(name).reference
    given = case.data.assign(id=range(len(case.data)))
    path = bench.folder / f"{name}.{ending}"
    brinery.predict(reference, data=given, keep=["id"], output=path, workspace=bench.folder)
    found = read_table(path)
    assert list(found.columns) == ["id", *case.outputs]
    values = found[list(case.outputs)].to_numpy()
    if ending == "csv" and name == "boosted":
        # Of float32 csv has the shortest digits.
        assert np.array_equal(values.astype(np.float32), case.answers)
    else:
        assert values.tolist() == case.rows


@each
def test_it_is_served(bench: Bench, peer: dict[str, dict[str, Any]], name: str) -> None:
    """Our route answers values by name, MLflow's what its own server would, and both are told."""
    case = bench.case(name)
    few = case.data.head(FEW)
    rows = few.to_dict(orient="records")
    with bench.served(name) as api:
        document = api.get("/openapi.json").json()
        own = api.post(f"/v1/models/{name}/predict", json={"rows": rows})
        one = api.post(f"/v1/models/{name}/predict", json=rows[0])
        theirs = api.post("/invocations", json={"dataframe_records": rows})
    expected = [{"values": dict(zip(case.outputs, row, strict=True))} for row in case.rows[:FEW]]
    assert own.json()["predictions"] == expected
    assert one.json()["predictions"] == expected[:1]
    assert theirs.json() == peer[name]["answered"]
    for path, answer in ((f"/v1/models/{name}/predict", own), ("/invocations", theirs)):
        schema = response_schema(document, path, 200)
        assert mismatches(schema, answer.json(), document) == []


@each
def test_mlflow_predicts_the_same(bench: Bench, peer: dict[str, dict[str, Any]], name: str) -> None:
    """Any MLflow program gets the library's own answers, and is told the outputs' names."""
    case = bench.case(name)
    assert peer[name]["rows"] == case.rows
    assert tuple(output["name"] for output in peer[name]["signature"]) == case.outputs
    if isinstance(case.answers, pd.DataFrame):
        assert peer[name]["signature"] == peer[name]["inferred"]


@pytest.mark.parametrize(
    ("name", "to"),
    [
        *((name, to) for name in ("columns", "words", "labels") for to in ("joblib", "skops")),
        *((name, "mlflow") for name in ("framed", "function", "regression")),
        ("regression", "onnx"),
        ("boosted", "native"),
    ],
)
def test_it_is_exported(bench: Bench, name: str, to: str) -> None:
    """What is written answers as the version does, every value of a row compared."""
    reference = bench.version(name).reference
    folder = bench.folder / f"{name}-{to}"
    done = brinery.export_model(reference, to=to, folder=folder, workspace=bench.folder)
    assert done.equal
    assert done.rows > 1


def test_a_transformer_in_onnx(bench: Bench) -> None:
    """A transformer of numbers is written as ONNX; its columns keep their names by their place."""
    given = bench.frame[["a", "b"]]
    model = StandardScaler().fit(given)
    version = bench.imported(bench.pickled(model, "scaler"), "scaler", given)
    folder = bench.folder / "scaler-onnx"
    assert brinery.export_model(
        version.reference, to="onnx", folder=folder, workspace=bench.folder
    ).equal
    again = bench.imported(folder / "model.onnx", "from-onnx", given)
    with brinery.load(again.reference, workspace=bench.folder) as loaded:
        scores = loaded.predict(given)
    assert scores.outputs == ("output_0", "output_1")
    assert np.allclose(scores.predictions, model.transform(given), atol=1e-6)
    found = bench.by_mlflow({"from-onnx": given})["from-onnx"]["rows"]
    assert np.array_equal(np.array(found, np.float32), scores.predictions)


def test_a_transformer_in_skops(bench: Bench) -> None:
    """A transformer in a skops file is asked by MLflow with the types that were accepted."""
    given = bench.frame[["a", "b"]]
    model = StandardScaler().fit(given)
    skops.io.dump(model, bench.folder / "scaler.skops")
    bench.imported(bench.folder / "scaler.skops", "from-skops", given)
    found = bench.by_mlflow({"from-skops": given})["from-skops"]["rows"]
    assert found == model.transform(given).tolist()


def test_a_regression_of_several_targets_has_a_scorer(bench: Bench) -> None:
    """Where a compiled plan gives several values, each of them was compared."""
    fast = bench.version("regression").fast_path
    assert fast is not None
    assert fast.used
    assert fast.rows["evaluation data"] == len(bench.frame)
    assert not getattr(bench.version("columns").fast_path, "used", True)


def test_it_is_not_evaluated(bench: Bench) -> None:
    """With a target of one column it is registered without a figure, and why is recorded."""
    data = bench.frame[["a", "b"]].assign(y=1.0)
    version = bench.imported(bench.case("regression").model, "judged", data, target="y")
    assert version.candidate is not None
    evaluation = version.candidate.evaluation
    assert evaluation is not None
    assert evaluation.metrics == {}
    assert "each row with 2 values" in evaluation.not_computed["metrics"]


@pytest.mark.parametrize("stated", ["regression", "binary"])
def test_it_is_no_other_type(bench: Bench, stated: str) -> None:
    """It is neither a regression nor a classifier, whatever is stated."""
    data = bench.frame[["a", "b"]].assign(y=[0, 1] * 20)
    with pytest.raises(TypeMismatch, match=f"no {stated} model: it answers each row with 2 values"):
        bench.imported(
            bench.case("regression").model,
            "stated",
            data,
            target="y",
            type=PredictionType(stated),
        )


def test_probabilities_of_nothing_that_has_a_name(bench: Bench) -> None:
    """A table of probabilities is outputs where neither a target nor a frame names its classes."""
    version = bench.imported("tables:probabilities", "nameless", bench.frame)
    with brinery.load(version.reference, workspace=bench.folder) as loaded:
        scores = loaded.predict(bench.frame)
    assert scores.outputs == ("output_0", "output_1")
    assert scores.probabilities is None
    assert np.allclose(scores.predictions.sum(axis=1), 1)


def test_too_many_columns(bench: Bench) -> None:
    """A vectoriser of very many words is refused with what to do about it."""
    texts = pd.DataFrame({"text": [f"w{number:05} x{number:05}" for number in range(6_000)]})
    path = bench.pickled(TfidfVectorizer().fit(texts["text"]), "wide")
    with pytest.raises(NotAModel, match="with 12,000 values, and at most 10,000") as caught:
        bench.imported(path, "wide", texts.head(3))
    assert "max_features" in caught.value.hint


def test_a_kept_column_of_the_same_name(bench: Bench) -> None:
    """A column that the model answers too is not kept beside its answer: which is which?"""
    reference = bench.version("framed").reference
    with pytest.raises(ColumnMismatch, match="--keep a: the model's own answer has a column 'a'"):
        brinery.predict(reference, data=bench.frame, keep=["a"], workspace=bench.folder)


def test_it_is_shown(bench: Bench, brinery_command: Any) -> None:
    """`brinery model show` says what the values are called."""
    reference = bench.version("function").reference
    shown = brinery_command("--workspace", str(bench.folder), "model", "show", reference)
    assert shown.status == 0
    assert "other: 3 values, low, high, who" in shown.out
