"""Import: a file is dropped, or a path named; what it asks for is shown; it becomes a version."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from brinery.actions import imports
from brinery.actions.rooms import Rooms
from brinery.errors import BrineryError
from brinery.records.evaluation import PredictionType
from brinery.records.import_asked import ImportAsked, ImportProgress, ImportState
from brinery.records.scan import Finding, ScanReport, Verdict
from brinery.serve.guard import is_loopback
from brinery.serve.problems import Problem
from brinery.web.pages import links, uploads
from brinery.web.pages.frame import Crumb, Frame, is_partial, moved
from brinery.web.problems import problem_of

_CLIENT: Final = "x-brinery-client"
_RECENT: Final = 10
_ENVIRONMENTS: Final = ("current", "auto")
_STEPS: Final = (
    ("scan", "Scan"),
    ("data", "Data"),
    ("environment", "Environment"),
    ("load", "Load"),
    ("check", "Check"),
    ("evaluate", "Evaluate"),
    ("store", "Store"),
    ("parity", "Parity"),
    ("register", "Register"),
    ("report", "Report"),
)
VERDICTS: Final = {
    Verdict.SAFE: ("good", "Safe: it asks for no name that is not known."),
    Verdict.NEEDS_TRUST: ("warning", "It asks for names that need your word."),
    Verdict.DANGEROUS: ("bad", "Dangerous: it asks for what an honest model seldom does."),
    Verdict.MALFORMED: ("bad", "Not to be loaded: it cannot be read as a model."),
}


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of imports."""
    pages = ImportPages(rooms, frame)
    return [
        Route("/import", pages.first, methods=["GET"]),
        Route("/import", pages.named, methods=["POST"]),
        Route("/import/files", pages.sent, methods=["POST"]),
        Route("/import/{key}", pages.page, methods=["GET"]),
        Route("/import/{key}", pages.start, methods=["POST"]),
        Route("/import/{key}/data", pages.data, methods=["POST"]),
        Route("/import/{key}/files", pages.data_sent, methods=["POST"]),
    ]


class ImportPages:
    """Answers for imports.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._rooms = rooms
        self._frame = frame

    def first(self, request: Request) -> Response:
        """Return the page on which an import is begun."""
        return self._first(request)

    async def named(self, request: Request) -> Response:
        """Begin the import of what lies on the server, or in the registry."""
        fields = await self._frame.form(request)
        path = fields.get("path", "").strip()
        try:
            _check_local(request, path)
            asked = await run_in_threadpool(imports.begin, self._rooms, path)
        except (BrineryError, Problem) as error:
            return await run_in_threadpool(self._first, request, path, error)
        return moved(links.import_(asked.key))

    async def sent(self, request: Request) -> Response:
        """Begin the import of a file that is sent as the body of the request, or in a form."""
        if uploads.is_form(request):
            return await self._posted(request, imports.new_key())
        self._frame.check(request)
        called = _called(request)
        key = imports.new_key()
        kept = imports.imports_of(self._rooms)
        return await self._received(request, key, kept.place(key, "model", called=called))

    def page(self, request: Request) -> Response:
        """Return the page of an import; of one that is done, that of its version."""
        found = imports.progress_of(self._rooms, request.path_params["key"])
        if found.state is ImportState.DONE and found.outcome is not None:
            path = links.version(found.outcome.reference)
            if is_partial(request):
                return Response(status_code=HTTPStatus.NO_CONTENT, headers={"hx-redirect": path})
            return moved(path)
        if is_partial(request) and found.state is not ImportState.RUNNING:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"hx-refresh": "true"})
        return self._page(request, found)

    async def data(self, request: Request) -> Response:
        """Take the rows of a file on the server, or of a dataset."""
        fields = await self._frame.form(request)
        key, path = request.path_params["key"], fields.get("path", "").strip()
        try:
            if dataset := fields.get("dataset", ""):
                await run_in_threadpool(imports.choose_dataset, self._rooms, key, name=dataset)
            else:
                _check_local(request, path)
                await run_in_threadpool(imports.choose_data, self._rooms, key, path=path)
        except (BrineryError, Problem) as error:
            return await run_in_threadpool(self._refused, request, error)
        return moved(links.import_(key))

    async def data_sent(self, request: Request) -> Response:
        """Take the rows of a file that is sent as the body of the request, or in a form."""
        if uploads.is_form(request):
            return await self._posted(request, request.path_params["key"], of_model=False)
        self._frame.check(request)
        key, called = request.path_params["key"], _called(request)
        kept = imports.imports_of(self._rooms)
        kept.read(key)
        return await self._received(
            request, key, kept.place(key, "data", called=called), of_model=False
        )

    async def start(self, request: Request) -> Response:
        """Start the import, as the form has it."""
        fields = await self._frame.form(request)
        key = request.path_params["key"]
        wishes = imports.Wishes(
            name=fields.get("name", "").strip(),
            target=fields.get("target", ""),
            type=_chosen(fields.get("type", ""), [one.value for one in PredictionType]),
            trust=tuple(value for field, value in fields.items() if field.startswith("trust-")),
            environment=_chosen(fields.get("environment", ""), _ENVIRONMENTS) or "current",
        )
        try:
            await run_in_threadpool(imports.start, self._rooms, key, wishes=wishes)
        except BrineryError as error:
            return await run_in_threadpool(self._refused, request, error)
        return moved(links.import_(key))

    async def _received(
        self, request: Request, key: str, path: Path, *, of_model: bool = True
    ) -> Response:
        """Write down what is sent, and say where to look next: for our own script."""
        most_mb = self._rooms.settings.up.max_upload_mb
        try:
            await uploads.receive(request, path, most_mb=most_mb)
            await run_in_threadpool(
                self._taken, key, path, called=_called(request), of_model=of_model
            )
        except Problem as problem:
            return _said(problem.status, problem.detail, problem.hint)
        return JSONResponse({"next": links.import_(key)})

    async def _posted(self, request: Request, key: str, *, of_model: bool = True) -> Response:
        """Take the file of a form, as a browser without scripts sends it; say it in a page."""
        kept = imports.imports_of(self._rooms)
        if not of_model:
            kept.read(key)
        try:
            called, path = await uploads.receive_form(
                request,
                check=lambda token: self._frame.check(request, told=token),
                place=lambda name: kept.place(
                    key, "model" if of_model else "data", called=_plain(name)
                ),
                most_mb=self._rooms.settings.up.max_upload_mb,
            )
            await run_in_threadpool(
                self._taken, key, path, called=_plain(called), of_model=of_model
            )
        except Problem as problem:
            if of_model:
                return await run_in_threadpool(self._first, request, "", problem)
            return await run_in_threadpool(self._refused, request, problem)
        return moved(links.import_(key))

    def _taken(self, key: str, path: Path, *, called: str, of_model: bool) -> None:
        """Scan the model that was sent, or look at the rows.

        Raises:
            Problem: what is refused, said without a path of ours.
        """
        try:
            if of_model:
                imports.begin(self._rooms, str(path), key=key, called=called)
            else:
                imports.choose_data(self._rooms, key, path=str(path), called=called)
        except BrineryError as error:
            raise Problem(
                problem_of(error).status,
                error.code,
                error.message.replace(str(path), called),
                hint=error.hint.replace(str(path), called),
            ) from None

    def _first(
        self, request: Request, path: str = "", error: BrineryError | Problem | None = None
    ) -> Response:
        status = HTTPStatus.OK if error is None else _status(error)
        return self._frame.page(
            request,
            "imports.html",
            title="Import a model",
            command="brinery import MODEL --name NAME --data FILE --target COLUMN",
            status=status,
            local=_is_local(request),
            path=path,
            error=_words(error),
            most_mb=self._rooms.settings.up.max_upload_mb,
            recent=imports.imports_of(self._rooms).recent(_RECENT),
        )

    def _refused(self, request: Request, error: BrineryError | Problem) -> Response:
        """Return the page of an import with what was refused."""
        found = imports.progress_of(self._rooms, request.path_params["key"])
        return self._page(request, found, error=error)

    def _page(
        self,
        request: Request,
        found: ImportProgress,
        *,
        error: BrineryError | Problem | None = None,
    ) -> Response:
        asked, scan = found.asked, found.scan
        report = scan.report if scan else None
        return self._frame.page(
            request,
            "import.html",
            title=f"Import {Path(asked.called).name or asked.called}"[:120],
            command=imports.command_of(found, _vouched(asked, report)),
            crumbs=(Crumb(title="Import", href="/import"),),
            status=HTTPStatus.OK if error is None else _status(error),
            found=found,
            asked=asked,
            scan=scan,
            report=report,
            verdict=None if scan is None else VERDICTS[scan.verdict],
            doubtful=_doubtful(report),
            stages=_stages(found),
            local=_is_local(request),
            datasets=imports.dataset_names(self._rooms),
            types=[one.value for one in PredictionType],
            error=_words(error),
            most_mb=self._rooms.settings.up.max_upload_mb,
            ready=bool(asked.data) or (scan is not None and not scan.predicts),
        )


def _stages(found: ImportProgress) -> list[tuple[str, str, list[str]]]:
    """Return the stages of an import: what each is called, how far it is, and what was said."""
    said: dict[str, list[str]] = {}
    warned: set[str] = set()
    for event in found.events:
        if event.progress:
            said[event.step.value] = [*said.get(event.step.value, [])[:-1], event.message]
            continue
        said.setdefault(event.step.value, []).append(event.message)
        if event.warning:
            warned.add(event.step.value)
    reached = [key for key, _ in _STEPS if key in said]
    last = reached[-1] if reached else "scan"
    running = found.state is ImportState.RUNNING
    shown = []
    for key, title in _STEPS:
        if key in said:
            state = "warning" if key in warned else "good"
        elif running and not reached and key == last:
            state = "now"
        else:
            state = "waiting"
        shown.append((title, "now" if running and key == last else state, said.get(key, [])))
    return shown


def _doubtful(report: ScanReport | None) -> list[Finding]:
    """Return the names that are not known safe, the dangerous ones first."""
    if report is None:
        return []
    found = [one for one in report.findings if one.verdict is not Verdict.SAFE]
    return sorted(found, key=lambda one: (one.verdict is not Verdict.DANGEROUS, one.name))


def _vouched(asked: ImportAsked, report: ScanReport | None) -> tuple[str, ...]:
    """Return the names that the command has to vouch for."""
    if asked.trust or report is None:
        return asked.trust
    return report.asked(Verdict.NEEDS_TRUST)


def _called(request: Request) -> str:
    """Return what a file that is sent is called: for people, and no path of ours."""
    return _plain(request.query_params.get("name", ""))


def _plain(name: str) -> str:
    shown = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in shown if letter.isprintable())[:200] or "file"


def _chosen(value: str, choices: tuple[str, ...] | list[str]) -> str:
    return value if value in choices else ""


def _is_local(request: Request) -> bool:
    """Return whether a browser on this machine asks, as the server in front saw it."""
    return is_loopback(request.headers.get(_CLIENT, ""))


def _check_local(request: Request, path: str) -> None:
    """Check that who names a path may read it.

    Raises:
        Problem: 403 where it is a file of the server, and another machine asks.
    """
    if not path.startswith(("runs:/", "models:/")) and not _is_local(request):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "not-local",
            "a path on the server is read for a browser on the server's own machine only",
            hint="send the file, or name a runs:/ or models:/ URI",
        )


def _words(error: BrineryError | Problem | None) -> tuple[str, str]:
    """Return what was refused and what to do about it; empty where nothing was."""
    if error is None:
        return ("", "")
    if isinstance(error, BrineryError):
        return (error.message, error.hint)
    return (error.detail, error.hint)


def _status(error: BrineryError | Problem) -> HTTPStatus:
    return problem_of(error).status if isinstance(error, BrineryError) else error.status


def _said(status: HTTPStatus, message: str, hint: str) -> Response:
    return JSONResponse({"message": message, "hint": hint}, status_code=status)
