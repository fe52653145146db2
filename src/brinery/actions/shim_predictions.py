"""What scripts ask a version of a saved model to predict; see `gateway`. Rows come as files."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from brinery.actions import saved_models, saved_predictions
from brinery.actions.answering import Answering
from brinery.actions.gateway import Desk, Method
from brinery.actions.kept_appraisals import newest
from brinery.actions.saved_imports import Rows, register
from brinery.actions.saved_models import Listed, listed_version
from brinery.actions.shim_models import model_asked
from brinery.errors import NotFound, NotServable
from brinery.records.saved_model import SavedModel
from brinery.records.version import Version
from brinery.serve.row_explainer import ExplanationMethod, Wanted
from brinery.store import tables

Asked = Mapping[str, Any]

# The models that this process has loaded: a script asks one again and again.
_LOADED: dict[str, Answering] = {}
_LOCK = threading.Lock()


def _open(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what a version answers with."""
    model = model_asked(desk, asked)
    found = _listed(desk, model, str(asked.get("version") or ""))
    if found.version is None:  # nothing is known of it before the first rows
        saved = found.saved
        classes = list(saved.classes) if saved else []
        return _told(found.id, classes, [one["name"] for one in saved.features] if saved else [])
    answering = _answering(desk, found.version)
    columns = [one.name for one in answering.candidate.signature.columns]
    chances = answering.candidate.description.gives_probabilities
    classes = list(saved_predictions.classes_of(answering))
    return _told(found.id, classes, columns, chances=chances)


def _ask(desk: Desk, asked: Asked) -> str:
    """Return the file of the answers for the rows of a file, beside it.

    Raises:
        NotServable: the version cannot be asked.
    """
    model = model_asked(desk, asked)
    found = _listed(desk, model, asked["version"])
    path = Path(asked["path"])
    frame = tables.read_table(path)
    saved, version = found.saved, found.version
    if version is None:
        if saved is None:
            raise NotServable(f"version {found.id} of {model.title} cannot be asked")
        rows = Rows(dataset="rows", table=tables.to_arrow(frame))
        saved, version = register(desk.rooms, model, saved=saved, rows=rows, tell=desk.note)
    known = saved or saved_models.unsaid(found)
    answering = _answering(desk, version)
    table = answering.fit(frame)
    told, scores = saved_predictions.answers(answering, table, threshold=known.threshold)
    if asked.get("percentile") and scores.probabilities is not None:
        places = saved_predictions.percentiles(
            scores.probabilities[:, -1], newest(desk.rooms, version, data=known.data)
        )
        told["proba_percentile"] = places if places is not None else float("nan")
    if asked.get("explanations"):
        background = table
        if known.file and Path(known.file).is_file():
            background = answering.fit(tables.read_table(Path(known.file)))
        explained = saved_predictions.explanations(
            answering,
            table,
            scores=scores,
            background=background,
            wanted=_wanted(asked),
        )
        told["explanations"] = saved_predictions.as_json(explained)
    target = path.with_name(f"answers{path.suffix}")
    tables.write_table(pa.Table.from_pandas(told, preserve_index=False), target)
    return str(target)


def _wanted(asked: Asked) -> Wanted:
    """Return how rows are to be explained.

    Raises:
        ValueError: in no way that there is.
    """
    said = str(asked.get("by") or ExplanationMethod.ICE)
    if said not in set(ExplanationMethod):
        raise ValueError(
            f"explanation_method '{said}': there are {' and '.join(ExplanationMethod)}"
        )
    steps = int(asked.get("steps") or Wanted().steps)
    return Wanted(
        method=ExplanationMethod(said), most=int(asked["explanations"]), steps=max(1, steps)
    )


def _told(
    version: str, classes: list[str], columns: list[str], *, chances: bool = True
) -> dict[str, Any]:
    return {
        "version": version,
        "classes": classes or None,
        "probas": [f"proba_{name}" for name in classes] if classes and chances else None,
        "features": columns,
    }


def _listed(desk: Desk, model: SavedModel, version_id: str) -> Listed:
    """Return a version; the active one where no id is given.

    Raises:
        NotFound: there is none.
    """
    if version_id:
        return listed_version(desk.rooms, model, version_id=version_id)
    found = next((one for one in saved_models.listed(desk.rooms, model) if one.active), None)
    if found is None:
        raise NotFound(f"{model.title} has no active version", hint="activate_version(version_id)")
    return found


def _answering(desk: Desk, version: Version) -> Answering:
    """Return a version, loaded once in this process."""
    key = f"{desk.rooms.workspace.root}:{version.reference}"
    with _LOCK:
        if key not in _LOADED:
            _LOADED[key] = Answering(desk.rooms, version)
        return _LOADED[key]


METHODS: Final[Mapping[str, Method]] = {"open": _open, "ask": _ask}
