"""The evaluation of a version of a saved model on a dataset: our own, kept with its report."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from brinery.actions.evaluate import EvaluateAsked, evaluate_steps
from brinery.actions.kept_appraisals import newest
from brinery.actions.progress import result_of
from brinery.actions.rooms import Rooms
from brinery.actions.saved_imports import Rows, Tell, register, written
from brinery.actions.saved_models import Listed, kept, listed_version
from brinery.errors import NotEvaluated
from brinery.records.appraisal import Appraisal
from brinery.records.evaluation import PredictionType
from brinery.records.saved_model import SavedModel, SavedType, SavedVersion
from brinery.records.threshold import Aim, Gains

# What a cost matrix is worth where nothing was set: an error costs what a hit is worth.
GAINS = Gains(true_positive=1.0, false_positive=-1.0, false_negative=-1.0, true_negative=1.0)


@dataclass(frozen=True, kw_only=True)
class HowEvaluated:
    """How a version is evaluated.

    Attributes:
        optimal: whether the threshold that is best for the model's figure is its own from now on.
        cheap: whether what takes long (why the model answers so) is left out.
    """

    optimal: bool = True
    cheap: bool = True


def evaluate_saved(
    rooms: Rooms,
    model: SavedModel,
    *,
    version_id: str,
    rows: Rows,
    how: HowEvaluated,
    tell: Tell,
) -> SavedVersion:
    """Return a version that was evaluated on some rows; one that waited is registered first.

    Raises:
        ValueError: the saved model states no type, or the target was not stated.
        UserError: the subclass says what is wrong with the model or the rows.
    """
    found = listed_version(rooms, model, version_id=version_id)
    saved = found.saved
    if saved is None:
        raise ValueError(
            f"version {version_id} of {model.title} was made by no script: "
            f"brinery evaluate {model.name}@{version_id} --data FILE --target COLUMN"
        )
    if model.type is SavedType.OTHER:
        raise ValueError(
            f"{model.title} has no prediction type: only BINARY_CLASSIFICATION, MULTICLASS and "
            "REGRESSION are evaluated: create_mlflow_pyfunc_model(name, prediction_type)"
        )
    if not saved.target:
        raise ValueError(
            f"the target of version {version_id} of {model.title} is not known: "
            "call set_core_metadata first"
        )
    version = found.version
    if version is None:
        saved, version = register(rooms, model, saved=saved, rows=rows, tell=tell)
    asked = EvaluateAsked(
        reference=version.reference,
        data=written(rooms, rows),
        target=saved.target,
        aim=model.aim,
        gains=GAINS if model.aim is Aim.GAIN else None,
        explain=not how.cheap,
    )
    appraisal = result_of(evaluate_steps(rooms, asked))
    if appraisal.evaluation is None:
        reason = appraisal.not_done.get("figures", "")
        raise NotEvaluated(f"{version.reference} is not evaluated on {rows.dataset}: {reason}")
    for stage, reason in appraisal.not_done.items():
        if stage != "explanation" or not how.cheap:
            tell(f"{stage}: {reason}")
    threshold = chosen(appraisal, saved) if how.optimal else saved.threshold
    return kept(rooms).keep_version(
        model,
        replace(
            saved,
            threshold=threshold,
            evaluated=rows.dataset,
            rows=rows.table.num_rows,
            file=str(asked.data),
            data=appraisal.data.sha256,
        ),
    )


def chosen(appraisal: Appraisal, saved: SavedVersion) -> float:
    """Return the best threshold of an evaluation; the version's own where there is none."""
    found = appraisal.evaluation
    if found is None or found.type is not PredictionType.BINARY or found.threshold is None:
        return saved.threshold
    return found.threshold.threshold


def own_appraisal(rooms: Rooms, found: Listed) -> Appraisal | None:
    """Return the evaluation of a version; None where there is none.

    Of a version that no script evaluated it is the newest.
    """
    if found.version is None:
        return None
    return newest(rooms, found.version, data=found.saved.data if found.saved else "")


def appraisal_of(rooms: Rooms, model: SavedModel, *, version_id: str) -> Appraisal:
    """Return the evaluation of a version; what an evaluation store looked at is none of its own.

    Raises:
        NotEvaluated: there is none.
    """
    known = own_appraisal(rooms, listed_version(rooms, model, version_id=version_id))
    if known is None or known.evaluation is None:
        raise NotEvaluated(
            f"version {version_id} of {model.title} is not evaluated yet",
            hint="get_external_model_version_handler(version_id).evaluate(dataset)",
        )
    return known
