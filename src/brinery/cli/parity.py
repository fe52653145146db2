"""What `brinery model show --parity` prints: who answers for a version, and how alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brinery.cli.output import print_facts, print_table

if TYPE_CHECKING:
    from brinery.records.fast_path import FastPath
    from brinery.records.version import Version


def scored_by(version: Version) -> str:
    """Return who answers for a version: its scorer, or its library and why."""
    fast = version.fast_path
    if unscored := _unscored(version):
        return f"nothing: it cannot be asked for predictions, because {unscored}"
    if fast is None:
        return "its library: it was imported before there were scorers"
    if fast.partial:
        return f"a compiled scorer in the model's process, and its library for {_steps(fast)}"
    return "a compiled scorer" if fast.used else f"its library: {fast.reason}"


def _unscored(version: Version) -> str:
    """Return why a version cannot be asked for predictions; empty where it can."""
    unscored = version.candidate.description.unscored if version.candidate else None
    return unscored.reason if unscored else ""


def _steps(fast: FastPath) -> str:
    return "; ".join(fast.library)


def parity_of(version: Version) -> dict[str, object]:
    """Return what was compared of a version, for programs."""
    return {"version": version.reference, "parity": version.parity, "fast_path": version.fast_path}


def print_parity(version: Version) -> None:
    """Print which ways to a version were compared, on how many rows, and the difference."""
    same, fast = version.parity, version.fast_path
    print_facts([("version", version.reference), ("scored by", scored_by(version))])
    if _unscored(version):
        return
    rows: list[list[object]] = []
    if same is not None:
        stored = ["the file, the registered model", "evaluation data"]
        rows.append([*stored, f"{same.rows:,}", f"{same.max_difference:g}"])
    if fast is not None and (fast.used or fast.partial):
        rows += [
            ["the library, the scorer", kind, f"{count:,}", f"{fast.max_difference:g}"]
            for kind, count in fast.rows.items()
        ]
    print_table(["compared", "on", "rows, all equal", "largest difference"], rows)
    if fast is None or not (fast.used or fast.partial):
        return
    facts: list[tuple[str, object]] = []
    if fast.reached:
        tried = f"{fast.thresholds:,} of the {fast.reached:,} that the data reaches"
        facts.append(("thresholds tried", tried))
    if fast.declined:
        facts.append(("left to the library", f"{fast.declined:,} rows, as at serving"))
    print_facts(facts)
