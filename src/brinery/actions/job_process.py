"""Jobs begun by a server: each is a process of its own, which outlives whoever asked for it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from brinery.actions.job_rooms import JobRooms
from brinery.errors import InvalidJob, JobBusy
from brinery.records.job import Status
from brinery.store.jobs import is_held, new_name

LATER: Final = "import sys; from brinery.cli.main import main; main(sys.argv[1:])"
_WAIT_S: Final = 30.0
_LOOK_S: Final = 0.05
_ERROR: Final = "error:"
_HINT: Final = "hint:"
# What MLflow's server is told by variables is not meant for the steps of a job.
_NOT_THEIRS: Final = ("MLFLOW_", "_MLFLOW_", "DO_NOT_TRACK")


def begin_again(rooms: JobRooms, name: str, *, force: bool = False, environment: str = "") -> str:
    """Return the name of a new job that runs the plan of another; `brinery job rerun`.

    Args:
        rooms: of the workspace.
        name: of the job whose plan it is.
        force: whether nothing is reused.
        environment: `declared` or `current`, the Python of its steps; declared when empty.

    Raises:
        NotFound: there is no such job.
        InvalidJob: the new one could not be created.
    """
    rooms.jobs.read(name)
    made = new_name()
    words = ["job", "rerun", name, "--name", made, *(["--force"] if force else [])]
    words += ["--environment", environment] if environment else []
    _begin(rooms, words, begun=lambda: rooms.jobs.path(made).joinpath("journal.jsonl").exists())
    return made


def go_on(rooms: JobRooms, name: str, *, environment: str = "") -> None:
    """Have a job that failed, was cancelled or lost go on; `brinery job resume`.

    Args:
        rooms: of the workspace.
        name: of the job.
        environment: `declared` or `current`, the Python of its steps; declared when empty.

    Raises:
        NotFound: there is no such job.
        JobBusy: a process runs it, or it completed.
        InvalidJob: it could not be resumed.
    """
    job = rooms.jobs.read(name)
    if job.status is Status.COMPLETED:
        raise JobBusy(f"the job {name} completed", hint=f"brinery job rerun {name}")
    path = rooms.jobs.path(name)
    if is_held(path):
        raise JobBusy(f"a process runs the job {name}", hint=f"brinery job stream {name}")
    size = path.joinpath("journal.jsonl").stat().st_size
    _begin(
        rooms,
        ["job", "resume", name, *(["--environment", environment] if environment else [])],
        begun=lambda: path.joinpath("journal.jsonl").stat().st_size > size,
    )


def begin_build(rooms: JobRooms, targets: Sequence[str] = (), *, project: str = "") -> str:
    """Return the name of a new job that makes what is out of date; `brinery flow build`.

    Args:
        rooms: of the workspace.
        targets: names of datasets, folders, models or recipes; everything when there is none.
        project: its key; the default one when empty.

    Raises:
        InvalidJob: it could not be created: why, as the command says it.
    """
    made = new_name()
    words = ["flow", "build", "--name", made]
    words += ["--project", project] if project else []
    words += ["--", *targets]
    _begin(rooms, words, begun=lambda: rooms.jobs.path(made).joinpath("journal.jsonl").exists())
    return made


def _begin(rooms: JobRooms, words: Sequence[str], *, begun: Callable[[], bool]) -> None:
    """Start a command of ours, and return once its job began.

    Raises:
        InvalidJob: it ended before: why is what it said.
    """
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [sys.executable, "-c", LATER, "--workspace", str(rooms.workspace.root), *words],
            cwd=rooms.workspace.root,
            env={
                name: value
                for name, value in rooms.variables.items()
                if not name.startswith(_NOT_THEIRS)
            },
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        end = time.monotonic() + _WAIT_S
        while process.poll() is None and not begun() and time.monotonic() < end:
            time.sleep(_LOOK_S)
        status = process.poll()
        if status is None:
            # Somebody has to hear that it ended, or it would stay as a name without a process.
            threading.Thread(target=process.wait, name="job ended", daemon=True).start()
        elif status and not begun():
            told.seek(0)
            raise _refused(told.read().decode("utf-8", "replace"), status=status)


def _refused(text: str, *, status: int) -> InvalidJob:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = next((one for one in lines if one.startswith(_ERROR)), lines[-1] if lines else "")
    hint = next((one for one in lines if one.startswith(_HINT)), "")
    message = said.removeprefix(_ERROR).strip() or f"its process ended with status {status}"
    return InvalidJob(message, hint=hint.removeprefix(_HINT).strip() or "brinery job list")
