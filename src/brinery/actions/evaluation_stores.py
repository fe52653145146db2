"""Evaluation stores: a version evaluated on newer data again and again, and how far it drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from msgspec.structs import replace

from brinery.actions.answering import Answering
from brinery.actions.evaluate import EvaluateAsked, evaluate_steps
from brinery.actions.progress import result_of
from brinery.actions.rooms import Rooms
from brinery.actions.saved_details import metrics_of
from brinery.actions.saved_evaluation import GAINS
from brinery.actions.saved_imports import Rows, written
from brinery.actions.saved_models import Listed, full_id, listed, saved_model, unsaid
from brinery.errors import NotEvaluated, NotFound
from brinery.evaluate.drift import DriftOptions, drift
from brinery.records.drift import Drift
from brinery.records.evaluation_store import EvaluationStore, ModelComparison, StoredEvaluation
from brinery.records.saved_model import SavedModel, SavedVersion
from brinery.records.threshold import Aim
from brinery.records.version import Version
from brinery.specs.names import nearest
from brinery.store import tables
from brinery.store.script_records import ScriptRecords, drawn_id

_PARTS: Final = 3


def stores(rooms: Rooms) -> ScriptRecords[EvaluationStore]:
    """Return where evaluation stores are kept."""
    return ScriptRecords(_folder(rooms) / "stores", EvaluationStore)


def comparisons(rooms: Rooms) -> ScriptRecords[ModelComparison]:
    """Return where comparisons are kept."""
    return ScriptRecords(_folder(rooms) / "comparisons", ModelComparison)


def create_store(rooms: Rooms, name: str, *, project: str) -> EvaluationStore:
    """Return a new, empty evaluation store."""
    rooms.workspace.prepare()
    made = EvaluationStore(id=drawn_id(), name=name, project=project, created=datetime.now(UTC))
    return stores(rooms).keep(made)


def store_of(rooms: Rooms, lookup: str, *, project: str) -> EvaluationStore:
    """Return the evaluation store of an id or a name.

    Raises:
        NotFound: there is none; the message has the nearest.
    """
    there = [one for one in stores(rooms).all() if one.project == project]
    for one in there:
        if lookup in (one.id, one.name):
            return one
    near = nearest(lookup, [name for one in there for name in (one.name, one.id)])
    raise NotFound(
        f"there is no evaluation store '{lookup}' in {project}"
        + (f": did you mean {near}?" if near else ""),
        hint="project.create_model_evaluation_store(name)",
    )


def evaluation_of(store: EvaluationStore, evaluation_id: str) -> StoredEvaluation:
    """Return an evaluation of a store.

    Raises:
        NotFound: there is none of that id.
    """
    for one in store.evaluations:
        if one.id == evaluation_id:
            return one
    has = ", ".join(one.id for one in store.evaluations) or "none yet"
    raise NotFound(
        f"the evaluation store {store.name} has no evaluation '{evaluation_id}'",
        hint=f"it has {has}",
    )


def add(rooms: Rooms, store: EvaluationStore, *, made: StoredEvaluation) -> StoredEvaluation:
    """Return an evaluation that a store has from now on, in place of one of that id."""
    stores(rooms).change(
        store,
        lambda now: replace(
            now,
            evaluations=(*(one for one in now.evaluations if one.id != made.id), made),
        ),
    )
    return made


def drop(rooms: Rooms, store: EvaluationStore, *, ids: Sequence[str]) -> None:
    """Delete evaluations of a store.

    Raises:
        NotFound: one is not there; nothing is deleted then.
    """
    for one in ids:
        evaluation_of(store, one)
    stores(rooms).change(
        store,
        lambda now: replace(
            now, evaluations=tuple(one for one in now.evaluations if one.id not in ids)
        ),
    )


def evaluate_into(
    rooms: Rooms,
    store: EvaluationStore,
    *,
    model: SavedModel,
    version_id: str,
    rows: Rows,
) -> StoredEvaluation:
    """Return an evaluation of a version on some rows; without a target it has no figures.

    Args:
        rooms: of the workspace.
        store: that it is added to.
        model: that is evaluated.
        version_id: of the version; the active one when empty.
        rows: of the data.

    Raises:
        NotEvaluated: the version waits for data.
    """
    saved, version = _registered(rooms, model, version_id)
    file = written(rooms, rows)
    target = saved.target if saved.target in rows.table.column_names else ""
    metrics: dict[str, float] = {}
    if target:
        asked = EvaluateAsked(
            reference=version.reference,
            data=file,
            target=target,
            aim=model.aim,
            gains=GAINS if model.aim is Aim.GAIN else None,
            explain=False,
        )
        appraisal = result_of(evaluate_steps(rooms, asked))
        if appraisal.evaluation is not None:
            found = metrics_of(appraisal.evaluation, appraisal, threshold=saved.threshold)
            metrics = {name: value for name, value in found.items() if value is not None}
    made = StoredEvaluation(
        id=drawn_id(),
        created=datetime.now(UTC),
        name=f"{model.title} {saved.id} on {rows.dataset}",
        metrics=metrics,
        labels={"evaluation:date": datetime.now(UTC).isoformat(), "dataset": rows.dataset},
        model=full_id(model, saved.id),
        type=model.type.value,
        target=target,
        dataset=rows.dataset,
        file=str(file),
    )
    return add(rooms, store, made=made)


def drift_of(
    rooms: Rooms,
    store: EvaluationStore,
    *,
    evaluation: StoredEvaluation,
    reference: str = "",
    options: DriftOptions | None = None,
) -> Drift:
    """Return how far the rows of an evaluation are from a reference.

    Args:
        rooms: of the workspace.
        store: whose evaluation it is.
        evaluation: with the newer rows.
        reference: full id of a version, for the rows it was evaluated on, or of an evaluation; the
            version that was evaluated when empty.
        options: of the comparison.

    Raises:
        ValueError: one of them has no rows, or the id is none.
    """
    current = _frame(evaluation.file, evaluation.name or evaluation.id)
    named = reference or evaluation.model
    if not named:
        raise ValueError("the evaluation has no model: reference= names what to compare with")
    before = _frame(*file_of(rooms, named, project=store.project))
    without = [evaluation.target] if evaluation.target else []
    frames = [one.drop(columns=without, errors="ignore") for one in (before, current)]
    answers = _answers(
        rooms, evaluation, before=frames[0], current=frames[1], project=store.project
    )
    return drift(frames[0], frames[1], answers=answers, options=options)


def file_of(rooms: Rooms, full: str, *, project: str) -> tuple[str, str]:
    """Return the file with the rows that a full id stands for, and what to call it.

    Raises:
        ValueError: it is no full id.
        NotFound: there is no such version or evaluation.
    """
    kind, *parts = full.split("-", _PARTS)
    if len(parts) != _PARTS or kind not in ("S", "ME"):
        raise ValueError(
            f"'{full}' is no full id: S-PROJECT-MODEL-VERSION, or ME-PROJECT-STORE-EVALUATION"
        )
    _, owner, which = parts
    if kind == "ME":
        found = evaluation_of(store_of(rooms, owner, project=project), which)
        return found.file, full
    saved, _ = _registered(rooms, saved_model(rooms, owner, project=project), which)
    return saved.file, full


def checked(store: EvaluationStore, evaluation: StoredEvaluation) -> list[dict[str, Any]]:
    """Return the outcome of each check: OK, WARNING, ERROR, or EMPTY without a figure."""
    declared = store.settings.get("metricsChecks", {}).get("checks", [])
    return [_checked(one, evaluation) for one in declared]


def worst(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """Return the worst outcome of checks; EMPTY where there is none."""
    order = ("ERROR", "WARNING", "OK", "EMPTY")
    found = {str(one["outcome"]) for one in outcomes}
    return next((one for one in order if one in found), "EMPTY")


def _checked(check: Mapping[str, Any], evaluation: StoredEvaluation) -> dict[str, Any]:
    name = str(check.get("metricId", "")).rpartition(":")[2]
    value = evaluation.metrics.get(name)
    told = {"name": check.get("meta", {}).get("name") or name, "metricId": name, "value": value}
    if value is None:
        return {**told, "outcome": "EMPTY", "message": f"there is no metric {name}"}
    for kind, outcome in (("minimum", "ERROR"), ("maximum", "ERROR"), *_SOFT):
        bound = check.get(kind)
        if bound is None or not check.get(f"{kind}Enabled", True):
            continue
        below = kind.lower().endswith("minimum")
        if value < float(bound) if below else value > float(bound):
            said = f"{name} is {value:.4g}, {'below' if below else 'above'} {bound}"
            return {**told, "outcome": outcome, "message": said}
    return {**told, "outcome": "OK", "message": ""}


_SOFT: Final = (("softMinimum", "WARNING"), ("softMaximum", "WARNING"))


def _registered(rooms: Rooms, model: SavedModel, version_id: str) -> tuple[SavedVersion, Version]:
    """Return a version that is registered; the active one where no id is given.

    Raises:
        NotFound: there is none.
        NotEvaluated: it waits for data.
    """
    there = listed(rooms, model)
    found: Listed | None = next(
        (one for one in there if (one.id == version_id if version_id else one.active)), None
    )
    if found is None:
        named = f"version '{version_id}'" if version_id else "active version"
        has = ", ".join(one.id for one in there) or "no version"
        raise NotFound(f"{model.title} has no {named}", hint=f"it has {has}")
    if found.version is None:
        raise NotEvaluated(f"version {found.id} of {model.title} waits for data")
    return found.saved or unsaid(found), found.version


def _frame(file: str, name: str) -> pd.DataFrame:
    """Return the rows of a file.

    Raises:
        ValueError: there are none.
    """
    if not file or not Path(file).is_file():
        raise ValueError(f"{name} has no rows: it was not evaluated on a dataset here")
    return tables.read_table(Path(file))


def _answers(
    rooms: Rooms,
    evaluation: StoredEvaluation,
    *,
    before: pd.DataFrame,
    current: pd.DataFrame,
    project: str,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
    """Return what the evaluated version answers for both; None where none is known."""
    if not evaluation.model.startswith("S-"):
        return None
    _, _, owner, which = evaluation.model.split("-", _PARTS)
    try:
        _, version = _registered(rooms, saved_model(rooms, owner, project=project), which)
    except (NotFound, NotEvaluated):
        return None
    with Answering(rooms, version) as answering:
        found = [
            np.asarray(answering.score(answering.fit(frame)).predictions)
            for frame in (before, current)
        ]
    return found[0], found[1]


def _folder(rooms: Rooms) -> Path:
    return rooms.workspace.state / "evaluation_stores"
