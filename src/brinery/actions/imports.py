"""Imports that are begun on the page: said in steps, done by a process of their own.

That process writes what happens to the import's folder, so that a page may be closed, and the
server started again, while it goes on.
"""

from __future__ import annotations

import re
import secrets
import shlex
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brinery.actions import datasets
from brinery.actions.import_model import import_steps
from brinery.actions.project_rooms import open_project_rooms
from brinery.actions.rooms import Rooms, open_rooms
from brinery.actions.scan_files import scan_files
from brinery.actions.submission import Submission
from brinery.errors import AlreadyThere, BrineryError, ModelFileMissing
from brinery.records.evaluation import PredictionType
from brinery.records.import_asked import (
    ImportAsked,
    ImportOutcome,
    ImportProgress,
    ImportScan,
    ImportState,
)
from brinery.records.scan import Verdict
from brinery.records.version import Version
from brinery.specs.names import check_name
from brinery.specs.user import login_name
from brinery.store import tables
from brinery.store.imports import Imports

# A front door of its own, which reads a `ImportTask` as a line of JSON: the two meet as processes.
_IMPORTER: Final = (sys.executable, "-m", "brinery.web.importer")
_ELSEWHERE: Final = ("runs:/", "models:/")
_REGISTERED: Final = re.compile(r"models:/([^/@]+)[/@].*")
_KEY_BYTES: Final = 8
_TARGETS: Final = ("target", "y", "label", "class", "outcome")


class ImportTask(Struct, frozen=True, kw_only=True):
    """What the process that imports is told.

    Attributes:
        key: of the import.
        workspace: its folder, absolute.
        store: database of the models and records; as the settings say when None.
        artifacts: bucket or folder of the models' files; as the settings say when None.
    """

    key: str
    workspace: str
    store: str | None = None
    artifacts: str | None = None


class Wishes(Struct, frozen=True, kw_only=True):
    """What a user says last, before an import is started.

    Attributes:
        name: of the registered model.
        target: the column with the truth; empty where there is none.
        type: what the model predicts; empty where that is to be found.
        trust: names that the user vouches for.
        environment: `current` or `auto`.
    """

    name: str
    target: str = ""
    type: str = ""
    trust: tuple[str, ...] = ()
    environment: str = "current"


def imports_of(rooms: Rooms) -> Imports:
    """Return the imports of a workspace."""
    return Imports(rooms.workspace.imports)


def new_key() -> str:
    """Return the key of an import that nobody can guess."""
    return secrets.token_hex(_KEY_BYTES)


def begin(rooms: Rooms, model: str, *, key: str = "", called: str = "") -> ImportAsked:
    """Return a new import, its model scanned; old ones that were never finished are forgotten.

    Args:
        rooms: of the workspace.
        model: path of a file or folder on this machine, or a `runs:/…` or `models:/…` URI.
        key: of the import, where the model was sent to its folder.
        called: name of the file that was sent.

    Raises:
        ModelFileMissing: there is nothing at the path.
    """
    kept = imports_of(rooms)
    kept.sweep()
    if not model.strip():
        raise ModelFileMissing(
            "no model was named", hint="give a file, or the path of one on the server"
        )
    if not model.startswith(_ELSEWHERE) and not Path(model).exists():
        raise ModelFileMissing(
            f"{model} does not exist", hint=f"ls {Path(model).parent} shows what is there"
        )
    asked = ImportAsked(
        key=key or new_key(),
        created=datetime.now(UTC),
        who=login_name(),
        model=model,
        called=called or model,
        uploaded=bool(key),
        name=_suggested(called or model),
    )
    scan = None if model.startswith(_ELSEWHERE) else _scanned(Path(model))
    kept.create(asked)
    if scan is not None:
        # Who sent a file knows it by its name, and not by the path that it was written to.
        message = scan.message.replace(model, asked.called)
        scan = replace(scan, message=message, hint=scan.hint.replace(model, asked.called))
        kept.keep_scan(asked.key, scan)
    return asked


def choose_data(rooms: Rooms, key: str, *, path: str, called: str = "") -> ImportAsked:
    """Return an import whose rows are in a file.

    Raises:
        DataError: there is no such file, or it cannot be read.
    """
    kept = imports_of(rooms)
    found = _changeable(kept, key)
    columns = tuple(tables.column_names(Path(path)))
    asked = replace(
        found.asked,
        data=path,
        data_called=called or path,
        columns=columns,
        target=_target(found, columns),
    )
    kept.keep(asked)
    return asked


def choose_dataset(rooms: Rooms, key: str, *, name: str) -> ImportAsked:
    """Return an import whose rows are those of a dataset, as they are now.

    Raises:
        NotFound: there is no such dataset.
        DataError: its rows cannot be read.
    """
    project = open_project_rooms(rooms.workspace.root)
    found = datasets.dataset(project, name)
    target = imports_of(rooms).place(key, "data", called=f"{found.name}.parquet")
    datasets.export_dataset(project, found, target=target)
    return choose_data(rooms, key, path=str(target), called=f"dataset {name}")


def dataset_names(rooms: Rooms) -> list[str]:
    """Return the names of the workspace's datasets; none where nothing was ever written."""
    if not rooms.workspace.exists:
        return []
    return [one.name for one in datasets.datasets(open_project_rooms(rooms.workspace.root))]


def start(rooms: Rooms, key: str, *, wishes: Wishes) -> None:
    """Have a process of its own import what was asked.

    Raises:
        AlreadyThere: it goes on, or is done.
        InvalidName: the name is none that a model may have.
    """
    kept = imports_of(rooms)
    found = _changeable(kept, key)
    check_name(wishes.name)
    kept.begin_journal(key)
    kept.keep(
        replace(
            found.asked,
            name=wishes.name,
            target=wishes.target,
            type=wishes.type,
            trust=wishes.trust,
            environment=wishes.environment,
            started=datetime.now(UTC),
        )
    )
    store = rooms.settings.store
    task = ImportTask(
        key=key,
        workspace=str(rooms.workspace.root),
        store=store.uri or None,
        artifacts=store.artifacts or None,
    )
    process = subprocess.Popen(_IMPORTER, stdin=subprocess.PIPE, start_new_session=True)
    # It is told through a pipe, for the address of the database may hold a password.
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as stream:
            stream.write(msgspec.json.encode(task) + b"\n")
    threading.Thread(target=process.wait, name="import", daemon=True).start()


def run(task: ImportTask) -> None:
    """Import what was asked, and write down what happens; errors too."""
    rooms = open_rooms(task.workspace, store=task.store, artifacts=task.artifacts)
    kept = imports_of(rooms)
    with kept.held(task.key):
        asked = kept.read(task.key).asked
        try:
            version = _imported(rooms, kept, asked)
        except BrineryError as error:
            outcome = ImportOutcome(
                at=datetime.now(UTC), code=error.code, message=error.message, hint=error.hint
            )
        except Exception as error:  # whatever it is, the page has to say it
            said = f"a fault of ours: {type(error).__name__}: {error}"
            kept.tell(
                task.key, outcome=ImportOutcome(at=datetime.now(UTC), code="fault", message=said)
            )
            raise
        else:
            outcome = ImportOutcome(at=datetime.now(UTC), reference=version.reference)
            kept.settle(task.key)
        kept.tell(task.key, outcome=outcome)


def progress_of(rooms: Rooms, key: str) -> ImportProgress:
    """Return an import as it is now.

    Raises:
        NotFound: there is none.
    """
    return imports_of(rooms).read(key)


def command_of(found: ImportProgress, wishes: Sequence[str] = ()) -> str:
    """Return what does the same on the command line."""
    asked = found.asked
    words = ["brinery", "import", shlex.quote(asked.called), "--name", asked.name or "NAME"]
    if found.scan is None or found.scan.predicts:
        words += ["--data", shlex.quote(asked.data_called) if asked.data_called else "FILE"]
    for option, value in (("--target", asked.target), ("--type", asked.type)):
        words += [option, shlex.quote(value)] if value else []
    for name in wishes or asked.trust:
        words += ["--trust", name]
    if asked.environment != "current":
        words += ["--environment", asked.environment]
    return " ".join(words)


def _imported(rooms: Rooms, kept: Imports, asked: ImportAsked) -> Version:
    steps = import_steps(
        rooms,
        Submission(
            model=asked.model,
            name=asked.name,
            data=Path(asked.data) if asked.data else None,
            target=asked.target or None,
            type=PredictionType(asked.type) if asked.type else None,
            trust=asked.trust,
            environment=asked.environment,
        ),
    )
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            version: Version = end.value
            return version
        kept.tell(asked.key, event=event)


def _changeable(kept: Imports, key: str) -> ImportProgress:
    found = kept.read(key)
    if found.state in (ImportState.RUNNING, ImportState.DONE):
        raise AlreadyThere(f"this import is {found.state} already", hint="/import begins another")
    return found


def _scanned(path: Path) -> ImportScan:
    """Return what a model states; a folder of several models is none."""
    try:
        found = list(scan_files([path]))
    except BrineryError as error:
        return ImportScan(verdict=Verdict.MALFORMED, message=error.message, hint=error.hint)
    if len(found) > 1:
        return ImportScan(
            verdict=Verdict.MALFORMED,
            message=f"{path} holds {len(found)} models, and one is imported at a time",
            hint=f"name one of them, such as {found[0].path}",
        )
    (one,) = found
    refusal = one.refusal
    return ImportScan(
        verdict=one.verdict,
        report=one.report,
        predicts=one.predicts,
        message="" if refusal is None else refusal.message,
        hint="" if refusal is None else refusal.hint,
    )


def _suggested(called: str) -> str:
    """Return a name for the model of a file, or of a URI."""
    registered = _REGISTERED.fullmatch(called)
    stem = registered[1] if registered else Path(called.rstrip("/").rpartition("/")[2]).stem
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._")[:100]
    return plain or "model"


def _target(found: ImportProgress, columns: Sequence[str]) -> str:
    """Return which column is probably the truth; empty where none is likely."""
    report = found.scan.report if found.scan else None
    known = report.feature_names if report is not None else None
    if known is not None:
        left = [column for column in columns if column not in known]
        if len(left) == 1:
            return left[0]
        columns = left
    return next((one for one in columns if one.lower() in _TARGETS), "")
