"""A workspace at a glance, in a sentence."""

from __future__ import annotations

from brinery.charts import words
from brinery.records.overview import Overview


def sentence(found: Overview) -> str:
    """Return the state of a workspace in a sentence."""
    if not found.registered:
        return "There is no model yet."
    if found.champions:
        said = f"{words.counted(found.champions, 'model')} in production"
    else:
        said = f"No model is in production; {words.counted(found.registered, 'model')} registered"
    count = len(found.needs)
    if not count:
        return f"{said}; nothing needs attention."
    return f"{said}; {words.counted(count, 'thing')} need{'s' if count == 1 else ''} attention."


def rate(per_s: float) -> str:
    """Return how often a model is asked, in the unit that is read best."""
    if per_s == 0:
        return "no requests"
    if per_s < 1:
        return f"{words.number(60 * per_s, digits=2)} requests a minute"
    return f"{words.number(per_s, digits=3)} requests a second"
