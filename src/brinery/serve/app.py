"""The application: scoring first, then everything that can afford a router."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from brinery.serve import body, paths
from brinery.serve.answered import Answered, Observer
from brinery.serve.bridge import Bridge, Sent
from brinery.serve.door import Door
from brinery.serve.manifest import Manifest, ManifestFile
from brinery.serve.metrics import REFRESH_S, Metrics
from brinery.serve.models import Models
from brinery.serve.problems import Problem
from brinery.serve.request_ids import HEADER, RequestIds
from brinery.serve.rest import rest
from brinery.serve.rsgi import Exchange, Headers, Scope
from brinery.serve.scoring import Scoring

if TYPE_CHECKING:
    from brinery.serve.proxy import Proxy  # what it stands on is needed where there is one

_log = logging.getLogger("brinery.serve")

# How often a process looks whether something else is to be served.
LOOK_S = 0.25


class Application:
    """Sends a prediction straight to its handler, and everything else to the router.

    Args:
        manifest: what is served at first.
        file: where it is replaced; None where it stays.
        metrics: count each answer.
        observers: are told of each answer, too.
        proxy: to what is not answered here; None where there is none.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        file: ManifestFile | None = None,
        metrics: Metrics | None = None,
        observers: Sequence[Observer] = (),
        proxy: Proxy | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._observers: tuple[Observer, ...] = (self._metrics, *observers)
        self._request_ids = RequestIds()
        self._models = Models(manifest, on_batch=self._metrics.batch)
        self._scoring = Scoring(manifest, self._observers, self._request_ids)
        self._proxy = proxy
        self._door = Door("" if proxy is None else proxy.secret)
        self._door.change(manifest.keys)
        self._rest = Bridge(rest(self._models, self._metrics, home=proxy is not None))
        self._refreshing: asyncio.Task[None] | None = None
        self._file = file
        self._looking: asyncio.Task[None] | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to load what is served; the loop does not run yet."""
        self._models.start()
        if self._metrics.shared:
            self._refreshing = loop.create_task(self._refresh())
        if self._file is not None:
            self._looking = loop.create_task(self._look(self._file))

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let everything go; the loop runs no more."""
        loop.run_until_complete(self.close())

    def __rsgi__(self, scope: Scope, exchange: Exchange) -> Awaitable[None]:
        """Return what answers a request when it is awaited."""
        path = scope.path
        route = self._models.routes.get(path)
        if route is None or (self._door.closed and not self._door.admits(scope)):
            return self._answer(scope, exchange)
        return self._scoring(route, scope, exchange, path=path)

    async def close(self) -> None:
        """End what is under way, once it is answered."""
        for task in (self._looking, self._refreshing):
            if task is not None:
                task.cancel()
        await self._models.close()
        if self._proxy is not None:
            await self._proxy.close()
        for observer in self._observers:
            await asyncio.to_thread(observer.close)

    async def _answer(self, scope: Scope, exchange: Exchange) -> None:
        """Answer what no model is asked for."""
        began = time.perf_counter()
        request_id = self._request_ids.of(scope.headers)
        headers = [(HEADER, request_id)]
        try:
            sent = await self._sent(scope, exchange, headers)
        except Problem as problem:
            sent = await _refuse(problem, scope, exchange, headers=headers)
        answered = Answered(
            request_id,
            scope,
            scope.path,
            paths.other(scope.path),
            "",
            sent.status,
            "",
            0,
            0,
            sent.n_bytes,
            time.perf_counter() - began,
        )
        for observer in self._observers:
            observer(answered)

    async def _sent(self, scope: Scope, exchange: Exchange, headers: Headers) -> Sent:
        """Answer by the companion, where the path is its, or by the router.

        Raises:
            Problem: it is not to be answered, or cannot be now.
        """
        if self._door.closed and not self._door.admits(scope):
            return _sent_on(await self._door.turn_away(scope), exchange, headers)
        if self._proxy is None:
            return await self._rest(scope, exchange, headers)
        self._proxy.guard.check(scope, known=self._door.closed)
        if self._proxy.takes(scope.path):
            return await self._proxy(scope, exchange, headers)
        return await self._rest(scope, exchange, headers)

    async def _refresh(self) -> None:
        """Tell the processes beside this one how its models are, again and again."""
        while True:
            self._metrics.refresh(self._models)
            await asyncio.sleep(REFRESH_S)

    async def _look(self, file: ManifestFile) -> None:
        """Serve what the manifest says, as often as it is replaced."""
        told = ""
        while True:
            try:
                manifest = await asyncio.to_thread(file.changed)
                if manifest is not None:
                    self._door.change(manifest.keys)
                    self._models.apply(manifest)
                told = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at again
                if str(error) != told:
                    told = str(error)
                    _log.error("the manifest cannot be read, what is served stays: %s", error)
            await asyncio.sleep(LOOK_S)


def _sent_on(path: str, exchange: Exchange, headers: Headers) -> Sent:
    """Send a browser to another path."""
    told = [("location", path), ("cache-control", "no-store"), *headers]
    exchange.response_empty(HTTPStatus.SEE_OTHER, told)
    return Sent(HTTPStatus.SEE_OTHER, 0)


async def _refuse(problem: Problem, scope: Scope, exchange: Exchange, *, headers: Headers) -> Sent:
    """Send a problem, once the client has sent what it will not hear an answer before."""
    await body.drain(scope.headers, exchange)
    content = problem.body()
    exchange.response_bytes(problem.status, [*problem.headers(), *headers], content)
    return Sent(problem.status, len(content))
