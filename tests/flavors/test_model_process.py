from __future__ import annotations

import gc
import os
import pickle
import platform
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from tests.conftest import artifact_of
from tests.there import ignores

from brinery.errors import (
    ClassNotImportable,
    Fault,
    LibraryMissing,
    ModelLoadFailed,
    ModelProcessDied,
    ModelProcessTimeout,
    NotAModel,
    PredictionRefused,
)
from brinery.flavors.model_process import ModelProcess, start_process
from brinery.pickles.scanner import scan
from brinery.records.evaluation import PredictionType

TIMEOUT_S = 240.0

FRAME = pd.DataFrame(
    {
        "age": [20.0, 30.0, None, 50.0, 60.0, 70.0],
        "balance": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "job": ["a", "b", "c", "a", "b", "c"],
        "home": ["own", None, "own", "rent", "own", "rent"],
    }
)
LABELS = ["no", "yes"] * 3

ODD = """
import os, signal, sys, time, warnings
import cloudpickle
import numpy as np
from sklearn.base import BaseEstimator

warnings.warn("odd models are odd")
warnings.warn("odd models go out of use", DeprecationWarning)
print("imported", flush=True)


class Odd(BaseEstimator):
    # Does what the first cell of its table says.
    feature_names_in_ = np.array(["do"], dtype=object)

    def predict(self, frame):
        match frame["do"].iloc[0]:
            case "print":
                print("noise on stdout", flush=True)
                os.write(1, b"more noise")
            case "exit":
                print("the roof is on fire", file=sys.stderr)
                os._exit(3)
            case "leave":
                sys.exit("I leave")
            case "mixed":
                return np.array([1, "a", None], dtype=object)[: len(frame)]
            case "raise":
                raise LookupError("no such thing")
            case "sleep":
                signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # tells that it has begun
                time.sleep(600)
        return np.arange(len(frame))


class Wide(BaseEstimator):
    # Refuses a missing value in its needed columns; predicts how often it was asked.
    feature_names_in_ = np.array([f"c{number}" for number in range(2000)], dtype=object)
    needed = feature_names_in_
    calls = 0

    def predict(self, frame):
        self.calls += 1
        if frame[list(self.needed)].isna().to_numpy().any():
            raise ValueError("a value is missing")
        return np.full(len(frame), self.calls)


class AllButOne(Wide):
    needed = ("c700",)


class Rude(BaseEstimator):
    def __init__(self, *words):
        raise OSError("cannot  be\\nbothered")


class Mute:
    pass


class Ratio(BaseEstimator):
    def fit(self, frame, target=None):
        return self

    def transform(self, frame):
        return frame.assign(ratio=frame["balance"] / frame["income"])


class Cells(BaseEstimator):
    # Reads its table by place, as arrays are read.
    def fit(self, table, target=None):
        return self

    def transform(self, table):
        return table[:, :1]


class Untold(BaseEstimator):
    @property
    def feature_names_in_(self):
        raise RuntimeError("I do not tell")

    def predict(self, frame):
        return frame
"""


def table(frame: pd.DataFrame) -> pa.Table:
    return pa.table({name: pa.array(frame[name], from_pandas=True) for name in frame.columns})


@pytest.fixture(scope="session")
def pipeline() -> Any:
    impute_job = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = ColumnTransformer(
        [
            ("age", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            ("balance", StandardScaler(), ["balance"]),
            ("job", OneHotEncoder(), ["job"]),
            ("home", impute_job, ["home"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(FRAME, LABELS)


@pytest.fixture(scope="session")
def process(pipeline: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """A process that holds the pipeline, read from a compressed joblib file."""
    file = tmp_path_factory.mktemp("models") / "model.joblib"
    joblib.dump(pipeline, file, compress=3)
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        yield process


@pytest.fixture(scope="session")
def odd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module of the odd models, and a pickle of each."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd_models.py").write_text(ODD)
    for name in ("Odd", "Wide", "AllButOne", "Rude", "Mute", "Untold", "Gone"):
        (folder / f"{name}.pkl").write_bytes(f"codd_models\n{name}\n)R.".encode())
    return folder


@pytest.fixture(scope="session")
def odd(odd_folder: Path) -> Iterator[ModelProcess]:
    """A process that holds an odd model, for tests that leave it alive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(odd_folder))
        process = ModelProcess(
            odd_folder / "Odd.pkl",
            artifact=artifact_of(odd_folder / "Odd.pkl"),
            timeout_s=TIMEOUT_S,
        )
    with process:
        yield process


@pytest.fixture
def odd_path(odd_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(odd_folder))
    return odd_folder


def do(what: str, rows: int = 2) -> pa.Table:
    return pa.table({"do": [what] * rows})


def test_description(process: ModelProcess) -> None:
    """The model describes itself across the process."""
    described = process.description
    assert described.type is PredictionType.BINARY
    assert described.classes == ("no", "yes")
    assert described.feature_names == ("age", "balance", "job", "home")
    assert described.columns["job"].categories == ("a", "b", "c")
    assert described.columns["home"].missing
    assert process.warnings == ()
    assert process.alive
    assert process.pid != os.getpid()


def test_scores_are_the_models_own(process: ModelProcess, pipeline: Any) -> None:
    """Predictions and probabilities are bit for bit those of the model itself."""
    scores = process.score(table(FRAME))
    assert scores.predictions.tolist() == pipeline.predict(FRAME).tolist()
    assert scores.probabilities is not None
    assert np.array_equal(scores.probabilities, pipeline.predict_proba(FRAME))
    assert scores.classes == ("no", "yes")


def test_columns_in_any_order(process: ModelProcess, pipeline: Any) -> None:
    """Columns are taken by name, and those the model does not know are left out."""
    shuffled = FRAME.assign(extra=1)[["extra", "home", "job", "balance", "age"]]
    scores = process.score(table(shuffled))
    assert scores.probabilities is not None
    assert np.array_equal(scores.probabilities, pipeline.predict_proba(FRAME))


def test_may_be_missing(process: ModelProcess) -> None:
    """The columns the model does without are those that it imputes."""
    assert process.may_be_missing(table(FRAME.iloc[:1])) == ("age", "home")


MANY = tuple(f"c{number}" for number in range(2000))


@pytest.mark.parametrize(("name", "found"), [("Wide", ()), ("AllButOne", MANY[:700] + MANY[701:])])
def test_wide_table(odd_path: Path, name: str, found: tuple[str, ...]) -> None:
    """Of thousands of columns, those that may be missing are found in a few calls."""
    row = pa.table({column: [1.0] for column in MANY})
    with ModelProcess(
        odd_path / f"{name}.pkl",
        artifact=artifact_of(odd_path / f"{name}.pkl"),
        timeout_s=TIMEOUT_S,
    ) as process:
        assert process.may_be_missing(row) == found
        assert process.score(row).predictions[0] < 30


def test_few_of_many_columns(tmp_path: Path) -> None:
    """Columns that an imputer fills in are found among many that none does."""
    names = [f"c{number}" for number in range(300)]
    frame = pd.DataFrame(np.arange(1800.0).reshape(6, 300), columns=names)
    filled = ("c3", "c150", "c298")
    columns = ColumnTransformer(
        [("filled", SimpleImputer(), list(filled))], remainder=StandardScaler()
    )
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(make_pipeline(columns, LogisticRegression()).fit(frame, LABELS)))
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        assert process.may_be_missing(table(frame.iloc[:1])) == filled


def test_types_of_the_other_columns(tmp_path: Path) -> None:
    """While one column's value is missing, the others keep their types."""
    frame = pd.DataFrame({"code": [1, 2, 3] * 2, "flag": [True, False] * 3, "age": FRAME["age"]})
    as_text = make_pipeline(FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": str}))
    columns = ColumnTransformer(
        [
            ("text", make_pipeline(as_text, OneHotEncoder()), ["code", "flag"]),
            ("age", SimpleImputer(), ["age"]),
        ]
    )
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(make_pipeline(columns, LogisticRegression()).fit(frame, LABELS)))
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        assert process.may_be_missing(table(frame.iloc[:1])) == ("age",)


def test_native_categories(tmp_path: Path) -> None:
    """Gradient boosting with categories does without any value, as it says of itself."""
    frame = FRAME.astype({"job": "category", "home": "category"})
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype")
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(model.fit(frame, LABELS)))
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        assert process.description.columns["home"].categories == ("own", "rent")
        for given in (frame, FRAME):
            assert process.may_be_missing(table(given.iloc[:1])) == tuple(FRAME.columns)


def test_bare_text(tmp_path: Path) -> None:
    """A model of bare text is given its one column as text, and none that is missing."""
    texts = pd.Series(["good film", "bad film", "so good", "so bad", "good", "bad"])
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, LABELS)
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(model))
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        given = pa.table({"review": pa.array(texts)})
        scores = process.score(given)
        assert scores.probabilities is not None
        assert np.array_equal(scores.probabilities, model.predict_proba(texts))
        assert process.may_be_missing(given.slice(0, 1)) == ()
        with pytest.raises(PredictionRefused, match="row 2: a text is missing") as caught:
            process.score(pa.table({"review": ["good", None]}))
        assert "no value in review" in caught.value.hint


def test_several_outputs(tmp_path: Path) -> None:
    """A model of several outputs is *other*, once its first answer has told."""
    file = tmp_path / "model.pkl"
    targets = np.arange(12.0).reshape(6, 2)
    model = LinearRegression().fit(FRAME[["balance"]], targets)
    file.write_bytes(pickle.dumps(model))
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        scores = process.score(table(FRAME))
        assert np.array_equal(scores.predictions, model.predict(FRAME[["balance"]]))
        process.settle(outputs=("low", "high"))
        assert process.description.type is PredictionType.OTHER
        assert process.score(table(FRAME)).outputs == ("low", "high")


def test_more_values_than_one_answer_holds(tmp_path: Path) -> None:
    """Too many rows at once are refused as such, and no row of them is blamed."""
    file = tmp_path / "model.pkl"
    wide = FunctionTransformer(lambda given: np.broadcast_to(0.5, (len(given), 10_000)))
    file.write_bytes(cloudpickle.dumps(wide.fit(np.zeros((4, 1)))))
    rows = pa.table({"x": np.zeros(4_000)})
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        with pytest.raises(PredictionRefused, match="4,000 rows of 10,000 values") as caught:
            process.score(rows)
        assert caught.value.row is None
        assert caught.value.hint == "give at most 3,355 rows at a time"
        assert process.score(rows.slice(0, 3)).predictions.shape == (3, 10_000)


def test_refusal(process: ModelProcess) -> None:
    """A table the model raises on is refused with its own words, and the model lives on."""
    unknown = FRAME.assign(job=["a", "b", "c", "a", "zzz", "c"])
    with pytest.raises(PredictionRefused, match=r"row 5: the model raised ValueError.*zzz"):
        process.score(table(unknown))
    assert len(process.score(table(FRAME))) == 6


@pytest.mark.parametrize(
    ("bad", "row"), [((0,), 0), ((5,), 5), ((2, 4), 2), ((0, 1, 2, 3, 4, 5), None)]
)
def test_refused_row(process: ModelProcess, bad: tuple[int, ...], row: int | None) -> None:
    """The row that is named is the first that is refused; none is where all are."""
    jobs = ["zzz" if number in bad else job for number, job in enumerate(FRAME["job"])]
    with pytest.raises(PredictionRefused) as caught:
        process.score(table(FRAME.assign(job=jobs)))
    assert caught.value.row == row


def test_table_without_a_column(process: ModelProcess) -> None:
    """A table that breaks the contract is a fault, which the process survives."""
    with pytest.raises(Fault, match=r"could not answer.*job"):
        process.score(table(FRAME.drop(columns="job")))
    assert len(process.score(table(FRAME))) == 6


def test_environment(process: ModelProcess) -> None:
    """The packages are those the model uses, at their exact versions, and no others."""
    environment = process.environment(("builtins", "copyreg", "joblib", "numpy", "sklearn"))
    assert environment.python == platform.python_version()
    assert not environment.built
    found = environment.packages
    for name in ("joblib", "numpy", "scikit-learn", "scipy", "threadpoolctl"):
        assert found[name] == version(name)
    assert list(found) == sorted(found)
    assert not {"brinery", "mlflow", "granian", "ruff", "pytest", "msgspec"} & set(found)


def test_rewrite(process: ModelProcess, pipeline: Any, tmp_path: Path) -> None:
    """A model from a compressed joblib file is written as a pickle that needs no joblib."""
    plain = tmp_path / "model.pkl"
    process.rewrite(plain)
    report = scan(plain)
    assert (report.format, report.compression, report.protocol) == ("pickle", None, 5)
    assert not any(name.module.startswith("joblib") for name in report.globals)
    again = pickle.loads(plain.read_bytes())  # noqa: S301, TID251 - our own file
    assert np.array_equal(again.predict_proba(FRAME), pipeline.predict_proba(FRAME))


def test_threads(process: ModelProcess, pipeline: Any) -> None:
    """Threads that ask at once each get the answer to their own question."""
    with ThreadPoolExecutor(4) as threads:
        tables = [table(FRAME.iloc[row : row + 1]) for row in range(6)] * 5
        answers = list(threads.map(process.score, tables))
    expected = pipeline.predict_proba(FRAME).tolist() * 5
    for scores, row in zip(answers, expected, strict=True):
        assert scores.probabilities is not None
        assert np.allclose(scores.probabilities[0], row)


def test_model_without_names(tmp_path: Path) -> None:
    """A model fitted on an array is given the columns in the order of the table."""
    values = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 5.0]])
    model = LinearRegression().fit(values, [1.0, 2.0, 4.0])
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(model))
    with ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S) as process:
        given = pa.table({"x": values[:, 0], "1": values[:, 1]})
        assert np.array_equal(process.score(given).predictions, model.predict(values))
        assert process.may_be_missing(given.slice(0, 1)) == ()
        with pytest.raises(PredictionRefused, match="features"):
            process.score(given.select(["x"]))


def test_model_that_prints(odd: ModelProcess, capfd: pytest.CaptureFixture[str]) -> None:
    """A model that prints spoils neither its answers nor our standard output."""
    assert odd.score(do("print")).predictions.tolist() == [0, 1]
    assert capfd.readouterr() == ("", "")


def test_warnings_of_loading(odd: ModelProcess) -> None:
    """What loading warned its user of is kept, and what it warned developers of is not."""
    assert odd.warnings == ("odd models are odd",)


def test_mixed_predictions(odd: ModelProcess) -> None:
    """Predictions that no table column can hold are refused, and the process lives on."""
    with pytest.raises(PredictionRefused, match=r"a number \(1\) for some rows and text"):
        odd.score(do("mixed", rows=3))
    assert len(odd.score(do("count", rows=3))) == 3


def test_model_that_raises(odd: ModelProcess) -> None:
    """What a model raises is named with its class."""
    with pytest.raises(PredictionRefused, match="LookupError: no such thing"):
        odd.score(do("raise"))


@pytest.mark.parametrize(
    ("what", "status", "words"), [("exit", 3, "the roof is on fire"), ("leave", 1, "I leave")]
)
def test_model_that_ends_its_process(odd_path: Path, what: str, status: int, words: str) -> None:
    """A model that ends its process is reported with its last words."""
    with ModelProcess(
        odd_path / "Odd.pkl", artifact=artifact_of(odd_path / "Odd.pkl"), timeout_s=TIMEOUT_S
    ) as process:
        with pytest.raises(ModelProcessDied, match=f"exit status {status}") as caught:
            process.score(do(what))
        assert words in caught.value.hint
        assert "look for exit, quit and os._exit" in caught.value.hint
        assert not process.alive


def test_model_that_hangs(odd_path: Path) -> None:
    """A model that hangs is ended long before it would have answered, and answers no more."""
    child = start_process(timeout_s=TIMEOUT_S)
    with ModelProcess(
        odd_path / "Odd.pkl", artifact=artifact_of(odd_path / "Odd.pkl"), started=child
    ) as process:
        pid = process.pid
        child.timeout_s = 1.0  # loading took its own time
        began = time.monotonic()
        with pytest.raises(ModelProcessTimeout):
            process.score(do("sleep"))
        with pytest.raises(ModelProcessDied):
            process.score(do("count"))
    assert time.monotonic() - began < 60  # it sleeps ten times as long
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_busy_model_ends_with_its_parent(odd_path: Path) -> None:
    """A model in the middle of its work ends as soon as its parent closes, unasked."""
    # It is killed where it has not ended soon: that may be where the machine has other work.
    assert any("exit status 0" in ended_while_busy(odd_path) for _ in range(5))


def ended_while_busy(folder: Path) -> str:
    """Return how a model's process ended that was closed in the middle of its work."""
    path = folder / "Odd.pkl"
    process = ModelProcess(path, artifact=artifact_of(path), timeout_s=TIMEOUT_S)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(process.score, do("sleep"))
        end = time.monotonic() + TIMEOUT_S
        while not ignores(process.pid, signal.SIGUSR1):
            assert time.monotonic() < end
            time.sleep(0.02)
        process.close()
        with pytest.raises(ModelProcessDied) as caught:
            asked.result(timeout=TIMEOUT_S)
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("Rude", ModelLoadFailed, "OSError: cannot be bothered"),
        ("Mute", NotAModel, r"odd_models\.Mute, which cannot predict"),
        ("Untold", NotAModel, "cannot be described: RuntimeError: I do not tell"),
        ("Gone", ClassNotImportable, "Gone"),
    ],
)
def test_files_that_do_not_load(
    odd_path: Path, name: str, error: type[Exception], message: str
) -> None:
    """A file that holds no usable model says why, and leaves no process."""
    with pytest.raises(error, match=message):
        ModelProcess(
            odd_path / f"{name}.pkl",
            artifact=artifact_of(odd_path / f"{name}.pkl"),
            timeout_s=TIMEOUT_S,
        )
    gc.collect()


def test_module_that_is_not_there(odd_folder: Path) -> None:
    """Without its module's folder on the path, a model's library is missing."""
    with pytest.raises(LibraryMissing, match="'odd_models'"):
        ModelProcess(
            odd_folder / "Odd.pkl",
            artifact=artifact_of(odd_folder / "Odd.pkl"),
            timeout_s=TIMEOUT_S,
        )


def test_unfitted_model(tmp_path: Path) -> None:
    """A model that was never fitted is said to be none."""
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(LogisticRegression()))
    with pytest.raises(NotAModel, match="not fitted yet") as caught:
        ModelProcess(file, artifact=artifact_of(file), timeout_s=TIMEOUT_S)
    assert caught.value.hint == "fit the model before it is pickled"


RATIOS = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0], "balance": [4.0, 1.0, 2.0, 9.0]})


@pytest.mark.filterwarnings("ignore:odd models")
@pytest.mark.parametrize(
    ("step", "given"), [("Ratio", RATIOS), ("Cells", RATIOS.to_numpy())], ids=["frame", "array"]
)
def test_users_first_step_is_given_what_it_reads(
    step: str, given: Any, odd_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first step that keeps no names is given a frame, or an array where it refuses that.

    Which it was is told once: another process is ordered to give the same.
    """
    monkeypatch.syspath_prepend(str(odd_path))
    kind = getattr(import_module("odd_models"), step)
    inner = ColumnTransformer([("s", StandardScaler(), ["ratio"])]) if step == "Ratio" else None
    model = make_pipeline(kind(), inner or StandardScaler(), LogisticRegression())
    model.fit(given, LABELS[:4])
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    with ModelProcess(path, artifact=artifact_of(path), timeout_s=TIMEOUT_S) as process:
        assert process.description.feature_names is None
        scores = process.score(table(RATIOS))
        assert scores.probabilities is not None
        assert np.array_equal(scores.probabilities, model.predict_proba(given))
        artifact = process.artifact
    assert artifact.frame is (step == "Ratio")
    with ModelProcess(path, artifact=artifact, timeout_s=TIMEOUT_S) as again:
        assert again.score(table(RATIOS[:1])).predictions.tolist() == [model.predict(given)[0]]
        with pytest.raises(PredictionRefused, match="NaN"):
            again.score(table(RATIOS.assign(income=None, balance=None)))
