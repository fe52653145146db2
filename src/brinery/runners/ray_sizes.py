"""How much of a cluster's machines a share of an attempt takes, by Ray's names."""

from __future__ import annotations

from collections.abc import Sequence

from brinery.runners.interface import Attempt


def sizes(attempt: Attempt, machines: Sequence[dict[str, float]]) -> list[float]:
    """Return the processors that each share takes: as many as it asks for, or has processes.

    More processes than processors share them, as they do on one machine.
    """
    if attempt.needs.cpus:
        return [attempt.needs.cpus] * len(attempt.machines)
    free = [each.get("CPU", 0.0) for each in machines]
    found = [min(float(size), max(free, default=1.0) or 1.0) for size in attempt.machines]
    while len(found) > 1 and sum(_fits(free, max(found))) < len(found) and max(found) > 0.01:  # noqa: PLR2004 - what Ray counts in
        found = [round(size / 2, 2) for size in found]
    return found


def _fits(cores: Sequence[float], size: float) -> list[int]:
    return [int(each / size + 1e-9) for each in cores]


def wanted(attempt: Attempt, size: float) -> dict[str, float]:
    """Return what Ray is asked for, by its names."""
    needs = attempt.needs
    asked = {"CPU": size, "GPU": needs.gpus, "memory": needs.memory_bytes, **needs.others}
    return {name: each for name, each in asked.items() if each or name == "CPU"}


def unmet(attempt: Attempt, machines: Sequence[dict[str, float]]) -> str:
    """Return what an attempt waits for that no machine has now; empty where one has it."""
    asked = wanted(attempt, attempt.needs.cpus)
    if any(all(each.get(name, 0) >= asked[name] for name in asked) for each in machines):
        return ""
    told = ", ".join(f"{value:g} {name}" for name, value in asked.items() if value)
    return f"waits for a machine with {told}: the cluster has none yet (ray status)"
