"""What is remembered of steps that ran: by their keys, and of what their keys were made of.

    .brinery/cache/steps/KEY.json      what the key's run left, and which job made it
                   trees/CONTENT.json  names and contents of a tree that a key names
                   files/CONTENT       small files of code, for the line that changed
                   last/FILE           the last job of a job file
                   running/JOB         jobs that were begun and not ended yet

A key's file is written once what it names is on the disk, so that it is true after a loss of
power. All of it may be deleted: then steps run again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from brinery.records.job import StepRun
from brinery.store.fingerprints import hash_text

_SMALL_BYTES: Final = 1 << 18
_ENCODER: Final = msgspec.json.Encoder()


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a step that may stand for others.

    Attributes:
        job: that it was of.
        run: what became of it.
    """

    job: str
    run: StepRun


_RUNS: Final = msgspec.json.Decoder(Earlier)
_TREES: Final = msgspec.json.Decoder(dict[str, str])


class Reuse:
    """What is remembered in a workspace.

    Args:
        folder: `.brinery/cache`, whether or not it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Earlier | None:
        """Return the run that is remembered for a key; None where none is."""
        try:
            with open(self._run(key), "rb") as stream:  # noqa: PTH123 - a text
                return _RUNS.decode(stream.read())
        except (OSError, msgspec.MsgspecError):
            return None

    def add(self, key: str, earlier: Earlier) -> None:
        """Remember a run. What it left must be on the disk.

        The file itself need not be: what a loss of power leaves of it is no JSON, or nothing.

        Raises:
            OSError: it cannot be written.
        """
        self._write(self._run(key), _ENCODER.encode(earlier))

    def tree(self, content: str) -> Mapping[str, str] | None:
        """Return the files of a tree by name; None where nobody remembers."""
        try:
            return _TREES.decode((self._folder / "trees" / f"{content}.json").read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None

    def add_tree(self, content: str, files: Mapping[str, str]) -> None:
        """Remember the files of a tree.

        Raises:
            OSError: it cannot be written.
        """
        place = self._folder / "trees" / f"{content}.json"
        if not place.exists():
            self._write(place, _ENCODER.encode(files))

    def file(self, content: str) -> bytes | None:
        """Return the bytes of a small file of code; None where nobody remembers."""
        try:
            return (self._folder / "files" / content).read_bytes()
        except OSError:
            return None

    def add_file(self, content: str, path: str) -> None:
        """Remember a small file of code; a large one is not.

        Raises:
            OSError: it cannot be written.
        """
        place = self._folder / "files" / content
        if place.exists():
            return
        with suppress(FileNotFoundError):
            if os.stat(path).st_size <= _SMALL_BYTES:  # noqa: PTH116 - a text
                self._write(place, Path(path).read_bytes())

    def last(self, file: str) -> str:
        """Return the last job of a job file; empty where there was none."""
        try:
            return self._last(file).read_text()
        except OSError:
            return ""

    def begin(self, file: str, job: str) -> None:
        """Remember that a job of a job file was begun.

        Raises:
            OSError: it cannot be written.
        """
        self._write(self._last(file), job.encode())
        self._write(self._folder / "running" / job, b"")

    def end(self, job: str) -> None:
        """Remember that a job ended, and all it left is remembered."""
        with suppress(FileNotFoundError):
            (self._folder / "running" / job).unlink()

    def begun(self) -> list[str]:
        """Return the jobs that were begun and have not ended, or were killed."""
        try:
            return sorted(os.listdir(self._folder / "running"))  # noqa: PTH208 - names
        except FileNotFoundError:
            return []

    def _run(self, key: str) -> str:
        return f"{self._folder}/steps/{key}.json"

    def _last(self, file: str) -> Path:
        return self._folder / "last" / hash_text(file)[:32]

    def _write(self, place: Path | str, content: bytes) -> None:
        beside = f"{place}.{os.getpid()}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        try:
            file = os.open(beside, flags, 0o644)
        except FileNotFoundError:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            file = os.open(beside, flags, 0o644)
        try:
            os.write(file, content)
        finally:
            os.close(file)
        os.replace(beside, place)  # noqa: PTH105 - a text
