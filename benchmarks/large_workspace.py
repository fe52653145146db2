"""A workspace of some size: 1,000 versions of 50 models, 10,000 runs and 1,000 jobs.

One version is imported and evaluated, and one job is run; the others are registered, told and laid
down as those were, under other names.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from msgspec.structs import replace
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import brinery
from brinery.actions.rooms import Rooms, open_rooms
from brinery.records.tracked_run import TrackedRun
from brinery.records.version import Version

VERSIONS = 1_000
MODELS = 50
RUNS = 10_000
JOBS = 1_000

_SEED = 7
_ROWS = 2_000
_COLUMNS = 8
_BATCH = 1_000
_FIRST = "first-job"
_JOB = """\
type: pipeline
display_name: two steps
jobs:
  prep:
    command: echo 1 > ${{outputs.out}}/a.txt
    environment: {image: python}
    outputs: {out: {type: uri_folder}}
  train:
    command: cat ${{inputs.data}}/a.txt
    environment: {image: python}
    inputs: {data: "${{parent.jobs.prep.outputs.out}}"}
"""


def make(workspace: Path) -> Version:
    """Fill an empty folder; return the version that was really imported and evaluated."""
    import joblib

    generator = np.random.default_rng(_SEED)
    frame = pd.DataFrame(
        generator.normal(size=(_ROWS, _COLUMNS)), columns=[f"x{n}" for n in range(_COLUMNS)]
    )
    truth = (frame["x0"] + generator.normal(size=_ROWS) > 0).map({True: "yes", False: "no"})
    model = make_pipeline(
        StandardScaler(), RandomForestClassifier(50, min_samples_leaf=5, random_state=_SEED)
    ).fit(frame, truth)
    file = workspace / "model.joblib"
    joblib.dump(model, file)
    brinery.import_model(
        file, name="model-00", data=frame.assign(y=truth), target="y", workspace=workspace
    )
    brinery.promote("model-00@1", force=True, why="a benchmark", workspace=workspace)
    rooms = open_rooms(workspace)
    first = rooms.registry.versions("model-00")[0]
    _versions(rooms, first)
    _runs(rooms)
    _jobs(workspace)
    return first


def _versions(rooms: Rooms, first: Version) -> None:
    candidate = first.candidate
    if candidate is None:
        raise SystemExit("the first version was not imported")
    file = rooms.registry.model_file(first)
    for number in range(1, VERSIONS):
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        other = replace(
            candidate,
            name=f"model-{number % MODELS:02}",
            origin=replace(candidate.origin, sha256=sha256),
        )
        staged = rooms.registry.stage(other, file)
        rooms.registry.commit(staged, None)


def _runs(rooms: Rooms) -> None:
    told = list(_told())
    for at in range(0, len(told), _BATCH):
        rooms.runs().tell(told[at : at + _BATCH])


def _told() -> Iterator[TrackedRun]:
    for number in range(RUNS):
        began = 1_760_000_000_000 + number * 60_000
        yield TrackedRun(
            id=uuid.uuid5(uuid.NAMESPACE_URL, str(number)).hex,
            name=f"run-{number}",
            experiment=f"experiment-{number % 20}",
            status="FAILED" if number % 50 == 0 else "FINISHED",
            started_ms=began,
            ended_ms=began + 30_000,
            user="someone",
            params={"depth": str(number % 7), "rate": str(number % 11 / 10)},
        )


def _jobs(workspace: Path) -> None:
    (workspace / "job.yml").write_text(_JOB)
    program = Path(sys.executable).with_name("brinery")
    subprocess.run(
        [
            *(str(program), "--workspace", str(workspace)),
            *("job", "create", "-f", str(workspace / "job.yml"), "--name", _FIRST),
            *("--environment", "current"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    folder = workspace / ".brinery" / "jobs"
    for number in range(1, JOBS):
        name = f"job-{number:04}"
        copied = folder / name
        shutil.copytree(folder / _FIRST, copied, symlinks=True)
        for file in (copied / "plan.json", copied / "journal.jsonl"):
            file.write_text(file.read_text().replace(_FIRST, name))
