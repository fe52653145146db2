"""Decisions in a database: the columns that are asked for, and the whole of each as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from brinery.records.decision import Decision, Outcome
from brinery.records.history import KeptDecision
from brinery.records.ready import decoded
from brinery.store.audit_database import Base, Database


class DecisionRow(Base):
    """One decision; the audit trail names it by its `id`."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(sa.String(100), index=True)
    candidate: Mapped[str] = mapped_column(sa.String(200))
    champion: Mapped[str | None] = mapped_column(sa.String(200))
    gate: Mapped[str] = mapped_column(sa.String(200))
    data_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    question: Mapped[str] = mapped_column(sa.String(64))
    looks: Mapped[int] = mapped_column(sa.Integer)
    outcome: Mapped[str] = mapped_column(sa.String(32))
    forced: Mapped[bool] = mapped_column(sa.Boolean)
    created: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    who: Mapped[str] = mapped_column(sa.String(255))
    document: Mapped[str] = mapped_column(sa.Text)


class SqlDecisions(Database):
    """Decisions in a database; the tables are made, or brought up to date, at the first use."""

    def add(self, decision: Decision, *, who: str = "") -> int:
        """Keep a decision, in a transaction of its own; return its number."""
        row = DecisionRow(
            model=decision.model,
            candidate=decision.reference,
            champion=decision.champion,
            gate=decision.gate,
            data_sha256=decision.data.sha256 if decision.data else None,
            question=decision.question,
            looks=decision.looks,
            outcome=decision.outcome.value,
            forced=decision.forced,
            created=decision.created,
            who=who,
            document=msgspec.json.encode(decision).decode(),
        )
        with self.session() as session:
            session.add(row)
            session.flush()
            return row.id

    def of(self, model: str) -> list[Decision]:
        """Return the decisions on a model's versions, oldest first."""
        return [one.decision for one in self.kept(model)]

    def kept(self, model: str) -> list[KeptDecision]:
        """Return the decisions on a model's versions as they are kept, oldest first."""
        query = sa.select(DecisionRow).where(DecisionRow.model == model).order_by(DecisionRow.id)
        with self.reading() as session:
            return [_kept(row) for row in session.scalars(query)]

    def refused(self, *, most: int) -> list[KeptDecision]:
        """Return the newest decision on each model where it lets no version pass, newest first."""
        query = (
            sa.select(DecisionRow)
            .where(
                DecisionRow.id.in_(_newest()),
                DecisionRow.outcome != Outcome.PASSES.value,
                DecisionRow.forced.is_(False),
            )
            .order_by(DecisionRow.id.desc())
            .limit(most)
        )
        with self.reading() as session:
            return [_kept(row) for row in session.scalars(query)]

    def latest(self, models: Sequence[str]) -> dict[str, KeptDecision]:
        """Return the newest decision on each of some models that has one."""
        newest = _newest().where(DecisionRow.model.in_(models))
        query = sa.select(DecisionRow).where(DecisionRow.id.in_(newest))
        with self.reading() as session:
            return {row.model: _kept(row) for row in session.scalars(query)}


def _newest() -> sa.Select[int]:
    """Return what selects the number of the newest decision on each model."""
    return sa.select(sa.func.max(DecisionRow.id)).group_by(DecisionRow.model)


def _kept(row: DecisionRow) -> KeptDecision:
    return KeptDecision(
        number=row.id,
        who=row.who,
        decision=decoded(row.document, Decision),
    )
