"""Gate: judge whether a version may take the champion's place, and explain what is asked of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brinery.actions.rooms import Rooms
from brinery.records.decision import Decision
from brinery.records.event import Event

Steps = Generator[Event, None, Decision]


@dataclass(frozen=True, kw_only=True)
class GateAsked:
    """What is to be judged.

    Attributes:
        reference: which version, such as `bank@3`.
        gate: the name of a gate of the settings, or a TOML file; the default gate when None.
        data: what to judge on; what the champion, or else the version, was evaluated on when None.
        target: the column with the truth; the one of the import when None.
        separator: of a csv file; found in its first lines when None.
        seed: of everything random.
    """

    reference: str
    gate: str | None = None
    data: Path | pd.DataFrame | None = None
    target: str | None = None
    separator: str | None = None
    seed: int = 0


def decide_steps(rooms: Rooms, asked: GateAsked, *, earlier: Sequence[Decision]) -> Steps:
    """Yield an event as each part is measured; return the decision, which nobody has kept yet.

    Args:
        rooms: of the workspace.
        asked: what is to be judged.
        earlier: every decision of this model that was kept, oldest first: they are looks.
    """
    raise NotImplementedError(rooms, asked, earlier)
