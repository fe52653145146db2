"""A year of a loop, whose data drifts, while its model is served; and how often its gate errs."""

from __future__ import annotations

import importlib
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import httpx
import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom
from sklearn.metrics import roc_auc_score
from tests import patience
from tests.conftest import serving

import brinery
from brinery.evaluate.duel import Duel, Side
from brinery.evaluate.gate import Facts, judge
from brinery.records.decision import DecisionData, Outcome
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.turn import Ending, Turn
from brinery.specs.gate_rules import Rule
from brinery.specs.gates import Gate

RANDOM = np.random.default_rng(7)
EXAMPLE = Path(__file__).parents[2] / "examples" / "loop"
WEEKS, CHALLENGES = 52, 200
TRUTH_ROWS = 10_000
CERTAIN = 1e-4
WAIT_S = 240.0
TRAINS = "command: python train.py --data {data}"
TAKES = "command: [sh, -c, 'cp models/$BRINERY_TURN.pkl model.pkl']"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def example() -> Iterator[dict[str, ModuleType]]:
    """The modules of the example, by name."""
    sys.path.insert(0, str(EXAMPLE))
    yield {name: importlib.import_module(name) for name in ("source", "train", "year")}
    sys.path.remove(str(EXAMPLE))


class Visitors:
    """Somebody who asks the server all year, and counts what fails."""

    def __init__(self, url: str, row: dict[str, Any]) -> None:
        self._ask = f"{url}/v1/models/shop/predict"
        self._row = row
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.failed: list[str] = []
        self.versions: list[int] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def wait_for(self, version: int | None) -> None:
        """Wait until a version answers."""
        end = time.monotonic() + WAIT_S
        while version not in self.versions[-1:]:
            assert time.monotonic() < end, self.versions[-1:]
            time.sleep(0.05)

    def _run(self) -> None:
        with patience.client() as client:
            while not self._ended.wait(0.1):
                try:
                    answer = client.post(self._ask, json=self._row)
                except httpx.HTTPError as error:
                    self.failed.append(str(error))
                    continue
                if answer.status_code == 200:
                    self.versions.append(answer.json()["version"])
                else:
                    self.failed.append(answer.text)


def test_a_year(example: dict[str, ModuleType], tmp_path: Path) -> None:
    """In 52 turns the champion is never surely behind, and the server never fails.

    At each turn, no version that is there is better than the champion, on 10,000 rows of that
    week, by more than twice what the gate can tell: the half of its 95 % interval. Promotions of a
    worse version are no more than 5 % of the turns make likely, and cost no more than that. No
    single version, served from its turn to the end of the year, would have done better than the
    champions did in those weeks.
    """
    source, train, year = example["source"], example["train"], example["year"]
    year.prepare(tmp_path)
    loop = tmp_path / "loop.yml"
    # The models are fitted beforehand, in one process: what is tested is what the loop does.
    loop.write_text(loop.read_text(encoding="utf-8").replace(TRAINS, TAKES), encoding="utf-8")
    (tmp_path / "models").mkdir()
    models = []
    for week in range(1, WEEKS + 1):
        source.deliver(tmp_path, week)
        models.append(train.fit(list((tmp_path / "incoming").iterdir())))
        (tmp_path / "models" / f"{week}.pkl").write_bytes(pickle.dumps(models[-1]))
    for path in (tmp_path / "incoming").iterdir():
        path.unlink()
    row = source.rows(1, 1, 5).drop(columns="bought").iloc[0].to_dict()
    turns: list[Turn] = []
    year.run(tmp_path, 1, lambda _, turn: turns.append(turn))
    with serving(tmp_path, "shop") as url, Visitors(url, row) as visitors:
        for week in range(2, WEEKS + 1):
            source.deliver(tmp_path, week)
            turns.append(brinery.run_loop(loop, if_new=True, workspace=tmp_path))
        visitors.wait_for(turns[-1].champion)
    assert visitors.failed == []
    assert [turn.version for turn in turns] == list(range(1, WEEKS + 1))
    promoted = {turn.version for turn in turns if turn.ending is Ending.PROMOTED}
    assert {turn.ending for turn in turns} == {Ending.PROMOTED, Ending.KEPT}
    assert set(visitors.versions) <= promoted
    assert turns[-1].champion in visitors.versions
    worse, before = 0, 1
    champions: list[float] = []
    weekly: list[list[float]] = []
    for week, turn in enumerate(turns, start=1):
        truth = source.rows(week, TRUTH_ROWS, 99)
        figures = [figure(model, truth) for model in models[:week]]
        unseen, now = 2 * half(turn), turn.champion or 0
        assert max(figures) - figures[now - 1] <= unseen, week
        if turn.ending is Ending.PROMOTED and figures[now - 1] < figures[before - 1]:
            worse += 1
            assert figures[before - 1] - figures[now - 1] <= unseen
        before = now
        champions.append(figures[now - 1])
        weekly.append(figures)
    for version in range(WEEKS):
        alone = [figures[version] for figures in weekly[version:]]
        assert np.mean(champions[version:]) >= np.mean(alone), version + 1
    assert worse <= binom.ppf(1 - CERTAIN, WEEKS, 0.05)


def figure(model: Any, truth: Any) -> float:
    """What the gate's metric is on all those rows."""
    seen = truth.drop(columns="bought").to_numpy() @ model.coef_[0]
    return float(roc_auc_score(truth["bought"].to_numpy() == "yes", seen))


def half(turn: Turn) -> float:
    """Half of the interval of the difference that a turn was judged by; the first had no other."""
    assert turn.decision is not None
    for rule in turn.decision.rules:
        if rule.difference is not None and rule.difference.interval is not None:
            return (rule.difference.interval.high - rule.difference.interval.low) / 2
    assert turn.number == 1
    return 0.0


def test_no_improvement_is_seldom_promoted() -> None:
    """Of 200 turns that make a model as good as the champion, on fresh rows, 5 % promote at most.

    That is 1 - confidence, of rows that are the same in each run of this test. A promotion makes
    the champion of the turns after it, as in a loop.
    """
    rule = Rule(metric="roc_auc", versus="champion", better_by=0.0, confidence=0.95)
    gate = Gate(name="weekly", rule=(rule,))
    champion, promoted = RANDOM.normal(size=4), 0
    for turn in range(CHALLENGES):
        signal = RANDOM.normal(size=1000)
        actual = (RANDOM.random(1000) < 1 / (1 + np.exp(-2 * signal))).astype(int)
        candidate = RANDOM.normal(size=4)
        inputs = RANDOM.normal(size=(1000, 4))
        facts = Facts(
            reference="m@2",
            champion="m@1",
            created=datetime(2026, 11, 22, tzinfo=UTC),
            data=DecisionData(name="holdout.csv", rows=1000, sha256=str(turn)),
            duel=Duel(
                PredictionType.BINARY,
                actual,
                candidate=side(signal, inputs, candidate),
                champion=side(signal, inputs, champion),
                inputs=pa.table({"row": np.arange(1000)}),
            ),
            latency="not timed",
            requirements={},
            look=1,
        )
        if judge(gate, facts).outcome is Outcome.PASSES:
            promoted += 1
            champion = candidate
    assert promoted <= 0.05 * CHALLENGES


def side(signal: Any, inputs: Any, errs: Any) -> Side:
    """A model that sees the signal through an error of its own, as large as any other's."""
    seen = signal + inputs @ (errs / np.linalg.norm(errs))
    chances = 1 / (1 + np.exp(-2 * seen))
    both = np.column_stack((1 - chances, chances))
    return Side(name="m", scores=Scores((chances >= 0.5).astype(int), both, (0, 1)), classes=(0, 1))
