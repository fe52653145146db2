"""What a version is, as names and values: its lineage, its environment, how it was checked."""

from __future__ import annotations

from typing import Final

from brinery.charts import words
from brinery.records.appraisal import Appraisal
from brinery.records.version import Candidate, Version

_TIME: Final = "%Y-%m-%d %H:%M UTC"
_SHORT: Final = 16
_MANY: Final = 40


def of_version(version: Version, appraisal: Appraisal) -> tuple[tuple[str, str], ...]:
    """Return what a version is, and what it was evaluated on."""
    data = appraisal.data
    named = [
        ("version", version.reference),
        ("aliases", ", ".join(version.aliases) or "none"),
        ("imported", version.created.strftime(_TIME)),
    ]
    if version.candidate is not None:
        named += _of_candidate(version, version.candidate)
    return (
        *named,
        (
            "evaluated on",
            ", ".join(
                (
                    data.name,
                    words.counted(data.rows, "row"),
                    f"target {data.target or 'none'}",
                    f"sha256 {data.sha256[:_SHORT]}",
                )
            ),
        ),
        ("evaluated", f"{appraisal.created.strftime(_TIME)}, seed {appraisal.seed}"),
        ("answers by", appraisal.scored_by or "unknown"),
    )


def trusted(candidate: Candidate) -> str:
    """Return on whose word the file was loaded."""
    if candidate.trust is None:
        return f"{candidate.verdict}: nobody's word was needed"
    return f"by the user's word: {', '.join(candidate.trust.granted)}"


def compared(version: Version) -> str:
    """Return how the registered model and its scorer compare with the file."""
    if version.parity is None:
        return "unknown"
    rows = words.counted(version.parity.rows, "row")
    said = f"the registered model answers as the file on {rows}"
    fast = version.fast_path
    if fast is not None and (fast.used or fast.partial):
        tried = words.counted(sum(fast.rows.values()), "row")
        return f"{said}; its scorer answers as the library on {tried}"
    return said


def confined(candidate: Candidate) -> str:
    """Return what held the model's process back."""
    held = [layer.name for layer in candidate.sandbox.layers if layer.in_force]
    return ", ".join(held) or "nothing"


def _of_candidate(version: Version, candidate: Candidate) -> list[tuple[str, str]]:
    description, environment, origin = (
        candidate.description,
        candidate.environment,
        candidate.origin,
    )
    packages = " ".join(f"{name}=={which}" for name, which in environment.packages.items())
    columns = [column.name for column in candidate.signature.columns if column.required]
    more = f" and {len(columns) - _MANY} more" if len(columns) > _MANY else ""
    written = ", ".join(f"{who} {'/'.join(seen)}" for who, seen in origin.written_with.items())
    code = candidate.code
    return [
        ("model", description.outline),
        (
            "predicts",
            f"{description.type}: {', '.join(map(str, description.classes))}".rstrip(": "),
        ),
        ("reads", f"{words.counted(len(columns), 'column')}: {', '.join(columns[:_MANY])}{more}"),
        ("file", f"{origin.file}, {origin.size_bytes:,} bytes, sha256 {origin.sha256[:_SHORT]}"),
        ("written with", written or "unknown"),
        (
            "commit",
            f"{code.commit[:12]}{' (changed since)' if code.dirty else ''}" if code else "none",
        ),
        ("environment", f"Python {environment.python}, {packages}"),
        ("parity", compared(version)),
        ("trust", trusted(candidate)),
        ("sandbox", confined(candidate)),
        ("MLflow run", version.run_id or "none"),
    ]
