"""Turns of a loop: promoted or kept, failed or resumed, and never two at once."""

from __future__ import annotations

import pickle
import shutil
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests import patience
from tests.buckets import Buckets
from tests.conftest import serving
from tests.postgres import Postgres

from brinery.actions.loop import Beginning, run_turn
from brinery.actions.loop_story import loop_history, loop_plan
from brinery.actions.progress import result_of
from brinery.actions.rooms import Rooms, open_rooms
from brinery.errors import BrineryError, InvalidLoop, LoopBusy, NotFound, TargetMissing
from brinery.pickles.digest import digest
from brinery.records.decision import Outcome
from brinery.records.event import Event, Step
from brinery.records.turn import Ending, Phase, State, Trigger, Turn
from brinery.registry.interface import resolve
from brinery.specs.loop import read
from brinery.specs.reference import Reference

RANDOM = np.random.default_rng(7)

LOOP = """\
name: lamps-weekly
model: lamps
train:
  command: [sh, -c, 'echo trained >> count; cp {new} model.pkl']
  model: model.pkl
  inputs: {new: ./incoming}
evaluate: {data: holdout.csv, target: broken}
gate: gate.toml
trigger: {cron: "0 6 * * 1", new_data: ./batches/*.csv}
"""
JOB = """\
type: pipeline
inputs:
  new: {type: uri_file}
  rows: {type: uri_file, path: ./holdout.csv}
outputs:
  trained: {type: custom_model}
jobs:
  look:
    command: wc -l <${{inputs.rows}} >${{outputs.seen}}/rows
    environment: {image: python}
    inputs: {rows: "${{parent.inputs.rows}}"}
    outputs: {seen: }
  fit:
    command: cat ${{inputs.seen}}/rows && cp ${{inputs.new}} ${{outputs.model}}/lamps.pkl
    environment: {image: python}
    inputs: {new: "${{parent.inputs.new}}", seen: "${{parent.jobs.look.outputs.seen}}"}
    outputs: {model: "${{parent.outputs.trained}}"}
"""
GATE = """\
[[rule]]
metric = "roc_auc"
versus = "champion"
better_by = 0.0
confidence = 0.95
"""


@dataclass
class Lamps:
    """A loop whose training takes the model that lies in its folder."""

    rooms: Rooms
    folder: Path
    models: Path

    def offer(self, name: str) -> None:
        """Have the next training leave this model."""
        shutil.copyfile(self.models / f"{name}.pkl", self.folder / "incoming")

    def arrive(self, name: str, text: str = "x") -> None:
        """Have a file arrive that the trigger watches."""
        (self.folder / "batches").mkdir(exist_ok=True)
        (self.folder / "batches" / name).write_text(text, encoding="utf-8")

    def steps(self, begun: Beginning | None = None) -> Generator[Event, None, Turn]:
        """Return a turn that has not begun yet."""
        return run_turn(self.rooms, read(self.folder / "loop.yml"), begun=begun or Beginning())

    def turn(self, begun: Beginning | None = None) -> Turn:
        """Return a turn, once it has ended."""
        return result_of(self.steps(begun))

    @property
    def champion(self) -> int:
        """Return the number of the champion."""
        return resolve(self.rooms.registry, Reference("lamps", alias="champion")).number

    @property
    def trainings(self) -> int:
        """Return how often the command was run."""
        count = self.folder / "count"
        return len(count.read_text().splitlines()) if count.exists() else 0


@pytest.fixture(scope="session")
def lamp_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A poor model, a good one, and data that tells them apart."""
    folder = tmp_path_factory.mktemp("lamps")
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(600, 3)), columns=["hours", "heat", "shocks"])
    odds = frame["hours"] + 2 * frame["heat"]
    frame["broken"] = np.where(odds + random.normal(size=600) > 0, "yes", "no")
    frame.to_csv(folder / "holdout.csv", index=False)
    inputs, target = frame.drop(columns="broken"), frame["broken"]
    poor = LogisticRegression().fit(inputs.assign(heat=0.0), target)
    good = LogisticRegression().fit(inputs, target)
    (folder / "poor.pkl").write_bytes(pickle.dumps(poor))
    (folder / "good.pkl").write_bytes(pickle.dumps(good))
    return folder


@pytest.fixture
def lamps(rooms: Rooms, lamp_models: Path, tmp_path: Path) -> Lamps:
    """A loop that had no turn yet."""
    folder = tmp_path / "loop"
    folder.mkdir()
    shutil.copyfile(lamp_models / "holdout.csv", folder / "holdout.csv")
    (folder / "loop.yml").write_text(LOOP, encoding="utf-8")
    (folder / "gate.toml").write_text(GATE, encoding="utf-8")
    found = Lamps(rooms, folder, lamp_models)
    found.offer("poor")
    return found


def failing(folder: Path, command: str) -> None:
    """Have the loop run another command."""
    words = LOOP.splitlines()
    words[3] = f"  command: {command}"
    (folder / "loop.yml").write_text("\n".join(words), encoding="utf-8")


def test_a_turn_keeps_its_lineage(lamps: Lamps) -> None:
    """A turn tells the data, the code, the environment, the model and the version it is of."""
    lamps.arrive("1.csv", "a,b")
    turn = lamps.turn()
    assert (turn.number, turn.ending, turn.champion) == (1, Ending.PROMOTED, 1)
    found = turn.lineage
    assert [(one.name, one.files) for one in found.data] == [("new", 1)]
    assert [Path(one.path).name for one in found.new_files] == ["1.csv"]
    digests = (
        found.data[0].sha256,
        found.new_files[0].sha256,
        found.code_sha256,
        found.environment_sha256,
        found.spec_sha256,
        found.model_sha256,
    )
    assert {len(digest) for digest in digests} == {64}
    version = resolve(lamps.rooms.registry, Reference.parse(str(turn.reference)))
    assert version.candidate is not None
    assert version.candidate.origin.sha256 == found.model_sha256
    assert found.evaluation == version.candidate.data
    assert Path(turn.log).is_file()
    assert lamps.rooms.turns.of("lamps-weekly") == [turn]


@pytest.mark.parametrize(
    ("said", "meant", "error"),
    [("gate: gate.toml", "gate: nogate", NotFound), ("target: broken", "target: z", TargetMissing)],
    ids=["gate", "target"],
)
def test_what_is_wrong_is_told_before_anything_trains(
    lamps: Lamps, said: str, meant: str, error: type[BrineryError]
) -> None:
    """A gate or a target that is not there is known before: no turn begins, and a check tells."""
    loop = lamps.folder / "loop.yml"
    loop.write_text(LOOP.replace(said, meant), encoding="utf-8")
    with pytest.raises(error):
        lamps.turn()
    with pytest.raises(error):
        loop_plan(loop, workspace=lamps.rooms.workspace.root)
    assert (lamps.trainings, lamps.rooms.turns.of("lamps-weekly")) == (0, [])


def test_a_job_trains(lamps: Lamps) -> None:
    """Any job trains: its steps are run with the loop's inputs, and its model output is taken."""
    lines = LOOP.splitlines()
    lines[3:5] = ["  job: train.yml"]
    loop = lamps.folder / "loop.yml"
    loop.write_text("\n".join(lines), encoding="utf-8")
    (lamps.folder / "train.yml").write_text(JOB, encoding="utf-8")
    turn = lamps.turn()
    assert (turn.ending, turn.champion) == (Ending.PROMOTED, 1), turn.error
    assert turn.lineage.model_sha256 == digest(lamps.models / "poor.pkl")
    assert {one.name for one in turn.lineage.data} == {"new", "fit.new", "look.rows"}
    log = Path(turn.log).read_text(encoding="utf-8")
    assert "fit: 601\n" in log
    lamps.offer("good")
    changed = lamps.turn()
    assert changed.lineage.model_sha256 == digest(lamps.models / "good.pkl")
    assert "[step-reused] look: nothing changed" in Path(changed.log).read_text(encoding="utf-8")

    loop.write_text("\n".join([*lines[:4], "  model: traned", *lines[4:]]), encoding="utf-8")
    with pytest.raises(InvalidLoop, match="no output traned: did you mean trained"):
        loop_plan(loop, workspace=lamps.rooms.workspace.root)
    loop.write_text("\n".join(lines).replace("new: ./inc", "now: ./inc"), encoding="utf-8")
    with pytest.raises(InvalidLoop, match=r"no such input: did you mean new\?"):
        lamps.turn()
    (lamps.folder / "train.yml").write_text(JOB.replace("cat $", "cat no/$"), encoding="utf-8")
    loop.write_text("\n".join(lines), encoding="utf-8")
    failed = lamps.turn()
    assert failed.ending is Ending.FAILED
    assert "Failed: the step fit failed: its command ended with status 1" in failed.error


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("[sh, -c, 'echo no rows today >&2; exit 3']", "status 3: no rows today"),
        ("[sh, -c, 'exit 0']", "left no new model at model.pkl"),
        ("[sh, -c, 'echo no pickle > model.pkl']", "not-a-pickle"),
        ("[no-such-program]", "no-such-program: not found"),
    ],
    ids=["fails", "leaves nothing", "leaves no model", "is not there"],
)
def test_what_fails_ends_the_turn(lamps: Lamps, command: str, told: str) -> None:
    """A training that fails, or leaves no model, is a turn that failed, and says why."""
    failing(lamps.folder, command)
    turn = lamps.turn()
    assert (turn.ending, turn.champion) == (Ending.FAILED, None)
    assert told in turn.error


def test_a_file_is_new_until_a_turn_had_it(lamps: Lamps) -> None:
    """Nothing is trained where nothing is new; what only a failed turn had is new again."""
    due = Beginning(trigger=Trigger.CRON, if_new=True)
    failing(lamps.folder, "[sh, -c, 'exit 1']")
    assert lamps.turn(due).ending is Ending.NOTHING_NEW
    lamps.arrive("1.csv")
    assert [lamps.turn(due).ending for _ in range(2)] == [Ending.FAILED, Ending.FAILED]
    again = Beginning(trigger=Trigger.NEW_DATA, if_new=True, again=False)
    assert lamps.turn(again).ending is Ending.NOTHING_NEW
    lamps.arrive("1.csv", "changed")
    assert lamps.turn(again).ending is Ending.FAILED


def test_two_turns_never_overlap(lamps: Lamps) -> None:
    """While a turn goes on, another one of the loop is refused; afterwards it is not."""
    failing(lamps.folder, "[sh, -c, 'exit 1']")
    steps = lamps.steps()
    next(steps)
    with pytest.raises(LoopBusy, match="lamps-weekly goes on"):
        lamps.turn()
    del steps
    assert lamps.turn().attempts == 2


def test_a_turn_that_never_ends_is_given_up(lamps: Lamps) -> None:
    """A turn that was killed three times fails, and the next one begins anew."""
    failing(lamps.folder, "[sh, -c, 'exit 1']")
    for _ in range(3):
        next(lamps.steps())
    assert "was begun 3 times and never ended" in lamps.turn().error
    assert lamps.turn().number == 2


def test_a_training_that_is_stopped_goes_on_another_time(lamps: Lamps) -> None:
    """A turn that is told to stop has not ended, and stopping is no attempt that failed."""
    failing(lamps.folder, "[sleep, '300']")
    stop = threading.Event()
    steps = run_turn(lamps.rooms, read(lamps.folder / "loop.yml"), stop=stop)
    next(steps)
    stop.set()
    turn = result_of(steps)
    assert (turn.ended, turn.attempts) == (None, 0)
    assert lamps.rooms.turns.open("lamps-weekly") == turn


@pytest.mark.slow
def test_the_better_model_is_promoted_and_the_worse_one_is_not(lamps: Lamps) -> None:
    """The first version needs no champion, a better one takes its place, a worse one does not."""
    first = lamps.turn()
    assert (first.number, first.ending, first.champion) == (1, Ending.PROMOTED, 1)
    lamps.offer("good")
    second = lamps.turn()
    assert (second.ending, second.champion, lamps.champion) == (Ending.PROMOTED, 2, 2)
    assert "lamps@2: 600 rows answered" in second.stage(Phase.COMPARE).note
    lamps.offer("poor")
    third = lamps.turn()
    assert (third.ending, third.version, lamps.champion) == (Ending.KEPT, 1, 2)
    assert third.decision is not None
    assert third.decision.outcome is Outcome.FAILS
    assert third.stage(Phase.PROMOTE).state is State.SKIPPED
    failing(lamps.folder, "[sh, -c, 'exit 1']")
    fourth = lamps.turn()
    assert (fourth.ending, fourth.champion, lamps.champion) == (Ending.FAILED, 2, 2)
    assert lamps.rooms.turns.of("lamps-weekly") == [first, second, third, fourth]


@pytest.mark.slow
@pytest.mark.parametrize(
    "left_at",
    [Step.TRAIN, Step.SCAN, Step.PROMOTE],
    ids=["before it trains", "while it imports", "after it promoted"],
)
def test_a_turn_that_is_left_is_resumed(lamps: Lamps, left_at: Step) -> None:
    """What was done is not done again: neither the training, nor the version, nor the promotion."""
    steps = lamps.steps()
    while next(steps).step is not left_at:
        continue
    del steps  # as a kill leaves it: nothing of it goes on, and the lock is free
    assert lamps.rooms.turns.open("lamps-weekly") is not None
    turn = lamps.turn()
    assert (turn.number, turn.attempts, turn.ending) == (1, 2, Ending.PROMOTED)
    assert turn.decision is not None
    assert lamps.trainings == 1
    assert len(lamps.rooms.registry.versions("lamps")) == 1
    assert len(lamps.rooms.decisions.of("lamps")) == 1
    promoted = [entry for entry in lamps.rooms.audit.entries("lamps") if "champion" in entry.after]
    assert len(promoted) == 1


@pytest.mark.slow
def test_whole_turns_on_postgresql_and_s3(
    lamps: Lamps,
    postgres: Postgres,
    buckets: Buckets,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Trained, imported, evaluated, judged, promoted; a server of another folder follows."""
    monkeypatch.setenv("BRINERY_EVALUATE_AT_IMPORT", "true")
    store = f'[store]\nuri = "{postgres.database()}"\nartifacts = "{buckets.bucket()}"\n'
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        (folder / "brinery.toml").write_text(store, encoding="utf-8")
    lamps.rooms = open_rooms(ours)
    first = lamps.turn()
    assert (first.ending, first.version, first.champion) == (Ending.PROMOTED, 1, 1)
    row = {"hours": 0.1, "heat": 2.0, "shocks": 0.0}
    with serving(theirs, "lamps") as url, patience.client() as client:

        def answers() -> str:
            answer = client.post(f"{url}/v1/models/lamps/predict", json=row)
            assert answer.status_code == httpx.codes.OK
            return str(answer.headers["x-model-version"])

        assert answers() == "lamps@1"
        lamps.offer("good")
        second = lamps.turn()
        assert (second.ending, second.champion) == (Ending.PROMOTED, 2)
        end = time.monotonic() + 240
        while answers() != "lamps@2":
            assert time.monotonic() < end
            time.sleep(0.05)
    lamps.offer("poor")
    third = lamps.turn(Beginning(again=True))
    assert (third.ending, third.champion) == (Ending.KEPT, 2)
    told = loop_history("lamps-weekly", workspace=theirs)
    assert [turn.ending for turn in told] == [Ending.PROMOTED, Ending.PROMOTED, Ending.KEPT]
    assert [stage.state for stage in told[1].stages] == [State.DONE] * len(told[1].stages)
    assert told == [first, second, third]
