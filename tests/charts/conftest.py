"""Whole evaluations of small models that are written out by hand: the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from msgspec.structs import replace

from brinery.evaluate import diagnostics, run, subpopulations, why
from brinery.evaluate.observed import Observed
from brinery.evaluate.options import Options
from brinery.records.appraisal import Appraisal
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.version import DataFingerprint, Version

ROWS = 400
CREATED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FEW = why.Options(
    importance_rows=200, repeats=2, dependence_rows=50, explained_rows=20, background_rows=10
)


@dataclass(frozen=True)
class Case:
    """A model and rows.

    Attributes:
        type: of the model.
        classes: of the model.
        answer: what it says of the sum of the numbers of each row: (n_rows,).
    """

    type: PredictionType
    classes: tuple[str, ...]
    answer: Callable[[npt.NDArray[np.float64]], Scores]


def table() -> pa.Table:
    """Return rows with a number, a category and a date."""
    places = np.arange(ROWS)
    days = np.datetime64("2026-01-01") + (places % 120).astype("timedelta64[D]")
    return pa.table(
        {
            "age": 20 + places * 7 % 61,
            "colour": [("red", "green", "blue")[place % 3] for place in places],
            "seen": pa.array(days),
        }
    )


def raised(rows: pa.Table) -> npt.NDArray[np.float64]:
    """Return what the models make of rows: (n_rows,), from about -2 to 2."""
    age = (rows["age"].to_numpy().astype(np.float64) - 50) / 15
    red = np.array([value == "red" for value in rows["colour"].to_pylist()], np.float64)
    return np.asarray(age * 0.8 + red, np.float64)


def binary(raised: npt.NDArray[np.float64]) -> Scores:
    """Return labels and probabilities."""
    chance = 1 / (1 + np.exp(-raised))
    labels = np.where(chance >= 0.5, "yes", "no").astype(object)
    return Scores(labels, np.column_stack([1 - chance, chance]))


def multiclass(raised: npt.NDArray[np.float64]) -> Scores:
    """Return labels and probabilities of three classes."""
    weights = np.exp(np.column_stack([-raised, np.full(len(raised), 0.6), raised]))
    chances = weights / weights.sum(axis=1, keepdims=True)
    return Scores(np.array(["low", "mid", "high"], object)[chances.argmax(axis=1)], chances)


def regression(raised: npt.NDArray[np.float64]) -> Scores:
    """Return numbers."""
    return Scores(10 + 3 * raised)


CASES = {
    "binary": Case(PredictionType.BINARY, ("no", "yes"), binary),
    "multiclass": Case(PredictionType.MULTICLASS, ("low", "mid", "high"), multiclass),
    "regression": Case(PredictionType.REGRESSION, (), regression),
}


def appraised(name: str) -> Appraisal:
    """Return the whole evaluation of a case, in which the truth is near to the answers."""
    case, rows = CASES[name], table()
    noise = np.sin(np.arange(ROWS) * 12.9898) * 1.2
    truth = case.answer(raised(rows) + noise).predictions
    scores = case.answer(raised(rows))
    observed = Observed(
        table=rows, scores=scores, type=case.type, actual=truth, classes=case.classes
    )
    evaluation, curves = run.complete(
        case.type, truth, scores=scores, classes=case.classes, options=Options(draws=50)
    )
    *_, last = why.run(observed, lambda some: case.answer(raised(some)), options=FEW)
    return Appraisal(
        reference="shop@3",
        created=CREATED,
        data=DataFingerprint(
            name="test.csv",
            rows=ROWS,
            columns=(*rows.column_names, "truth"),
            sha256="0123456789abcdef" * 4,
            target="truth",
        ),
        scored_by="scorer",
        evaluation=evaluation,
        curves=curves,
        explanation=last.explanation,
        subpopulations=subpopulations.subpopulations(
            rows, truth, type=case.type, scores=scores, classes=case.classes
        ),
        diagnostics=diagnostics.diagnose(rows, truth, scores=scores, evaluation=evaluation),
    )


@pytest.fixture(scope="session")
def appraisals() -> dict[str, Appraisal]:
    """The whole evaluation of each case."""
    return {name: appraised(name) for name in CASES}


@pytest.fixture(params=list(CASES))
def appraisal(request: pytest.FixtureRequest, appraisals: dict[str, Appraisal]) -> Appraisal:
    """One of them."""
    return appraisals[request.param]


@pytest.fixture(scope="session")
def empty(appraisals: dict[str, Appraisal]) -> Appraisal:
    """An evaluation of which nothing could be done."""
    return replace(
        appraisals["binary"],
        evaluation=None,
        curves=None,
        explanation=None,
        subpopulations=None,
        diagnostics=None,
        not_done={"figures": "no target was named"},
    )


@pytest.fixture
def version() -> Version:
    """A version that another program registered: little is known of it."""
    return Version(
        name="shop",
        number=3,
        created=CREATED,
        aliases=("champion",),
        run_id=None,
    )
