"""What gates decided, kept for ever: a decision that nobody acted on was a look at the data too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Protocol, cast

from brinery.records.decision import Decision
from brinery.records.history import KeptDecision


class Decisions(Protocol):
    """Where decisions are kept."""

    def add(self, decision: Decision, *, who: str = "") -> int:
        """Keep a decision; return its number.

        Args:
            decision: as it was made.
            who: asked for it.
        """
        ...

    def of(self, model: str) -> list[Decision]:
        """Return the decisions on a model's versions, oldest first."""
        ...

    def kept(self, model: str) -> list[KeptDecision]:
        """Return the decisions on a model's versions as they are kept, oldest first."""
        ...

    def refused(self, *, most: int) -> list[KeptDecision]:
        """Return the newest decision on each model where it lets no version pass, newest first.

        What was promoted all the same is not among them.
        """
        ...

    def latest(self, models: Sequence[str]) -> dict[str, KeptDecision]:
        """Return the newest decision on each of some models that has one."""
        ...


class MemoryDecisions:
    """Decisions that are kept as long as the object."""

    def __init__(self) -> None:
        self._kept: list[KeptDecision] = []

    def add(self, decision: Decision, *, who: str = "") -> int:
        """Keep a decision; return its number."""
        number = len(self._kept) + 1
        self._kept.append(KeptDecision(number=number, who=who, decision=decision))
        return number

    def of(self, model: str) -> list[Decision]:
        """Return the decisions on a model's versions, oldest first."""
        return [one.decision for one in self.kept(model)]

    def kept(self, model: str) -> list[KeptDecision]:
        """Return the decisions on a model's versions as they are kept, oldest first."""
        return [one for one in self._kept if one.decision.model == model]

    def refused(self, *, most: int) -> list[KeptDecision]:
        """Return the newest decision on each model where it lets no version pass, newest first."""
        newest = self.latest([one.decision.model for one in self._kept]).values()
        found = [one for one in newest if not (one.decision.passes or one.decision.forced)]
        return sorted(found, key=lambda one: -one.number)[:most]

    def latest(self, models: Sequence[str]) -> dict[str, KeptDecision]:
        """Return the newest decision on each of some models that has one."""
        return {one.decision.model: one for one in self._kept if one.decision.model in models}


class StoredDecisions:
    """Decisions in a database, which is opened when it is first needed, as the audit trail is.

    Args:
        uri: an SQLAlchemy URI.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @cached_property
    def _stored(self) -> Decisions:
        module = import_module("brinery.store.decisions_database")
        return cast("Decisions", module.SqlDecisions(self._uri))

    def add(self, decision: Decision, *, who: str = "") -> int:
        """Keep a decision; return its number."""
        return self._stored.add(decision, who=who)

    def of(self, model: str) -> list[Decision]:
        """Return the decisions on a model's versions, oldest first."""
        return self._stored.of(model)

    def kept(self, model: str) -> list[KeptDecision]:
        """Return the decisions on a model's versions as they are kept, oldest first."""
        return self._stored.kept(model)

    def refused(self, *, most: int) -> list[KeptDecision]:
        """Return the newest decision on each model where it lets no version pass, newest first."""
        return self._stored.refused(most=most)

    def latest(self, models: Sequence[str]) -> dict[str, KeptDecision]:
        """Return the newest decision on each of some models that has one."""
        return self._stored.latest(models)
