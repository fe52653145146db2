"""The folder in which the mini-batches of a parallel step lie: to do, taken, done.

Every change is a rename, so that workers that only share the folder never take one twice, and a
step that is begun again after its engine was killed finds what is done, and nothing half done.
`parallel_entry` is the workers' side of it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from brinery.pipeline.mini_batches import MiniBatch
from brinery.records.mini_batch import Done


class Claim(NamedTuple):
    """A mini-batch that a worker has taken.

    Attributes:
        path: of its file.
        worker: number of the worker.
    """

    path: Path
    worker: int


class BatchFolder:
    """The mini-batches of one step.

    Args:
        path: of the folder, whether or not it is there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._done: dict[str, Done] = {}
        self._seen: dict[str, tuple[int, float]] = {}

    def fill(
        self, batches: Sequence[MiniBatch], *, task: dict[str, Any], retries: int, stamp: str
    ) -> None:
        """Put in what is to be done; what was done for the same task stays done.

        Args:
            batches: all of them.
            task: what workers are told.
            retries: of each, after its first try.
            stamp: names code, inputs and environment; where it is another one, nothing stays.
        """
        text = json.dumps({**task, "stamp": stamp, "batches": len(batches)}, sort_keys=True)
        known = self.path / "task.json"
        if not known.is_file() or known.read_text("utf-8") != text:
            shutil.rmtree(self.path, ignore_errors=True)
        for name in ("queue", "taken", "done", "workers"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        for name in ("queue", "taken", "workers"):
            for each in (self.path / name).iterdir():
                each.unlink()
        for batch in batches:
            name = f"{batch.index:06d}.json"
            done = self._read(name)
            if done is not None and not done.error:
                continue
            (self.path / "done" / name).unlink(missing_ok=True)
            told = {**msgspec.to_builtins(batch), "tries": 0, "retries": retries}
            _write(self.path / "queue" / name, json.dumps(told))
        _write(known, text)

    def waiting(self) -> int:
        """Return how many mini-batches nobody works on."""
        return sum(1 for _ in (self.path / "queue").glob("*.json"))

    def done(self) -> dict[str, Done]:
        """Return what is done, by the name of its file."""
        for each in os.scandir(self.path / "done"):
            if each.name.endswith(".json") and not each.name.startswith("."):
                self._read(each.name)
        return self._done

    def claims(self) -> list[Claim]:
        """Return what workers have taken."""
        found = []
        for each in (self.path / "taken").iterdir():
            name, _, worker = each.name.rpartition(".")
            if name.endswith(".json") and not name.startswith("."):
                found.append(Claim(each, int(worker)))
        return found

    def age_s(self, claim: Claim) -> float:
        """Return for how many seconds a claim's try has gone on, by our own clock."""
        now = time.monotonic()
        try:
            written = claim.path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0.0
        known = self._seen.get(claim.path.name)
        if known is None or known[0] != written:
            self._seen[claim.path.name] = known = (written, now)
        return now - known[1]

    def give_up(self, claim: Claim, *, error: str) -> bool:
        """Count a claim's try as failed; return whether it is tried again by another worker.

        Args:
            claim: of a worker that is gone.
            error: why the try failed, one line.
        """
        name = claim.path.name.rpartition(".")[0]
        if self._read(name) is not None:
            claim.path.unlink(missing_ok=True)
            return False
        try:
            batch = json.loads(claim.path.read_text("utf-8"))
        except FileNotFoundError:
            return False
        if batch["tries"] <= batch["retries"]:
            claim.path.replace(self.path / "queue" / name)
            return True
        items = batch.get("items", len(batch["parts"]))
        failed = Done(index=batch["index"], items=items, rows=0, error=error, tries=batch["tries"])
        _write(self.path / "done" / name, msgspec.json.encode(failed).decode())
        claim.path.unlink()
        return False

    def unbegun(self, worker: int) -> str:
        """Return why a worker could not begin; empty where it did not say."""
        try:
            told = json.loads((self.path / "workers" / f"{worker}.json").read_text("utf-8"))
        except FileNotFoundError:
            return ""
        return str(told["error"])

    def rows(self) -> Iterator[Path]:
        """Yield the files that hold rows, in the order of the mini-batches."""
        for name in sorted(self.done()):
            path = (self.path / "done" / name).with_suffix(".txt")
            if path.is_file():
                yield path

    def _read(self, name: str) -> Done | None:
        if name not in self._done:
            with suppress(FileNotFoundError):
                content = (self.path / "done" / name).read_bytes()
                self._done[name] = msgspec.json.decode(content, type=Done)
        return self._done.get(name)


def _write(path: Path, text: str) -> None:
    begun = path.with_name(f".{path.name}.new")
    with begun.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    begun.replace(path)
