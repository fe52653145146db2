"""Follow what MLflow's clients move: aliases are the truth, a stage is a wish, and both agree soon.

Newer clients move the alias `champion`, older ones the stage `Production`. An alias that moved puts
the stages in step. A stage that moved to a version that was imported moves the alias after it.
"""

from __future__ import annotations

import logging
import threading
from typing import Self

from brinery.actions import history
from brinery.actions.promote import move
from brinery.actions.rooms import Rooms
from brinery.records.audit import Change
from brinery.records.version import Alias
from brinery.registry.interface import Standing, resolve
from brinery.specs.reference import Reference

_log = logging.getLogger("brinery")

LOOK_S = 0.5
_END_S = 5.0


class Stages:
    """Keeps the stage `Production` and the alias `champion` of every model together.

    Args:
        rooms: with the registry.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._seen: dict[str, Standing] = {}
        self._recovered = False

    def look(self) -> None:
        """Follow what moved since this was last called; at first, what was left half done.

        Raises:
            BrineryError: the registry failed; what moved is looked at again the next time.
        """
        if not self._recovered:
            history.recover(self._rooms)
            self._recovered = True
        found = self._rooms.registry.standings()
        for name, now in found.items():
            before = self._seen.get(name)
            if now != before:
                self._seen[name] = self._settled(name, now, before)
        for gone in self._seen.keys() - found.keys():
            del self._seen[gone]

    def _settled(self, name: str, now: Standing, before: Standing | None) -> Standing:
        """Return the standing of a model, put in order where it is not."""
        wished = self._wished(name, now, before)
        moved = now.champion is not None and (before is None or now.champion != before.champion)
        if wished is None and not moved:
            return now
        registry = self._rooms.registry
        with self._rooms.lock():  # our own command may be about to do both
            history.catch_up(self._rooms, name)
            there = registry.standings().get(name, Standing())
            if there.champion != now.champion:
                return before or Standing()
            # What was seen may have been half of our own command.
            wished = self._wished(name, there, before)
            if wished is not None:
                self._promote(Reference(name, version=wished))
            elif there.champion not in there.production or (before and len(there.production) > 1):
                registry.restage(name)
        return registry.standings().get(name, Standing())

    def _promote(self, wished: Reference) -> None:
        """Move the alias to a version that another program gave the stage; the lock is held."""
        version = resolve(self._rooms.registry, wished)
        before = history.holder(self._rooms.registry.versions(version.name), Alias.CHAMPION)
        entry = self._rooms.entry(
            Change.PROMOTE,
            version.name,
            before=history.moved(before, Alias.CHAMPION) if before else None,
            after=history.moved(version, Alias.CHAMPION),
            why=history.ELSEWHERE,
        )
        move(self._rooms, version, alias=Alias.CHAMPION, entry=entry)

    def _wished(self, name: str, now: Standing, before: Standing | None) -> int | None:
        """Return the version that became the champion by its stage; None where none did."""
        if before is None:
            if now.champion is not None:
                return None
            new = now.production
        elif now.champion != before.champion:
            return None
        else:
            new = now.production - before.production - {now.champion}
        if not new:
            return None
        versions = self._rooms.registry.versions(name)
        checked = {v.number for v in versions if v.candidate is not None}
        return max(new & checked, default=None)


class Following:
    """A thread that looks again and again while the block runs.

    The first look is taken before the block: what a client moves within it is then told from what
    was there before.

    Args:
        stages: what looks.
    """

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._told = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stages", daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(_END_S)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._look()

    def _look(self) -> None:
        try:
            self._stages.look()
            self._told = ""
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at again
            if str(error) != self._told:
                self._told = str(error)
                _log.error("what MLflow's clients moved cannot be followed: %s", error)
