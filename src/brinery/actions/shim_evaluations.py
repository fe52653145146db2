"""What scripts ask about evaluation stores and comparisons; see `gateway`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from brinery.actions import evaluation_stores as kept
from brinery.actions import saved_details
from brinery.actions.gateway import Desk, Method
from brinery.actions.saved_models import saved_model
from brinery.actions.shim_models import rows_of
from brinery.errors import NotFound
from brinery.evaluate.drift import DriftOptions
from brinery.records.drift import ColumnDrift, Drift, Handling
from brinery.records.evaluation_store import EvaluationStore, ModelComparison, StoredEvaluation
from brinery.records.saved_model import SavedType
from brinery.store import tables
from brinery.store.script_records import drawn_id

_SAMPLE_ROWS: Final = 20_000

Asked = Mapping[str, Any]


def _stores(desk: Desk, asked: Asked) -> list[dict[str, str]]:
    """Return the evaluation stores of a project."""
    project = desk.project(asked.get("project", ""))
    there = kept.stores(desk.rooms).all()
    return [{"id": one.id, "name": one.name} for one in there if one.project == project]


def _create_store(desk: Desk, asked: Asked) -> dict[str, str]:
    """Return a new evaluation store."""
    project = desk.project(asked.get("project", ""))
    return {"id": kept.create_store(desk.rooms, asked["name"], project=project).id}


def _settings(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the settings of a store."""
    store = _store(desk, asked)
    empty = {"metricsChecks": {"checks": []}, "savedModelId": "", "datasetName": ""}
    return {**empty, **store.settings, "id": store.id, "name": store.name}


def _save_settings(desk: Desk, asked: Asked) -> None:
    """Keep the settings of a store."""
    store, told = _store(desk, asked), dict(asked["settings"])
    told.pop("id", None)
    name = told.pop("name", store.name)
    kept.stores(desk.rooms).change(store, lambda now: replace(now, name=name, settings=told))


def _delete_store(desk: Desk, asked: Asked) -> None:
    """Delete a store and all of its evaluations."""
    kept.stores(desk.rooms).remove(_store(desk, asked))


def _evaluations(desk: Desk, asked: Asked) -> list[dict[str, Any]]:
    """Return the evaluations of a store, the oldest first."""
    store = _store(desk, asked)
    return [_facts(store, one) for one in store.evaluations]


def _show(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return an evaluation."""
    store = _store(desk, asked)
    return _facts(store, kept.evaluation_of(store, asked["evaluation"]))


def _add(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Add figures that were computed elsewhere."""
    store = _store(desk, asked)
    metrics = asked["metrics"] or []
    made = StoredEvaluation(
        id=asked.get("evaluation") or drawn_id(),
        created=datetime.now(UTC),
        name=asked.get("name") or "",
        metrics={one["metricCode"]: float(one["value"]) for one in metrics},
        labels={one["key"]: str(one["value"]) for one in asked.get("labels") or []},
        model=asked.get("model") or "",
        custom={
            one["metricCode"]: {
                "name": one.get("name") or one["metricCode"],
                "description": one.get("description") or "",
            }
            for one in metrics
        },
    )
    return _facts(store, kept.add(desk.rooms, store, made=made))


def _delete(desk: Desk, asked: Asked) -> None:
    """Delete evaluations."""
    kept.drop(desk.rooms, _store(desk, asked), ids=asked["evaluations"])


def _build(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Evaluate the model of a store on its dataset.

    Raises:
        ValueError: the store does not say which.
    """
    store = _store(desk, asked)
    told = {**store.settings, **(asked.get("what") or {})}
    model_id, dataset = told.get("savedModelId"), told.get("datasetName")
    if not model_id or not dataset:
        raise ValueError(
            f"the evaluation store {store.name} does not say what to evaluate: "
            "settings.get_raw().update(savedModelId=…, datasetName=…); settings.save()"
        )
    project = desk.project(asked.get("project", ""))
    made = kept.evaluate_into(
        desk.rooms,
        store,
        model=saved_model(desk.rooms, model_id, project=project),
        version_id=str(told.get("versionId") or ""),
        rows=rows_of(desk, dataset, project=project, selection=told.get("selection")),
    )
    return _facts(store, made)


def _save_user_meta(desk: Desk, asked: Asked) -> None:
    """Keep what a script says of an evaluation."""
    store = _store(desk, asked)
    found = kept.evaluation_of(store, asked["evaluation"])
    told = dict(asked["meta"])
    labels = {one["key"]: str(one["value"]) for one in told.pop("labels", [])}
    name = told.pop("name", found.name)
    kept.add(desk.rooms, store, made=replace(found, name=name, labels=labels, user_meta=told))


def _drift(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return how far the rows of an evaluation are from a reference."""
    store = _store(desk, asked)
    params = asked.get("params") or {}
    found = kept.drift_of(
        desk.rooms,
        store,
        evaluation=kept.evaluation_of(store, asked["evaluation"]),
        reference=asked.get("reference") or "",
        options=DriftOptions(
            handling=_handling(params.get("columns") or {}),
            bins=int(params.get("nbBins", 10)),
            level=float(params.get("confidenceLevel", 0.95)),
        ),
    )
    return _drift_facts(found, histograms=bool(params.get("computeHistograms", True)))


def _sample(desk: Desk, asked: Asked) -> str:
    """Return the path of a csv file with the first rows of an evaluation.

    Raises:
        ValueError: it has none.
    """
    store = _store(desk, asked)
    found = kept.evaluation_of(store, asked["evaluation"])
    if not found.file:
        raise ValueError(f"the evaluation {found.id} has no rows: its figures were given")
    target = desk.rooms.workspace.cache / "samples" / f"{store.id}-{found.id}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    tables.read_table(Path(found.file)).head(_SAMPLE_ROWS).to_csv(target, index=False)
    return str(target)


def _metrics(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the figures of an evaluation."""
    found = kept.evaluation_of(_store(desk, asked), asked["evaluation"])
    return saved_details.computed_metrics(found.metrics, _ms(found.created))


def _last_metrics(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the figures of the newest evaluation."""
    store = _store(desk, asked)
    if not store.evaluations:
        return {"metrics": []}
    newest = store.evaluations[-1]
    return saved_details.computed_metrics(newest.metrics, _ms(newest.created))


def _history(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the values of a figure over time.

    Raises:
        NotFound: no evaluation has it.
    """
    store = _store(desk, asked)
    name = str(asked["metric"]).rpartition(":")[2]
    values = [
        {"time": _ms(one.created), "value": one.metrics[name], "evaluationId": one.id}
        for one in store.evaluations
        if name in one.metrics
    ]
    if not values:
        known = sorted({metric for one in store.evaluations for metric in one.metrics})
        raise NotFound(
            f"no evaluation of {store.name} has the metric '{name}'",
            hint=f"there are {', '.join(known) or 'none'}",
        )
    return {"metricId": name, "values": values}


def _checks(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what the checks say of an evaluation, the newest where none is named.

    Raises:
        ValueError: the store is empty.
    """
    store = _store(desk, asked)
    if not store.evaluations:
        raise ValueError(f"the evaluation store {store.name} is empty: nothing can be checked")
    named = asked.get("evaluation")
    found = kept.evaluation_of(store, named) if named else store.evaluations[-1]
    outcomes = kept.checked(store, found)
    return {"evaluationId": found.id, "status": kept.worst(outcomes), "runs": outcomes}


def _comparisons(desk: Desk, asked: Asked) -> list[dict[str, str]]:
    """Return the comparisons of a project."""
    project = desk.project(asked.get("project", ""))
    there = kept.comparisons(desk.rooms).all()
    return [{"id": one.id, "name": one.name} for one in there if one.project == project]


def _create_comparison(desk: Desk, asked: Asked) -> dict[str, str]:
    """Return a new comparison.

    Raises:
        ValueError: there is no such type.
    """
    kind = asked["type"]
    known = [one.value for one in SavedType if one is not SavedType.OTHER]
    if kind not in known:
        raise ValueError(f"prediction_type is one of {', '.join(known)}, and not {kind!r}")
    desk.rooms.workspace.prepare()
    made = ModelComparison(
        id=drawn_id(),
        name=asked["name"],
        project=desk.project(asked.get("project", "")),
        created=datetime.now(UTC),
        type=kind,
    )
    return {"id": kept.comparisons(desk.rooms).keep(made).id}


def _comparison_settings(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the settings of a comparison."""
    found = _comparison(desk, asked)
    return {
        **found.settings,
        "id": found.id,
        "displayName": found.name,
        "modelTaskType": found.type,
        "predictionType": found.type,
        "comparedModels": [{"refId": one} for one in found.items],
    }


def _save_comparison(desk: Desk, asked: Asked) -> None:
    """Keep the settings of a comparison, once all of its items are there and alike.

    Raises:
        ValueError: an item is none, or predicts something else.
    """
    found, told = _comparison(desk, asked), dict(asked["settings"])
    items = tuple(one["refId"] for one in told.pop("comparedModels", []))
    for one in items:
        kind = _type_of(desk, one, found.project)
        if kind and kind != found.type:
            raise ValueError(f"{one} is {kind}, and {found.name} compares {found.type}")
    for name in ("id", "modelTaskType", "predictionType"):
        told.pop(name, None)
    name = told.pop("displayName", found.name)
    kept.comparisons(desk.rooms).change(
        found, lambda now: replace(now, name=name, items=items, settings=told)
    )


def _delete_comparison(desk: Desk, asked: Asked) -> None:
    """Delete a comparison; what it compares stays."""
    kept.comparisons(desk.rooms).remove(_comparison(desk, asked))


def _type_of(desk: Desk, full: str, project: str) -> str:
    """Return what a version or an evaluation predicts; empty where nothing says."""
    kept.file_of(desk.rooms, full, project=project)
    kind, _, owner, which = full.split("-", 3)
    if kind == "S":
        return saved_model(desk.rooms, owner, project=project).type.value
    return kept.evaluation_of(kept.store_of(desk.rooms, owner, project=project), which).type


def _store(desk: Desk, asked: Asked) -> EvaluationStore:
    return kept.store_of(desk.rooms, asked["store"], project=desk.project(asked.get("project", "")))


def _comparison(desk: Desk, asked: Asked) -> ModelComparison:
    for one in kept.comparisons(desk.rooms).all():
        if one.id == asked["id"]:
            return one
    raise NotFound(
        f"there is no comparison '{asked['id']}'",
        hint="project.create_model_comparison(name, prediction_type)",
    )


def _facts(store: EvaluationStore, found: StoredEvaluation) -> dict[str, Any]:
    """Return an evaluation in the shape that scripts read it in."""
    full = f"ME-{store.project}-{store.id}-{found.id}"
    told: dict[str, Any] = {
        "ref": {"evaluationId": found.id, "fullId": full},
        "created": _ms(found.created),
        "predictionType": found.type or None,
        "targetVariable": found.target or None,
        "predictionVariable": "prediction",
        "hasModel": bool(found.model),
        "userMeta": {
            **found.user_meta,
            "name": found.name,
            "labels": [{"key": key, "value": value} for key, value in found.labels.items()],
        },
        "customMetrics": found.custom,
    }
    if found.model:
        told["modelRef"] = {"fullId": found.model}
    return {"ref": told["ref"], "evaluation": told, "metrics": dict(found.metrics)}


def _handling(columns: Mapping[str, Any]) -> dict[str, Handling]:
    """Return how columns are compared, as scripts say it.

    Raises:
        ValueError: there is no such handling.
    """
    found = {}
    for name, told in columns.items():
        if not told.get("enabled", True):
            found[name] = Handling.IGNORED
        elif (said := told.get("handling", "AUTO")) != "AUTO":
            if said not in list(Handling):
                raise ValueError(f"{name}: handling is NUMERICAL, CATEGORICAL or AUTO, not {said}")
            found[name] = Handling(said)
    return found


def _drift_facts(found: Drift, *, histograms: bool) -> dict[str, Any]:
    """Return a drift in the shape that scripts read it in."""
    told: dict[str, Any] = {
        "univariateDriftResult": {
            "columns": {
                one.name: _column(one, histograms=histograms)
                for one in found.columns
                if not one.reason and one.handling is not Handling.IGNORED
            }
        },
        "perColumnSettings": [
            {
                "name": one.name,
                "actualHandling": one.handling.value,
                "defaultHandling": one.default.value,
                "errorMessage": one.reason or None,
            }
            for one in found.columns
        ],
    }
    if found.accuracy is not None and found.accuracy.interval is not None:
        told["driftModelResult"] = {
            "driftModelAccuracy": {
                "value": found.accuracy.value,
                "lower": found.accuracy.interval.low,
                "upper": found.accuracy.interval.high,
                "pvalue": found.p_value,
            },
            "driftVersusImportance": {
                "columns": list(found.importance),
                "columnDriftScores": list(found.importance.values()),
            },
            "nbRecords": found.rows,
            # As many rows of each are drawn.
            "referenceSampleSize": found.rows,
            "currentSampleSize": found.rows,
        }
    if found.predictions is not None:
        told["predictionDriftResult"] = {
            "chiSquareTestPvalue": found.predictions.chi_square,
            "ksTestPvalue": found.predictions.ks,
            "populationStabilityIndex": found.predictions.psi,
        }
    return told


def _column(found: ColumnDrift, *, histograms: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": found.handling.value,
        "populationStabilityIndex": found.psi,
        "ksTestPvalue": found.ks,
        "chiSquareTestPvalue": found.chi_square,
        "earthMoverDistance": found.distance,
    }
    if histograms:
        told["histograms"] = {
            "edges": list(found.edges),
            "labels": list(found.labels),
            "reference": list(found.reference),
            "current": list(found.current),
        }
    return told


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


METHODS: Final[Mapping[str, Method]] = {
    "stores": _stores,
    "create_store": _create_store,
    "settings": _settings,
    "save_settings": _save_settings,
    "delete_store": _delete_store,
    "list": _evaluations,
    "show": _show,
    "add": _add,
    "delete": _delete,
    "build": _build,
    "save_user_meta": _save_user_meta,
    "drift": _drift,
    "sample": _sample,
    "metrics": _metrics,
    "last_metrics": _last_metrics,
    "history": _history,
    "checks": _checks,
    "comparisons": _comparisons,
    "create_comparison": _create_comparison,
    "comparison_settings": _comparison_settings,
    "save_comparison": _save_comparison,
    "delete_comparison": _delete_comparison,
}
