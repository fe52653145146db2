"""The keys of a workspace in its database: names and digests, never the keys."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from brinery.errors import AlreadyThere, NotFound
from brinery.records.audit import AuditEntry
from brinery.records.key import Key
from brinery.specs.names import nearest
from brinery.store.audit_database import Base, Database, audit_row


class KeyRow(Base):
    """One key."""

    __tablename__ = "keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100), unique=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    created: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    who: Mapped[str] = mapped_column(sa.String(255))


class Keys(Database):
    """Keys in a database; the tables are made, or brought up to date, at the first use."""

    def add(self, key: Key, *, entry: AuditEntry) -> None:
        """Keep a key, and write it into the audit trail, in one transaction.

        Raises:
            AlreadyThere: there is one of that name.
        """
        with self.session() as session:
            if session.scalar(sa.select(KeyRow.id).where(KeyRow.name == key.name)) is not None:
                raise AlreadyThere(
                    f"there is a key '{key.name}'",
                    hint=f"brinery key delete {key.name}, or choose another --name",
                )
            session.add(KeyRow(name=key.name, sha256=key.sha256, created=key.created, who=key.who))
            session.add(audit_row(entry, done=True))

    def all(self) -> list[Key]:
        """Return all keys, the oldest first."""
        with self.reading() as session:
            return [
                Key(
                    name=row.name,
                    sha256=row.sha256,
                    created=row.created if row.created.tzinfo else row.created.replace(tzinfo=UTC),
                    who=row.who,
                )
                for row in session.scalars(sa.select(KeyRow).order_by(KeyRow.id))
            ]

    def delete(self, name: str, *, entry: AuditEntry) -> None:
        """Forget a key, and write that into the audit trail, in one transaction.

        Raises:
            NotFound: there is none of that name.
        """
        with self.session() as session:
            row = session.scalar(sa.select(KeyRow).where(KeyRow.name == name))
            if row is None:
                near = nearest(name, session.scalars(sa.select(KeyRow.name)).all())
                meant = f": did you mean '{near}'?" if near else ""
                raise NotFound(f"there is no key '{name}'{meant}", hint="brinery key list")
            session.delete(row)
            session.add(audit_row(entry, done=True))
