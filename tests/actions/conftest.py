"""Rooms over the fake registry, and small models to import into them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

from brinery.actions.import_model import import_steps
from brinery.actions.rooms import Rooms
from brinery.actions.submission import Submission
from brinery.records.event import Event
from brinery.records.version import Version
from brinery.registry.memory import MemoryRegistry
from brinery.specs.settings import EvaluateSettings, Settings
from brinery.store.audit import MemoryAudit
from brinery.store.workspace import Workspace

Run = Callable[..., tuple[Version, list[Event]]]


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms of an empty workspace."""
    return rooms_in(tmp_path)


def rooms_in(folder: Path) -> Rooms:
    """Return rooms of an empty workspace, with the registry and the audit trail in memory."""
    kept, workspace = folder / "kept", folder / "workspace"
    kept.mkdir()
    workspace.mkdir()
    return Rooms(
        workspace=Workspace(workspace),
        settings=Settings(evaluate=EvaluateSettings(at_import=False)),
        registry=MemoryRegistry(kept),
        audit=MemoryAudit(),
    )


@pytest.fixture
def run(rooms: Rooms) -> Run:
    """Imports into the rooms; gives the version and the events."""
    return lambda **asked: imported_into(rooms, **asked)


def imported_into(rooms: Rooms, **asked: Any) -> tuple[Version, list[Event]]:
    """Return the version that an import makes, and its events."""
    steps = import_steps(rooms, Submission(**{**asked, "model": str(asked["model"])}))
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return end.value, events


@pytest.fixture(scope="session")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a multiclass model, a regression, and their data."""
    folder = tmp_path_factory.mktemp("iris")
    frame = load_iris(as_frame=True).frame
    frame.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
    frame.to_parquet(folder / "iris.parquet")
    frame.to_json(folder / "iris.jsonl", orient="records", lines=True)
    features = frame.drop(columns="species")
    classifier = LogisticRegression(max_iter=500).fit(features, frame["species"])
    lengths = features.drop(columns="petal_width")
    regression = LinearRegression().fit(lengths, features["petal_width"])
    unnamed = LogisticRegression(max_iter=500).fit(features.to_numpy(), frame["species"])
    for name, model in (
        ("classifier", classifier),
        ("regression", regression),
        ("unnamed", unnamed),
    ):
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
    return folder
