"""Turns in a database: what is asked for in columns, and the whole of each as JSON."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.orm import Mapped, Session, mapped_column

from brinery.records.ready import decoded
from brinery.records.turn import Ending, Turn
from brinery.store.audit_database import Base, Database
from brinery.store.turns import check_held, held, resumed


class TurnRow(Base):
    """One turn; `ended` is null while it goes on, and where its process was killed."""

    __tablename__ = "turns"
    # Of two processes that begin a turn at once, one is refused.
    __table_args__ = (sa.UniqueConstraint("loop", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    loop: Mapped[str] = mapped_column(sa.String(100), index=True)
    number: Mapped[int] = mapped_column(sa.Integer)
    model: Mapped[str] = mapped_column(sa.String(100))
    version: Mapped[int | None] = mapped_column(sa.Integer)
    started: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    ended: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    ending: Mapped[str | None] = mapped_column(sa.String(32))
    document: Mapped[str] = mapped_column(sa.Text)


class SqlTurns(Database):
    """Turns in a database; the tables are made, or brought up to date, at the first use."""

    def begin(self, turn: Turn) -> Turn:
        """Return a turn that is kept from now on, in a transaction of its own."""
        last = sa.select(sa.func.max(TurnRow.number)).where(TurnRow.loop == turn.loop)
        with self.session() as session:
            begun = held(replace(turn, number=(session.scalar(last) or 0) + 1))
            row = TurnRow(loop=turn.loop, number=begun.number, model=turn.model)
            _fill(row, begun)
            session.add(row)
        return begun

    def resume(self, turn: Turn) -> Turn:
        """Return a turn with one attempt more, ours from now on, in a transaction of its own."""
        with self.session() as session:
            row = _row(session, turn)
            again = resumed(_turn(row))
            _fill(row, again)
        return again

    def keep(self, turn: Turn) -> None:
        """Keep how far a turn is, in a transaction of its own."""
        with self.session() as session:
            row = _row(session, turn)
            check_held(turn, _turn(row))
            _fill(row, turn)

    def open(self, loop: str) -> Turn | None:
        """Return the newest turn of a loop if it has not ended."""
        found = sa.select(TurnRow).where(TurnRow.loop == loop).order_by(TurnRow.number.desc())
        with self.reading() as session:
            row = session.scalars(found.limit(1)).first()
            return _turn(row) if row is not None and row.ended is None else None

    def of(self, loop: str) -> list[Turn]:
        """Return the turns of a loop, oldest first."""
        found = sa.select(TurnRow).where(TurnRow.loop == loop).order_by(TurnRow.number)
        with self.reading() as session:
            return [_turn(row) for row in session.scalars(found)]

    def loops(self) -> list[str]:
        """Return the names of the loops that ever had a turn, sorted."""
        with self.reading() as session:
            return sorted(session.scalars(sa.select(TurnRow.loop).distinct()))

    def failed(self) -> list[Turn]:
        """Return the newest turn of each loop where it failed, those that began last first."""
        newest = sa.select(sa.func.max(TurnRow.id)).group_by(TurnRow.loop)
        query = sa.select(TurnRow).where(
            TurnRow.id.in_(newest), TurnRow.ending == Ending.FAILED.value
        )
        with self.reading() as session:
            return [_turn(row) for row in session.scalars(query.order_by(TurnRow.started.desc()))]


def _row(session: Session, turn: Turn) -> TurnRow:
    """Return the row of a turn, which no other transaction reads to change it meanwhile."""
    found = sa.select(TurnRow).where(TurnRow.loop == turn.loop, TurnRow.number == turn.number)
    return session.scalars(found.with_for_update()).one()


def _fill(row: TurnRow, turn: Turn) -> None:
    row.version = turn.version
    row.started = turn.started
    row.ended = turn.ended
    row.ending = turn.ending.value if turn.ending is not None else None
    row.document = msgspec.json.encode(turn).decode()


def _turn(row: TurnRow) -> Turn:
    return decoded(row.document, Turn)
