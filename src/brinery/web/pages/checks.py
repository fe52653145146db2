"""How a version was checked: its scan, whose word was taken, what held it back, its parity."""

from __future__ import annotations

from dataclasses import dataclass

from brinery.charts import words
from brinery.records.scan import Verdict
from brinery.records.version import Candidate, Version


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was checked.

    Attributes:
        title: what.
        verdict: in a word or two.
        kind: `good`, `warning`, `bad` or nothing.
        text: one sentence.
        names: what it is about, one by one.
    """

    title: str
    verdict: str
    kind: str
    text: str
    names: tuple[str, ...] = ()


def of_version(version: Version) -> list[Check]:
    """Return everything that was checked of a version."""
    candidate = version.candidate
    if candidate is None:
        return []
    return [
        _scan(candidate),
        _trust(candidate),
        _sandbox(candidate),
        _parity(version),
        _fast_path(version),
    ]


def _scan(candidate: Candidate) -> Check:
    verdict, artifact = candidate.verdict, candidate.artifact
    safe = verdict is Verdict.SAFE
    return Check(
        title="Scan of the file",
        verdict=verdict.value,
        kind="good" if safe else "warning",
        text=f"A {artifact.format} file, read without running it; these are the names that it asks "
        "for, and no other is found when it is loaded."
        if artifact.globals
        else f"A {artifact.format} file, which asks for no name of a program.",
        names=artifact.globals,
    )


def _trust(candidate: Candidate) -> Check:
    trust = candidate.trust
    if trust is None:
        return Check(
            title="Whose word was taken",
            verdict="nobody's",
            kind="good",
            text="Everything that the file asks for is known to be harmless.",
        )
    return Check(
        title="Whose word was taken",
        verdict="the user's",
        kind="warning",
        text="Who imported it vouched for these names, which nobody has reviewed.",
        names=trust.granted,
    )


def _sandbox(candidate: Candidate) -> Check:
    layers = candidate.sandbox.layers
    off = tuple(f"{one.name}: {one.reason}" for one in layers if not one.in_force)
    held = tuple(f"{one.name}: {one.by}" for one in layers if one.in_force)
    tried = tuple(f"tried: {one}" for one in candidate.attempts)
    whole = candidate.sandbox.complete
    return Check(
        title="What held its process back",
        verdict="all layers" if whole else f"{len(held)} of {len(layers)} layers",
        kind="good" if whole and not tried else "warning",
        text="What the model's process was kept from while it was evaluated."
        if layers
        else "Nothing was recorded.",
        names=(*tried, *off, *held),
    )


def _parity(version: Version) -> Check:
    found = version.parity
    if found is None:
        return Check(
            title="Parity with the file", verdict="not asked", kind="warning", text="Unknown."
        )
    return Check(
        title="Parity with the file",
        verdict="the same" if found.max_difference == 0 else words.number(found.max_difference),
        kind="good",
        text=f"The registered model answered {words.counted(found.rows, 'row')} as the file does; "
        f"the largest difference is {found.max_difference:.3g}.",
    )


def _fast_path(version: Version) -> Check:
    fast = version.fast_path
    if fast is None or not (fast.used or fast.partial):
        return Check(
            title="Scorer",
            verdict="not used",
            kind="",
            text=f"Its own library answers: {fast.reason}."
            if fast is not None and fast.reason
            else "Its own library answers.",
        )
    tried = ", ".join(f"{words.counted(rows, 'row')} of {name}" for name, rows in fast.rows.items())
    return Check(
        title="Scorer",
        verdict="used" if fast.used else "used in part",
        kind="good",
        text=f"It answers as the library on {tried or 'what was tried'}; the largest difference is "
        f"{fast.max_difference:.3g}. It left {fast.declined:,} of these rows to the library, and "
        f"{fast.thresholds:,} of {fast.reached:,} thresholds of trees were tried.",
        names=fast.library,
    )
