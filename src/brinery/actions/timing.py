"""How long single rows take versions that answer in turns, in this process, without HTTP."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from brinery.actions.answering import Answering
from brinery.evaluate.latency import FEWEST_ROUNDS, FEWEST_ROWS, Latency, latency

_ROUNDS: Final = 5
_ROWS: Final = 200
_WARM: Final = 10
_BUDGET_S: Final = 20.0


def timed(versions: Sequence[Answering], inputs: pd.DataFrame) -> Latency | str:
    """Return how long single rows take; or why that cannot be told.

    Args:
        versions: the one that is judged, and the champion where there is one.
        inputs: (n_rows, n_features) rows to ask about, taken again and again where they are few.
    """
    tables = [one.fit(inputs) for one in versions]
    places = np.linspace(0, len(inputs) - 1, _ROWS).astype(int).tolist()
    began = time.perf_counter()
    for place in places[:_WARM]:
        _in_turns(versions, tables, place)
    each_s = (time.perf_counter() - began) / _WARM
    slow = each_s * _ROUNDS * _ROWS > _BUDGET_S
    rounds, step = (FEWEST_ROUNDS, _ROWS // FEWEST_ROWS) if slow else (_ROUNDS, 1)
    seconds = np.array(
        [[_in_turns(versions, tables, place) for place in places[::step]] for _ in range(rounds)]
    )
    return latency(seconds[:, :, 0], seconds[:, :, 1] if len(versions) > 1 else None)


def _in_turns(versions: Sequence[Answering], tables: Sequence[pa.Table], place: int) -> list[float]:
    """Return the seconds that each version takes for one row."""
    took = [0.0] * len(versions)
    # Who answers first brings the row into the processor's cache for the other.
    order = range(len(versions)) if place % 2 else reversed(range(len(versions)))
    for which in order:
        row = tables[which].slice(place, 1)
        began = time.perf_counter()
        versions[which].score(row)
        took[which] = time.perf_counter() - began
    return took
