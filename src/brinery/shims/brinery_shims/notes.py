"""What a compatibility step says: one line, once, and a tag of the runs that it touches."""

from __future__ import annotations

import sys

# Step to what was said of it.
_SAID: dict[str, list[str]] = {}


def tell(step: str, message: str) -> None:
    """Say what a step does, once in a process.

    Args:
        step: its name; empty for what is no step.
        message: one line.
    """
    said = _SAID.setdefault(step, [])
    if message in said:
        return
    said.append(message)
    print(f"brinery: {step + ': ' if step else ''}{message}", file=sys.stderr, flush=True)


def tags() -> dict[str, str]:
    """Return the tags of a run: `brinery.compat.STEP` to what was said of it."""
    return {f"brinery.compat.{step}": "; ".join(said) for step, said in _SAID.items() if step}
