"""What scripts ask about experiments and runs; see `gateway`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from brinery.actions import datasets, folders, projects
from brinery.actions.datasets import Write
from brinery.actions.gateway import Desk, Method
from brinery.actions.shim_folders import folder_of
from brinery.errors import AlreadyThere, NotFound
from brinery.records.flow import UseKind
from brinery.records.inference import InferenceInfo
from brinery.registry.mlflow_client import NO_IMPORT
from brinery.registry.mlflow_experiments import MlflowExperiments
from brinery.registry.mlflow_folders import PREFIX, mark_of, without_imports

_KINDS: Final = ("param", "metric", "tag")


def _set_up(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is behind the address of MLflow for what is logged into a folder."""
    found = folder_of(desk, asked)
    desk.used(folders.use_of(desk.data, found, kind=UseKind.TRACKED))
    return {
        "folder": found.id,
        "project": found.project,
        "uri": folders.uri_of(desk.data, found),
        "path": f"{PREFIX}{found.project}.{found.id}",
        "experiment": f"Default {found.id}",
        "tags": {"brinery.job": desk.task.job} if desk.task.job else {},
    }


def _models(desk: Desk, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the models that a run logged."""
    run = desk.rooms.runs().logged(asked["run_id"])
    return [
        {"name": name, "artifact_path": name, "run_id": run.id, "model_uri": uri}
        for name, uri in run.models.items()
    ]


def _experiments(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the experiments; those that Brinery made only where a script logged into them."""
    kept = _kept(desk)
    models = set(desk.rooms.registry.names())
    found = kept.experiments(asked.get("view_type", "ACTIVE_ONLY"), most=10**6)
    project, own = desk.project(asked.get("project", "")), projects.project_key(desk.data, "")
    mark = mark_of(project, own=own)
    others = tuple(f"{one.name}/" for one in projects.projects(desk.data) if one.name != project)
    shown = [
        {**one, "name": one["name"].removeprefix(mark)}
        for one in found
        if (project == own or one["name"].startswith(mark))
        and not one["name"].startswith(others)
        and not (
            kept.is_ours(one)
            and (
                one["name"] not in models
                or not kept.runs([one["experiment_id"]], filters=NO_IMPORT)
            )
        )
    ]
    return {"experiments": shown[: int(asked.get("max_results", 1000))]}


def _rename(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Give an experiment another name."""
    project, own = desk.project(asked.get("project", "")), projects.project_key(desk.data, "")
    mark = "" if project == own else mark_of(project, own=own)
    _kept(desk).rename(str(asked["experiment_id"]), mark + asked["new_name"])
    return {}


def _restore_experiment(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a deleted experiment back."""
    _kept(desk).restore_experiment(str(asked["experiment_id"]))
    return {}


def _restore_run(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a deleted run back."""
    _kept(desk).restore_run(asked["run_id"])
    return {}


def _collect_garbage(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Remove for good what was deleted, with its files."""
    del asked
    _kept(desk).collect_garbage()


def _clean(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Remove every experiment that lies in a folder of a project; registered models stay."""
    project = desk.project(asked.get("project", ""))
    places = [
        folders.uri_of(desk.data, one).rstrip("/") + "/"
        for one in folders.folders(desk.data, project)
    ]
    kept = _kept(desk)
    for one in kept.experiments("ACTIVE_ONLY", most=10**6):
        if any(one["artifact_location"].startswith(place) for place in places):
            kept.delete(one["experiment_id"])
    kept.collect_garbage()


def _inference_info(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Write down what a run's model predicts."""
    info = InferenceInfo(
        prediction_type=asked["prediction_type"],
        classes=tuple(asked.get("classes") or ()),
        code_env_name=asked.get("code_env_name") or "",
        target=asked.get("target") or "",
    )
    _kept(desk).tag(asked["run_id"], info.tags())


def _dataset(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Make a dataset of runs, as they are now."""
    project = desk.project(asked.get("project", ""))
    form = asked.get("format", "LONG")
    if form not in ("LONG", "JSON"):
        raise ValueError(f"Invalid format: {form}; there are LONG and JSON")
    name = asked["dataset_name"]
    try:
        datasets.dataset(desk.data, name, project_key=project)
    except NotFound:
        pass
    else:
        raise AlreadyThere(
            f"there is a dataset {name} in {project} already", hint=f"brinery dataset delete {name}"
        )
    runs = _kept(desk).runs(
        [str(one) for one in asked.get("experiment_ids") or ()],
        view=asked.get("view_type", "ACTIVE_ONLY"),
        filters=without_imports(asked.get("filter_expr")),
        order=asked.get("order_by") or (),
    )
    frame = _long(runs) if form == "LONG" else _wide(runs)
    staged = datasets.stage(desk.data, name, project_key=project)
    frame.to_parquet(Path(staged) / "00000.parquet", index=False)
    write = Write(run=desk.task.job)
    done = datasets.commit(desk.data, name, staged=staged, write=write, project_key=project)
    desk.used(datasets.use_of(done, kind=UseKind.WRITTEN))
    desk.note(f"{name} holds the {len(runs)} runs that there are now, and not those of later")


def _long(runs: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a row for each parameter, metric and tag of each run."""
    rows = [
        (run["run_id"], run["experiment_id"], run["run_name"], run["status"], kind, key, str(value))
        for run in runs
        for kind in _KINDS
        for key, value in run[f"{kind}s"].items()
    ]
    names = ["run_id", "experiment_id", "run_name", "status", "type", "key", "value"]
    return pd.DataFrame(rows, columns=names).astype("str")


def _wide(runs: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a row for each run, its parameters, metrics and tags as JSON."""
    rows = [{**run, **{f"{kind}s": json.dumps(run[f"{kind}s"]) for kind in _KINDS}} for run in runs]
    frame = pd.DataFrame(rows, columns=list(runs[0]) if runs else ["run_id"])
    for name in ("start_time", "end_time"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
    return frame


def _kept(desk: Desk) -> MlflowExperiments:
    """Return the experiments, once runs that MLflow was not told of yet are told."""
    desk.rooms.workspace.prepare()
    desk.rooms.runs().catch_up()
    return MlflowExperiments(desk.rooms.places.tracking_uri, desk.rooms.places.artifacts)


METHODS: Final[Mapping[str, Method]] = {
    "set_up": _set_up,
    "models": _models,
    "experiments": _experiments,
    "rename": _rename,
    "restore_experiment": _restore_experiment,
    "restore_run": _restore_run,
    "collect_garbage": _collect_garbage,
    "clean": _clean,
    "inference_info": _inference_info,
    "dataset": _dataset,
}
