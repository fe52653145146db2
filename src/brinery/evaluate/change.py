"""The answers for rows of which one column was changed: whoever is as before is not asked about."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.evaluate.predictor import Predictor
from brinery.records.scores import Scores


def answers(
    predictor: Predictor,
    table: pa.Table,
    *,
    changed: npt.NDArray[np.bool_],
    before: Scores,
) -> Scores:
    """Return the answers for all rows, and ask for those that changed alone.

    Args:
        predictor: whose answer for a row depends on the row alone.
        table: (n_rows,) as they are now.
        changed: (n_rows,) whether a row is another than before.
        before: (n_rows,) the answers for them as they were.
    """
    if changed.all():
        return predictor(table)
    asked, kept = np.flatnonzero(changed), np.flatnonzero(~changed)
    if not asked.size:
        return before
    now = predictor(table.take(pa.array(asked)))
    order = np.argsort(np.concatenate([kept, asked]))
    old = before.take(kept)
    # Joined and not put in their places: text has the length of the longest then.
    joined = Scores(
        predictions=np.concatenate([old.predictions, now.predictions]),
        probabilities=_joined(old.probabilities, now.probabilities),
        classes=before.classes,
    )
    return joined.take(order)


def _joined(
    old: npt.NDArray[np.float64] | None,
    now: npt.NDArray[np.float64] | None,
) -> npt.NDArray[np.float64] | None:
    return None if old is None or now is None else np.concatenate([old, now])
