"""The records of projects: datasets, managed folders, and what recipes read and wrote.

A record is changed by an edit of what is kept at that moment, in one transaction: of two that
change it at once, each sees what the other did.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol, TypeVar, cast

from brinery.errors import AlreadyThere, NotFound
from brinery.records.dataset import Dataset
from brinery.records.flow import Activity
from brinery.records.folder import ManagedFolder
from brinery.records.project import Project

Item = Project | Dataset | ManagedFolder
T = TypeVar("T", Project, Dataset, ManagedFolder)


class ProjectRecords(Protocol):
    """Where the records of projects are kept."""

    def add(self, item: Item, /) -> None:
        """Keep a new item.

        Raises:
            AlreadyThere: there is one of its key.
        """
        ...

    def find(self, kind: type[T], project: str, *, key: str) -> T | None:
        """Return an item; None where there is none.

        Args:
            kind: of the item.
            project: its key; of a project itself, its own.
            key: the name of a dataset, the id of a folder.
        """
        ...

    def all(self, kind: type[T], project: str = "", /) -> list[T]:
        """Return the items of a project, or of all projects, by their keys."""
        ...

    def change(self, item: T, edit: Callable[[T], T], /) -> T:
        """Return an item that is otherwise from now on.

        Args:
            item: which one.
            edit: is given what is kept at that moment.

        Raises:
            NotFound: it is gone.
        """
        ...

    def remove(self, item: Item, /) -> bool:
        """Return whether an item was there that is gone now."""
        ...

    def begin(self, activity: Activity, /) -> int:
        """Return the number of an activity that is kept from now on."""
        ...

    def keep(self, number: int, activity: Activity, /) -> None:
        """Keep how far an activity is."""
        ...

    def latest(self, project: str, /) -> list[Activity]:
        """Return the newest completed activity of each recipe, the oldest first."""
        ...

    def of_job(self, job: str, /) -> list[Activity]:
        """Return the activities of a job, in the order in which they began."""
        ...


def key_of(item: Item) -> str:
    """Return what an item is found by in its project."""
    return item.id if isinstance(item, ManagedFolder) else item.name


def word_of(kind: type[Item]) -> str:
    """Return what people call an item of a kind."""
    return {Project: "project", Dataset: "dataset", ManagedFolder: "folder"}[kind]


def taken(item: Item) -> AlreadyThere:
    """Return the error for an item of a key that is taken."""
    word = word_of(type(item))
    return AlreadyThere(
        f"there is a {word} {key_of(item)} already", hint=f"brinery {word} list shows them"
    )


def gone(item: Item) -> NotFound:
    """Return the error for an item that was removed meanwhile."""
    word = word_of(type(item))
    return NotFound(f"the {word} {key_of(item)} is gone", hint=f"brinery {word} list")


class MemoryProjectRecords:
    """Records that last as long as the object."""

    def __init__(self) -> None:
        self._items: dict[tuple[type[Item], str, str], Item] = {}
        self._activities: list[Activity] = []
        self._lock = threading.Lock()

    def add(self, item: Item, /) -> None:
        """Keep a new item."""
        place = (type(item), item.project, key_of(item))
        if place in self._items:
            raise taken(item)
        self._items[place] = item

    def find(self, kind: type[T], project: str, *, key: str) -> T | None:
        """Return an item; None where there is none."""
        return cast("T | None", self._items.get((kind, project, key)))

    def all(self, kind: type[T], project: str = "", /) -> list[T]:
        """Return the items of a project, or of all projects, by their keys."""
        found = sorted(
            (place, item)
            for place, item in ((place[1:], place) for place in self._items if place[0] is kind)
            if not project or place[0] == project
        )
        return [cast("T", self._items[item]) for _, item in found]

    def change(self, item: T, edit: Callable[[T], T], /) -> T:
        """Return an item that is otherwise from now on."""
        place = (type(item), item.project, key_of(item))
        with self._lock:
            if place not in self._items:
                raise gone(item)
            changed = edit(cast("T", self._items[place]))
            self._items[place] = changed
        return changed

    def remove(self, item: Item, /) -> bool:
        """Return whether an item was there that is gone now."""
        return self._items.pop((type(item), item.project, key_of(item)), None) is not None

    def begin(self, activity: Activity, /) -> int:
        """Return the number of an activity that is kept from now on."""
        self._activities.append(activity)
        return len(self._activities)

    def keep(self, number: int, activity: Activity, /) -> None:
        """Keep how far an activity is."""
        self._activities[number - 1] = activity

    def latest(self, project: str, /) -> list[Activity]:
        """Return the newest completed activity of each recipe, the oldest first."""
        found: dict[str, Activity] = {}
        for activity in self._activities:
            if activity.project == project and activity.completed:
                found.pop(activity.recipe, None)
                found[activity.recipe] = activity
        return list(found.values())

    def of_job(self, job: str, /) -> list[Activity]:
        """Return the activities of a job, in the order in which they began."""
        return [one for one in self._activities if one.job == job]


class StoredProjectRecords:
    """Records in a database, which is opened when it is first needed.

    Args:
        uri: an SQLAlchemy URI.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @cached_property
    def _kept(self) -> ProjectRecords:
        database: Any = import_module("brinery.store.project_database")
        return cast("ProjectRecords", database.SqlProjectRecords(self._uri))

    def add(self, item: Item, /) -> None:
        """Keep a new item."""
        self._kept.add(item)

    def find(self, kind: type[T], project: str, *, key: str) -> T | None:
        """Return an item; None where there is none."""
        return self._kept.find(kind, project, key=key)

    def all(self, kind: type[T], project: str = "", /) -> list[T]:
        """Return the items of a project, or of all projects, by their keys."""
        return self._kept.all(kind, project)

    def change(self, item: T, edit: Callable[[T], T], /) -> T:
        """Return an item that is otherwise from now on."""
        return self._kept.change(item, edit)

    def remove(self, item: Item, /) -> bool:
        """Return whether an item was there that is gone now."""
        return self._kept.remove(item)

    def begin(self, activity: Activity, /) -> int:
        """Return the number of an activity that is kept from now on."""
        return self._kept.begin(activity)

    def keep(self, number: int, activity: Activity, /) -> None:
        """Keep how far an activity is."""
        self._kept.keep(number, activity)

    def latest(self, project: str, /) -> list[Activity]:
        """Return the newest completed activity of each recipe, the oldest first."""
        return self._kept.latest(project)

    def of_job(self, job: str, /) -> list[Activity]:
        """Return the activities of a job, in the order in which they began."""
        return self._kept.of_job(job)
