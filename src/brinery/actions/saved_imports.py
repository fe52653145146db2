"""How a model becomes a version of a saved model: held, and registered once there are rows.

A script hands over a folder and may delete it at once, so it is copied and read then: what is
dangerous is refused before anything else. To register it takes rows, which the metadata or the
evaluation bring: parity and the classes' order are checked on them. Until then the version waits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from msgspec.structs import replace

from brinery.actions.admit import admit
from brinery.actions.import_model import import_steps
from brinery.actions.locate import locate, read
from brinery.actions.rooms import Rooms
from brinery.actions.saved_models import check_version_id, kept, listed, registered_as
from brinery.actions.submission import Submission
from brinery.errors import ColumnMismatch, ColumnMissing, NotAModel, NotFound
from brinery.records.event import Step
from brinery.records.run import LoggedRun
from brinery.records.saved_model import SavedModel, SavedType, SavedVersion
from brinery.records.scan import Verdict
from brinery.records.version import Version
from brinery.registry import mlflow_folder
from brinery.specs.names import nearest
from brinery.store import tables

_MLMODEL: Final = "MLmodel"
_BINARY: Final = 2
# What numbers are called in a signature of MLflow's.
_NUMBERS: Final = frozenset({"integer", "long", "float", "double"})

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Handover:
    """A model that a script hands over.

    Attributes:
        version_id: as it was chosen.
        folder: an MLflow model directory; it may be gone once it was held.
        origin: where it came from, for people.
        word: who vouches for what its file asks for, such as `step3.py`; nobody where empty.
        active: whether it is to be the champion; one in the place of the champion is in any case.
        threshold: the probability at and above which a row counts as positive.
        environment: the code environment that was named.
        run: that logged it; None where it came from a folder.
    """

    version_id: str
    folder: Path
    origin: str
    word: str = ""
    active: bool = True
    threshold: float = 0.5
    environment: str = ""
    run: LoggedRun | None = None


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of a dataset that a version is registered or evaluated on.

    Attributes:
        dataset: its name.
        table: the rows.
    """

    dataset: str
    table: pa.Table = field(repr=False)


def hold(rooms: Rooms, model: SavedModel, *, handover: Handover) -> SavedVersion:
    """Return a version that waits for data: its files are copied, and nothing of it was run.

    Raises:
        ValueError: the id is not allowed, or the threshold is no probability.
        NotAModel: the folder is no MLflow model directory.
        DangerousModel: it asks for what runs programs.
        NotTrusted: it asks for what nobody vouched for.
    """
    check_version_id(handover.version_id)
    if not 0 <= handover.threshold <= 1:
        raise ValueError(f"a threshold is from 0 to 1, and not {handover.threshold}")
    if not (handover.folder / _MLMODEL).is_file():
        raise NotAModel(
            f"{handover.origin} is no MLflow model directory: it has no file {_MLMODEL}",
            hint="give the folder that mlflow.<flavor>.save_model wrote, or log_model's artifact",
        )
    rooms.workspace.prepare()
    with tempfile.TemporaryDirectory(prefix="brinery-") as folder:
        source = locate(rooms, str(handover.folder), into=Path(folder))
        report = read(source)
        unknown = report.asked(Verdict.NEEDS_TRUST) if handover.word else ()
        admit(report, (*source.vouched, *unknown), file=handover.origin)
    # One that takes the id of the active version over takes its place, too.
    replaced = (one for one in listed(rooms, model) if one.saved and one.id == handover.version_id)
    active = handover.active or any(one.active for one in replaced)
    kept(rooms).hold(model, handover.version_id, folder=handover.folder)
    run = handover.run
    made = SavedVersion(
        id=handover.version_id,
        created=datetime.now(UTC),
        active=active,
        threshold=handover.threshold,
        environment=handover.environment,
        run_id=run.id if run else "",
        experiment_id=run.experiment_id if run else "",
        origin=handover.origin,
        word=handover.word,
    )
    if made.active:  # the last that is to be active is the one
        for one in kept(rooms).versions(model):
            if one.number is None and one.active:
                kept(rooms).keep_version(model, replace(one, active=False))
    return kept(rooms).keep_version(model, made)


def set_core_metadata(
    rooms: Rooms,
    model: SavedModel,
    *,
    saved: SavedVersion,
    target: str,
    classes: Sequence[str] | None,
    features: Sequence[Mapping[str, str]] = (),
) -> SavedVersion:
    """Return a version of which the target and the classes are known.

    Raises:
        ValueError: the classes are not what the saved model's type has.
    """
    check_classes(model, classes)
    return kept(rooms).keep_version(
        model,
        replace(
            saved,
            target=target,
            classes=tuple(map(str, classes or ())),
            features=tuple(dict(one) for one in features) or saved.features,
        ),
    )


def check_classes(model: SavedModel, classes: Sequence[str] | None) -> None:
    """Return only where the classes are what the saved model's type has.

    Raises:
        ValueError: they are missing, too many, or there for a model that has none.
    """
    there = isinstance(classes, Sequence) and not isinstance(classes, str)
    if model.type is SavedType.MULTICLASS and not there:
        raise ValueError("MULTICLASS needs class_labels: a list, in the model's order")
    if model.type is SavedType.BINARY_CLASSIFICATION and not (
        there and len(classes or ()) == _BINARY
    ):
        raise ValueError("BINARY_CLASSIFICATION needs class_labels: a list of exactly 2")
    if model.type is SavedType.REGRESSION and classes:
        raise ValueError("REGRESSION has no class_labels: leave them out")


def register(
    rooms: Rooms, model: SavedModel, *, saved: SavedVersion, rows: Rows, tell: Tell
) -> tuple[SavedVersion, Version]:
    """Return a version that waited, registered: scanned, loaded apart, and compared with its file.

    Args:
        rooms: of the workspace.
        model: whose version it is.
        saved: the version.
        rows: to ask it about; its target is used where they have it.
        tell: is given a line for whatever is doubtful.

    Raises:
        ColumnMissing, ColumnMismatch: the rows are not what the signature states that it was
            logged with.
        NotFound: it was handed to another workspace, where its copy lies.
        UserError: the subclass says what is wrong with the model or the rows.
    """
    waiting = kept(rooms).waiting(model, saved.id)
    if not waiting.is_dir():
        raise NotFound(
            f"version {saved.id} of {model.title} waits for data in the workspace that it was "
            "handed to, and its files are not here",
            hint="evaluate it there, or import it here: import_mlflow_version_from_path(…)",
        )
    _check_signature(waiting, rows)
    target = saved.target if saved.target in rows.table.column_names else ""
    if saved.target and not target and model.type is not SavedType.OTHER:
        tell(f"{rows.dataset} has no column {saved.target}: the classes' order is not checked")
    own = _own_code(rooms, model, folder=waiting)
    if own is not None:
        tell(f"project-libraries: version {saved.id} of {model.title} takes {own} along")
    steps = import_steps(
        rooms,
        Submission(
            model=str(waiting),
            code=own,
            name=model.name,
            data=written(rooms, rows),
            target=target or None,
            type=None if model.type is SavedType.OTHER else model.type.predicts,
            new_version=True,
            environment="auto",
            classes=saved.classes if model.type.classifies else (),
            word=saved.word,
            whole=False,
        ),
    )
    version = _told(steps, tell)
    features = saved.features or _features(version)
    known = registered_as(rooms, model, saved=replace(saved, features=features), version=version)
    return known, version


def _own_code(rooms: Rooms, model: SavedModel, *, folder: Path) -> Path | None:
    """Return the project's own modules, where a model names one of them and brings no code."""
    root = rooms.workspace.root
    bases = (root / "projects" / model.project, root)
    libraries = [one for base in bases if (one := base / "lib" / "python").is_dir()]
    if not libraries:
        return None
    with tempfile.TemporaryDirectory(prefix="brinery-") as into:
        source = locate(rooms, str(folder), into=Path(into))
        if source.code is not None:
            return None
        named = {str(one).partition(".")[0] for one in read(source).globals}
    for library in libraries:
        if named & {path.stem for path in library.iterdir()}:
            return library
    return None


def _check_signature(folder: Path, rows: Rows) -> None:
    """Return only where rows have what the signature states that a model was logged with.

    Raises:
        ColumnMissing: they lack a column.
        ColumnMismatch: one is text and should be numbers, or the reverse.
    """
    for one in mlflow_folder.read(folder).inputs:
        there = rows.table.schema.get_field_index(one.name)
        if there < 0:
            if one.required:
                raise ColumnMissing(
                    f"the model was logged with a signature that has the column '{one.name}', "
                    f"which {rows.dataset} has not",
                    hint="name the dataset that the signature is of, or log the model anew",
                )
            continue
        kind = rows.table.schema.field(there).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        if (text and one.type in _NUMBERS) or (number and one.type == "string"):
            raise ColumnMismatch(
                f"the model was logged with a signature in which '{one.name}' is {one.type}, and "
                f"{rows.dataset} has {'text' if text else 'numbers'} there",
                hint="name the dataset that the signature is of, or log the model anew",
            )


def written(rooms: Rooms, rows: Rows) -> Path:
    """Return the file of some rows, under the dataset's name; the same for the same rows."""
    frame = rows.table.to_pandas()
    folder = rooms.workspace.cache / "evaluated" / tables.fingerprint(frame)[:32]
    path = folder / f"{rows.dataset}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        tables.write_table(rows.table, path)
    return path


def model_of_run(run: LoggedRun, name: str) -> tuple[str, str]:
    """Return the name and the URI of a model of a run; the only one where the name is empty.

    Raises:
        NotFound: the run logged none, or none of that name.
        ValueError: it logged several, and none is named.
    """
    if not run.models:
        raise NotFound(
            f"the run {run.id} has logged no model",
            hint="log one within the run: mlflow.sklearn.log_model(model, artifact_path='model')",
        )
    if name:
        if name in run.models:
            return name, run.models[name]
        near = nearest(name, run.models)
        raise NotFound(
            f"the run {run.id} has no model '{name}'" + (f": did you mean {near}?" if near else ""),
            hint=f"it has {', '.join(run.models)}",
        )
    if len(run.models) > 1:
        raise ValueError(
            f"the run {run.id} has {len(run.models)} models: model_name says which, of "
            f"{', '.join(run.models)}"
        )
    return next(iter(run.models.items()))


def _told(steps: Any, tell: Tell) -> Version:
    """Return what an import returns, having told what is doubtful."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            version: Version = end.value
            return version
        building = event.step is Step.ENVIRONMENT and event.message.startswith("building")
        if event.warning or building:
            tell(event.message)


def _features(version: Version) -> tuple[dict[str, str], ...]:
    """Return name and type of what a registered version takes."""
    if version.candidate is None:
        return ()
    return tuple(
        {"name": column.name, "type": column.type.value}
        for column in version.candidate.signature.columns
    )
