"""The application: scoring first, then everything that can afford a router."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence

from brinery.serve import paths
from brinery.serve.answered import Answered, Observer
from brinery.serve.bridge import Bridge
from brinery.serve.manifest import Manifest, ManifestFile
from brinery.serve.metrics import REFRESH_S, Metrics
from brinery.serve.models import Models
from brinery.serve.request_ids import HEADER, RequestIds
from brinery.serve.rest import rest
from brinery.serve.rsgi import Exchange, Scope
from brinery.serve.scoring import Scoring

_log = logging.getLogger("brinery.serve")

# How often a process looks whether something else is to be served.
_LOOK_S = 0.25


class Application:
    """Sends a prediction straight to its handler, and everything else to the router.

    Args:
        manifest: what is served at first.
        file: where it is replaced; None where it stays.
        metrics: count each answer.
        observers: are told of each answer, too.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        file: ManifestFile | None = None,
        metrics: Metrics | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._metrics = metrics or Metrics()
        self._observers: tuple[Observer, ...] = (self._metrics, *observers)
        self._request_ids = RequestIds()
        self._models = Models(manifest, on_batch=self._metrics.batch)
        self._scoring = Scoring(manifest, self._observers, self._request_ids)
        self._rest = Bridge(rest(self._models, self._metrics))
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
        if route is None:
            return self._answer(scope, exchange)
        return self._scoring(route, scope, exchange, path=path)

    async def close(self) -> None:
        """End what is under way, once it is answered."""
        for task in (self._looking, self._refreshing):
            if task is not None:
                task.cancel()
        await self._models.close()
        for observer in self._observers:
            await asyncio.to_thread(observer.close)

    async def _answer(self, scope: Scope, exchange: Exchange) -> None:
        """Answer what no model is asked for."""
        began = time.perf_counter()
        request_id = self._request_ids.of(scope.headers)
        sent = await self._rest(scope, exchange, [(HEADER, request_id)])
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
                    self._models.apply(manifest)
                told = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at again
                if str(error) != told:
                    told = str(error)
                    _log.error("the manifest cannot be read, what is served stays: %s", error)
            await asyncio.sleep(_LOOK_S)
