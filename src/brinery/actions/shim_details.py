"""What scripts ask about an evaluated version: figures, curves, explanations; see `gateway`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from brinery.actions import saved_details, saved_findings, saved_models
from brinery.actions.evaluate import EvaluateAsked, evaluate_steps
from brinery.actions.gateway import Desk, Method
from brinery.actions.kept_appraisals import newest
from brinery.actions.progress import result_of
from brinery.actions.saved_evaluation import GAINS, appraisal_of
from brinery.actions.saved_models import full_id, kept, listed_version
from brinery.actions.shim_models import model_asked
from brinery.errors import NotEvaluated
from brinery.records.appraisal import Appraisal
from brinery.records.saved_model import SavedModel, SavedVersion
from brinery.records.threshold import Aim
from brinery.records.version import Version
from brinery.store.appraisals import Appraisals

Asked = Mapping[str, Any]


def _show(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the long and the short form of what is known of a version."""
    model, saved, version = _version(desk, asked)
    appraisal = appraisal_of(desk.rooms, model, version_id=asked["version"])
    whose = full_id(model, asked["version"])
    return {
        "details": saved_details.details(
            model, saved, version=version, appraisal=appraisal, full_id=whose
        ),
        "snippet": saved_details.snippet(
            model, saved, version=version, appraisal=appraisal, full_id=whose
        ),
    }


def _metrics(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the figures of a version as a list of metrics; an empty one before its evaluation."""
    _, saved, version = _version(desk, asked)
    known = newest(desk.rooms, version, data=saved.data)
    if known is None or known.evaluation is None:
        return {"metrics": []}
    found = saved_details.metrics_of(known.evaluation, known, threshold=saved.threshold)
    return saved_details.computed_metrics(found, round(known.created.timestamp() * 1000))


def _save_user_meta(desk: Desk, asked: Asked) -> None:
    """Keep what a script says of a version; its threshold is the version's from now on."""
    model, saved, _ = _version(desk, asked)
    told = dict(asked["meta"])
    threshold = float(told.pop("activeClassifierThreshold", saved.threshold))
    kept(desk.rooms).keep_version(model, replace(saved, threshold=threshold, user_meta=told))


def _explain(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Find out why a version answers as it does, on the data that it was evaluated on."""
    return saved_findings.global_explanations(_explained(desk, asked))


def _explanations(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what is known of why a version answers as it does; empty for nothing."""
    model, _, _ = _version(desk, asked)
    appraisal = appraisal_of(desk.rooms, model, version_id=asked["version"])
    return saved_findings.global_explanations(appraisal)


def _compute_dependencies(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the partial dependence of columns, computed where it was not yet."""
    return saved_findings.partial_dependencies(_explained(desk, asked), asked.get("features") or ())


def _dependencies(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the partial dependence of all columns that it is known of."""
    model, _, _ = _version(desk, asked)
    return saved_findings.partial_dependencies(
        appraisal_of(desk.rooms, model, version_id=asked["version"]), ()
    )


def _subpopulations(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the analyses of columns; every evaluation has them."""
    model, _, _ = _version(desk, asked)
    return saved_findings.subpopulations(
        appraisal_of(desk.rooms, model, version_id=asked["version"]),
        model.type.value,
        split_by=asked.get("split_by") or (),
    )


def _report(desk: Desk, asked: Asked) -> str:
    """Return the path of the report of a version's newest evaluation: one HTML file."""
    model, _, version = _version(desk, asked)
    appraisal = appraisal_of(desk.rooms, model, version_id=asked["version"])
    path = Appraisals(desk.rooms.workspace.evaluations).report(
        appraisal, name=version.name, number=version.number
    )
    return str(path)


def _archive(desk: Desk, asked: Asked) -> str:
    """Return the path of a zip file of the version's MLflow model directory.

    The caller moves it away.
    """
    _, _, version = _version(desk, asked)
    place = Path(tempfile.mkdtemp(prefix="brinery-"))
    found = desk.rooms.registry.fetch(f"models:/{version.name}/{version.number}", place / "got")
    return shutil.make_archive(str(place / "model"), "zip", found)


def _explained(desk: Desk, asked: Asked) -> Appraisal:
    """Return the evaluation of a version, with why it answers so: found out where it was not.

    Raises:
        NotEvaluated: the rows to find it out on lie in another workspace.
    """
    model, saved, version = _version(desk, asked)
    appraisal = appraisal_of(desk.rooms, model, version_id=asked["version"])
    if appraisal.explanation is not None and appraisal.explanation.mean_contributions is not None:
        return appraisal
    if not Path(saved.file).is_file():
        raise NotEvaluated(
            f"the rows that version {asked['version']} of {model.title} was evaluated on are not "
            "in this workspace",
            hint="evaluate(dataset, skip_expensive_reports=False), here or where it was evaluated",
        )
    return result_of(
        evaluate_steps(
            desk.rooms,
            EvaluateAsked(
                reference=version.reference,
                data=Path(saved.file),
                target=saved.target,
                aim=model.aim,
                gains=GAINS if model.aim is Aim.GAIN else None,
            ),
        )
    )


def _version(desk: Desk, asked: Asked) -> tuple[SavedModel, SavedVersion, Version]:
    """Return the version that is asked about.

    Raises:
        NotEvaluated: it waits for data.
    """
    model = model_asked(desk, asked)
    found = listed_version(desk.rooms, model, version_id=asked["version"])
    if found.version is None:
        raise NotEvaluated(
            f"version {found.id} of {model.title} waits for data: nothing is known of it yet",
            hint="set_core_metadata(…, get_features_from_dataset=…), or evaluate(dataset)",
        )
    return model, found.saved or saved_models.unsaid(found), found.version


METHODS: Final[Mapping[str, Method]] = {
    "show": _show,
    "metrics": _metrics,
    "save_user_meta": _save_user_meta,
    "explain": _explain,
    "explanations": _explanations,
    "compute_dependencies": _compute_dependencies,
    "dependencies": _dependencies,
    "subpopulations": _subpopulations,
    "report": _report,
    "archive": _archive,
}
