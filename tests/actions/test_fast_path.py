"""A model is scored without its library only where it was seen to answer alike."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.actions.conftest import Run
from tests.conftest import Bank, artifact_of

from brinery.actions.fast_path import Comparison, changed, compile_and_compare
from brinery.actions.predict import LoadedModel
from brinery.actions.rooms import Rooms
from brinery.errors import ParityFailed, PredictionRefused
from brinery.flavors import naming, signature
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.digest import digest
from brinery.registry.interface import SCORER_FILE
from brinery.scorers import bundle
from brinery.scorers.compiler import compile_model
from brinery.scorers.plan import COMPILER
from brinery.scorers.probes import Probe
from brinery.scorers.scorer import Scorer
from brinery.store import tables


def test_the_demo_is_compiled_and_compared(bank: Bank, run: Run, rooms: Rooms) -> None:
    """On the data, at every threshold that it reaches, with holes, news and extremes."""
    version, events = run(model=bank.model, name="bank", data=bank.test, target="y")
    fast = version.fast_path
    assert fast is not None
    assert fast.used
    assert fast.max_difference == 0.0
    assert fast.rows["evaluation data"] == len(bank.frame)
    assert fast.rows["thresholds"] > 1000
    assert fast.thresholds == fast.reached
    assert all(fast.rows[k] for k in ("missing values", "unseen categories", "extreme values"))
    path = rooms.registry.kept_file(version, SCORER_FILE)
    assert path is not None
    assert digest(path) == fast.sha256
    assert any("compiled: answers as its library" in event.message for event in events)


def test_a_target_that_was_a_table_of_one_is_one_value(
    run: Run, rooms: Rooms, tmp_path: Path
) -> None:
    """Its scorer is used, and answers as the library does, with a value for each row."""
    frame = pd.DataFrame({"a": np.arange(40.0), "y": np.arange(40.0) * 2})
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(LinearRegression().fit(frame[["a"]], frame[["y"]])))
    version, _ = run(model=path, name="line", data=frame, target="y")
    assert version.fast_path is not None
    assert version.fast_path.used
    with LoadedModel(rooms, version) as loaded:
        assert loaded.predict(frame[["a"]]).predictions.shape == (40,)


def test_what_cannot_be_compiled_is_said(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """The version is registered, scored by its library, and says why."""
    frame = pd.DataFrame({"a": np.arange(40.0), "y": [0, 1] * 20})
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(KNeighborsClassifier().fit(frame[["a"]], frame["y"])))
    version, events = run(model=path, name="near", data=frame, target="y")
    assert version.fast_path is not None
    assert not version.fast_path.used
    assert version.fast_path.reason == "KNeighborsClassifier is not known"
    assert rooms.registry.kept_file(version, SCORER_FILE) is None
    assert any(
        event.message == "scored by its library: KNeighborsClassifier is not known"
        for event in events
    )


def test_a_step_that_is_not_known_falls_back_alone(run: Run, rooms: Rooms, tmp_path: Path) -> None:
    """What is around it is compiled, compared, and answers in the model's process."""
    frame = pd.DataFrame({"a": np.arange(40.0), "n": range(40), "y": [0, 1] * 20})
    model = make_pipeline(StandardScaler(), KNeighborsClassifier())
    model.fit(frame[["a", "n"]], frame["y"])
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    version, events = run(model=path, name="near", data=frame, target="y")
    fast = version.fast_path
    assert fast is not None
    assert fast.partial
    assert not fast.used
    assert fast.library == ("KNeighborsClassifier: KNeighborsClassifier is not known",)
    assert fast.rows["evaluation data"] == 40
    assert fast.rows["extreme values"] > 0
    assert fast.declined < sum(fast.rows.values())
    assert rooms.registry.kept_file(version, SCORER_FILE) is None
    assert any("compiled but for KNeighborsClassifier" in event.message for event in events)
    with LoadedModel(rooms, version) as loaded:
        scores = loaded.predict(frame)
    assert scores.predictions.tolist() == model.predict(frame[["a", "n"]]).tolist()
    np.testing.assert_array_equal(scores.probabilities, model.predict_proba(frame[["a", "n"]]))


def test_a_scorer_within_the_process_answers_only_as_it_was_compared(processes: Any) -> None:
    """With other steps of the library than those on record it is not used."""
    frame = pd.DataFrame({"a": np.arange(40.0)})
    model = make_pipeline(StandardScaler(), KNeighborsClassifier()).fit(frame, [0, 1] * 20)
    process, table = processes(model), tables.to_arrow(frame)
    columns = naming.inputs(
        process.description, signature.infer(process.description, frame, may_be_missing=())
    )
    told = process.accelerate(COMPILER, columns=columns, steps=("another",))
    assert told.reason == "its steps are not those that were compared"
    assert process.accelerated(table) is None
    told = process.accelerate(COMPILER, columns=columns)
    assert [step.partition(":")[0] for step in told.steps] == ["KNeighborsClassifier"]
    found = process.accelerated(table)
    np.testing.assert_array_equal(found.probabilities, process.score(table).probabilities)
    holed = tables.to_arrow(frame.assign(a=np.nan))
    assert process.accelerated(holed) is None
    with pytest.raises(PredictionRefused, match="NaN"):
        process.score(holed)


def test_a_scorer_within_the_process_that_differs_is_found_out(
    processes: Any, tmp_path: Path
) -> None:
    """A step that tells whole numbers from others is given none, and the library answers alone."""
    frame = pd.DataFrame({"n": np.arange(1, 41)})
    tells = FunctionTransformer(np.reciprocal)
    process = processes(make_pipeline(tells, LinearRegression()).fit(frame, frame["n"] % 7))
    table = tables.to_arrow(frame)
    takes = signature.infer(process.description, frame, may_be_missing=())
    scores = process.score(table)
    compiled = compile_and_compare(process, table, scores=scores, takes=takes, into=tmp_path)
    assert not compiled.record.partial
    assert "the library and the scorer differ" in compiled.record.reason


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(size=300), "n": rng.integers(0, 9, 300)})


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Any]:
    """Loads models in processes of their own."""
    opened: list[ModelProcess] = []

    def load(model: Any) -> ModelProcess:
        path = tmp_path / f"model{len(opened)}.pkl"
        path.write_bytes(pickle.dumps(model))
        opened.append(ModelProcess(path, artifact=artifact_of(path)))
        return opened[-1]

    yield load
    for process in opened:
        process.close()


def scorer_of(model: Any, process: ModelProcess, frame: pd.DataFrame, folder: Path) -> Scorer:
    table = tables.to_arrow(frame)
    takes = signature.infer(process.description, frame, may_be_missing=())
    compiled = compile_and_compare(
        process, table, scores=process.score(table), takes=takes, into=folder
    )
    assert compiled.record.used, compiled.record.reason
    assert compiled.path is not None
    del model
    return Scorer(bundle.read(compiled.path))


def test_a_scorer_that_differs_is_found_out(
    frame: pd.DataFrame, processes: Any, tmp_path: Path
) -> None:
    """One of a model with another last digit in one weight fails, and the row is named."""
    model = LogisticRegression().fit(frame, frame["x"] > 0)
    process = processes(model)
    scorer = scorer_of(model, process, frame, tmp_path)
    model.coef_ = model.coef_ + 1e-6
    other = compile_model(model, scorer.plan.inputs)
    comparison = Comparison(process, other)
    table = tables.to_arrow(frame)
    with pytest.raises(ParityFailed, match="the library and the scorer differ on"):
        comparison.data(table, process.score(table))


def test_a_threshold_that_is_off_by_the_last_digit_is_found_out(
    frame: pd.DataFrame, processes: Any, tmp_path: Path
) -> None:
    """No row of the data tells such a tree from the library's; the probes do."""
    tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(frame, frame["x"] > 0.1)
    process = processes(tree)
    plan = scorer_of(tree, process, frame, tmp_path).plan
    trees: Any = plan.model
    nodes = trees.trees.nodes.copy()
    records = trees.trees.table.copy()
    inner = int(np.flatnonzero(records["feature"] >= 0)[0])
    records["threshold"][inner] = np.nextafter(records["threshold"][inner], np.float32(np.inf))
    nodes[:] = records.view(np.int32).reshape(nodes.shape)
    forged = replace(plan, model=replace(trees, trees=replace(trees.trees, nodes=nodes)))
    comparison = Comparison(process, Scorer(forged))
    table = tables.to_arrow(frame)
    comparison.data(table, process.score(table))
    with pytest.raises(ParityFailed):
        comparison.probes(table)


def test_a_scorer_that_answers_what_the_library_refuses_is_found_out(
    frame: pd.DataFrame, processes: Any, tmp_path: Path
) -> None:
    """A forest that takes missing values is no scorer for a model that does not."""
    holed = frame.assign(x=frame["x"].where(frame["x"] < 1))
    taking = DecisionTreeClassifier(max_depth=2, random_state=0).fit(holed, frame["n"] > 4)
    process = processes(LogisticRegression().fit(frame, frame["n"] > 4))
    scorer = scorer_of(taking, processes(taking), holed, tmp_path)
    with pytest.raises(ParityFailed, match="the library"):
        Comparison(process, scorer).probes(tables.to_arrow(frame))


def test_a_probe_changes_one_value(frame: pd.DataFrame) -> None:
    """And leaves the others, and the types of the columns, as they are."""
    table = tables.to_arrow(frame)
    made = changed(table, [Probe(3, "x", 7.5), Probe(4, "n", None), Probe(5, "n", 2)])
    assert made.schema == table.schema
    assert made.column("x").to_pylist() == [7.5, frame["x"][4], frame["x"][5]]
    assert made.column("n").to_pylist() == [frame["n"][3], None, 2]
