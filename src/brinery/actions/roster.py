"""What a server serves, as the registry has it now: asked again and again while it runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec

from brinery.actions.published_services import published
from brinery.actions.rooms import Rooms
from brinery.actions.seat import seat_of
from brinery.errors import BrineryError, InvalidReference, NotFound
from brinery.records.version import Alias, Version
from brinery.registry.interface import SAMPLE_FILE, SCORER_FILE, askable, resolve
from brinery.serve.endpoint import Endpoint
from brinery.serve.manifest import Manifest, Offer, PublicEndpoint, Target
from brinery.specs.reference import LATEST, Reference
from brinery.store.environments import Environments

_log = logging.getLogger("brinery")

Outline = Mapping[int, tuple[str, ...]]


class Roster:
    """Says what is to be served.

    A name alone follows its champion. Where there is none the newest version is served, and stays
    until there is a champion: what was never promoted replaces nothing by itself.

    Args:
        rooms: with the registry.
        asked: the versions to serve.
        every: whether all models of the registry are served, in place of them.
        memory_limit_gb: what loaded models may take in a process; as the settings say when None.
        may_be_none: whether there need be no model yet.

    Raises:
        InvalidReference: a model is asked for twice, or none is and not all are.
    """

    def __init__(
        self,
        rooms: Rooms,
        asked: Sequence[Reference],
        *,
        every: bool = False,
        memory_limit_gb: float | None = None,
        may_be_none: bool = False,
    ) -> None:
        if bool(asked) == every:
            raise InvalidReference(
                "either models are named, or all of them are served",
                hint="brinery serve NAME, or brinery serve --all",
            )
        self._rooms = rooms
        self._asked = {reference.name: reference for reference in asked}
        if len(self._asked) < len(asked):
            raise _twice(asked)
        self._every = every
        self._may_be_none = may_be_none
        limit_gb = memory_limit_gb or rooms.settings.serve.memory_limit_gb
        self._limit_bytes = None if limit_gb is None else int(limit_gb * 1e9)
        self._offers: dict[tuple[str, int], Offer] = {}
        self._outlines: dict[str, Outline] = {}
        self._targets: dict[str, int] = {}
        self._public: tuple[PublicEndpoint, ...] = ()

    def first(self) -> Manifest:
        """Return what is to be served when the server starts.

        Raises:
            NotFound: there is no such model, version or alias, or nothing at all.
            NotServable: it was not imported by Brinery, or cannot be asked for predictions.
            EnvironmentUnavailable: its environment cannot be built here and now.
        """
        references = self._references()
        if not references and not self._may_be_none:
            raise NotFound(
                "there is no model to serve", hint="brinery import MODEL --name NAME --data FILE"
            )
        registry = self._rooms.registry
        for reference in references:
            version = resolve(registry, reference)
            if not self._every:
                key = (version.name, version.number)
                self._offers[key] = _offered(version, endpoint_of(self._rooms, version))
            self._targets[reference.name] = version.number
            self._outlines[reference.name] = registry.outline(reference.name)
        return self._manifest(references, self._outlines)

    def changed(self) -> Manifest | None:
        """Return what is to be served now, where that is something else than before."""
        references = self._references()
        registry = self._rooms.registry
        outlines = {one.name: registry.outline(one.name) for one in references}
        public = published(self._rooms)
        if outlines == self._outlines and public == self._public:
            return None
        for reference in references:
            number = self._number(reference, outlines[reference.name])
            if number is not None:
                self._targets[reference.name] = number
        manifest = self._manifest(references, outlines)
        self._outlines = outlines  # only now: what failed is asked for again
        return manifest

    def _references(self) -> list[Reference]:
        if self._every:
            return [Reference(name) for name in self._rooms.registry.names()]
        return list(self._asked.values())

    def _number(self, reference: Reference, outline: Outline) -> int | None:
        """Return the version that a reference means now; None where what was served stays."""
        before = self._targets.get(reference.name)
        number = meant(reference, outline, before=before)
        if number is None:
            _log.error("%s is there no more; what is served stays", reference)
        return number

    def _manifest(
        self, references: Sequence[Reference], outlines: Mapping[str, Outline]
    ) -> Manifest:
        settings = self._rooms.settings.serve
        targets = [
            Target(
                name=reference.name,
                number=self._targets[reference.name],
                follows=_follows(reference),
                eager=not self._every,
            )
            for reference in references
            if reference.name in self._targets
        ]
        offers = [offer for one in targets for offer in self._all(one, outlines[one.name])]
        there = {(offer.name, offer.number) for offer in offers}
        wanted = {(target.name, target.number) for target in targets}
        # What was deleted since answers on, also in a process that is started now.
        offers += [self._offers[key] for key in sorted(wanted - there) if key in self._offers]
        self._offers = {(offer.name, offer.number): offer for offer in offers}
        self._public = published(self._rooms)
        return Manifest(
            public=self._public,
            targets=tuple(targets),
            offers=tuple(offers),
            max_body_bytes=int(settings.max_body_mb * 1e6),
            body_timeout_s=settings.body_timeout_s,
            memory_limit_bytes=self._limit_bytes,
        )

    def _all(self, target: Target, outline: Outline) -> list[Offer]:
        """Return every version of a model as it can be asked for; new ones are looked up."""
        name = target.name
        known = {number: self._offers.get((name, number)) for number in outline}
        wanted = known.get(target.number)
        if wanted is not None and wanted.endpoint is not None and None not in known.values():
            return [_renamed(offer, outline[number]) for number, offer in known.items() if offer]
        return [
            self._offer(version, wanted=version.number == target.number)
            for version in self._rooms.registry.versions(name)
        ]

    def _offer(self, version: Version, *, wanted: bool) -> Offer:
        """Return a version as it can be asked for; only a target's is set up."""
        known = self._offers.get((version.name, version.number))
        if known is not None and known.endpoint is not None:
            return _renamed(known, version.aliases)
        try:
            if not wanted:
                _check_ready(self._rooms, version)
            return _offered(version, endpoint_of(self._rooms, version))
        except BrineryError as error:
            return _offered(version, None, error.message)


def meant(reference: Reference, outline: Outline, *, before: int | None) -> int | None:
    """Return the version that a reference means; None where it means none.

    Args:
        reference: to a version.
        outline: version number to aliases.
        before: what it meant until now: without a champion, a name alone stays with that.
    """
    if not outline:
        return None
    if reference.version is not None:
        return reference.version if reference.version in outline else None
    if reference.alias == LATEST:
        return max(outline)
    alias = reference.alias or Alias.CHAMPION.value
    found = next((number for number, names in outline.items() if alias in names), None)
    if found is None and reference.alias is None:
        return max(outline) if before is None else before
    return found


def _offered(version: Version, endpoint: Endpoint | None, fault: str = "") -> Offer:
    return Offer(
        name=version.name,
        number=version.number,
        aliases=version.aliases,
        endpoint=endpoint,
        fault=fault,
    )


def _renamed(offer: Offer, aliases: tuple[str, ...]) -> Offer:
    """Return an offer with the aliases that its version has now."""
    if offer.aliases == aliases:
        return offer
    endpoint = offer.endpoint
    if endpoint is not None:
        version = msgspec.structs.replace(endpoint.version, aliases=aliases)
        endpoint = msgspec.structs.replace(endpoint, version=version)
    return msgspec.structs.replace(offer, aliases=aliases, endpoint=endpoint)


def endpoint_of(rooms: Rooms, version: Version) -> Endpoint:
    """Return what a server needs to know of a version, its environment built where it is gone.

    Raises:
        NotServable: it was not imported by Brinery, or cannot be asked for predictions.
        EnvironmentUnavailable: its environment cannot be built here and now.
    """
    settings, registry = rooms.settings.serve, rooms.registry
    candidate = askable(version)
    seat = seat_of(rooms, version)
    scorer, sample = (
        registry.kept_file(version, SCORER_FILE),
        registry.kept_file(version, SAMPLE_FILE),
    )
    code = registry.code_folder(version)
    return Endpoint(
        version=version,
        candidate=candidate,
        model_file=str(registry.model_file(version)),
        scorer_file=None if scorer is None else str(scorer),
        sample_file=None if sample is None else str(sample),
        code_folder=None if code is None else str(code),
        python=None if seat.python is None else str(seat.python),
        limits=seat.limits,
        timeout_s=settings.timeout_s,
        max_body_bytes=int(settings.max_body_mb * 1e6),
        body_timeout_s=settings.body_timeout_s,
        max_batch_rows=settings.max_batch_size,
        max_queue=settings.max_queue,
        unknown_categories=settings.unknown_categories,
    )


def _check_ready(rooms: Rooms, version: Version) -> None:
    """Raise where it would take long to set a version up that nobody asked for.

    What has an alias may be the next champion: its model is downloaded.

    Raises:
        NotServable: it was not imported by Brinery, or cannot be asked for predictions.
        NotFound: its environment is gone, or its model is not on this machine.
    """
    if not Environments(rooms.workspace.environments).has(askable(version).environment):
        raise NotFound(
            f"its environment is gone; brinery serve {version.reference} builds it again"
        )
    if not (version.aliases or rooms.registry.here(version)):
        raise NotFound(f"its model is in a bucket; brinery serve {version.reference} downloads it")


def _follows(reference: Reference) -> str | None:
    """Return the alias that a reference follows; None where it names a version."""
    if reference.version is not None:
        return None
    return reference.alias or Alias.CHAMPION.value


def _twice(asked: Sequence[Reference]) -> InvalidReference:
    names = [reference.name for reference in asked]
    name = next(name for name in names if names.count(name) > 1)
    return InvalidReference(
        f"{name} is asked for twice: a server has one version under each name",
        hint=f"brinery serve {name}; others answer at /v1/models/{name}/versions/N/predict",
    )
