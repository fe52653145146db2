"""The first page: what is in production, what needs attention, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.overview import overview_in
from brinery.actions.rooms import Rooms
from brinery.charts import words
from brinery.charts.overview import rate, sentence
from brinery.records.overview import Concern, InProduction, Need
from brinery.serve.traffic import Watched
from brinery.web.pages import links
from brinery.web.pages.audit import deed_of
from brinery.web.pages.frame import Frame


def routes(rooms: Rooms, frame: Frame, *, watched: Watched) -> list[Route]:
    """Return the routes of the first page."""
    home = Home(rooms, frame, watched=watched)
    return [Route("/", home.page)]


@dataclass(frozen=True, kw_only=True)
class Card:
    """A champion, as the page shows it.

    Attributes:
        one: what is known of it.
        href: its page.
        endpoint: the page of its endpoint.
        metric: what its headline figure is called; empty where it has none.
        figure: that figure.
        interval: of the figure; empty where it has none.
        serving: `answers`, `ready when asked` or why it does not answer.
        served: whether it answers, or would.
        rate: requests per second of the last minute; empty where that is not known.
    """

    one: InProduction
    href: str
    endpoint: str
    metric: str
    figure: str
    interval: str
    serving: str
    served: bool
    rate: str


class Home:
    """Answers for the first page.

    Args:
        rooms: of the workspace.
        frame: of all pages.
        watched: what the server in front counts.
    """

    def __init__(self, rooms: Rooms, frame: Frame, *, watched: Watched) -> None:
        self._rooms = rooms
        self._frame = frame
        self._watched = watched

    def page(self, request: Request) -> Response:
        """Return the page."""
        found = overview_in(self._rooms, served=self._watched.all_served())
        return self._frame.page(
            request,
            "home.html",
            title="Home",
            command="brinery status",
            sentence=sentence(found),
            found=found,
            cards=[self._card(one) for one in found.production],
            needs=[(need, href_of(need)) for need in found.needs],
            news=[deed_of(entry) for entry in found.news],
        )

    def _card(self, one: InProduction) -> Card:
        version = one.version
        evaluation = version.candidate.evaluation if version.candidate else None
        served = self._watched.served(version.name)
        latest = self._watched.latest(version.name).latest
        fault = served.fault if served is not None else None
        loaded = served is not None and served.loaded
        return Card(
            one=one,
            href=links.version(version.reference),
            endpoint=links.endpoint(version.name),
            metric=words.called(one.metric) if one.metric else "",
            figure=words.number(evaluation.metrics[one.metric])
            if evaluation and one.metric
            else "",
            interval=words.between(evaluation.intervals.get(one.metric)) if evaluation else "",
            serving=fault or ("answers" if loaded else "answers when it is asked"),
            served=fault is None,
            rate="" if latest is None else rate(latest.requests_per_s),
        )


def href_of(need: Need) -> str:
    """Return where something that needs attention is seen to."""
    match need.concern:
        case Concern.NOT_SERVED:
            return links.endpoint(need.subject)
        case Concern.ENVIRONMENT:
            return links.model(need.subject)
        case Concern.FAILED_TURN:
            return links.loop(need.subject)
        case Concern.FAILED_JOB:
            return links.job(need.subject)
        case Concern.STOPPED_IMPORT:
            return links.import_(need.subject)
        case Concern.REFUSED | Concern.UNCHECKED:
            return links.version(need.subject) if need.subject else "/models"
        case _:
            assert_never(need.concern)
