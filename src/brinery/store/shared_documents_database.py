"""Documents that all workspaces of a store see, in its database."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from brinery.store.audit_database import Base, Database
from brinery.store.shared_documents import Place, gone


class SharedDocumentRow(Base):
    """One document."""

    __tablename__ = "shared_documents"
    # Of two processes that make the same one at once, one is refused.
    __table_args__ = (sa.UniqueConstraint("kind", "owner", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    owner: Mapped[str] = mapped_column(sa.String(256))
    key: Mapped[str] = mapped_column(sa.String(256))
    document: Mapped[str] = mapped_column(sa.Text)


class SqlSharedDocuments(Database):
    """Documents in a database; the tables are made, or brought up to date, at the first use."""

    def all(self, kind: str, owner: str, /) -> list[str]:
        """Return the documents of a kind and an owner, by their keys."""
        row = SharedDocumentRow
        asked = sa.select(row.document).where(row.kind == kind, row.owner == owner)
        with self.session() as session:
            return list(session.scalars(asked.order_by(row.key)))

    def find(self, place: Place, /) -> str | None:
        """Return a document; None where there is none."""
        with self.session() as session:
            found = _row(session, place)
            return None if found is None else found.document

    def add(self, place: Place, document: str, /) -> bool:
        """Return whether a document is new and kept, in a transaction of its own."""
        with self.session() as session:
            if _row(session, place) is not None:
                return False
            try:
                with session.begin_nested():
                    session.add(SharedDocumentRow(**place._asdict(), document=document))
            except sa.exc.IntegrityError:
                return False
        return True

    def keep(self, place: Place, document: str, /) -> None:
        """Keep a document, in place of what is there, in a transaction of its own."""
        if not self.add(place, document):
            with self.session() as session:
                row = _row(session, place)
                if row is None:  # it was removed meanwhile
                    session.add(SharedDocumentRow(**place._asdict(), document=document))
                else:
                    row.document = document

    def change(self, place: Place, edit: Callable[[str], str], /) -> str:
        """Return a document that is otherwise from now on, in a transaction of its own."""
        with self.session() as session:
            row = _row(session, place)
            if row is None:
                raise gone(place)
            row.document = edit(row.document)
            return row.document

    def remove(self, *places: Place) -> None:
        """Forget documents, all in one transaction."""
        with self.session() as session:
            for place in places:
                row = _row(session, place)
                if row is not None:
                    session.delete(row)


def _row(session: Session, place: Place) -> SharedDocumentRow | None:
    """Return the row of a document, which nobody else changes until the transaction ends."""
    row = SharedDocumentRow
    asked = sa.select(row).where(
        row.kind == place.kind, row.owner == place.owner, row.key == place.key
    )
    return session.scalars(asked.with_for_update()).first()
