"""What is doubtful about labels, answers and the figures that were made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from brinery.evaluate.labels import NO_CLASS, codes
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.finding import Finding, FindingCode, Severity
from brinery.records.scores import Scores

# The figures that say how good a model is whatever the classes' shares, the first that is there.
_CALLED: Final = {"roc_auc": "the ROC AUC", "mcc": "the Matthews correlation", "r2": "R2"}
_TELLING: Final = {
    PredictionType.BINARY: ("roc_auc", "mcc", "balanced_accuracy"),
    PredictionType.MULTICLASS: ("mcc", "balanced_accuracy"),
    PredictionType.REGRESSION: ("r2",),
    PredictionType.OTHER: (),
}
# The figures of which people claim a precision, between 0 and 1.
_CLAIMED: Final = {
    PredictionType.BINARY: ("roc_auc", "accuracy"),
    PredictionType.MULTICLASS: ("accuracy",),
    PredictionType.REGRESSION: ("r2",),
    PredictionType.OTHER: (),
}
_PERFECT: Final = 0.999
_SURE_ROWS: Final = 100
_WIDE: Final = 0.1
_FEW: Final = 30
# Of two classes the rarer is rare below a tenth, of more in proportion.
_RARE: Final = 0.2
_MANY_GAPS: Final = 0.2


def of_figures(evaluation: Evaluation) -> Iterator[Finding]:
    """Yield what is doubtful about the figures of a model."""
    yield from _perfect(evaluation)
    yield from _imprecise(evaluation)
    yield from _unlabelled(evaluation)


def of_classes(actual: npt.NDArray[np.generic], evaluation: Evaluation) -> Iterator[Finding]:
    """Yield what is doubtful about how often each class occurs.

    Args:
        actual: (n_rows,) the labels; those that are missing are left out.
        evaluation: of a classifier; nothing is said of another model.
    """
    if evaluation.type not in {PredictionType.BINARY, PredictionType.MULTICLASS}:
        return
    found = codes(actual, evaluation.classes)
    counts = np.bincount(found[found != NO_CLASS], minlength=len(evaluation.classes)).tolist()
    rows = sum(counts)
    there = [(count, name) for count, name in zip(counts, evaluation.classes, strict=True) if count]
    for count, name in zip(counts, evaluation.classes, strict=True):
        if rows and not count:
            yield Finding(
                code=FindingCode.CLASS_ABSENT,
                severity=Severity.WARNING,
                message=f"no row is of class {name!r}, which the model knows",
                figures={"rows": rows},
                hint="nothing is told of it; evaluate on rows of every class",
            )
    if len(there) < 2:  # noqa: PLR2004 - nothing is rarer than the only one
        return
    (rarest, rare), (most, often) = min(there, key=lambda one: one[0]), max(there)
    limit = _RARE / len(evaluation.classes)
    if rarest / rows < limit:
        yield Finding(
            code=FindingCode.CLASS_IMBALANCE,
            severity=Severity.WARNING if rarest / rows < limit / 10 else Severity.NOTE,
            message=f"only {rarest:,} of {rows:,} rows ({rarest / rows:.2%}) are of class "
            f"{rare!r}; who always says {often!r} is right in {most / rows:.1%}",
            figures={"rows": rarest, "share": rarest / rows, "share_most_frequent": most / rows},
            hint="look at ROC AUC, average precision and recall rather than at the accuracy",
        )
    if rarest < _FEW:
        yield Finding(
            code=FindingCode.TOO_FEW_ROWS,
            severity=Severity.NOTE,
            message=f"class {rare!r} has {rarest:,} {'row' if rarest == 1 else 'rows'}: its recall "
            f"is known to about ±{0.98 / math.sqrt(rarest):.2f} at best",
            figures={"rows": rarest},
            hint="evaluate on more rows of this class",
        )


def of_answers(
    actual: npt.NDArray[np.generic], *, scores: Scores, evaluation: Evaluation
) -> Iterator[Finding]:
    """Yield that a model answers every row with the same, where the truth differs.

    Args:
        actual: (n_rows,) labels or values.
        scores: (n_rows,) the answers.
        evaluation: of them.
    """
    answers = scores.flat().predictions
    if evaluation.type is PredictionType.OTHER or answers.ndim > 1 or len(answers) < 2:  # noqa: PLR2004 - one answer is constant
        return
    first = answers[0]
    chances = scores.probabilities
    flat = chances is None or bool((chances == chances[0]).all())
    same = bool(np.equal(answers, first).all())
    if same and len(set(actual.tolist())) > 1:
        told = "" if flat else ", though with probabilities that differ"
        yield Finding(
            code=FindingCode.CONSTANT_PREDICTIONS,
            severity=Severity.WARNING if flat else Severity.NOTE,
            message=f"the model answers each of the {len(answers):,} rows with "
            f"{first.item() if isinstance(first, np.generic) else first!r}{told}",
            figures={"rows": len(answers)},
            hint="check that its columns are read as in training"
            if flat
            else "choose a threshold by the per-cut table",
        )


def _perfect(evaluation: Evaluation) -> Iterator[Finding]:
    names = _TELLING[evaluation.type]
    name = next((name for name in names if name in evaluation.metrics), "")
    value = evaluation.metrics.get(name, 0.0)
    if value < _PERFECT:
        return
    sure = evaluation.rows >= _SURE_ROWS
    told = "" if sure else f", though on {evaluation.rows:,} rows only"
    yield Finding(
        code=FindingCode.PERFECT_SCORE,
        severity=Severity.WARNING if sure else Severity.NOTE,
        message=f"{_called(name)} is {value:.4f}, which is almost too good to be true{told}",
        figures={name: value, "rows": evaluation.rows},
        hint="check that no column tells the target, and that the model was trained on other rows",
    )


def _imprecise(evaluation: Evaluation) -> Iterator[Finding]:
    """Yield that the main figure is not known well."""
    names = _CLAIMED[evaluation.type]
    name = next((name for name in names if name in evaluation.intervals), "")
    if not name:
        return
    interval = evaluation.intervals[name]
    width = interval.high - interval.low
    if width <= _WIDE:
        return
    rows = "row" if evaluation.rows == 1 else "rows"
    enough = math.ceil(evaluation.rows * (width / _WIDE) ** 2)
    yield Finding(
        code=FindingCode.TOO_FEW_ROWS,
        severity=Severity.WARNING,
        message=f"{_called(name)} is {evaluation.metrics[name]:.3f}, but on {evaluation.rows:,} "
        f"{rows} it may as well be {interval.low:.3f} or {interval.high:.3f}",
        figures={"low": interval.low, "high": interval.high, "rows": evaluation.rows},
        hint=f"about {enough:,} rows would tell it to within ±{_WIDE / 2:g}",
    )


def _unlabelled(evaluation: Evaluation) -> Iterator[Finding]:
    left = evaluation.rows_left_out
    rows = evaluation.rows + left
    if not left:
        return
    or_weight = " or weigh nothing" if evaluation.weighted else ""
    yield Finding(
        code=FindingCode.LABELS_MISSING,
        severity=Severity.WARNING if left / rows > _MANY_GAPS else Severity.NOTE,
        message=f"{left:,} of {rows:,} rows have no label{or_weight}, and are left out of every "
        "figure",
        figures={"rows": left, "share": left / rows},
        hint="the figures hold for these rows only where labels are missing by chance",
    )


def _called(name: str) -> str:
    """Return what a figure is called in a sentence."""
    return _CALLED.get(name, f"the {name.replace('_', ' ')}")
