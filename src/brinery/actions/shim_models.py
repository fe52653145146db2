"""What scripts ask about saved models and their versions; see `gateway`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from msgspec.structs import replace

from brinery.actions import datasets, folders, saved_details, saved_models
from brinery.actions.gateway import Desk, Method
from brinery.actions.saved_evaluation import HowEvaluated, evaluate_saved, own_appraisal
from brinery.actions.saved_imports import (
    Handover,
    Rows,
    check_classes,
    hold,
    model_of_run,
    register,
    set_core_metadata,
)
from brinery.actions.saved_models import Listed, full_id, listed_version
from brinery.errors import NotFound
from brinery.evaluate.selection import selected
from brinery.records.flow import ItemKind, Use, UseKind
from brinery.records.inference import inference_info
from brinery.records.saved_model import SavedModel, SavedType
from brinery.records.threshold import Aim
from brinery.store.dataset_rows import read_rows

_DEPLOYED_ROWS: Final = 10_000
_GUESS_ROWS: Final = 500
_VERSION_TIME: Final = "%Y_%m_%dT%H_%M_%S"
_HEAD: Final = "HEAD_SEQUENTIAL"

# The metrics that thresholds are chosen for, in the words of scripts.
_AIMS: Final = {
    "F1": Aim.F1,
    "ACCURACY": Aim.ACCURACY,
    "MCC": Aim.MCC,
    "COST_MATRIX": Aim.GAIN,
}

Asked = Mapping[str, Any]


def _listed(desk: Desk, asked: Asked) -> list[dict[str, Any]]:
    """Return the saved models of a project."""
    project = desk.project(asked.get("project", ""))
    return [_facts(one) for one in saved_models.saved_models(desk.rooms, project)]


def _show(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what is known of a saved model."""
    return _facts(model_asked(desk, asked))


def _create(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return a new saved model.

    Raises:
        ValueError: there is no such type.
    """
    kind = asked.get("type")
    known = [one.value for one in SavedType if one is not SavedType.OTHER]
    if kind is not None and kind not in known:
        raise ValueError(f"prediction_type is {', '.join(known)} or None, and not {kind!r}")
    made = saved_models.create_saved_model(
        desk.rooms,
        asked["name"],
        project=desk.project(asked.get("project", "")),
        kind=SavedType(kind) if kind else SavedType.OTHER,
    )
    return _facts(made)


def _settings(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the settings of a saved model as scripts know them."""
    model = model_asked(desk, asked)
    metric = next((name for name, aim in _AIMS.items() if aim is model.aim), model.aim.value)
    mini = {
        "taskType": "PREDICTION",
        "modeling": {
            "metrics": {"thresholdOptimizationMetric": metric, "evaluationMetric": metric}
        },
        "backendType": "MLFLOW",
    }
    if model.type is not SavedType.OTHER:
        mini["predictionType"] = model.type.value
    known = {**model.settings}
    known.update(
        {
            "id": model.id,
            "name": model.title,
            "projectKey": model.project,
            "savedModelType": "MLFLOW_PYFUNC",
            "miniTask": mini,
        }
    )
    return known


def _save_settings(desk: Desk, asked: Asked) -> None:
    """Keep the settings of a saved model.

    Raises:
        ValueError: no threshold is chosen for such a metric.
    """
    model, told = model_asked(desk, asked), dict(asked["settings"])
    mini = told.pop("miniTask", {})
    metric = mini.get("modeling", {}).get("metrics", {}).get("thresholdOptimizationMetric", "F1")
    if metric not in _AIMS:
        raise ValueError(
            f"thresholdOptimizationMetric is one of {', '.join(_AIMS)}, and not {metric!r}"
        )
    kept = {
        key: value
        for key, value in told.items()
        if key not in {"id", "name", "projectKey", "savedModelType"}
    }
    saved_models.set_settings(desk.rooms, model, aim=_AIMS[metric], settings=kept)


def _delete(desk: Desk, asked: Asked) -> None:
    """Delete a saved model for ever."""
    saved_models.delete_saved_model(desk.rooms, model_asked(desk, asked))


def _versions(desk: Desk, asked: Asked) -> list[dict[str, Any]]:
    """Return the versions of a saved model."""
    model = model_asked(desk, asked)
    return [_version_facts(desk, model, one) for one in saved_models.listed(desk.rooms, model)]


def _activate(desk: Desk, asked: Asked) -> None:
    """Make a version the active one."""
    model = model_asked(desk, asked)
    saved_models.set_active(desk.rooms, model, version_id=asked["version"])
    _wrote(desk, model, asked["version"])


def _delete_versions(desk: Desk, asked: Asked) -> None:
    """Delete versions for ever."""
    saved_models.delete_versions(
        desk.rooms, model_asked(desk, asked), version_ids=asked["versions"]
    )


def _usages(desk: Desk, asked: Asked) -> list[dict[str, Any]]:
    """Return which scripts read or wrote a saved model."""
    model = model_asked(desk, asked)
    found = []
    for activity in desk.data.records.latest(model.project):
        kinds = {
            one.kind
            for one in activity.uses
            if (one.item, one.name) == (ItemKind.MODEL, model.name)
        }
        if kinds:
            found.append({"type": "RECIPE", "objectId": activity.recipe, "uses": sorted(kinds)})
    return found


def _import(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Take a model from a folder, which may be deleted at once.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    model = model_asked(desk, asked)
    lookup, path = asked.get("folder"), asked["path"]
    with tempfile.TemporaryDirectory(prefix="brinery-") as scratch:
        if lookup is None:
            place, origin = Path(path), str(path)
        else:
            owner = "" if "." in lookup else desk.project(model.project)
            found = folders.folder(desk.data, lookup, project_key=owner)
            if found.note:
                desk.note(found.note, step="default-folder")
            origin = f"{found.folder.name}/{path.strip('/')}"
            place = _from_folder(desk, found.folder, path=path, scratch=Path(scratch))
            desk.used(folders.use_of(desk.data, found.folder, kind=UseKind.READ))
        if not place.is_dir():
            raise FileNotFoundError(f"{origin} is no folder: an MLflow model directory is expected")
        saved = hold(
            desk.rooms,
            model,
            handover=Handover(
                version_id=asked["version"],
                folder=place,
                origin=origin,
                word=_word(desk),
                active=bool(asked.get("active", True)),
                threshold=float(asked.get("threshold", 0.5)),
                environment=asked.get("environment") or "",
            ),
        )
    _wrote(desk, model, saved.id)
    return {"version": saved.id}


def _from_folder(desk: Desk, found: Any, *, path: str, scratch: Path) -> Path:
    """Return the model of a managed folder on this machine.

    MLflow 3 keeps models outside the runs' artifacts: a path that names one by its run is
    looked up there.
    """
    plain = path.strip("/")
    local = folders.local_path(desk.data, found)
    if local is not None and (local / plain).is_dir():
        return local / plain
    before, artifacts, name = plain.rpartition("/artifacts/")
    run_id = before.rpartition("/")[2]
    if artifacts and len(run_id) == 32:  # noqa: PLR2004 - an id of MLflow's
        try:
            fetched = desk.rooms.runs().fetch(run_id, scratch / "run", path=name)
        except NotFound:
            fetched = None
        if fetched is not None:
            return fetched
    if local is not None:
        return local / plain
    copied = scratch / "model"
    files = folders.files_of(desk.data, found)
    for one in files.paths():
        if one.strip("/").startswith(f"{plain}/"):
            target = copied / one.strip("/").removeprefix(f"{plain}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            with folders.read_file(desk.data, found, path=one) as stream, target.open("wb") as to:
                shutil.copyfileobj(stream, to)
    return copied


def _metadata(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what is known of a version: its target, classes, features and threshold."""
    model = model_asked(desk, asked)
    found = listed_version(desk.rooms, model, version_id=asked["version"])
    said = found.saved or saved_models.unsaid(found)
    return {
        "targetColumnName": said.target or None,
        "classLabels": [{"label": one} for one in said.classes],
        "features": list(said.features),
        "predictionType": None if model.type is SavedType.OTHER else model.type.value,
        "binaryClassificationThreshold": said.threshold,
        "pythonCodeEnvName": said.environment or None,
        "proxyModelVersionConfiguration": None,
        "mlflowOrigin": {"runId": said.run_id, "experimentId": said.experiment_id}
        if said.run_id
        else {"type": "IMPORTED", "path": said.origin},
    }


def _set_metadata(desk: Desk, asked: Asked) -> None:
    """State the target and the classes of a version; with a dataset, register it on its head."""
    model = model_asked(desk, asked)
    found = listed_version(desk.rooms, model, version_id=asked["version"])
    if found.saved is None:
        raise ValueError(f"version {found.id} of {model.title} was made by no script")
    check_classes(model, asked.get("classes"))
    _check_order(found, asked.get("classes") or ())
    target = asked.get("target") or found.saved.target
    known = replace(found.saved, threshold=float(asked.get("threshold", found.saved.threshold)))
    saved = set_core_metadata(
        desk.rooms,
        model,
        saved=known,
        target=target,
        classes=asked.get("classes") or known.classes,
        features=asked.get("features") or (),
    )
    if asked.get("dataset") and found.version is None:
        sampling = asked.get("sampling") or {"samplingMethod": _HEAD, "maxRecords": _GUESS_ROWS}
        rows = rows_of(desk, asked["dataset"], project=model.project, selection=sampling)
        register(desk.rooms, model, saved=saved, rows=rows, tell=desk.note)


def _check_order(found: Listed, classes: Sequence[str]) -> None:
    """Return only where classes are not those of a registered version in another order.

    Raises:
        ValueError: they are, so that probabilities would be those of other classes.
    """
    if found.version is None or found.version.candidate is None:
        return
    known = [str(one) for one in found.version.candidate.description.classes or ()]
    said = [str(one) for one in classes]
    if said != known and sorted(said) == sorted(known):
        raise ValueError(
            f"class_labels are {', '.join(said)}, and the model has them in the order "
            f"{', '.join(known)}"
        )


def _evaluate(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Evaluate a version on a dataset."""
    model = model_asked(desk, asked)
    saved = evaluate_saved(
        desk.rooms,
        model,
        version_id=asked["version"],
        rows=rows_of(
            desk, asked["dataset"], project=model.project, selection=asked.get("selection")
        ),
        how=HowEvaluated(
            optimal=bool(asked.get("optimal", True)), cheap=bool(asked.get("cheap", True))
        ),
        tell=desk.note,
    )
    _wrote(desk, model, saved.id)
    return {"version": saved.id, "threshold": saved.threshold}


def _deploy(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Make a model of a run a version, evaluated where a dataset is named.

    Raises:
        NotFound: the run, or its model, is not there.
        ValueError: what is stated does not fit the saved model's type.
    """
    model = model_asked(desk, asked)
    run = desk.rooms.runs().logged(asked["run"])
    told = inference_info(run.tags) if asked.get("inference", True) else None
    target = asked.get("target") or (told.target if told else "")
    classes = asked.get("classes") or (told.classes if told else ()) or None
    dataset = asked.get("dataset")
    if dataset is not None or classes is not None:
        check_classes(model, classes)
    if dataset is not None and not target:
        raise ValueError(
            "the target of the evaluation dataset is not known: target_column_name, or "
            "set_run_inference_info(…, target=…), names it"
        )
    name, uri = model_of_run(run, asked.get("name") or "")
    with tempfile.TemporaryDirectory(prefix="brinery-") as scratch:
        place = desk.rooms.registry.fetch(uri, Path(scratch))
        saved = hold(
            desk.rooms,
            model,
            handover=Handover(
                version_id=asked.get("version") or datetime.now().strftime(_VERSION_TIME),  # noqa: DTZ005 - as people read the clock
                folder=place,
                origin=f"{name} of run {run.name or run.id}",
                word=_word(desk),
                active=bool(asked.get("active", True)),
                threshold=float(asked.get("threshold", 0.5)),
                environment=asked.get("environment") or (told.code_env_name if told else ""),
                run=run,
            ),
        )
    saved = set_core_metadata(desk.rooms, model, saved=saved, target=target, classes=classes)
    if dataset is not None:
        selection = asked.get("selection") or {
            "samplingMethod": _HEAD,
            "maxRecords": _DEPLOYED_ROWS,
        }
        rows = rows_of(desk, dataset, project=model.project, selection=selection)
        if model.type is SavedType.OTHER:
            register(desk.rooms, model, saved=saved, rows=rows, tell=desk.note)
        else:
            how = HowEvaluated(
                optimal=bool(asked.get("optimal", True)), cheap=bool(asked.get("cheap", False))
            )
            evaluate_saved(
                desk.rooms, model, version_id=saved.id, rows=rows, how=how, tell=desk.note
            )
    _wrote(desk, model, saved.id)
    return {"version": saved.id}


def rows_of(
    desk: Desk, name: str, *, project: str = "", selection: Mapping[str, Any] | None
) -> Rows:
    """Return rows of a dataset, as they are selected; all where nothing is said.

    Args:
        desk: where it was asked.
        name: of the dataset, or `PROJECT.name`, which may be another project's.
        project: whose dataset a plain name means; the default one where it is empty.
        selection: as `DSSDatasetSelectionBuilder` has it.
    """
    owner = "" if "." in name else desk.project(project)
    found = datasets.dataset(desk.data, name, project_key=owner)
    where = datasets.location(desk.data, found)
    desk.used(datasets.use_of(where, kind=UseKind.READ))
    return Rows(dataset=found.name, table=selected(partial(_read, where), selection))


def _read(where: Any, limit: int | None) -> pa.Table:
    return read_rows(where, limit=limit)


def model_asked(desk: Desk, asked: Asked) -> SavedModel:
    """Return the saved model that is asked about; the only one where the id is empty."""
    project = desk.project(asked.get("project", ""))
    lookup = str(asked["id"])
    if lookup:
        return saved_models.saved_model(desk.rooms, lookup, project=project)
    there = saved_models.saved_models(desk.rooms, project)
    if len(there) != 1:
        raise ValueError(
            f"an empty id of a saved model means the only one, and {project} has {len(there)}"
        )
    desk.note(
        f"an empty saved model id means {there[0].title} ({there[0].id})", step="default-model"
    )
    return there[0]


def _word(desk: Desk) -> str:
    """Return who vouches for a model that a script hands over: the script that the user runs."""
    return Path(desk.task.script).name or "the notebook"


def _wrote(desk: Desk, model: SavedModel, version_id: str) -> None:
    desk.used(
        Use(
            kind=UseKind.WRITTEN,
            item=ItemKind.MODEL,
            project=model.project,
            name=model.name,
            label=model.title,
            version=version_id,
        )
    )


def _facts(model: SavedModel) -> dict[str, Any]:
    kind = None if model.type is SavedType.OTHER else model.type.value
    return {
        "id": model.id,
        "name": model.title,
        "projectKey": model.project,
        "type": "PREDICTION",
        "savedModelType": "MLFLOW_PYFUNC",
        "predictionType": kind,
        "model": model.name,
    }


def _version_facts(desk: Desk, model: SavedModel, one: Listed) -> dict[str, Any]:
    """Return a version as lists show it, with its figures where it was evaluated."""
    known = own_appraisal(desk.rooms, one)
    whose = full_id(model, one.id)
    snippet: dict[str, Any] = {"fullModelId": whose}
    if known is not None and known.evaluation is not None and one.version is not None:
        saved = one.saved or saved_models.unsaid(one)
        snippet = saved_details.snippet(
            model, saved, version=one.version, appraisal=known, full_id=whose
        )
    return {
        "id": one.id,
        "active": one.active,
        "waiting": one.version is None,
        "reference": None if one.version is None else one.version.reference,
        "fullModelId": whose,
        "evaluated": bool(known and known.evaluation),
        "snippet": snippet,
    }


METHODS: Final[Mapping[str, Method]] = {
    "list": _listed,
    "show": _show,
    "create": _create,
    "settings": _settings,
    "save_settings": _save_settings,
    "delete": _delete,
    "versions": _versions,
    "activate": _activate,
    "delete_versions": _delete_versions,
    "usages": _usages,
    "import": _import,
    "metadata": _metadata,
    "set_metadata": _set_metadata,
    "evaluate": _evaluate,
    "deploy": _deploy,
}
