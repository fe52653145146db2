"""Whether scoring files is the run that a folder of parts holds, and what of it is there."""

from __future__ import annotations

from pathlib import Path

from brinery.actions.batch_plan import BatchAsked, BatchPlan
from brinery.errors import OutputTaken
from brinery.records.batch import BatchRun, Part
from brinery.records.version import Version
from brinery.registry.interface import imported

PART_ROWS = 1 << 18


def run_of(
    version: Version, asked: BatchAsked, *, found: BatchPlan, before: BatchRun | None
) -> BatchRun:
    """Return the run that is asked for; parts are as large as those that are there.

    Args:
        version: which.
        asked: what is asked for.
        found: the files and the output.
        before: the run whose parts lie in the folder, if it may go on.
    """
    fast = version.fast_path
    return BatchRun(
        version=version.reference,
        model_sha256=imported(version).artifact.sha256,
        scorer_sha256=fast.sha256 if fast is not None and fast.used else "",
        data=found.data,
        keep=tuple(found.keep),
        separator=asked.sep,
        format=str(found.target.form),
        part_rows=asked.part_rows or (PART_ROWS if before is None else before.part_rows),
    )


def changed_files(before: BatchRun, now: BatchRun, *, path: Path) -> set[int]:
    """Return the places of the files that changed since a run was stopped by one of them.

    Raises:
        OutputTaken: the folder holds the scores of something else; the error says what differs.
    """
    differs = ""
    if before.version != now.version or before.model_sha256 != now.model_sha256:
        differs = f"{before.version}, and {now.version} is asked for"
    elif before.scorer_sha256 != now.scorer_sha256:
        differs = f"{before.version} by another scorer"
    elif [file.path for file in before.data] != [file.path for file in now.data]:
        differs = f"other files: {_first_other(before, now)}"
    elif before.keep != now.keep:
        differs = f"a run with {_keeps(before.keep)}, and {_keeps(now.keep)} is asked for"
    elif (before.separator, before.format) != (now.separator, now.format):
        differs = f"a run to {before.format}, with --sep {before.separator or 'not given'}"
    elif before.part_rows != now.part_rows:
        differs = f"a run of {before.part_rows:,} rows a part"
    pairs = enumerate(zip(before.data, now.data, strict=False))
    changed = {place for place, (old, new) in pairs if old != new}
    strange = [place for place in changed if now.data[place].path != before.stopped_at]
    if not differs and strange:
        differs = f"other data: {now.data[min(strange)].path} has changed since"
    if differs:
        raise OutputTaken(
            f"{path} holds the scores of {differs}",
            hint="add --overwrite to score again into it, or name another folder",
        )
    return changed


def _first_other(before: BatchRun, now: BatchRun) -> str:
    old, new = ({file.path for file in run.data} for run in (before, now))
    added, gone = sorted(new - old), sorted(old - new)
    return f"{added[0]} is not among them" if added else f"{gone[0]} is no longer asked for"


def _keeps(names: tuple[str, ...]) -> str:
    return " ".join(f"--keep {name}" for name in names) or "no --keep"


def by_file(kept: list[Part]) -> dict[int, list[Part]]:
    """Return parts by the place of their file."""
    found: dict[int, list[Part]] = {}
    for part in kept:
        found.setdefault(part.file, []).append(part)
    return found


def all_there(kept: list[Part], files: int) -> bool:
    """Return whether every file was scored to its end, and every part of it is there."""
    rows: dict[int, int] = {}
    ends: dict[int, int] = {}
    for part in kept:
        rows[part.file] = rows.get(part.file, 0) + part.rows
        if not part.name:
            ends[part.file] = part.start
    return all(place in ends and ends[place] == rows.get(place) for place in range(files))
