"""The folder in which the mini-batches of a parallel step lie: to do, taken, done.

Every change is a rename, so that workers that only share the folder never take one twice, and a
step that is begun again after its engine was killed finds what is done, and nothing half done.
`parallel_entry` is the workers' side of it.

A worker on a machine that does not see the folder has one of its own with a share of the
mini-batches, which lie in `sent/` meanwhile. A share is half of what is fair, so that who is slow
keeps nobody waiting for long, and the last ones are of one mini-batch.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from brinery.pipeline.mini_batches import MiniBatch
from brinery.records.mini_batch import Done
from brinery.records.ready import decoded
from brinery.runners.interface import Shared

# So often a machine may be lost with a mini-batch, of which nobody knows whether it was tried.
_LOSSES: Final = 3


class Claim(NamedTuple):
    """A mini-batch that a worker has taken.

    Attributes:
        path: of its file.
        worker: number of the worker.
    """

    path: Path
    worker: int

    @property
    def name(self) -> str:
        """Return that of the mini-batch's file."""
        return self.path.name.rpartition(".")[0]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker elsewhere is given.

    Attributes:
        task: what workers are told.
        batches: by the names of their files.
    """

    task: dict[str, Any]
    batches: dict[str, dict[str, Any]]


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
        self._make()
        for name in ("queue", "sent", "taken", "workers"):
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
        return self._claims("taken")

    def sent(self) -> bool:
        """Return whether a worker elsewhere has a share."""
        return bool(self._claims("sent"))

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
        name = claim.name
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
        self._fail(claim, batch, error=error)
        return False

    def share_out(self, shared: Shared) -> Share:
        """Take a worker's share for a machine that does not see this folder, and return it."""
        queue = self.path / "queue"
        waiting = sorted(each.name for each in queue.glob("*.json"))
        found = {}
        for name in waiting[: math.ceil(len(waiting) / (2 * shared.workers))]:
            sent = self.path / "sent" / f"{name}.{shared.worker}"
            try:
                (queue / name).rename(sent)
            except FileNotFoundError:  # a worker of this machine took it
                continue
            found[name] = json.loads(sent.read_text("utf-8"))
        task = json.loads((self.path / "task.json").read_text("utf-8"))
        return Share(task=task, batches=found)

    def lay_out(self, share: Share, *, timeout_s: float) -> None:
        """Put in a worker's share, on the machine that it works on.

        Args:
            share: with the paths of that machine.
            timeout_s: seconds for a try, which nobody else sees the beginning of.
        """
        self._make()
        for name, batch in share.batches.items():
            _write(self.path / "queue" / name, json.dumps(batch))
        _write(self.path / "task.json", json.dumps({**share.task, "timeout_s": timeout_s}))

    def bring(self, made: Path, *, worker: int) -> None:
        """Take over what a worker's own folder came to: done, begun, or still to do.

        Args:
            made: a copy of it, on the disk of this one.
            worker: whose share it was.
        """
        for each in (made / "workers").glob(f"{worker}.*"):
            each.replace(self.path / "workers" / each.name)
        for claim in self._claims("sent", worker):
            name = claim.name
            begun = made / "taken" / claim.path.name
            if (made / "done" / name).exists():
                for part in (Path(name).with_suffix(".txt").name, name):
                    _keep(made / "done" / part, self.path / "done" / part)
                claim.path.unlink()
            elif begun.exists():
                begun.replace(self.path / "taken" / claim.path.name)
                claim.path.unlink()
            else:
                claim.path.replace(self.path / "queue" / name)

    def take_back(self, worker: int, *, lost: str) -> int:
        """Have others work on what was sent with a worker and did not come back; return how many.

        Args:
            worker: that is gone.
            lost: why, with its machine; empty where it never left.
        """
        claims = self._claims("sent", worker)
        for claim in claims:
            if lost:
                batch = json.loads(claim.path.read_text("utf-8"))
                batch["lost"] = batch.get("lost", 0) + 1
                if batch["lost"] >= _LOSSES:
                    self._fail(claim, batch, error=lost)
                    continue
                _write(claim.path, json.dumps(batch))
            claim.path.replace(self.path / "queue" / claim.name)
        return len(claims)

    def was_late(self, worker: int) -> bool:
        """Return whether a worker elsewhere was ended because a try took too long."""
        late = self.path / "workers" / f"{worker}.late"
        return late.exists() and late.stat().st_size > 0

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

    def _make(self) -> None:
        for name in ("queue", "sent", "taken", "done", "workers"):
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def _claims(self, kind: str, worker: int | None = None) -> list[Claim]:
        found = []
        for each in (self.path / kind).iterdir():
            name, _, number = each.name.rpartition(".")
            mine = name.endswith(".json") and not name.startswith(".")
            if mine and worker in (None, int(number)):
                found.append(Claim(each, int(number)))
        return found

    def _fail(self, claim: Claim, batch: dict[str, Any], *, error: str) -> None:
        items = batch.get("items", len(batch["parts"]))
        failed = Done(index=batch["index"], items=items, rows=0, error=error, tries=batch["tries"])
        _write(self.path / "done" / claim.name, msgspec.json.encode(failed).decode())
        claim.path.unlink()

    def _read(self, name: str) -> Done | None:
        if name not in self._done:
            with suppress(FileNotFoundError):
                content = (self.path / "done" / name).read_bytes()
                self._done[name] = decoded(content, Done)
        return self._done.get(name)


def _write(path: Path, text: str) -> None:
    begun = path.with_name(f".{path.name}.new")
    with begun.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    begun.replace(path)


def _keep(source: Path, target: Path) -> None:
    """Move a file so that it is whole or not there, also after the power failed."""
    with source.open("rb") as stream:
        os.fsync(stream.fileno())
    source.replace(target)
