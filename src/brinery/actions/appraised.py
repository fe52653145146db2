"""The newest evaluations of versions, kept in memory while they are looked at."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeVar

from brinery.actions.kept_appraisals import newest
from brinery.actions.rooms import Rooms
from brinery.records.appraisal import Appraisal
from brinery.records.version import Version
from brinery.store.appraisals import Appraisals

# Of versions; an evaluation takes a megabyte or two.
_KEPT: Final = 16
# Where workspaces share their evaluations, others are asked again after this.
_ASK_S: Final = 30.0

_Made = TypeVar("_Made")
_Mark = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Kept:
    mark: _Mark
    asked: float
    appraisal: Appraisal | None
    made: dict[str, Any]


class Appraised:
    """Reads evaluations for several threads, and what was made of them once.

    Args:
        rooms: of the workspace.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def newest(self, version: Version) -> Appraisal | None:
        """Return the newest evaluation of a version; None where nobody has evaluated it."""
        return self._of(version).appraisal

    def made(self, version: Version, what: str, *, make: Callable[[Appraisal], _Made]) -> _Made:
        """Return what is made of the newest evaluation of a version; made when first asked for.

        Args:
            version: one that `newest` finds an evaluation of.
            what: name of it.
            make: makes it.
        """
        kept = self._of(version)
        if kept.appraisal is None:
            raise ValueError(f"{version.reference} was not evaluated")
        if what not in kept.made:
            kept.made[what] = make(kept.appraisal)
        found: _Made = kept.made[what]
        return found

    def _of(self, version: Version) -> _Kept:
        """Return what is known of a version now."""
        mark = Appraisals(self._rooms.workspace.evaluations).mark(version.name, version.number)
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(version.reference)
            fresh = not self._rooms.places.shared or (kept and now - kept.asked < _ASK_S)
            if kept is not None and kept.mark == mark and fresh:
                self._kept.move_to_end(version.reference)
                return kept
        made = _Kept(mark, now, newest(self._rooms, version), {})
        with self._lock:
            self._kept[version.reference] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made
