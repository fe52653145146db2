"""Whether a model answers what the user asserts, on some rows.

An assertion that cannot be told is undefined, with the reason; it is none of the model's faults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.errors import InvalidAssertions
from brinery.evaluate.filters import matching, mismatch
from brinery.evaluate.labels import NO_CLASS, canonical, codes
from brinery.records.assertion import AssertionResult, Outcome
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar
from brinery.specs.assertions import Assertion, Range
from brinery.specs.names import nearest

Bools = npt.NDArray[np.bool_]

_EXAMPLES: Final = 10
_CLASSIFIERS: Final = (PredictionType.BINARY, PredictionType.MULTICLASS)
# A share of rows that is as large as was asked, but for its rounding, is enough.
_ROUNDING: Final = 1e-12


def refuse_unfit(
    assertions: Sequence[Assertion],
    schema: pa.Schema,
    *,
    type: PredictionType,  # noqa: A002 - the record's own word for it
    classes: tuple[Scalar, ...] = (),
) -> None:
    """Return only where every assertion can be told of such data and such a model.

    Args:
        assertions: as declared.
        schema: of the data.
        type: of the model.
        classes: of the model; empty for a regression.

    Raises:
        InvalidAssertions: every fault at once, each with the assertion's name.
    """
    faults = [
        f"'{assertion.title}': {why}"
        for assertion in assertions
        for why in _misfits(assertion, schema, type=type, classes=classes)
    ]
    if faults:
        raise InvalidAssertions(
            "; ".join(faults), hint="change the assertions, or the data they are asked of"
        )


def judge(
    assertions: Sequence[Assertion],
    table: pa.Table,
    *,
    scores: Scores,
    classes: tuple[Scalar, ...] = (),
) -> tuple[AssertionResult, ...]:
    """Return what became of each assertion.

    Args:
        assertions: as declared.
        table: (n_rows,) the inputs, and any other columns that filters name.
        scores: (n_rows,) the model's answers.
        classes: in the order of the probabilities; empty where there are none.
    """
    named = classes or scores.classes
    return tuple(_judged(one, table, scores=scores.flat(), classes=named) for one in assertions)


def _judged(
    assertion: Assertion,
    table: pa.Table,
    *,
    scores: Scores,
    classes: tuple[Scalar, ...],
) -> AssertionResult:
    rows = matching(assertion.filter, table)
    fits = _as_expected(assertion, scores, classes)
    count = 0 if isinstance(rows, str) else int(np.count_nonzero(rows))
    if isinstance(rows, str) or isinstance(fits, str) or not count:
        why = rows if isinstance(rows, str) else fits if isinstance(fits, str) else "no row matches"
        return _result(assertion, Outcome.UNDEFINED, rows=count, reason=why)
    valid = int(np.count_nonzero(rows & fits))
    ratio = valid / count
    enough = ratio >= assertion.min_ratio - _ROUNDING
    return _result(
        assertion,
        Outcome.PASS if enough else Outcome.FAIL,
        rows=count,
        valid=valid,
        ratio=ratio,
        examples=tuple(np.flatnonzero(rows & ~fits)[:_EXAMPLES].tolist()),
    )


def _result(
    assertion: Assertion,
    outcome: Outcome,
    *,
    rows: int,
    valid: int = 0,
    ratio: float | None = None,
    examples: tuple[int, ...] = (),
    reason: str = "",
) -> AssertionResult:
    return AssertionResult(
        name=assertion.title,
        where=assertion.where,
        expected=assertion.expected,
        min_ratio=assertion.min_ratio,
        outcome=outcome,
        rows=rows,
        valid=valid,
        ratio=ratio,
        examples=examples,
        reason=reason,
    )


def _as_expected(
    assertion: Assertion,
    scores: Scores,
    classes: tuple[Scalar, ...],
) -> Bools | str:
    """Return which answers are as expected: (n_rows,); or why that cannot be told."""
    if scores.predictions.ndim > 1:
        return "the model answers each row with several values"
    if assertion.classes:
        found: Bools = codes(scores.predictions, assertion.classes) != NO_CLASS
        return found
    if assertion.value is not None:
        numbers = _numbers(scores, classes)
        return numbers if isinstance(numbers, str) else _within(numbers, assertion.value)
    wanted = assertion.probability
    place = None if wanted is None else _place(wanted.of, classes)
    if wanted is None or scores.probabilities is None:
        return "the model gives no probabilities"
    if place is None:
        return f"the model has no class {wanted.of!r}"
    return _within(scores.probabilities[:, place], wanted)


def _numbers(scores: Scores, classes: tuple[Scalar, ...]) -> npt.NDArray[np.float64] | str:
    if classes:
        return "the model answers with classes, and no value"
    try:
        return scores.predictions.astype(np.float64)
    except (TypeError, ValueError):
        return "not every answer of the model is a number"


def _within(values: npt.NDArray[np.float64], wanted: Range) -> Bools:
    """Return which values are in a range; a value that is no number is in none."""
    low = -np.inf if wanted.at_least is None else wanted.at_least
    high = np.inf if wanted.at_most is None else wanted.at_most
    return (values >= low) & (values <= high)


def _place(label: Scalar, classes: tuple[Scalar, ...]) -> int | None:
    """Return which class a label is, or None."""
    place = int(codes(np.array([label], dtype=object), classes)[0]) if classes else NO_CLASS
    return None if place == NO_CLASS else place


def _misfits(
    assertion: Assertion,
    schema: pa.Schema,
    *,
    type: PredictionType,  # noqa: A002 - as above
    classes: tuple[Scalar, ...],
) -> Iterator[str]:
    """Yield why an assertion cannot be told of such data and such a model."""
    for comparison in assertion.filter.comparisons:
        why = mismatch(comparison, schema)
        if why:
            yield why
    if assertion.value is not None and type in _CLASSIFIERS:
        yield "the model answers with classes, and no value: expect a class, or a probability"
    if type is PredictionType.REGRESSION and assertion.value is None:
        yield "the model is a regression and has no classes: expect a value"
    elif classes:
        wanted = [
            *assertion.classes,
            *([assertion.probability.of] if assertion.probability else []),
        ]
        names = [canonical(label) for label in classes]
        for label in wanted:
            if _place(label, classes) is None:
                near = nearest(canonical(label), names)
                hint = (
                    f"did you mean {near!r}?" if near else f"it has {', '.join(map(repr, names))}"
                )
                yield f"the model has no class {label!r}: {hint}"
