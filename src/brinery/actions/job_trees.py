"""The trees that steps ran with, kept so that what changed can be told when they run again."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from brinery.actions.job_rooms import JobRooms
from brinery.records.job import Part
from brinery.records.plan import Step
from brinery.store.snapshots import place_of


class _Tree(NamedTuple):
    """A tree that is remembered once a step runs with it.

    Attributes:
        files: BLAKE3 of each by its name.
        code: folder, where it is a snapshot of one.
        includes: of the snapshot.
    """

    files: Mapping[str, str]
    code: str = ""
    includes: tuple[str, ...] = ()


class Trees:
    """The trees of one job: of data and of code.

    Args:
        rooms: of the workspace.
    """

    def __init__(self, rooms: JobRooms) -> None:
        self._rooms = rooms
        self._lock = threading.Lock()
        self._trees: dict[str, _Tree] = {}

    def content_of(self, path: str) -> str:
        """Return the BLAKE3 of what lies at a path, and know its files where it is a folder."""
        seen, files = self._rooms.fingerprints.look(path)
        if not seen.file:
            with self._lock:
                self._trees[seen.content] = _Tree(files)
        return seen.content

    def code_of(self, step: Step) -> str:
        """Return the BLAKE3 of a step's code, and know its files."""
        with self._lock:
            top, beside = ("", step.watched) if step.watched else (step.code, step.includes)
            code, files = self._rooms.snapshots.look(top, beside)
            if code and code not in self._trees:
                self._trees[code] = _Tree(files, top, beside)
            return code

    def remember(self, parts: Sequence[Part]) -> None:
        """Remember the trees that a step ran with, to tell what changed when it runs again."""
        for part in parts:
            with self._lock:
                tree = self._trees.pop(part.value, None)
                if tree is not None and (tree.code or tree.includes):
                    self._trees[part.value] = _Tree({})
            if tree is None or not tree.files:
                continue
            self._rooms.reuse.add_tree(part.value, tree.files)
            if tree.code or tree.includes:
                for name, content in tree.files.items():
                    place = place_of(tree.code, tree.includes, name=name)
                    self._rooms.reuse.add_file(content, place)

    def find(self, content: str) -> Mapping[str, str] | None:
        """Return the files of a tree: one that is remembered, or that a step left."""
        found = self._rooms.reuse.tree(content)
        if found is None:
            for path in self._rooms.outputs.places(content):
                return self._rooms.fingerprints.look(path)[1]
        return found
