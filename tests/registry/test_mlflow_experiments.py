"""Experiments are listed in one way, for the page and for what keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from brinery.records.tracked_run import TrackedRun
from brinery.registry.mlflow_experiments import MlflowExperiments
from brinery.registry.mlflow_runs import MlflowRuns
from brinery.registry.mlflow_search import MlflowSearch


def test_experiments_are_listed_alike(tmp_path: Path) -> None:
    """Both lists have the same ones in the same order, a part of them where one is asked for."""
    uri, artifacts = f"sqlite:///{tmp_path / 'mlflow.db'}", (tmp_path / "artifacts").as_uri()
    (tmp_path / "spool").mkdir()
    runs = MlflowRuns(uri, artifacts, spool=tmp_path / "spool")
    for at, name in enumerate(("first", "it's", "last")):
        run = TrackedRun(id=str(at) * 32, name=name, experiment=name, started_ms=1000, user="jo")
        runs.tell([run])
    search, kept = MlflowSearch(uri, artifacts), MlflowExperiments(uri, artifacts)
    names = [one["name"] for one in kept.experiments()]
    assert sorted(names) == ["Default", "first", "it's", "last"]
    assert [one.name for one in search.experiments(most=10)] == names
    assert [one.name for one in search.experiments(offset=1, most=2)] == names[1:3]
    assert [one["name"] for one in kept.experiments(most=2)] == names[:2]
    assert [one.name for one in search.experiments("T'S", most=10)] == ["it's"]
    known = {one["name"]: one["experiment_id"] for one in kept.experiments()}
    kept.delete(known["first"])
    assert "first" not in [one.name for one in search.experiments(most=10)]
    assert [one["name"] for one in kept.experiments("DELETED_ONLY")] == ["first"]
    with pytest.raises(ValueError, match="there are ACTIVE_ONLY, DELETED_ONLY, ALL"):
        kept.experiments("NONE")
