"""Plans of job files that were read before, as long as nothing that they were made of has changed.

    .brinery/cache/plans/KEY.json

Reading YAML and finding every fault takes longer than five small steps; that the files, the paths
and what was registered are as they were takes a few milliseconds. A plan with faults is none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from brinery.pipeline.catalog import Asked, Catalog, still
from brinery.records.plan import Data, Joined, Plan, Step, Value

# Counts up where plans are made otherwise than before.
_FORM: Final = 1


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, and what it was made of.

    Attributes:
        files: that were read, to the digest of their bytes.
        paths: that must be there, to whether they are folders.
        asked: of what was registered.
        plan: as it was made.
    """

    files: dict[str, str]
    paths: dict[str, bool]
    asked: tuple[Asked, ...]
    plan: Plan


_DECODER: Final = msgspec.json.Decoder(_Kept)


class Plans:
    """The plans that a workspace remembers.

    Args:
        folder: of them, whether or not it is there.
        version: of what makes them; those of another are not found.
    """

    def __init__(self, folder: Path, *, version: str) -> None:
        self._folder = folder
        self._version = version

    def find(self, file: Path, sets: Sequence[str], *, catalog: Catalog) -> Plan | None:
        """Return the plan of a file; None where it is not known, or may be another by now."""
        try:
            kept = _DECODER.decode(self._place(file, sets).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None
        if any(_digest(path) != digest for path, digest in kept.files.items()):
            return None
        if any(_is_folder(path) is not folder for path, folder in kept.paths.items()):
            return None
        if not all(still(one, catalog) for one in kept.asked):
            return None
        return kept.plan

    def add(
        self,
        file: Path,
        sets: Sequence[str],
        *,
        plan: Plan,
        read: Iterable[Path],
        asked: Iterable[Asked],
    ) -> None:
        """Remember a plan; where that is not possible, it is made again the next time."""
        files = {str(one): _digest(str(one)) for one in read}
        paths = {path: _is_folder(path) for one in plan.steps for path in _paths(one)}
        kept = _Kept(
            files=files,
            paths={path: folder for path, folder in paths.items() if folder is not None},
            asked=tuple(asked),
            plan=plan,
        )
        place = self._place(file, sets)
        partial = place.with_name(f"{place.name}.{os.getpid()}")
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(msgspec.json.encode(kept))
            partial.replace(place)

    def _place(self, file: Path, sets: Sequence[str]) -> Path:
        # The current folder names the experiment, and the file is told as it was typed.
        made_of = (_FORM, self._version, str(file), str(Path.cwd()), *sets)
        key = hashlib.blake2b(repr(made_of).encode(), digest_size=16).hexdigest()
        return self._folder / f"{key}.json"


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - once for each of a thousand files
            return hashlib.blake2b(stream.read(), digest_size=16).hexdigest()
    except OSError:
        return ""


def _is_folder(path: str) -> bool | None:
    """Return whether a path is a folder; None where there is nothing."""
    try:
        return os.path.isdir(path) if os.stat(path) else None  # noqa: PTH112, PTH116 - as above
    except OSError:
        return None


def _paths(step: Step) -> Iterator[str]:
    """Yield what must be there for a step to be planned as it is."""
    if step.code:
        yield step.code
    yield from step.includes
    if step.parallel is not None and step.code and step.parallel.entry:
        yield f"{step.code}/{step.parallel.entry}"
    for value in step.inputs.values():
        yield from _local(value)


def _local(value: Value) -> Iterator[str]:
    if isinstance(value, Data) and value.uri.startswith("/") and "${{" not in value.uri:
        yield value.uri
    elif isinstance(value, Joined):
        for part in value.parts:
            yield from _local(part)
