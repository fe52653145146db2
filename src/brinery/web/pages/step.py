"""What a job's page says of the step that is selected: its inputs, outputs, log and environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from brinery.actions.asset_rooms import AssetRooms, open_asset_rooms
from brinery.actions.jobs import explained
from brinery.actions.rooms import Rooms
from brinery.actions.step_details import (
    ARTIFACTS,
    StepDetails,
    file_preview,
    log_part,
    step_details,
    told,
)
from brinery.charts.job import feeders, look_of_step
from brinery.charts.words import duration, size
from brinery.records.job import JobRun
from brinery.records.log_part import LogLine, LogPart
from brinery.records.plan import Data, Produced, Text
from brinery.web.pages.files import SANDBOXED, sent
from brinery.web.pages.frame import Frame, clock
from brinery.web.pages.jobs import job_path, kind_of
from brinery.web.pages.tokens import url

_TABS: Final = (
    ("overview", "Overview"),
    ("log", "Log"),
    ("inputs", "Inputs"),
    ("outputs", "Outputs"),
    ("environment", "Environment"),
)
_CLOCK: Final = slice(11, 23)


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of what a step said and left."""
    del frame
    step = StepFiles(rooms)
    return [
        Route("/jobs/{name}/log", step.log),
        Route("/jobs/{name}/log.txt", step.whole_log),
        Route("/jobs/{name}/file", step.file),
    ]


@dataclass(frozen=True, kw_only=True)
class Port:
    """An input or an output of a step.

    Attributes:
        name: of it.
        text: what was given, or where it lies.
        kind: of data; `parameter` for a value.
        href: where it comes from, or what shows it.
        detail: how large it is.
    """

    name: str
    text: str
    kind: str
    href: str = ""
    detail: str = ""


class StepFiles:
    """Answers with parts of logs, and with files.

    Args:
        rooms: of the workspace.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._root = rooms.workspace.root

    @cached_property
    def _rooms(self) -> AssetRooms:
        return open_asset_rooms(self._root)

    def log(self, request: Request) -> Response:
        """Answer with the lines of a log that follow a byte of it, or stand before one."""
        query = request.query_params
        details = self._details(request)
        part = log_part(
            details,
            trial=query.get("trial", ""),
            before=_byte(query.get("before")),
            after=_byte(query.get("after")),
        )
        lines = [{"at": shown_time(one), "text": one.text} for one in part.lines]
        over = details.run.status.over or details.job.status.over
        return JSONResponse(
            {"lines": lines, "start": part.start, "end": part.end, "over": over},
            headers=SANDBOXED,
        )

    def whole_log(self, request: Request) -> Response:
        """Answer with a whole log, as a file to keep."""
        details = self._details(request)
        place = details.log(request.query_params.get("trial", ""))
        if not place.is_file():
            return Response(status_code=404, headers=SANDBOXED)
        return FileResponse(
            place,
            media_type="text/plain; charset=utf-8",
            filename=f"{details.job.name}-{details.run.name}.txt",
            headers=SANDBOXED,
        )

    def file(self, request: Request) -> Response:
        """Answer with a file that a step left: to keep, or an image to be seen."""
        query = request.query_params
        place = self._details(request).place(query.get("output", ""), query.get("path", ""))
        return sent(place, seen="seen" in query)

    def _details(self, request: Request) -> StepDetails:
        name = request.path_params["name"]
        return step_details(self._rooms, name, step=request.query_params.get("step", ""))


def panel(rooms: AssetRooms, job: JobRun, *, name: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what a page says of a step.

    Args:
        rooms: of the workspace.
        job: of the step.
        name: of the step.
        query: of the page: `tab`, `trial`, `output`, `path`, `find`, `before`.

    Raises:
        NotFound: the job has no such step.
    """
    details = step_details(rooms, job.name, step=name)
    run, step, used = details.run, details.step, details.run.usage
    known = [one for one, _ in _TABS]
    tab = query.get("tab", "")
    tab = tab if tab in known else "overview"
    look = look_of_step(run)
    path = job_path(job.name)
    kept = {key: query.get(key, "") for key in ("view", "open", "shut")}
    base = {**kept, "step": name}
    facts = [
        ("Why", explained(run)),
        ("Started", f"{clock(run.started)} UTC" if run.started else ""),
        ("Ended", f"{clock(run.ended)} UTC" if run.ended else ""),
        ("Took", duration(used.wall_s) if used else ""),
        ("Processor time", duration(used.cpu_s) if used else ""),
        ("Peak memory", size(used.peak_bytes) if used else ""),
        ("Attempts", str(run.attempts) if run.attempts > 1 else ""),
        ("Exit status", str(run.exit_status) if run.exit_status is not None else ""),
        ("Kind", str(step.kind)),
        ("Component", step.component),
        ("Declared at", step.place),
        ("MLflow run", run.run_id),
    ]
    return {
        "name": name,
        "shown": step.display_name or name,
        "state": f"{look.sign} {run.status}",
        "kind": kind_of(look.state),
        "reused": run.reused,
        "tab": tab,
        "tabs": [(url(path, {**base, "tab": one}), title, one == tab) for one, title in _TABS],
        "facts": [(title, text) for title, text in facts if text],
        "command": step.command,
        "inputs": _inputs(path, kept, details),
        "outputs": _outputs(path, base, details),
        "feeders": sorted({(one, _step_url(path, kept, one)) for one, _ in feeders(step)}),
        "software": _software(details),
        "variables": sorted(step.variables.items()),
        "files": _files(path, base, details, query=query) if tab == "outputs" else None,
        "log": _log(path, base, details, query=query) if tab == "log" else None,
        "cli": f"brinery job logs {job.name} {name}",
    }


def _inputs(path: str, kept: Mapping[str, str], details: StepDetails) -> list[Port]:
    found = []
    for name, value in details.step.inputs.items():
        kind = "parameter" if isinstance(value, Text) else str(details.step.types.get(name, "data"))
        href = _step_url(path, kept, value.step) if isinstance(value, Produced) else ""
        detail = value.mode if isinstance(value, Data) else ""
        found.append(Port(name=name, text=told(value), kind=kind, href=href, detail=detail))
    return found


def _outputs(path: str, base: Mapping[str, str], details: StepDetails) -> list[Port]:
    found = []
    for name in details.outputs:
        made = details.run.outputs.get(name)
        planned = details.step.outputs.get(name)
        text = "what it left in ./outputs and ./logs" if made is None else made.path
        detail = "" if made is None else f"{size(made.size_bytes)}, {made.files:,} files"
        found.append(
            Port(
                name=name,
                text=text,
                kind=str(planned.type) if planned is not None else ARTIFACTS,
                href=url(path, {**base, "tab": "outputs", "output": name}),
                detail=detail,
            )
        )
    return found


def _files(
    path: str, base: Mapping[str, str], details: StepDetails, *, query: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return what is shown of the output that is selected; the first, where none is."""
    names = details.outputs
    output = query.get("output", "") or (names[0] if names else "")
    if not output:
        return None
    inside = query.get("path", "")
    page = {**base, "tab": "outputs", "output": output}
    file = f"{path}/file"
    return {
        "output": output,
        "path": inside,
        "preview": file_preview(details, output, path=inside),
        "crumbs": crumbs(inside, lambda one: url(path, {**page, "path": one})),
        "href": lambda one: url(path, {**page, "path": one}),
        "file": lambda one: url(file, {"step": base["step"], "output": output, "path": one}),
    }


def crumbs(path: str, href: Any) -> list[tuple[str, str]]:
    """Return each folder above a path, and it itself: its name, and where it is shown."""
    parts = [part for part in path.split("/") if part]
    return [(part, href("/".join(parts[: at + 1]))) for at, part in enumerate(parts)]


def _log(
    path: str, base: Mapping[str, str], details: StepDetails, *, query: Mapping[str, str]
) -> dict[str, Any]:
    trial, find = query.get("trial", ""), query.get("find", "")
    part: LogPart = log_part(details, trial=trial, find=find)
    told_by = {"step": base["step"], "trial": trial}
    return {
        "lines": [(shown_time(one), one.text) for one in part.lines],
        "part": part,
        "find": find,
        "trial": trial,
        "more": url(f"{path}/log", told_by),
        "whole": url(f"{path}/log.txt", told_by),
        "live": not (details.run.status.over or details.job.status.over) and not find,
        "hidden": {**base, "tab": "log", "trial": trial},
        "action": path,
        "all": url(path, {**base, "tab": "log", "trial": trial}),
    }


def shown_time(line: LogLine) -> str:
    """Return when a line was written, to the millisecond of the day."""
    return line.at[_CLOCK] if len(line.at) >= _CLOCK.stop else ""


def _software(details: StepDetails) -> Sequence[tuple[str, str]]:
    software, found = details.step.software, details.run.parts
    told_by = [
        ("Registered as", software.reference),
        ("Image", software.image),
        *((part.name, part.value) for part in found if part.name.startswith("environment")),
        ("Conda file", software.conda),
        ("Dockerfile", software.dockerfile),
    ]
    return [(title, text) for title, text in told_by if text]


def _step_url(path: str, kept: Mapping[str, str], step: str) -> str:
    return url(path, {**kept, "step": step})


def _byte(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None  # noqa: PLR2004 - no file is larger
