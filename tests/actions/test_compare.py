"""Comparing versions: the same rows through every one of them, and what cannot be compared."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from tests.actions.conftest import rooms_in

from brinery.actions.compare import CompareAsked, compare_steps
from brinery.actions.import_model import import_steps
from brinery.actions.leaderboard import ranked_of
from brinery.actions.rooms import Rooms
from brinery.actions.submission import Submission
from brinery.errors import (
    ColumnMismatch,
    ColumnMissing,
    MetricUnknown,
    NotComparable,
    NotFound,
    TargetMissing,
)
from brinery.evaluate import run as figures
from brinery.records.comparison import Comparison
from brinery.records.evaluation import PredictionType
from brinery.records.run import Run
from brinery.records.scores import Scores
from brinery.records.version import Alias
from brinery.registry.memory import MemoryRegistry

RANDOM = np.random.default_rng(0)
ROWS = 400


def _data() -> pd.DataFrame:
    """Return rows in which the label follows two columns."""
    frame = pd.DataFrame(RANDOM.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
    noise = RANDOM.normal(size=ROWS)
    frame["y"] = np.where(frame["a"] + frame["b"] + noise > 0.3, "yes", "no")
    frame["weight"] = RANDOM.integers(0, 4, ROWS)
    return frame


FRAME = _data()
DATA = FRAME.drop(columns="weight")
FEATURES = ["a", "b", "c"]


MODELS: dict[str, Any] = {
    "logistic": LogisticRegression(),
    "weak": LogisticRegression(C=1e-4),
    "bare": LinearSVC(),
    "slow": KNeighborsClassifier(),
    "number": LinearRegression(),
}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    """Rooms with m@1 to m@5, of which m@1 is the champion, and m@6 of a file. Tests read them."""
    folder = tmp_path_factory.mktemp("compare")
    rooms = rooms_in(folder)
    DATA.to_csv(folder / "test.csv", index=False)
    for name, model in (*MODELS.items(), ("again", LogisticRegression(C=0.5))):
        number = name == "number"
        frame = DATA.assign(y=(DATA["y"] == "yes") * 1.0) if number else DATA
        path = folder / f"{name}.pkl"
        path.write_bytes(pickle.dumps(model.fit(frame[FEATURES], frame["y"])))
        data = folder / "test.csv" if name == "again" else frame
        asked = Submission(model=str(path), name="m", data=data, target="y")
        deque(import_steps(rooms, asked), maxlen=0)
    rooms.registry.set_alias("m", 1, alias=Alias.CHAMPION)
    return rooms


@pytest.fixture
def compare(rooms: Rooms) -> Callable[..., tuple[Comparison, list[Any]]]:
    """Compares versions in the rooms; gives the comparison and the events."""

    def compare(*references: str, **options: Any) -> tuple[Comparison, list[Any]]:
        options.setdefault("data", DATA)
        steps = compare_steps(rooms, CompareAsked.of(references, options))  # type: ignore[arg-type]
        events = []
        while True:
            try:
                events.append(next(steps))
            except StopIteration as end:
                return end.value, events

    return compare


def test_versions_answer_the_same_rows(compare: Any) -> None:
    """Each is asked every row, and its figures are those of its own answers."""
    found, events = compare("m@2", "m@champion")
    assert found.base == "m@1"
    assert [pair.other for pair in found.pairs] == ["m@2"]
    assert found.rows == ROWS
    for one, model in zip(found.contenders, ("logistic", "weak"), strict=True):
        inputs = FRAME[FEATURES]
        alone = figures.run(
            PredictionType.BINARY,
            FRAME["y"].to_numpy(),
            scores=_scores(MODELS[model], inputs),
            classes=("no", "yes"),
        )
        assert one.metrics["roc_auc"] == pytest.approx(alone.metrics["roc_auc"])
        assert one.metrics["f1"] == pytest.approx(alone.metrics["f1"])
    assert [event.step for event in events] == ["data", "compare", "compare", "compare"]


def _scores(model: Any, inputs: pd.DataFrame) -> Any:
    return Scores(model.predict(inputs), model.predict_proba(inputs), ("no", "yes"))


def test_what_a_version_costs_is_beside_it(compare: Any) -> None:
    """Size, latency and who answers are told of each version."""
    found, _ = compare("m@4", "m@1")
    costs = {one.name: one.footprint for one in found.contenders}
    assert costs["m@1"].answered_by == "scorer"
    assert costs["m@4"].answered_by == "library"
    for cost in costs.values():
        assert cost.size_bytes > 0
        assert 0 < cost.latency_s < 60
        assert 1 <= cost.latency_rows <= 50
        assert cost.rows_per_s > 0


def test_any_number_of_versions(compare: Any) -> None:
    """Each is compared with the last one named, in the order named; all are ranked."""
    found, _ = compare("m@3", "m@2", "m@4", "m@1")
    assert [pair.other for pair in found.pairs] == ["m@3", "m@2", "m@4"]
    assert {pair.base for pair in found.pairs} == {"m@1"}
    assert found.leaderboard.metric == "accuracy"
    assert len(found.leaderboard.standings) == 4


def test_one_version_is_compared_with_the_champion(compare: Any) -> None:
    """Of a single version, the base is the champion of its model."""
    found, _ = compare("m@2")
    assert (found.base, found.pairs[0].other) == ("m@1", "m@2")


def test_a_version_of_another_kind_is_told(compare: Any) -> None:
    """A version that predicts a number is not compared with a classifier, and costs none."""
    found, events = compare("m@5", "m@2", "m@1")
    assert found.not_compared == {"m@5": "it predicts regression, and the base binary"}
    assert [pair.other for pair in found.pairs] == ["m@2"]
    assert [event.message for event in events if event.warning] == [
        "m@5: it predicts regression, and the base binary"
    ]


def test_nothing_left_to_compare_is_an_error(compare: Any) -> None:
    """Where no version can be compared with the base, that is said in place of an empty table."""
    with pytest.raises(NotComparable, match=r"nothing is left .* m@5: it predicts regression"):
        compare("m@5", "m@1")


def test_groups_and_rules_are_told_by_the_inputs(compare: Any) -> None:
    """Subpopulations are those of the columns, and neither target nor weights is one of them."""
    found, _ = compare("m@2", "m@1", data=FRAME, weights="weight")
    columns = {one.group.columns[0] for one in found.pairs[0].subpopulations}
    assert columns == set(FEATURES)
    assert found.weighted
    assert found.rows == int((FRAME["weight"] > 0).sum())
    assert found.pairs[0].disagreement is not None


def test_the_metric_ranks(compare: Any) -> None:
    """Versions are ranked by the metric that is named; an unknown one is met with the nearest."""
    found, _ = compare("m@2", "m@1", metric="log_loss")
    assert found.leaderboard.metric == "log_loss"
    with pytest.raises(MetricUnknown, match="--metric roc_acu") as wrong:
        compare("m@2", "m@1", metric="roc_acu")
    assert wrong.value.hint == "did you mean --metric roc_auc?"


def test_the_data_of_the_import_is_found_again(
    compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without data, the rows that the base was evaluated on are taken where they lie unchanged."""
    monkeypatch.chdir(tmp_path)
    for base in ("m@6", "m@1"):  # of the file, and of the same rows in a data frame
        found, _ = compare("m@2", base, data=None)
        assert (found.data, found.rows) == ("test.csv", ROWS)
    with pytest.raises(NotComparable, match="was evaluated on dataframe") as absent:
        compare("m@2", "m@5", data=None)
    assert absent.value.hint.endswith("brinery compare m@2 m@5 --data FILE")


def test_data_that_changed_since_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other rows under the name of the import's are named, and how to take them all the same."""
    monkeypatch.chdir(tmp_path)
    rooms = rooms_in(tmp_path)
    DATA.to_csv("test.csv", index=False)
    for name in ("logistic", "weak"):
        path = tmp_path / f"{name}.pkl"
        path.write_bytes(pickle.dumps(MODELS[name].fit(DATA[FEATURES], DATA["y"])))
        asked = Submission(model=str(path), name="m", data=tmp_path / "test.csv", target="y")
        deque(import_steps(rooms, asked), maxlen=0)
    DATA.head(50).to_csv("test.csv", index=False)
    with pytest.raises(NotComparable, match="changed since") as changed:
        deque(compare_steps(rooms, CompareAsked.of(("m@2", "m@1"), {})), maxlen=0)
    assert changed.value.hint.endswith("brinery compare m@2 m@1 --data test.csv")


def test_mistakes_have_one_error_and_the_next_command(compare: Any) -> None:
    """The same version, no version, no column, no numbers and no rows are told as such."""
    with pytest.raises(NotComparable, match="are the same version, m@1") as same:
        compare("m@1", "m@champion")
    assert same.value.hint == "brinery compare m@6 m@1"
    with pytest.raises(NotFound, match="m has no version 9"):
        compare("m@9", "m@1")
    with pytest.raises(ColumnMissing, match="--weights wieght") as weights:
        compare("m@2", "m@1", data=FRAME, weights="wieght")
    assert weights.value.hint == "did you mean --weights weight?"
    with pytest.raises(ColumnMismatch, match="--weights a: row"):
        compare("m@2", "m@1", data=FRAME, weights="a")
    with pytest.raises(TargetMissing, match="'z' is not a column"):
        compare("m@2", "m@1", target="z")
    with pytest.raises(ColumnMissing, match="'c'"):
        compare("m@2", "m@1", data=FRAME.drop(columns="c"))
    with pytest.raises(NotComparable, match="has no rows"):
        compare("m@2", "m@1", data=FRAME.head(0))


def test_versions_and_runs_are_ranked_as_they_are_known(rooms: Rooms) -> None:
    """Versions by their import and runs by what they logged, each beside the first or a reason."""
    registry = rooms.registry
    assert isinstance(registry, MemoryRegistry)
    logged = Run(id="0f" * 16, name="tuned", created=datetime.now(UTC), metrics={"roc_auc": 0.99})
    registry.logged["m"] = [logged]
    board = ranked_of(registry, "m", metric=None)
    assert (board.metric, board.paired) == ("roc_auc", False)
    assert board.standings[0].name == "tuned (0f0f0f0f)"
    assert board.standings[0].source == "run"
    values = [one.value.value for one in board.standings]
    assert values == sorted(values, reverse=True)
    assert {"m@3", "m@5"} <= set(board.not_ranked)
    assert all(one.reason for one in board.standings[1:])
    registry.logged.clear()
    told = {one.name: one for one in ranked_of(registry, "m", metric="log_loss").standings}
    first = next(iter(told.values()))
    assert first.alike is True
    assert all(one.alike is not None or one.reason for one in told.values())
    assert told["m@1"].aliases == ("champion",)
    with pytest.raises(MetricUnknown, match="'rocauc'") as wrong:
        ranked_of(registry, "m", metric="rocauc")
    assert wrong.value.hint == "did you mean --metric roc_auc?"
    with pytest.raises(NotFound):
        ranked_of(registry, "n", metric=None)
