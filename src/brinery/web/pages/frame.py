"""What every page stands in: the templates, what all of them are given, and the headers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from brinery.charts.page import plain
from brinery.charts.words import ago, duration, size
from brinery.errors import BrineryError
from brinery.records.decision import gate_called
from brinery.records.figure import Figure
from brinery.web.pages import tokens
from brinery.web.pages.assets import Assets
from brinery.web.problems import problem_of

# What is on top of every page: the first part of its path, and its name.
SECTIONS: Final = (
    ("models", "Models"),
    ("experiments", "Experiments"),
    ("jobs", "Jobs"),
    ("flow", "Flow"),
    ("endpoints", "Endpoints"),
    ("loops", "Loops"),
    ("settings", "Settings"),
)
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
        "object-src 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_PARTIAL: Final = "hx-request"


@dataclass(frozen=True, kw_only=True)
class Crumb:
    """A place above a page.

    Attributes:
        title: of it.
        href: its path.
    """

    title: str
    href: str


class Frame:
    """Renders pages and parts of them.

    Args:
        secret: that the tokens of forms are made with.
        place: what the workspace is called on top of a page.
        since: gives what a page is to say when it listens for what changes.
    """

    def __init__(self, *, secret: bytes, place: str, since: Callable[[], str]) -> None:
        self.assets = Assets()
        self._secret = secret
        self._environment = Environment(
            loader=ChoiceLoader(
                [
                    PackageLoader("brinery.web", "templates"),
                    PackageLoader("brinery.charts", "assets"),
                ]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=self.assets.url,
            all_sections=SECTIONS,
            place=place,
            figures=figures,
            made_at=since,
        )
        self._environment.filters.update(
            ago=ago, size=size, duration=duration, clock=clock, gate=gate_called
        )

    def page(
        self,
        request: Request,
        template: str,
        *,
        title: str,
        section: str = "",
        command: str = "",
        crumbs: tuple[Crumb, ...] = (),
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> Response:
        """Return a whole page.

        Args:
            request: that asks for it.
            template: its file.
            title: of the page.
            section: of `SECTIONS` that it belongs to.
            command: what says or does the same on the command line.
            crumbs: the places above it.
            status: of the answer.
            values: what its template shows.
        """
        session = tokens.session_of(request)
        text = self._environment.get_template(template).render(
            request=request,
            title=title,
            section=section,
            command=command,
            crumbs=crumbs,
            token=tokens.token(self._secret, session),
            **values,
        )
        answer = HTMLResponse(text, status_code=status, headers=HEADERS)
        tokens.keep(answer, request, session=session)
        return answer

    def part(
        self,
        request: Request,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> Response:
        """Return a part of a page, which is put into one that is open."""
        token = tokens.token(self._secret, tokens.session_of(request))
        text = self._environment.get_template(template).render(
            request=request, token=token, **values
        )
        return HTMLResponse(text, status_code=status, headers=HEADERS)

    def refusal(self, request: Request, error: BrineryError) -> Response:
        """Return what is said where an action refused: as the command line says it."""
        return self.told(request, problem_of(error).status, message=error.message, hint=error.hint)

    def told(
        self, request: Request, status: HTTPStatus, *, message: str, hint: str = ""
    ) -> Response:
        """Return a page, or what stands in the part of one, that says why there is no other."""
        if is_partial(request):
            return self.part(request, "refusal.html", status=status, message=message, hint=hint)
        return self.page(
            request, "error.html", title=status.phrase, status=status, message=message, hint=hint
        )

    def missing(self, request: Request) -> Response:
        """Return what is said where there is no such page."""
        status = HTTPStatus.NOT_FOUND
        return self.told(request, status, message=status.description)

    async def form(self, request: Request) -> dict[str, str]:
        """Return the fields of a form of our own page; of a field told twice, the last.

        Raises:
            Problem: 403 where another page's may have sent it, 413 where it is large.
        """
        return await tokens.form(request, self._secret)

    def check(self, request: Request, *, told: str = "") -> None:
        """Check that a request comes from a page of ours.

        Args:
            request: of a script, which has the token in a header, or of a form.
            told: the token of the form.

        Raises:
            Problem: 403 where it does not bring the page's token.
        """
        tokens.check(request, self._secret, told=told or request.headers.get(tokens.HEADER, ""))


def is_partial(request: Request) -> bool:
    """Return whether htmx asks for a part of a page, rather than a browser for the page."""
    return _PARTIAL in request.headers and "hx-boosted" not in request.headers


def moved(path: str) -> Response:
    """Return the answer to a form that was followed: where to look now."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER, headers={"cache-control": "no-store"})


def figures(drawn: tuple[Figure, ...] | list[Figure]) -> Markup:
    """Return charts as JSON that stands in a page; what ends a script must not be in one."""
    text = msgspec.json.encode([plain(one) for one in drawn]).decode()
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - `<` is written as its escape


def clock(at: datetime) -> str:
    """Return a time for people, in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
