"""The threshold of a binary model: every figure at every cut, for a slider that moves them all."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

import msgspec
from markupsafe import Markup
from starlette.requests import Request

from brinery.charts import words
from brinery.records.appraisal import Appraisal
from brinery.records.curves import Cuts

# What is shown at each cut, in this order.
_FIGURES: Final = (
    *("precision", "recall", "f1", "accuracy", "specificity", "balanced_accuracy"),
    *("mcc", "predicted_positive", "lift", "net_benefit", "gain"),
)
_HALF: Final = 0.5
_CELLS: Final = ("true_positives", "false_negatives", "false_positives", "true_negatives")


def told(appraisal: Appraisal) -> dict[str, Any] | None:
    """Return the cuts of a binary model, as a page carries them; None where there are none."""
    curves = appraisal.curves
    if curves is None or len(curves.classes) != 1:
        return None
    one = curves.classes[0]
    if one.cuts is None or not one.cuts.threshold:
        return None
    found = one.cuts
    best = one.thresholds[0] if one.thresholds else None
    classes = () if appraisal.evaluation is None else appraisal.evaluation.classes
    others = [label for label in classes if label != one.label]
    names = [name for name in _FIGURES if name in found.metrics]
    record = {
        "threshold": found.threshold,
        **{name: getattr(found, name) for name in _CELLS},
        "metrics": {name: found.metrics[name] for name in names},
    }
    text = msgspec.json.encode(record).decode().replace("<", "\\u003c")
    return {
        "cuts": found,
        "names": names,
        "json": Markup(text),  # noqa: S704 - numbers, and `<` is written as its escape
        "positive": str(one.label),
        "negative": str(others[0]) if len(others) == 1 else "the others",
        "best": None if best is None else best.threshold,
        "best_for": "" if best is None else words.called(best.aim),
    }


def slider(request: Request, found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what a slider shows at the threshold of a URL; None where there is none to move."""
    if found is None:
        return None
    cuts: Cuts = found["cuts"]
    place = nearest(cuts, _asked(request))
    return {
        **found,
        "place": place,
        "last": len(cuts.threshold) - 1,
        "threshold": f"{cuts.threshold[place]:.6g}",
        "cells": {name: words.number(getattr(cuts, name)[place]) for name in _CELLS},
        "figures": [
            (name, words.called(name), words.number(cuts.metrics[name][place]))
            for name in found["names"]
        ],
    }


def nearest(cuts: Cuts, threshold: float) -> int:
    """Return the place of the cut that is nearest to a threshold."""
    after = bisect_left(cuts.threshold, threshold)
    around = [place for place in (after - 1, after) if 0 <= place < len(cuts.threshold)]
    return min(around, key=lambda place: abs(cuts.threshold[place] - threshold))


def _asked(request: Request) -> float:
    try:
        asked = float(request.query_params.get("threshold", _HALF))
    except ValueError:
        return _HALF
    return asked if asked == asked else _HALF  # noqa: PLR0124 - NaN is nowhere
