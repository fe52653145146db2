"""What is doubtful about an evaluation: its data, its figures, and whether they may be believed.

Each check is small and says what it saw, in plain words and in numbers. What was not looked for is
told too, with the reason. Nothing here is an error: a finding may have a good explanation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.evaluate.binary import Binary
from brinery.evaluate.column_findings import of_columns
from brinery.evaluate.figure_findings import of_answers, of_classes, of_figures
from brinery.evaluate.leakage import LEAST_ROWS, Power, powers
from brinery.evaluate.prepared import prepare
from brinery.evaluate.row_hashes import held, repeated, row_hashes
from brinery.records.evaluation import Evaluation
from brinery.records.finding import Diagnostics, Finding, FindingCode, Severity
from brinery.records.scores import Scores

# How much one column must tell of the target to be suspected, by measure.
_SUSPECT: Final = {"ROC AUC": 0.99, "Theil's U": 0.95, "R2": 0.95}
_SHARED_NOTE: Final = 0.005
_SHARED_WARNING: Final = 0.05
_REPEATED: Final = 0.01
_MORE_THAN_CHANCE: Final = 10
_DEVIATIONS: Final = 3
_ALL: Final = 0.99
_HALF: Final = 0.5


def diagnose(
    table: pa.Table,
    actual: npt.NDArray[np.generic],
    *,
    scores: Scores,
    evaluation: Evaluation,
    training: pa.Table | None = None,
) -> Diagnostics:
    """Return what is doubtful about an evaluation.

    Args:
        table: (n_rows,) the inputs.
        actual: (n_rows,) labels or values; None and NaN are missing.
        scores: (n_rows,) the model's answers.
        evaluation: the figures of these rows, with the model's type and classes.
        training: the rows that the model was trained on, of the same columns and any others; None
            where they are not at hand.
    """
    checked = {
        FindingCode.LEAKAGE: _leaks(table, actual, scores, evaluation=evaluation),
        FindingCode.OVERLAP: "the training data is not at hand"
        if training is None
        else _shared(table, training),
    }
    findings = [
        *chain.from_iterable(found for found in checked.values() if not isinstance(found, str)),
        *of_figures(evaluation),
        *of_answers(actual, scores=scores, evaluation=evaluation),
        *of_classes(actual, evaluation),
        *_duplicates(table),
        *of_columns(table),
    ]
    findings.sort(key=lambda finding: finding.severity is not Severity.WARNING)
    return Diagnostics(
        rows=table.num_rows,
        findings=tuple(findings),
        not_checked={code: why for code, why in checked.items() if isinstance(why, str)},
    )


def _leaks(
    table: pa.Table,
    actual: npt.NDArray[np.generic],
    scores: Scores,
    *,
    evaluation: Evaluation,
) -> Iterator[Finding] | str:
    """Yield the columns that nearly tell the target, or return why it was not looked for them."""
    given = prepare(
        evaluation.type,
        actual,
        scores=scores.flat(),
        classes=evaluation.classes,
        weights=None,
    )
    rows = given.rows.rows if isinstance(given.rows, Binary) else given.rows
    if isinstance(rows, str):
        return rows
    if len(given.sample.actual) < LEAST_ROWS:
        return f"fewer than {LEAST_ROWS} rows have a label"
    if given.sample.places is not None:
        table = table.take(pa.array(given.sample.places))
    return _suspects(powers(table, rows))


def _suspects(found: Iterator[Power]) -> Iterator[Finding]:
    suspected: set[str] = set()
    for column, measure, value in found:
        if value < _SUSPECT[measure] or column in suspected:
            continue
        suspected.add(column)
        yield Finding(
            code=FindingCode.LEAKAGE,
            severity=Severity.WARNING,
            message=f"column '{column}' alone nearly tells the target ({measure} {value:.3f})",
            column=column,
            figures={measure: value},
            hint="check that its value is known before the target is; if not, train without it",
        )


def _shared(table: pa.Table, training: pa.Table) -> Iterator[Finding] | str:
    """Yield that rows were trained on, or return why it cannot be told.

    As many rows as have another one like them in the training data are expected to have one there,
    were they drawn from where these were.
    """
    for field in table.schema:
        if field.name not in training.schema.names:
            return f"the training data has no column '{field.name}'"
        kinds = held(field.type), held(training.schema.field(field.name).type)
        if kinds[0] != kinds[1]:
            return f"column '{field.name}' is of {kinds[0]} here and of {kinds[1]} in training"
    if not (table.num_rows and training.num_rows and table.num_columns):
        return "there are no rows to compare"
    known = row_hashes(training, table.column_names)
    found = np.isin(row_hashes(table, table.column_names), known)
    rows, share = int(np.count_nonzero(found)), float(found.mean())
    expected = float(repeated(known).mean())
    if share > _ALL and (by_chance := _alike(table) * training.num_rows) < _HALF:
        # Training data that repeats itself would hide that all rows are from it.
        expected = min(expected, by_chance)
    # That none of the training rows has another one like it does not say that none ever has.
    likely = max(expected, 1 / (training.num_rows + 1))
    chance = _DEVIATIONS * math.sqrt(likely * (1 - likely) / table.num_rows)
    return _overlap(rows, share, expected=expected, excess=share - expected - chance)


def _overlap(rows: int, share: float, *, expected: float, excess: float) -> Iterator[Finding]:
    if excess <= _SHARED_NOTE:
        return
    told = f", where {expected:.1%} would be by chance" if expected >= _SHARED_NOTE else ""
    yield Finding(
        code=FindingCode.OVERLAP,
        severity=Severity.WARNING if excess > _SHARED_WARNING else Severity.NOTE,
        message=f"{rows:,} rows ({share:.1%}) are also in the training data{told}",
        figures={"rows": rows, "share": share, "share_expected": expected},
        hint="the figures flatter the model; evaluate on rows that it was not trained on",
    )


def _duplicates(table: pa.Table) -> Iterator[Finding]:
    """Yield that rows occur more than once, where few columns with few values do not explain it."""
    if not (table.num_rows and table.num_columns):
        return
    _, counts = np.unique(row_hashes(table, table.column_names), return_counts=True)
    again = table.num_rows - counts.size
    share = again / table.num_rows
    if share < _REPEATED:
        return
    pairs = float((counts * (counts - 1) / 2).sum())
    by_chance = _alike(table) * table.num_rows * (table.num_rows - 1) / 2
    if pairs <= _MORE_THAN_CHANCE * max(1.0, by_chance):
        return
    yield Finding(
        code=FindingCode.DUPLICATES,
        severity=Severity.NOTE,
        message=f"{again:,} of {table.num_rows:,} rows ({share:.1%}) repeat one before them",
        figures={"rows": again, "share": share},
        hint="intervals take rows for independent, and are too narrow where they are not",
    )


def _alike(table: pa.Table) -> float:
    """Return how likely two rows are to be alike, did no column depend on another, 0 to 1."""
    rows, found = table.num_rows, 1.0
    for name in table.column_names:
        _, counts = np.unique(row_hashes(table, [name]), return_counts=True)
        found *= float((counts * (counts - 1)).sum()) / max(rows * (rows - 1), 1)
    return found
