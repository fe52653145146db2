from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from brinery.evaluate.diagnostics import diagnose
from brinery.evaluate.run import run
from brinery.records.evaluation import PredictionType
from brinery.records.finding import Diagnostics, Finding, FindingCode, Severity
from brinery.records.scores import Scores

Array = npt.NDArray[Any]
CLASSES = ("no", "yes")
ROWS = 2_000


class Case:
    """A clean evaluation of a binary model, parts of which a test replaces."""

    def __init__(self, rows: int = ROWS, seed: int = 0) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.table = self.inputs(rows)
        positive = rng.random(rows) < 0.35
        self.actual: Array = np.where(positive, "yes", "no").astype(object)
        self.chance = 1 / (1 + np.exp(-rng.normal(2 * positive - 1.2, 1.5)))
        self.training: pa.Table | None = self.inputs(rows)
        self.kind = PredictionType.BINARY
        self.scores: Scores | None = None
        self.classes: tuple[str, ...] = CLASSES

    def inputs(self, rows: int) -> pa.Table:
        rng = self.rng
        return pa.table(
            {
                "age": rng.normal(45, 12, rows).round(),
                "balance": rng.lognormal(7, 1, rows).round(2),
                "job": rng.choice(["clerk", "cook", "none"], rows),
                "loan": rng.random(rows) < 0.2,
            }
        )

    def diagnosed(self) -> Diagnostics:
        scores = self.scores or Scores(
            np.where(self.chance >= 0.5, "yes", "no").astype(object),
            np.column_stack([1 - self.chance, self.chance]),
            CLASSES,
        )
        evaluation = run(self.kind, self.actual, scores=scores, classes=self.classes)
        found = diagnose(
            self.table,
            self.actual,
            scores=scores,
            evaluation=evaluation,
            training=self.training,
        )
        assert msgspec.json.decode(msgspec.json.encode(found), type=Diagnostics) == found
        return found

    def only(self, code: FindingCode) -> Finding:
        """The one finding there is, which is of this code."""
        found = self.diagnosed().findings
        assert [finding.code for finding in found] == [code], found
        return found[0]


@pytest.fixture
def case() -> Case:
    return Case()


@pytest.mark.parametrize("seed", range(5))
def test_clean_data_raises_no_alarm(seed: int) -> None:
    """On clean data nothing is found, and everything was looked for."""
    found = Case(seed=seed).diagnosed()
    assert found.findings == ()
    assert found.not_checked == {}
    assert found.rows == ROWS


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine, load_iris, load_diabetes])
def test_well_known_data_raise_no_false_alarm(load: Any) -> None:
    """On the well-known sets, split by lot, no column is suspected, and no row of training met."""
    x, y = load(return_X_y=True)
    train, test, learned, actual = train_test_split(x, y, test_size=0.5, random_state=0)
    regression = load is load_diabetes
    model = make_pipeline(
        StandardScaler(), LinearRegression() if regression else LogisticRegression()
    ).fit(train, learned)
    names = [f"x{each}" for each in range(x.shape[1])]
    tables = [pa.table(list(part.T), names=names) for part in (test, train)]
    count = len(set(y.tolist()))
    kind = (
        PredictionType.REGRESSION
        if regression
        else PredictionType.BINARY
        if count == 2
        else PredictionType.MULTICLASS
    )
    classes = () if regression else tuple(range(count))
    chances = None if regression else model.predict_proba(test)
    scores = Scores(model.predict(test), chances, classes)
    found = diagnose(
        tables[0],
        actual,
        scores=scores,
        evaluation=run(kind, actual, scores=scores, classes=classes),
        training=tables[1],
    )
    honest = {FindingCode.TOO_FEW_ROWS, FindingCode.PERFECT_SCORE}
    assert {finding.code for finding in found.findings} <= honest


def test_a_leak(case: Case) -> None:
    """A column that is the target in other words is suspected of leaking it."""
    answer = np.where(case.actual == "yes", "accepted", "refused")
    case.table = case.table.append_column("outcome", [answer])
    case.training = None
    found = case.only(FindingCode.LEAKAGE)
    assert found.severity is Severity.WARNING
    assert found.column == "outcome"
    assert found.message == "column 'outcome' alone nearly tells the target (Theil's U 1.000)"
    assert case.diagnosed().not_checked == {FindingCode.OVERLAP: "the training data is not at hand"}


def test_a_leak_in_a_number(case: Case) -> None:
    """A number that ranks the rows as the target does is suspected."""
    duration = (case.actual == "yes") + case.rng.normal(0, 0.28, ROWS)
    case.table = case.table.append_column("duration", [duration])
    case.training = None
    found = case.only(FindingCode.LEAKAGE)
    assert found.column == "duration"
    assert found.figures["ROC AUC"] > 0.99


def test_rows_of_training(case: Case) -> None:
    """Rows that the model was trained on are counted."""
    assert case.training is not None
    case.training = pa.concat_tables([case.training, case.table.slice(0, 300)])
    found = case.only(FindingCode.OVERLAP)
    assert found.severity is Severity.WARNING
    assert found.message.startswith("300 rows (15.0%) are also in the training data")
    case.training = pa.concat_tables([case.table, case.table])
    assert case.only(FindingCode.OVERLAP).figures["share"] == 1


def test_columns_that_take_few_values_overlap_by_chance(case: Case) -> None:
    """Where a few columns have a few values, that rows meet in training is no alarm."""
    case.table = case.table.select(["job", "loan"])
    assert case.training is not None
    assert case.diagnosed().findings == ()


@pytest.mark.parametrize(
    ("training", "why"),
    [
        ({"age": [1.0]}, "the training data has no column 'balance'"),
        (
            {"age": ["1"], "balance": [1.0], "job": ["a"], "loan": [True]},
            "column 'age' is of numbers here and of texts in training",
        ),
    ],
)
def test_training_of_other_columns(case: Case, training: dict[str, Any], why: str) -> None:
    """Where the training data has other columns, overlap is not looked for, and why is told."""
    case.training = pa.table(training)
    assert case.diagnosed().not_checked == {FindingCode.OVERLAP: why}


def test_duplicates(case: Case) -> None:
    """Rows that repeat others are told, with how many."""
    half = np.concatenate([np.arange(ROWS // 2), np.arange(ROWS // 2)])
    case.table = case.table.take(pa.array(half))
    found = case.only(FindingCode.DUPLICATES)
    assert found.figures == {"rows": 1000, "share": 0.5}


def test_imbalance(case: Case) -> None:
    """A class that is rare is told, with what always saying the other would score."""
    rare = case.rng.random(ROWS) < 0.05
    case.actual = np.where(rare, "yes", "no").astype(object)
    case.chance = 1 / (1 + np.exp(-case.rng.normal(4 * rare - 2, 1)))
    found = case.only(FindingCode.CLASS_IMBALANCE)
    assert found.severity is Severity.NOTE
    assert "always says 'no' is right in 9" in found.message


def test_an_absent_class(case: Case) -> None:
    """A class of the model without a row is told."""
    case.kind, case.classes = PredictionType.MULTICLASS, ("maybe", "no", "yes")
    case.scores = Scores(case.actual, np.full((ROWS, 3), 1 / 3))
    case.actual = case.actual[::-1].copy()
    found = case.only(FindingCode.CLASS_ABSENT)
    assert found.message == "no row is of class 'maybe', which the model knows"


def test_missing_labels(case: Case) -> None:
    """Rows without a label are counted; many of them are a warning."""
    case.actual[:100] = None
    assert case.only(FindingCode.LABELS_MISSING).severity is Severity.NOTE
    case.actual[:900] = None
    found = case.only(FindingCode.LABELS_MISSING)
    assert found.severity is Severity.WARNING
    assert found.message.startswith("900 of 2,000 rows have no label")


def test_constant_predictions(case: Case) -> None:
    """A model that answers all rows with the same is told."""
    case.chance = np.full(ROWS, 0.2)
    found = case.only(FindingCode.CONSTANT_PREDICTIONS)
    assert found.severity is Severity.WARNING
    assert found.message == "the model answers each of the 2,000 rows with 'no'"
    case.chance = case.rng.random(ROWS) / 2.5
    assert case.only(FindingCode.CONSTANT_PREDICTIONS).severity is Severity.NOTE


def test_perfect_scores(case: Case) -> None:
    """A model that is never wrong is suspicious; on a few rows it is a note."""
    case.chance = np.where(case.actual == "yes", 0.9, 0.1)
    assert case.only(FindingCode.PERFECT_SCORE).severity is Severity.WARNING
    few = Case(rows=80)
    few.chance = np.where(few.actual == "yes", 0.9, 0.1)
    codes = {finding.code: finding.severity for finding in few.diagnosed().findings}
    assert codes[FindingCode.PERFECT_SCORE] is Severity.NOTE


def test_too_few_rows() -> None:
    """A figure whose interval is wide is told, with how many rows would do."""
    found = Case(rows=100).diagnosed().findings
    assert [finding.code for finding in found] == [FindingCode.TOO_FEW_ROWS]
    assert found[0].severity is Severity.WARNING
    assert found[0].message.startswith("the ROC AUC is 0.")
    rows = int(found[0].hint.split(" ")[1].replace(",", ""))
    assert Case(rows=rows).diagnosed().findings == ()


@pytest.mark.parametrize(
    ("values", "code", "severity"),
    [
        (["same"] * ROWS, FindingCode.CONSTANT_COLUMN, Severity.NOTE),
        ([None] * ROWS, FindingCode.MOSTLY_MISSING, Severity.WARNING),
        ([1.5, None, None] * 666 + [2, 3], FindingCode.MOSTLY_MISSING, Severity.NOTE),
        ([f"c-{each}" for each in range(ROWS)], FindingCode.IDENTIFIER, Severity.NOTE),
        (list(range(5, ROWS + 5)), FindingCode.IDENTIFIER, Severity.NOTE),
    ],
)
def test_columns(case: Case, values: list[Any], code: FindingCode, severity: Severity) -> None:
    """A column that says nothing, or that names the row, is told."""
    case.table = case.table.append_column("odd", [values])
    case.training = None
    found = case.only(code)
    assert (found.column, found.severity) == ("odd", severity)
    assert "'odd'" in found.message


@pytest.mark.parametrize(
    "values",
    [
        [f"a text that has {each} for a word" for each in range(ROWS)],
        np.random.default_rng(0).normal(size=ROWS),
        np.random.default_rng(0).permutation(10**6)[:ROWS],
        ["a", None] * (ROWS // 2),
        [[each] for each in range(ROWS)],
    ],
    ids=["text", "number", "amount", "gaps", "list"],
)
def test_columns_that_are_no_matter(case: Case, values: Any) -> None:
    """Texts, numbers that all differ, and some gaps are no matter."""
    case.table = case.table.append_column("odd", [values])
    case.training = None
    assert case.diagnosed().findings == ()


def test_warnings_come_first(case: Case) -> None:
    """Warnings are told before notes."""
    case.table = case.table.append_column("same", [["a"] * ROWS])
    case.table = case.table.append_column("leak", [case.actual])
    case.training = None
    severities = [finding.severity for finding in case.diagnosed().findings]
    assert severities == [Severity.WARNING, Severity.NOTE]


def test_no_rows() -> None:
    """Of no rows nothing is found."""
    case = Case(rows=0)
    found = case.diagnosed()
    assert found.findings == ()
    assert set(found.not_checked) == {FindingCode.LEAKAGE, FindingCode.OVERLAP}


def test_other_models(case: Case) -> None:
    """Of a model that is neither classifier nor regression, the columns are looked at."""
    case.kind, case.classes = PredictionType.OTHER, ()
    case.scores = Scores(np.ones((ROWS, 2)), outputs=("a", "b"))
    case.table = case.table.append_column("same", [["a"] * ROWS])
    case.training = None
    case.only(FindingCode.CONSTANT_COLUMN)
    assert FindingCode.LEAKAGE in case.diagnosed().not_checked
