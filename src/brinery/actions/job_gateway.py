"""The gateway behind the `dataiku` of a job's script, and how a script's Python is told of it.

This is on the way of every step, so that it imports nothing that takes time before one asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from sys import executable
from typing import Any, Final

import msgspec
from msgspec import Struct

from brinery.errors import StoreFault
from brinery.records.flow import Activity, RecipeCall
from brinery.records.job import JobRun
from brinery.records.plan import Step
from brinery.records.ready import decoded
from brinery.store.workspace import Workspace

# The folder that goes on the path of a script: `dataiku`, `dataikuapi` and what they stand on.
MODULES: Final = Path(__file__).parent.parent / "shims"
VARIABLE: Final = "BRINERY_SHIMS"
# A front door of its own, which reads a `GatewayTask` of `actions.gateway` as a line of JSON.
_PROGRAM: Final = (executable, "-m", "brinery.web.gateway")
_PATH_FILE: Final = "_brinery_shims.pth"


class Told(Struct, frozen=True, kw_only=True):
    """The fields of `actions.gateway.GatewayTask`, which takes long to import."""

    workspace: str
    fd: str = "{fd}"
    notes: str = "{notes}"
    project: str = ""
    job: str = ""
    script: str = ""
    without: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    run_id: str = ""
    tracking_uri: str = ""
    call: RecipeCall | None = None


class JobGateway:
    """The gateways of the job that runs, one for each step; several threads may call it.

    Args:
        workspace: whose data and models are asked about.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def variables(self, step: Step, *, job: str, run: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a script that may ask; nothing answers before it does.

        Args:
            step: that asks for it.
            job: name of the job.
            run: variables of its MLflow run.
        """
        if step.shims is None:
            return {}
        uri = run.get("MLFLOW_TRACKING_URI", "")
        told = Told(
            workspace=str(self._workspace.root),
            project=step.shims.project,
            job=job,
            script=step.place,
            without=step.shims.without,
            inputs=step.shims.inputs,
            outputs=step.shims.outputs,
            run_id=run.get("MLFLOW_RUN_ID", ""),
            tracking_uri=uri,
            call=step.recipe,
        )
        with self._lock:
            if step.name not in self._made:
                self._made[step.name] = listening(told).__enter__()
            place = self._made[step.name].place
        return {
            VARIABLE: said(place, told, mirrors=step.shims.mirrors, libraries=step.shims.libraries)
        }

    def finish(self, step: Step, *, completed: bool) -> Activity | None:
        """Return what a script read and wrote, which is on record now; None where it never asked.

        Args:
            step: that ran it.
            completed: whether it came to its end.

        Raises:
            StoreFault: it could not be written down.
        """
        with self._lock:
            made = self._made.get(step.name)
        if made is None or not made.asked:
            return None
        question = {"method": "runs.end", "arguments": {"completed": completed}}
        told = made.ask(msgspec.json.encode(question))
        answered = decoded(told, _Ended)
        if answered.error is not None:
            raise StoreFault(
                f"what the script read and wrote is not on record: {answered.error['message']}",
                hint=answered.error.get("hint") or "brinery run it again",
            )
        return answered.answer

    def close(self) -> dict[str, dict[str, str]]:
        """End them; return step to the tags of its run, which are what users were told."""
        with self._lock:
            all_made, self._made = self._made, {}
        tags = {}
        for step, made in all_made.items():
            made.__exit__(None, None, None)
            found: dict[str, list[str]] = {}
            for note in made.noted:
                lines = found.setdefault(note["step"], [])
                if note["message"] not in lines:
                    lines.append(note["message"])
            tags[step] = {
                f"brinery.compat.{name}": "; ".join(lines) for name, lines in found.items() if name
            }
        return tags


class _Ended(Struct, frozen=True, kw_only=True):
    """What the gateway answers when it is told that its script ended."""

    answer: Activity | None = None
    error: dict[str, str] | None = None


def listening(told: Told) -> Any:
    """Return a `runners.gateway.Gateway`, which listens while its block runs."""
    make: Callable[..., Any] = import_module("brinery.runners.gateway").Gateway
    return make(_PROGRAM, told=msgspec.json.encode(told).decode())


def said(
    place: str, told: Told, *, mirrors: Mapping[str, str], libraries: tuple[str, ...] = ()
) -> str:
    """Return the value of `BRINERY_SHIMS`: what `brinery_shims.setup` reads."""
    known = {
        "gateway": place,
        "project": told.project,
        "tracking_uri": told.tracking_uri,
        "without": told.without,
        "mirrors": mirrors,
        "libraries": libraries,
    }
    return msgspec.json.encode(known).decode()


def put_on_path(variables: Mapping[str, str], libraries: tuple[str, ...]) -> None:
    """Have the Python of an overlay find our modules before any that are installed.

    A line in a `.pth` file is what each Python of the overlay runs when it starts, and no other
    Python does; the folder of the script still comes before.

    Args:
        variables: of the overlay.
        libraries: absolute folders of modules of the project, which come first.
    """
    folders = [*libraries, str(MODULES)]
    lines = f"import sys; sys.path[0:0] = {folders!r}; import brinery_shims.start\n"
    for packages in Path(variables["VIRTUAL_ENV"]).glob("lib/python*/site-packages"):
        (packages / _PATH_FILE).write_text(lines)


def ended(
    gateway: JobGateway, job: JobRun, *, tag: Callable[[str, Mapping[str, str]], None]
) -> None:
    """End the gateways of a job, and have its steps' runs tagged with what users were told."""
    runs = {step.name: step.run_id for step in job.steps}
    for step, tags in gateway.close().items():
        if tags and runs.get(step):
            tag(runs[step], tags)
