"""The answers of a saved model: labels at its threshold, probabilities, percentiles, reasons."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from brinery.actions.answering import Answering
from brinery.errors import PredictionRefused
from brinery.evaluate.labels import canonical
from brinery.evaluate.observed import Observed, drawn
from brinery.evaluate.reasons import reasons
from brinery.records.appraisal import Appraisal
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.serve.row_explainer import RowExplainer, Wanted

_TWO: Final = 2
_HUNDRED: Final = 100
_BACKGROUND_ROWS: Final = 100
_BACKGROUND_SEED: Final = 0


def classes_of(answering: Answering) -> tuple[str, ...]:
    """Return the classes of a version as texts, in its order; none where it has none."""
    return tuple(map(canonical, answering.candidate.description.classes))


def answers(
    answering: Answering, table: pa.Table, *, threshold: float
) -> tuple[pd.DataFrame, Scores]:
    """Return `prediction` and `proba_CLASS` of each row, and the scores behind them.

    Args:
        answering: for the version.
        table: (n_rows,) that fits.
        threshold: from which probability on a row of a binary model is positive.
    """
    scores = answering.score(table)
    classes = classes_of(answering)
    chances = scores.probabilities
    if not classes or chances is None:
        if scores.outputs:
            values = np.asarray(scores.predictions)
            return pd.DataFrame(values, columns=list(scores.outputs)), scores
        return pd.DataFrame({"prediction": np.asarray(scores.predictions)}), scores
    if answering.candidate.description.type is PredictionType.BINARY and len(classes) == _TWO:
        places = (chances[:, 1] >= threshold).astype(np.intp)
    else:
        places = chances.argmax(axis=1)
    told = {"prediction": np.array(classes, object)[places]}
    told.update({f"proba_{name}": chances[:, place] for place, name in enumerate(classes)})
    return pd.DataFrame(told), scores


def percentiles(
    chances: Sequence[float] | npt.NDArray[np.float64], appraisal: Appraisal | None
) -> list[int] | None:
    """Return where probabilities are among those of the rows that a version was evaluated on.

    Args:
        chances: (n_rows,) of the positive class.
        appraisal: of the version; None where it has none.

    Returns:
        (n_rows,) from 1, the lowest hundredth, to 100; None where that cannot be told.
    """
    curves = appraisal.curves.classes if appraisal and appraisal.curves else ()
    cuts = curves[0].cuts if len(curves) == 1 else None
    if cuts is None:
        return None
    above = np.add(cuts.true_positives, cuts.false_positives)
    whole = above[0] or 1.0
    below = 1.0 - above / whole
    found = []
    for chance in chances:
        place = bisect_left(cuts.threshold, float(chance))
        share = 1.0 if place == len(below) else float(below[place])
        found.append(min(_HUNDRED, int(share * _HUNDRED) + 1))
    return found


def explanations(
    answering: Answering, table: pa.Table, *, scores: Scores, background: pa.Table, wanted: Wanted
) -> list[dict[str, float]]:
    """Return what made the answer of each row: column to contribution, greatest first.

    Of a classifier of several classes, to the class that it answers.

    Args:
        answering: for the version.
        table: (n_rows,) that fits.
        scores: of these rows.
        background: rows that each is compared with, which fit.
        wanted: how they are explained, and how many columns are told.

    Raises:
        NotImplementedError: nothing of such answers can be explained.
    """
    candidate = answering.candidate
    places = drawn(np.arange(background.num_rows), _BACKGROUND_ROWS, seed=_BACKGROUND_SEED)
    others = background.take(pa.array(places))
    observed = Observed(
        table=others,
        scores=answering.score(others),
        type=candidate.description.type,
        classes=candidate.description.classes,
    )
    try:
        explainer = RowExplainer(
            observed,
            read=[column.name for column in candidate.signature.columns if column.required],
            scorer=answering.scorer,
            library=answering.score,
        )
    except PredictionRefused as refused:
        raise NotImplementedError(f"rows are not explained: {refused.reason}") from None
    return reasons(explainer.explain(table, wanted), scores, most=wanted.most)


def as_json(found: Sequence[dict[str, Any]]) -> list[str]:
    """Return explanations as texts, for a column of a table."""
    return [json.dumps(one) for one in found]
