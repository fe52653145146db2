"""The records of projects in a database: what is asked for in columns, and each whole as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from brinery.records.dataset import Dataset
from brinery.records.flow import Activity
from brinery.records.folder import ManagedFolder
from brinery.records.project import Project
from brinery.records.ready import decoded
from brinery.store.audit_database import Base, Database
from brinery.store.project_records import Item, T, gone, key_of, taken


class _ItemRow:
    """What every table of items has."""

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(sa.String(100))
    key: Mapped[str] = mapped_column(sa.String(100))
    document: Mapped[str] = mapped_column(sa.Text)


class ProjectRow(_ItemRow, Base):
    """One project."""

    __tablename__ = "projects"
    # Of two processes that make the same one at once, one is refused.
    __table_args__ = (sa.UniqueConstraint("project", "key"),)


class DatasetRow(_ItemRow, Base):
    """One dataset."""

    __tablename__ = "datasets"
    __table_args__ = (sa.UniqueConstraint("project", "key"),)


class FolderRow(_ItemRow, Base):
    """One managed folder."""

    __tablename__ = "folders"
    __table_args__ = (sa.UniqueConstraint("project", "key"),)


class ActivityRow(Base):
    """One run of a recipe."""

    __tablename__ = "activities"
    __table_args__ = (sa.Index("ix_activities_recipe", "project", "recipe"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(sa.String(100))
    recipe: Mapped[str] = mapped_column(sa.String(500))
    job: Mapped[str] = mapped_column(sa.String(100))
    completed: Mapped[bool] = mapped_column(sa.Boolean)
    document: Mapped[str] = mapped_column(sa.Text)


_ROWS: dict[type[Item], Any] = {Project: ProjectRow, Dataset: DatasetRow, ManagedFolder: FolderRow}


class SqlProjectRecords(Database):
    """Records in a database; the tables are made, or brought up to date, at the first use."""

    def add(self, item: Item, /) -> None:
        """Keep a new item, in a transaction of its own."""
        with self.session() as session:
            if self._row(session, item) is not None:
                raise taken(item)
            row = _ROWS[type(item)]
            session.add(row(project=item.project, key=key_of(item), document=_text(item)))
            try:
                session.flush()
            except sa.exc.IntegrityError:
                raise taken(item) from None

    def find(self, kind: type[T], project: str, *, key: str) -> T | None:
        """Return an item; None where there is none."""
        row = _ROWS[kind]
        asked = sa.select(row.document).where(row.project == project, row.key == key)
        with self.reading() as session:
            found = session.scalar(asked)
        return None if found is None else decoded(found, kind)

    def all(self, kind: type[T], project: str = "", /) -> list[T]:
        """Return the items of a project, or of all projects, by their keys."""
        row = _ROWS[kind]
        asked = sa.select(row.document).order_by(row.project, row.key)
        if project:
            asked = asked.where(row.project == project)
        with self.reading() as session:
            return [decoded(one, kind) for one in session.scalars(asked)]

    def change(self, item: T, edit: Callable[[T], T], /) -> T:
        """Return an item that is otherwise from now on, in a transaction of its own."""
        with self.session() as session:
            row = self._row(session, item)
            if row is None:
                raise gone(item)
            changed = edit(decoded(row.document, type(item)))
            row.document = _text(changed)
        return changed

    def remove(self, item: Item, /) -> bool:
        """Return whether an item was there that is gone now."""
        with self.session() as session:
            row = self._row(session, item)
            if row is not None:
                session.delete(row)
            return row is not None

    def begin(self, activity: Activity, /) -> int:
        """Return the number of an activity that is kept from now on."""
        with self.session() as session:
            row = ActivityRow(project=activity.project, recipe=activity.recipe, job=activity.job)
            _fill(row, activity)
            session.add(row)
            session.flush()
            return row.id

    def keep(self, number: int, activity: Activity, /) -> None:
        """Keep how far an activity is, in a transaction of its own."""
        with self.session() as session:
            row = session.get_one(ActivityRow, number)
            _fill(row, activity)

    def latest(self, project: str, /) -> list[Activity]:
        """Return the newest completed activity of each recipe, the oldest first."""
        newest = (
            sa.select(sa.func.max(ActivityRow.id))
            .where(ActivityRow.project == project, ActivityRow.completed)
            .group_by(ActivityRow.recipe)
        )
        return self._activities(ActivityRow.id.in_(newest))

    def of_job(self, job: str, /) -> list[Activity]:
        """Return the activities of a job, in the order in which they began."""
        return self._activities(ActivityRow.job == job)

    def _activities(self, which: sa.ColumnElement[bool]) -> list[Activity]:
        asked = sa.select(ActivityRow.document).where(which).order_by(ActivityRow.id)
        with self.reading() as session:
            return [decoded(one, Activity) for one in session.scalars(asked)]

    @staticmethod
    def _row(session: Session, item: Item) -> Any:
        """Return the row of an item, which nobody else changes until the transaction ends."""
        row = _ROWS[type(item)]
        asked = sa.select(row).where(row.project == item.project, row.key == key_of(item))
        return session.scalars(asked.with_for_update()).first()


def _fill(row: ActivityRow, activity: Activity) -> None:
    row.completed = activity.completed
    row.document = _text(activity)


def _text(record: Item | Activity) -> str:
    return msgspec.json.encode(record).decode()
