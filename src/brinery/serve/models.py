"""The models of a server: which version answers under which path, loaded, kept, replaced.

A version is loaded when it is first asked for, or at once where its model was named. When a model's
alias moves, the new version is loaded and tried beside the old one, and only then answers in its
place; where it cannot be, the old one stays and what was wrong is shown. What is loaded beyond the
memory that may be taken goes, the longest unused first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from brinery.serve import public_api
from brinery.serve.answered import BatchObserver
from brinery.serve.endpoint import Endpoint
from brinery.serve.manifest import Manifest, Offer, PublicEndpoint
from brinery.serve.negotiation import Forms
from brinery.serve.problems import Problem, unavailable, unexpected
from brinery.serve.served import Protocol, Served
from brinery.serve.single import key

_log = logging.getLogger("brinery.serve")

# How soon a version that could not be loaded is tried again.
_AGAIN_S = 5.0

Key = tuple[str, int]


class Slot:
    """What answers under some paths: one version, now this and then another.

    Args:
        models: loads it.
        wanted: which version is meant.
        follows: the alias by which it is; None where the version is.
    """

    def __init__(self, models: Models, wanted: Key, *, follows: str | None) -> None:
        self._models = models
        self._replacing: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self.wanted = wanted
        self.follows = follows
        self.current: Served | None = None
        self.coming: Key | None = None
        self.fault: str | None = None

    async def served(self) -> Served:
        """Return what answers, loaded where it is not.

        Raises:
            Problem: 503 where it cannot be loaded.
        """
        if self.current is None:
            self.coming = self.wanted
            try:
                self.current = await self._models.load(self.wanted)
            finally:
                self.coming = None
            self.want(self.wanted)  # it may have moved meanwhile
        return self.current

    @property
    def key(self) -> Key | None:
        """Return which version answers; None where none is loaded."""
        return None if self.current is None else self.current.key

    def want(self, key: Key) -> None:
        """Have another version answer, once it can."""
        self.wanted = key
        self._moved.set()
        if self.key not in (None, key) and self._replacing is None:
            self._replacing = asyncio.get_running_loop().create_task(self._replace())

    def drop(self) -> None:
        """Answer no more: what was under way to do so is ended."""
        self.current = None
        if self._replacing is not None:
            self._replacing.cancel()

    async def _replace(self) -> None:
        """Bring up what is wanted beside what answers, and let it answer instead."""
        try:
            while self.key not in (None, self.wanted):
                key = self.coming = self.wanted
                self._moved.clear()
                try:
                    served = await self._models.load(key)
                    await served.answerer.check()
                except Exception as error:  # noqa: BLE001 - whatever it is, what answers stays
                    self._failed(key, error)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._moved.wait(), _AGAIN_S)
                    continue
                if key == self.wanted:
                    self._switch(served)
        finally:
            self._replacing = self.coming = None
            self._models.tidy()

    def _switch(self, served: Served) -> None:
        before, self.current, self.fault = self.current, served, None
        if before is not None:
            _log.warning("%s answers in place of %s", _shown(served.key), _shown(before.key))
            self._models.release(before)

    def _failed(self, key: Key, error: Exception) -> None:
        problem = error if isinstance(error, Problem) else unexpected()
        reason = problem.detail
        stays = "" if self.current is None else f"; {_shown(self.current.key)} stays"
        before, self.fault = self.fault, f"{_shown(key)} could not be loaded: {reason}{stays}"
        if self.fault != before:
            _log.error("%s", self.fault)


class Route(NamedTuple):
    """What a path asks for.

    Attributes:
        slot: who answers.
        protocol: in which family of forms.
        forms: of the path alone; None where they are those of the protocol.
        public: the endpoint of an API service that it is; None where it is none.
    """

    slot: Slot
    protocol: Protocol
    forms: Forms | None = None
    public: PublicEndpoint | None = None


class Models:
    """All models of a server.

    Args:
        manifest: what is to be served.
        on_batch: is told of each batch that is scored.
    """

    def __init__(self, manifest: Manifest, *, on_batch: BatchObserver | None = None) -> None:
        self._on_batch = on_batch
        self._offers: dict[Key, Offer] = {}
        self._loaded: dict[Key, Served] = {}
        self._building: dict[Key, asyncio.Task[Served]] = {}
        self._weighing: set[asyncio.Task[None]] = set()
        self._leaving: list[Served] = []
        self._limit_bytes = manifest.memory_limit_bytes
        self.targets: dict[str, Slot] = {}
        self._others: dict[str, Slot] = {}
        self.routes: dict[str, Route] = {}
        self._set(manifest)
        for target in manifest.targets:
            offer = self._offers.get((target.name, target.number))
            if target.eager and offer is not None and offer.endpoint is not None:
                served = self._kept(Served(offer.endpoint, self._on_batch))
                self.targets[target.name].current = served

    def start(self) -> None:
        """Begin to load what is not to be waited for."""
        for slot in self.targets.values():
            if slot.current is not None:
                slot.current.answerer.load_soon()

    def apply(self, manifest: Manifest) -> None:
        """Serve what a new manifest says."""
        self._set(manifest)
        for target in manifest.targets:
            self.targets[target.name].want((target.name, target.number))
        self.tidy()

    @property
    def single(self) -> Slot | None:
        """Return the slot of the only model; None where there are several."""
        return next(iter(self.targets.values())) if len(self.targets) == 1 else None

    def offers(self, name: str) -> list[Offer]:
        """Return the versions of a model, the newest first."""
        found = [offer for key, offer in self._offers.items() if key[0] == name]
        return sorted(found, key=lambda offer: -offer.number)

    def endpoint_of(self, slot: Slot) -> Endpoint | None:
        """Return how a slot is served, loaded or not; None where it cannot be."""
        if slot.current is not None:
            return slot.current.endpoint
        offer = self._offers.get(slot.wanted)
        return None if offer is None else offer.endpoint

    def listed(self) -> list[dict[str, object]]:
        """Return what there is, for people and programs."""
        return [
            {
                "name": name,
                "version": slot.wanted[1] if slot.current is None else slot.current.key[1],
                "follows": slot.follows,
                "loaded": slot.current is not None,
                "fault": slot.fault or self._unserved(slot),
                "versions": [offer.number for offer in self.offers(name)],
            }
            for name, slot in self.targets.items()
        ]

    def _unserved(self, slot: Slot) -> str | None:
        """Return why what a slot stands for can never answer; None where it answers, or may."""
        offer = self._offers.get(slot.wanted)
        if slot.current is not None or offer is None or offer.endpoint is not None:
            return None
        return offer.fault

    def loaded(self) -> list[Served]:
        """Return what is loaded."""
        return list(self._loaded.values())

    async def load(self, key: Key) -> Served:
        """Return a version, built where it is not loaded.

        Raises:
            Problem: 503 where it cannot be served.
        """
        served = self._loaded.get(key)
        if served is not None:
            return served
        building = self._building.get(key)
        if building is None:
            building = asyncio.get_running_loop().create_task(self._build(key))
            self._building[key] = building
        return await asyncio.shield(building)

    async def _build(self, key: Key) -> Served:
        try:
            offer = self._offers.get(key)
            if offer is None or offer.endpoint is None:
                fault = "it is not there" if offer is None else offer.fault
                raise unavailable("model-not-loaded", f"{_shown(key)} cannot be served: {fault}")
            served = self._kept(await asyncio.to_thread(Served, offer.endpoint, self._on_batch))
            served.answerer.load_soon()
            self._make_room(served)
            weighing = asyncio.get_running_loop().create_task(self._weigh(served))
            self._weighing.add(weighing)
            weighing.add_done_callback(self._weighing.discard)
            return served
        finally:
            del self._building[key]

    def release(self, served: Served) -> None:
        """Let a version go that no path needs any more."""
        if any(served.key in (slot.key, slot.coming) for slot in self._slots()):
            return
        if self._loaded.get(served.key) is served:
            del self._loaded[served.key]
        self._leaving = [one for one in self._leaving if not one.closed]
        self._leaving.append(served)
        served.retire()

    def tidy(self) -> None:
        """Let every version go that no path needs."""
        for served in self.loaded():
            self.release(served)

    async def close(self) -> None:
        """Let everything go, what is under way answered."""
        for slot in self._slots():
            slot.drop()
        for task in (*self._building.values(), *self._weighing):
            task.cancel()
        await asyncio.gather(*(served.close() for served in (*self.loaded(), *self._leaving)))

    def _kept(self, served: Served) -> Served:
        self._loaded[served.key] = served
        return served

    async def _weigh(self, newest: Served) -> None:
        """Make room again when a version has taken what it takes."""
        with suppress(Problem):
            await newest.answerer.warm()
        self._make_room(newest)

    def _make_room(self, newest: Served) -> None:
        """Let go what was longest unused until the rest fits."""
        if self._limit_bytes is None:
            return
        others = sorted(self._loaded.values(), key=lambda served: served.used)
        total = sum(served.memory_bytes() for served in others)
        for served in others:
            if total <= self._limit_bytes:
                return
            if served is not newest:
                total -= served.memory_bytes()
                for slot in self._slots():
                    if slot.current is served:
                        slot.current = None
                self.release(served)

    def _slots(self) -> Iterator[Slot]:
        yield from self.targets.values()
        yield from self._others.values()

    def _set(self, manifest: Manifest) -> None:
        """Take over what a manifest says of paths."""
        self._offers = {(offer.name, offer.number): offer for offer in manifest.offers}
        before, self.targets = self.targets, {}
        others, self._others = self._others, {}
        routes: dict[str, Route] = {}
        for target in manifest.targets:
            slot = before.get(target.name)
            if slot is None:
                slot = Slot(self, (target.name, target.number), follows=target.follows)
            self.targets[target.name] = slot
            routes[f"/v1/models/{target.name}/predict"] = Route(slot, Protocol.OWN)
            routes[f"/invocations/{target.name}"] = Route(slot, Protocol.MLFLOW)
            routes[f"/v2/models/{target.name}/infer"] = Route(slot, Protocol.OPEN)
        if self.single is not None:
            routes["/invocations"] = Route(self.single, Protocol.MLFLOW)
            endpoint = self.endpoint_of(self.single)
            if endpoint is not None:
                routes[f"/{key(endpoint)}"] = Route(self.single, Protocol.SINGLE)
        for offer in manifest.offers:
            version = (offer.name, offer.number)
            for selector, alias in _selectors(offer):
                path = f"{offer.name}/{selector}"
                slot = others.get(path)
                if slot is None:
                    slot = Slot(self, version, follows=alias)
                self._others[path] = slot
                slot.want(version)
                routes[f"/v1/models/{path}/predict"] = Route(slot, Protocol.OWN)
                routes[f"/v2/models/{path}/infer"] = Route(slot, Protocol.OPEN)
        routes.update(self._public_routes(manifest))
        self.routes = routes
        for gone in before.keys() - self.targets.keys():
            before[gone].drop()
        for gone in others.keys() - self._others.keys():
            others[gone].drop()

    def _public_routes(self, manifest: Manifest) -> Iterator[tuple[str, Route]]:
        """Yield the paths of API services, each with the version that it names."""
        for one in manifest.public:
            offer = self._offers.get((one.name, one.number))
            slot = self._others.get(f"{one.name}/versions/{one.number}")
            if offer is None or offer.endpoint is None or slot is None:
                continue
            place = f"{public_api.PREFIX}/{one.service}/{one.endpoint}"
            for verb, many in (("predict", False), ("predict-multi", True)):
                forms = public_api.family(one, offer.endpoint, many=many)
                yield f"{place}/{verb}", Route(slot, Protocol.OWN, forms, one)


def _selectors(offer: Offer) -> list[tuple[str, str | None]]:
    """Return how a version is asked for by itself, and by which alias."""
    return [
        (f"versions/{offer.number}", None),
        *((f"aliases/{alias}", alias) for alias in offer.aliases),
    ]


def _shown(key: Key) -> str:
    return f"{key[0]}@{key[1]}"
