"""Import: what is recorded, what is refused, and that nothing is left half done."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import msgspec
import pandas as pd
import pytest
from tests.actions.conftest import imported_into, rooms_in

import brinery
from brinery.actions.import_model import import_steps
from brinery.actions.predict import LoadedModel
from brinery.actions.rooms import Rooms
from brinery.actions.submission import Submission
from brinery.errors import (
    ColumnMismatch,
    ColumnMissing,
    NotTrusted,
    ParityFailed,
    PredictionRefused,
    TargetMissing,
    TypeMismatch,
    UnseenClass,
)
from brinery.evaluate import run as evaluation
from brinery.records.audit import Change
from brinery.records.evaluation import PredictionType
from brinery.records.event import Event, Step
from brinery.records.scan import Verdict
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType
from brinery.records.version import Candidate, Version
from brinery.specs.settings import EvaluateSettings, SandboxSettings, Settings

Run = Callable[..., tuple[Version, list[Event]]]


@dataclasses.dataclass(frozen=True)
class Imported:
    """An import that several tests look at, and none changes."""

    version: Version
    events: list[Event]
    rooms: Rooms

    @property
    def candidate(self) -> Candidate:
        """Return what was recorded of it."""
        assert self.version.candidate is not None
        return self.version.candidate


@pytest.fixture(scope="module")
def of_bank(bank: Any, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """The demo's model, imported with its target."""
    rooms = rooms_in(tmp_path_factory.mktemp("bank"))
    version, events = imported_into(
        rooms, model=bank.model, name="bank", data=bank.test, target="y"
    )
    return Imported(version, events, rooms)


@pytest.fixture(scope="module")
def of_iris(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """A model of three classes, imported with data from Parquet."""
    rooms = rooms_in(tmp_path_factory.mktemp("of-iris"))
    model, data = iris / "classifier.pkl", iris / "iris.parquet"
    version, events = imported_into(rooms, model=model, name="iris", data=data, target="species")
    return Imported(version, events, rooms)


SPECIES = {"data": "iris.parquet", "target": "species"}


def test_steps_are_told_in_order(of_bank: Imported) -> None:
    """Every step is an event, in the order of the work, with the time since its beginning."""
    events = of_bank.events
    steps = list(dict.fromkeys(event.step for event in events))
    of_an_import = list(Step)[: list(Step).index(Step.REGISTER) + 1]
    assert steps == [step for step in of_an_import if step is not Step.ENVIRONMENT]
    assert [event.step for event in events] == sorted(
        (event.step for event in events), key=list(Step).index
    )
    assert [event.elapsed_s for event in events] == sorted(event.elapsed_s for event in events)


def test_figures_are_the_models_own(of_bank: Imported, bank: Any) -> None:
    """The recorded evaluation is that of the pickle's own predictions on the same rows."""
    version = of_bank.version
    own = joblib.load(bank.model)  # noqa: TID251 - the peer, loaded as its author would
    inputs = bank.frame.drop(columns="y")
    scores = Scores(predictions=own.predict(inputs), probabilities=own.predict_proba(inputs))
    expected = evaluation.run(
        PredictionType.BINARY, bank.frame["y"].to_numpy(), scores=scores, classes=("no", "yes")
    )
    assert version.candidate is not None
    assert version.candidate.evaluation == expected
    assert version.parity is not None
    assert (version.parity.rows, version.parity.max_difference) == (905, 0.0)


def test_signature_is_the_data_minus_target(of_bank: Imported, bank: Any) -> None:
    """The signature has every column but the target, and knows which the model reads."""
    columns = {column.name: column for column in of_bank.candidate.signature.columns}
    assert list(columns) == list(bank.frame.columns.drop("y"))
    unread = [name for name, column in columns.items() if not column.required]
    assert unread == ["day", "month", "pdays"]
    assert columns["age"].type is ColumnType.INTEGER
    assert columns["age"].nullable
    assert columns["marital"].categories == ("divorced", "married", "single")
    assert not columns["marital"].nullable


def test_environment_is_what_the_model_uses(of_bank: Imported) -> None:
    """The environment has the model's own packages with their versions, and no others."""
    packages = of_bank.candidate.environment.packages
    assert {"scikit-learn", "numpy", "scipy", "joblib", "pandas"} <= packages.keys()
    assert not packages.keys() & {"mlflow", "granian", "pyarrow", "brinery", "ruff"}


def test_what_was_vouched_for_is_recorded_and_served(
    run: Run, rooms: Rooms, tmp_path: Path
) -> None:
    """A word is kept with the version, by the file's digest; the modules come along and load."""
    (tmp_path / "code" / "my_pkg").mkdir(parents=True)
    (tmp_path / "code" / "my_pkg" / "__init__.py").touch()
    (tmp_path / "code" / "my_pkg" / "steps.py").write_text(
        "class Doubled:\n    def predict(self, frame):\n        return frame['x'] * 2\n"
    )
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04cmy_pkg.steps\nDoubled\n)\x81.")
    data = pd.DataFrame({"x": [1.0, 2.0], "y": [2.0, 4.0]})
    version, events = run(
        model=tmp_path / "model.pkl",
        name="doubled",
        data=data,
        target="y",
        type=PredictionType.REGRESSION,
        trust=("my_pkg.*",),
        code=tmp_path / "code",
    )
    candidate = version.candidate
    assert candidate is not None
    assert candidate.trust is not None
    assert candidate.trust.sha256 == candidate.origin.sha256
    assert candidate.trust.given == ("my_pkg.*",)
    assert candidate.trust.granted == ("my_pkg.steps.Doubled",)
    assert candidate.verdict is Verdict.NEEDS_TRUST
    assert any("whatever that package holds" in event.message for event in events)
    shutil.rmtree(tmp_path / "code")
    with LoadedModel(rooms, version) as model:
        assert model.predict(data).predictions.tolist() == [2.0, 4.0]


def test_what_held_the_model_back_is_recorded(of_bank: Imported) -> None:
    """Every layer of the sandbox is recorded, in force or not, with the version."""
    layers = {layer.name for layer in of_bank.candidate.sandbox.layers}
    assert {"filesystem", "network", "processes", "signals", "memory"} <= layers
    assert of_bank.candidate.trust is None
    assert of_bank.candidate.verdict is Verdict.SAFE


def test_the_settings_reach_the_models_process(rooms: Rooms, bank: Any) -> None:
    """What brinery.toml says of the sandbox is what the model was held by."""
    sandbox = SandboxSettings(require_sandbox=True, memory_gb=3.5)
    quick = EvaluateSettings(at_import=False)
    held = dataclasses.replace(rooms, settings=Settings(sandbox=sandbox, evaluate=quick))
    asked = Submission(model=str(bank.model), name="bank", data=bank.test)
    *_, last = import_steps(held, asked)
    assert last.step is Step.REGISTER
    (version,) = rooms.registry.versions("bank")
    assert version.candidate is not None
    assert version.candidate.sandbox.complete
    assert any("3.5 GB" in layer.by for layer in version.candidate.sandbox.layers)


@pytest.mark.slow
def test_code_version_is_recorded(run: Run, bank: Any, tmp_path: Path) -> None:
    """A model file in a git repository is recorded with its commit, and whether it was clean."""
    repository = tmp_path / "repository"
    repository.mkdir()
    model = repository / "model.pkl"
    model.write_bytes(bank.model.read_bytes())
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "a model"]):
        subprocess.run(["git", "-C", str(repository), *command], check=True)
    version, _ = run(model=model, name="bank", data=bank.test)
    head = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.candidate is not None
    assert version.candidate.code is not None
    assert version.candidate.code.commit == head.stdout.strip()
    assert not version.candidate.code.dirty
    outside, _ = run(model=bank.model, name="outside", data=bank.test)
    assert outside.candidate is not None
    assert outside.candidate.code is None


def test_without_target_nothing_is_evaluated(run: Run, bank: Any) -> None:
    """Without a target the model is registered, with no evaluation and a line that says so."""
    version, events = run(model=bank.model, name="bank", data=bank.test)
    assert version.candidate is not None
    assert version.candidate.evaluation is None
    assert any("no --target" in event.message for event in events)


def test_import_is_audited(of_bank: Imported) -> None:
    """An import is one row of the audit trail: who, when and what."""
    (entry,) = of_bank.rooms.audit.entries("bank")
    assert (entry.change, entry.before, entry.after) == (Change.IMPORT, None, "bank@1")
    assert entry.who


def test_multiclass(run: Run, of_iris: Imported, iris: Path) -> None:
    """A model of three classes is found to be multiclass, from Parquet and JSON lines alike."""
    lines, _ = run(
        model=iris / "classifier.pkl", name="iris", data=iris / "iris.jsonl", target="species"
    )
    assert lines.candidate is not None
    for candidate in (of_iris.candidate, lines.candidate):
        assert candidate.description.type is PredictionType.MULTICLASS
        assert candidate.evaluation is not None
        assert candidate.evaluation.metrics["accuracy"] > 0.9
        assert candidate.description.classes == (0, 1, 2)


def test_regression(run: Run, iris: Path) -> None:
    """A regression is evaluated by its errors; the column it was not fitted on is not read."""
    version, _ = run(
        model=iris / "regression.pkl",
        name="width",
        data=iris / "iris.parquet",
        target="petal_width",
    )
    assert version.candidate is not None
    assert version.candidate.evaluation is not None
    assert set(version.candidate.evaluation.metrics) >= {"mae", "rmse", "r2", "mape", "spearman"}
    species = version.candidate.signature.column("species")
    assert species is not None
    assert not species.required


def test_a_model_without_names_takes_columns_by_position(run: Run, iris: Path) -> None:
    """A model fitted on an array is given the data minus target, and keeps its order."""
    version, _ = run(
        model=iris / "unnamed.pkl", name="iris", data=iris / "iris.parquet", target="species"
    )
    assert version.candidate is not None
    assert version.candidate.evaluation is not None
    assert version.candidate.evaluation.metrics["accuracy"] > 0.9


def test_a_model_without_names_and_the_wrong_width(run: Run, iris: Path) -> None:
    """A model fitted on an array refuses data of another width, and says both."""
    with pytest.raises(ColumnMismatch, match="4 unnamed columns and the data has 5"):
        run(model=iris / "unnamed.pkl", name="iris", data=iris / "iris.parquet")


def test_a_data_frame_is_data_too(run: Run, of_iris: Imported, iris: Path) -> None:
    """A data frame is imported as its file would be, with the same content hash."""
    frame = pd.read_parquet(iris / "iris.parquet")
    one, _ = run(model=iris / "classifier.pkl", name="a", data=frame, target="species")
    assert one.candidate is not None
    assert one.candidate.data is not None
    assert of_iris.candidate.data is not None
    assert one.candidate.data.sha256 == of_iris.candidate.data.sha256
    assert one.candidate.data.name == "dataframe"


@pytest.mark.slow
@pytest.mark.parametrize("compress", [0, 3, ("xz", 3)])
def test_joblib_becomes_a_plain_pickle(
    run: Run, rooms: Rooms, bank: Any, tmp_path: Path, compress: Any
) -> None:
    """A joblib file is registered as a plain pickle that answers as the file did."""
    model = tmp_path / "model.joblib"
    own = joblib.load(bank.model)  # noqa: TID251 - the user's own
    joblib.dump(own, model, compress=compress)
    version, _ = run(model=model, name="bank", data=bank.test)
    registered = rooms.registry.model_file(version)
    assert registered.read_bytes()[:1] == b"\x80"
    assert version.parity is not None
    assert version.parity.max_difference == 0.0


def test_type_can_be_stated(run: Run, iris: Path) -> None:
    """A stated type is kept; `other` is registered and not evaluated."""
    version, _ = run(
        model=iris / "classifier.pkl",
        name="iris",
        data=iris / "iris.parquet",
        target="species",
        type=PredictionType.OTHER,
    )
    assert version.candidate is not None
    assert version.candidate.evaluation is not None
    assert version.candidate.evaluation.metrics == {}
    assert version.candidate.evaluation.not_computed


def test_a_type_that_cannot_be(run: Run, iris: Path) -> None:
    """A stated type that the model cannot have is refused, with the one that was found."""
    with pytest.raises(TypeMismatch) as raised:
        run(
            model=iris / "classifier.pkl",
            name="iris",
            data=iris / "iris.parquet",
            target="species",
            type=PredictionType.BINARY,
        )
    assert "multiclass" in raised.value.hint


def test_the_same_file_twice(run: Run, iris: Path) -> None:
    """The same file is one version, unless a new one is asked for."""
    asked = {"model": iris / "classifier.pkl", "name": "iris", "data": iris / "iris.parquet"}
    first, _ = run(**asked, target="species")
    again, events = run(**asked, target="species")
    assert again == first
    assert "is iris@1 already" in events[-1].message
    new, _ = run(**asked, target="species", new_version=True)
    assert new.number == 2


@pytest.mark.slow
def test_the_same_file_on_other_data(run: Run, bank: Any) -> None:
    """The same file with other data is still one version, and a warning says what to do."""
    run(model=bank.model, name="bank", data=bank.test, target="y")
    _, events = run(model=bank.model, name="bank", data=bank.frame.head(100), target="y")
    assert events[-1].warning
    assert "--new-version" in events[-1].message


@pytest.mark.slow
def test_the_same_file_with_a_target_at_last(run: Run, bank: Any) -> None:
    """A version imported without a target stays so, and a warning says how to evaluate it."""
    run(model=bank.model, name="bank", data=bank.test)
    version, events = run(model=bank.model, name="bank", data=bank.test, target="y")
    assert version.candidate is not None
    assert version.candidate.evaluation is None
    assert events[-1].warning
    assert "another target" in events[-1].message
    assert "--new-version" in events[-1].message


def test_a_row_the_model_cannot_take(run: Run, rooms: Rooms, iris: Path) -> None:
    """A missing value that the model does not fill in is named by row and column."""
    data = pd.read_parquet(iris / "iris.parquet")
    data.loc[6, "petal_width"] = float("nan")
    with pytest.raises(PredictionRefused, match="row 7") as raised:
        run(model=iris / "classifier.pkl", name="iris", data=data, target="species")
    assert "petal_width" in raised.value.hint
    assert rooms.registry.names() == []


@pytest.mark.slow
def test_two_imports_at_once(bank: Any, tmp_path: Path) -> None:
    """Two first imports into one workspace at the same time both succeed."""
    brinery_command = [str(Path(sys.executable).parent / "brinery"), "--workspace", str(tmp_path)]
    asked = ["import", str(bank.model), "--data", str(bank.test), "--target", "y", "--name"]
    both = [subprocess.Popen([*brinery_command, *asked, name]) for name in ("one", "two")]
    assert [importing.wait() for importing in both] == [0, 0]
    assert [model.name for model in brinery.models(workspace=tmp_path)] == ["one", "two"]


def test_data_without_the_target(run: Run, bank: Any) -> None:
    """A target that is no column is refused with the nearest name."""
    data = bank.frame.rename(columns={"y": "outcome"})
    with pytest.raises(TargetMissing) as raised:
        run(model=bank.model, name="bank", data=data, target="outcom")
    assert "--target outcome" in raised.value.hint


def test_data_without_a_column(run: Run, rooms: Rooms, bank: Any) -> None:
    """A column that the model needs and the data lacks is named, with the nearest name."""
    data = bank.frame.rename(columns={"duration": "durations"})
    with pytest.raises(ColumnMissing, match="'duration'") as raised:
        run(model=bank.model, name="bank", data=data, target="y")
    assert "'durations'" in raised.value.hint
    assert rooms.registry.names() == []


def test_data_without_a_column_that_is_not_read(run: Run, bank: Any) -> None:
    """A column that no step of the model reads may be left out of the data."""
    version, _ = run(model=bank.model, name="bank", data=bank.frame.drop(columns="day"), target="y")
    assert version.number == 1


def test_unseen_classes(run: Run, rooms: Rooms, bank: Any) -> None:
    """A target with a class that the model never saw is refused, with the class and its rows."""
    data = bank.frame
    data.loc[[2, 5], "y"] = "maybe"
    with pytest.raises(UnseenClass, match="maybe") as raised:
        run(model=bank.model, name="bank", data=data, target="y")
    assert "2" in raised.value.message
    assert "'no', 'yes'" in raised.value.hint
    assert rooms.registry.names() == []


def test_text_is_no_target_of_a_regression(run: Run, rooms: Rooms, iris: Path) -> None:
    """A regression is not registered without figures because its target is text."""
    frame = pd.read_parquet(iris / "iris.parquet").assign(size="big")
    with pytest.raises(ColumnMismatch, match=r"predicts a number.* 'size' holds 'big'") as raised:
        run(model=iris / "regression.pkl", name="iris", data=frame, target="size")
    assert raised.value.hint == "did you mean --target petal_width or --target species?"
    assert rooms.registry.names() == []


def test_numbers_are_no_target_of_classes(run: Run, bank: Any) -> None:
    """Where no label is a class, another column that holds the classes is named."""
    with pytest.raises(UnseenClass) as raised:
        run(model=bank.model, name="bank", data=bank.frame.assign(when=2024.5), target="when")
    assert raised.value.hint.endswith("did you mean --target y?")


def test_text_of_numbers_is_a_target_of_a_regression(run: Run, iris: Path) -> None:
    """Numbers that a file keeps as text, and a gap among them, are numbers all the same."""
    frame = pd.read_parquet(iris / "iris.parquet")
    text = frame["petal_width"].astype(str).astype(object)
    text[3] = None
    version, _ = run(
        model=iris / "regression.pkl",
        name="iris",
        data=frame.assign(petal_width=text),
        target="petal_width",
    )
    assert version.candidate is not None
    assert version.candidate.evaluation is not None
    assert version.candidate.evaluation.rows_left_out == 1
    assert "rmse" in version.candidate.evaluation.metrics


def test_parity_failure_registers_nothing(
    run: Run, rooms: Rooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that answers otherwise when loaded again is not registered; the row is named."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "moody.py").write_text(
        "import os, time\n"
        "from sklearn.base import BaseEstimator, RegressorMixin\n"
        "class Moody(RegressorMixin, BaseEstimator):\n"
        "    def fit(self, X, y):\n"
        "        self.n_features_in_ = 1\n"
        "        return self\n"
        "    def predict(self, X):\n"
        "        return [float(i == 1) * os.getpid() for i in range(len(X))]\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "code")
    make = (
        "import pickle, moody; from pathlib import Path;"
        f"Path({str(tmp_path / 'moody.pkl')!r}).write_bytes("
        "pickle.dumps(moody.Moody().fit([[1]], [1])))"
    )
    exec(compile(make, "make", "exec"), {})  # noqa: S102 - the test's own text
    asked = {
        "model": tmp_path / "moody.pkl",
        "name": "moody",
        "data": pd.DataFrame({"x": [1.0, 2.0, 3.0]}),
        "code": tmp_path / "code",
    }
    with pytest.raises(NotTrusted, match=r"moody\.Moody"):
        run(**asked)
    with pytest.raises(ParityFailed, match="row 2"):
        run(**asked, trust=("moody.Moody",))
    assert rooms.registry.names() == []
    assert rooms.registry.sweep("moody") == 0


def test_a_record_without_attempts(of_bank: Imported) -> None:
    """A record of before attempts were kept is read, and has none."""
    written = json.loads(msgspec.json.encode(of_bank.candidate))
    assert written.pop("attempts") == []
    assert msgspec.convert(written, Candidate) == of_bank.candidate


def test_python_api_in_a_fresh_folder(
    iris: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a workspace the current folder becomes one, and nothing else lands in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BRINERY_WORKSPACE", raising=False)
    version = brinery.import_model(
        iris / "regression.pkl", name="width", data=iris / "iris.parquet", target="petal_width"
    )
    assert version.reference == "width@1"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".brinery", "brinery.toml"]
    (passport,) = tmp_path.glob(".brinery/artifacts/width/models/*/artifacts/brinery.json")
    assert json.loads(passport.read_text())["candidate"]["name"] == "width"
