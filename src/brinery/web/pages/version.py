"""A version: how good it is, why, where, what it takes, where it comes from, how it was checked."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, assert_never
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from brinery.actions.appraised import Appraised
from brinery.actions.outline import outline_in, rollback_choices, version_in
from brinery.actions.rooms import Rooms
from brinery.actions.what_if import WhatIf
from brinery.charts import report
from brinery.charts.page import Section
from brinery.charts.summary import summarise
from brinery.records.appraisal import Appraisal
from brinery.records.version import Alias, Version
from brinery.web.pages import checks, cuts, lineage, populations, single_rows, supposing
from brinery.web.pages.frame import Crumb, Frame, figures
from brinery.web.pages.models import MODELS, path_of

# A file of a model is never shown as a page of ours, whatever it says it is.
_AS_BYTES: Final = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_PATH: Final = "/models/{name}/versions/{number:int}"


class Tab(StrEnum):
    """What is shown of a version, as URLs have it."""

    QUALITY = "quality"
    REASONS = "reasons"
    GROUPS = "groups"
    ROWS = "rows"
    WHAT_IF = "whatif"
    SIGNATURE = "signature"
    LINEAGE = "lineage"
    ENVIRONMENT = "environment"
    TRUST = "trust"
    FILES = "files"

    @property
    def label(self) -> str:
        """Return what it is called."""
        match self:
            case Tab.WHAT_IF:
                return "What if"
            case Tab.TRUST:
                return "Scan and trust"
            case Tab.ROWS:
                return "Single rows"
            case (
                Tab.QUALITY
                | Tab.REASONS
                | Tab.GROUPS
                | Tab.SIGNATURE
                | Tab.LINEAGE
                | Tab.ENVIRONMENT
                | Tab.FILES
            ):
                return self.value.capitalize()
            case _:
                assert_never(self)

    @property
    def template(self) -> str:
        """Return the file that shows it."""
        return f"version_{self.value}.html"


# Those that show what an evaluation found.
_APPRAISED: Final = frozenset({Tab.QUALITY, Tab.REASONS, Tab.GROUPS, Tab.ROWS})


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of versions."""
    versions = Versions(rooms, frame)
    asking = supposing.Supposing(rooms, frame, WhatIf(rooms))
    return [
        Route(_PATH, versions.page),
        Route(f"{_PATH}/files/{{file:path}}", versions.file),
        Route(f"{_PATH}/whatif", asking.answer, methods=["POST"]),
    ]


class Versions:
    """Answers for versions.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._rooms = rooms
        self._frame = frame
        self._appraised = Appraised(rooms)

    def page(self, request: Request) -> Response:
        """Return one tab of a version."""
        name, number = request.path_params["name"], request.path_params["number"]
        version = version_in(self._rooms, name, number=number)
        tab = _tab(request, version)
        appraisal = None
        if version.candidate is not None and tab in _APPRAISED:
            appraisal = self._appraised.newest(version)
        values = self._shown(request, version, tab=tab, appraisal=appraisal)
        if isinstance(values, Response):
            return values
        outline = outline_in(self._rooms, name)
        is_champion = Alias.CHAMPION.value in version.aliases
        return self._frame.page(
            request,
            tab.template if version.candidate is not None else "version_unchecked.html",
            title=version.reference,
            section="models",
            command=_command(version, tab, evaluated=appraisal is not None),
            crumbs=(MODELS, Crumb(title=version.name, href=path_of(version.name))),
            version=version,
            candidate=version.candidate,
            champion=outline.champion,
            is_champion=is_champion,
            goes_back=is_champion and bool(rollback_choices(self._rooms, outline)),
            path=path_of(version.name, version.number),
            model_path=path_of(version.name),
            report=f"/api/v1/models/{quote(version.name)}/versions/{version.number}/report",
            tab=tab,
            tabs=tuple(Tab),
            appraisal=appraisal,
            **values,
        )

    def file(self, request: Request) -> Response:
        """Return a file of a version's model, to be kept and not to be looked at."""
        name, number = request.path_params["name"], request.path_params["number"]
        version = version_in(self._rooms, name, number=number)
        file = request.path_params["file"]
        found = self._rooms.registry.file(version, file)
        if found is None or not found.is_file():
            raise HTTPException(404)
        return FileResponse(
            found,
            media_type="application/octet-stream",
            filename=file.rpartition("/")[2],
            headers=_AS_BYTES,
        )

    def _shown(
        self, request: Request, version: Version, *, tab: Tab, appraisal: Appraisal | None
    ) -> dict[str, Any] | Response:
        """Return what a tab shows; or its table as a file."""
        if appraisal is not None:
            return self._found(request, version, tab=tab, appraisal=appraisal)
        match tab:
            case Tab.WHAT_IF:
                return supposing.shown(self._rooms, version)
            case Tab.LINEAGE:
                return lineage.shown(self._rooms, version)
            case Tab.TRUST:
                return {"checks": checks.of_version(version)}
            case Tab.FILES:
                return {"files": self._rooms.registry.files(version)}
            case _:
                return {}

    def _found(
        self, request: Request, version: Version, *, tab: Tab, appraisal: Appraisal
    ) -> dict[str, Any] | Response:
        """Return what a tab shows of an evaluation."""
        match tab:
            case Tab.GROUPS:
                return populations.shown(request, appraisal)
            case Tab.ROWS:
                return single_rows.shown(request, appraisal)
            case Tab.REASONS:
                return self._section(version, "reasons")
            case _:
                return self._quality(request, version)

    def _quality(self, request: Request, version: Version) -> dict[str, Any]:
        return {
            **self._section(version, "quality"),
            "summary": self._appraised.made(version, "summary", make=summarise),
            "doubts": self._appraised.made(version, "doubts", make=report.doubts),
            "asserted": self._appraised.made(version, "asserted", make=report.asserted),
            "slider": cuts.slider(request, self._appraised.made(version, "cuts", make=cuts.told)),
        }

    def _section(self, version: Version, name: str) -> dict[str, Any]:
        """Return a section of the report, and its charts as a page carries them."""
        make = report.quality if name == "quality" else report.reasons
        section: Section = self._appraised.made(version, name, make=make)
        drawn = self._appraised.made(
            version, f"{name} drawn", make=lambda _: figures(section.figures)
        )
        return {"part": section, "drawn": drawn}


def _tab(request: Request, version: Version) -> Tab:
    """Return which tab is asked for: how good it is, where that is known and nothing is said."""
    asked = request.query_params.get("tab", "")
    if asked in {one.value for one in Tab}:
        return Tab(asked)
    candidate = version.candidate
    unasked = candidate is not None and candidate.description.unscored is not None
    return Tab.SIGNATURE if unasked else Tab.QUALITY


def _command(version: Version, tab: Tab, *, evaluated: bool) -> str:
    """Return what shows the same on the command line."""
    reference = version.reference
    if tab in _APPRAISED:
        if not evaluated:
            return f"brinery evaluate {reference} --data FILE"
        return f"brinery report {reference} --output report.html"
    if tab is Tab.WHAT_IF:
        return f"brinery predict {reference} --data FILE"
    return f"brinery model show {reference}"
