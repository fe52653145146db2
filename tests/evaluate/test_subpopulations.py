from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy import stats
from sklearn import metrics as sk

from brinery.errors import ColumnMissing
from brinery.evaluate import delong
from brinery.evaluate.diagnostics import diagnose
from brinery.evaluate.filters import matching
from brinery.evaluate.ranking import rank
from brinery.evaluate.rowwise import METRICS
from brinery.evaluate.run import run
from brinery.evaluate.subpopulations import Slices, subpopulations
from brinery.records.evaluation import PredictionType
from brinery.records.finding import Diagnostics
from brinery.records.scores import Scores
from brinery.records.subpopulation import Correction, Subpopulation, Subpopulations
from brinery.specs.filters import Filter

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

ROWS = 600
CLASSES = ("no", "yes")
BINARY, MULTICLASS, REGRESSION = (
    PredictionType.BINARY,
    PredictionType.MULTICLASS,
    PredictionType.REGRESSION,
)


def inputs(rng: np.random.Generator, rows: int = ROWS) -> pa.Table:
    job = rng.choice(["clerk", "cook", "none"], rows, p=[0.6, 0.35, 0.05])
    age = rng.normal(45, 12, rows).round()
    age[rng.random(rows) < 0.1] = np.nan
    return pa.table({"job": job, "age": pa.array(age, from_pandas=True)})


def binary(rng: np.random.Generator, rows: int = ROWS) -> tuple[Array, Scores]:
    positive = rng.random(rows) < 0.4
    # Rounded, so that there are ties.
    chance = (1 / (1 + np.exp(-rng.normal(2 * positive - 1, 1.5)))).round(2)
    labels = np.where(chance >= 0.5, "yes", "no").astype(object)
    actual = np.where(positive, "yes", "no").astype(object)
    return actual, Scores(labels, np.column_stack([1 - chance, chance]), CLASSES)


def regression(rng: np.random.Generator, rows: int = ROWS) -> tuple[Array, Scores]:
    actual = rng.normal(10, 3, rows)
    return actual, Scores(actual + rng.normal(size=rows))


def multiclass(rng: np.random.Generator, rows: int = ROWS) -> tuple[Array, Scores]:
    chances = rng.dirichlet([1, 1, 1], rows)
    actual = np.where(rng.random(rows) < 0.6, chances.argmax(axis=1), rng.integers(0, 3, rows))
    return np.asarray(actual), Scores(chances.argmax(axis=1), chances, (0, 1, 2))


def metric_of(name: str) -> Callable[[Array, Scores, Floats], float]:
    """The metric as scikit-learn computes it."""

    def positive(actual: Array) -> Array:
        return np.equal(actual, "yes")

    def half(scores: Scores) -> Array:
        assert scores.probabilities is not None
        return scores.probabilities[:, 1] >= 0.5

    def chances(scores: Scores) -> Floats:
        assert scores.probabilities is not None
        return scores.probabilities

    def classed(name: str) -> Callable[[Array, Scores, Floats], float]:
        return {
            "precision": lambda a, s, w: sk.precision_score(
                positive(a), half(s), sample_weight=w, zero_division=0
            ),
            "recall": lambda a, s, w: sk.recall_score(positive(a), half(s), sample_weight=w),
            "specificity": lambda a, s, w: sk.recall_score(~positive(a), ~half(s), sample_weight=w),
            "f1": lambda a, s, w: sk.f1_score(positive(a), half(s), sample_weight=w),
            "roc_auc": lambda a, s, w: sk.roc_auc_score(
                positive(a), chances(s)[:, 1], sample_weight=w
            ),
        }[name]

    return {
        "accuracy": lambda a, s, w: sk.accuracy_score(
            a.astype(str), s.predictions.astype(str), sample_weight=w
        ),
        "log_loss": lambda a, s, w: sk.log_loss(
            a.astype(str), chances(s), sample_weight=w, labels=list(map(str, s.classes))
        ),
        "brier": lambda a, s, w: (
            sk.brier_score_loss(positive(a), chances(s)[:, 1], sample_weight=w)
            if len(s.classes) == 2
            else np.average(
                np.square(chances(s) - (a[:, np.newaxis] == np.arange(3))).sum(axis=1), weights=w
            )
        ),
        "mae": lambda a, s, w: sk.mean_absolute_error(a, s.predictions, sample_weight=w),
        "rmse": lambda a, s, w: sk.root_mean_squared_error(a, s.predictions, sample_weight=w),
        "mse": lambda a, s, w: sk.mean_squared_error(a, s.predictions, sample_weight=w),
        "mape": lambda a, s, w: sk.mean_absolute_percentage_error(
            a, s.predictions, sample_weight=w
        ),
        "mean_error": lambda a, s, w: float(
            np.average(s.predictions.astype(np.float64) - a, weights=w)
        ),
    }.get(name) or classed(name)


LABELS = ["no", "yes", "no", "yes"]
RANKED = Scores(np.array(["no"] * 4), np.full((4, 2), 0.5))
UNRANKED = Scores(np.array(["no"] * 4))
VALUES, SEVERAL = Scores(np.ones(4)), Scores(np.ones((4, 2)))

MADE = {BINARY: binary, MULTICLASS: multiclass, REGRESSION: regression}
EVERY = [(kind, name) for kind in MADE for name in METRICS[kind]]


def every(found: Subpopulations) -> list[Subpopulation]:
    return [one for slicing in found.slicings for one in slicing.subpopulations]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{kind}-{name}" for kind, name in EVERY])
def test_figures_are_scikit_learns(kind: PredictionType, name: str, *, weighted: bool) -> None:
    """In every group the figure is that of scikit-learn on its rows, and so is the difference."""
    rng = np.random.default_rng(1)
    table = inputs(rng)
    actual, scores = MADE[kind](rng)
    weights = rng.choice([0.0, 0.5, 1.0, 3.0], ROWS) if weighted else None
    found = subpopulations(
        table,
        actual,
        type=kind,
        scores=scores,
        classes=scores.classes,
        weights=weights,
        slices=Slices(metric=name, pairs=(("job", "age"),)),
    )
    counted = np.ones(ROWS) if weights is None else weights
    expected = metric_of(name)
    whole = expected(
        actual[counted > 0], scores.take(np.flatnonzero(counted > 0)), counted[counted > 0]
    )
    assert found.skipped == ""
    assert found.whole is not None
    assert found.whole.value == pytest.approx(whole)
    assert [slicing.columns for slicing in found.slicings] == [("job",), ("age",), ("job", "age")]
    assert len(every(found)) == 3 + 6 + 18
    job, age = (
        np.array(table.column(each).to_pylist(), dtype=object) for each in table.column_names
    )
    for one in every(found):
        rows = (counted > 0) & np.array(
            [eval_row(one, {"job": j, "age": a}) for j, a in zip(job, age, strict=True)]
        )
        assert one.rows == np.count_nonzero(rows)
        assert one.share == pytest.approx(counted[rows].sum() / counted.sum())
        if one.figure is None:
            assert one.reason in {"no row counts for this metric", "every row is of one class"}
            continue
        value = expected(actual[rows], scores.take(np.flatnonzero(rows)), counted[rows])
        assert one.figure.value == pytest.approx(value)
        assert one.difference is not None
        assert one.difference.value == pytest.approx(value - whole, abs=1e-9)
        assert (one.p_value is None) == bool(one.reason)


def eval_row(one: Subpopulation, row: dict[str, Any]) -> bool:
    """Whether a row is in a group, by its filter and in plain Python."""
    fits = []
    for part in one.group.where.split(" and "):
        column, how, value = part.split(" ", 2)
        given = row[column]
        if how == "is":
            fits.append(given is None)
        elif how == "==":
            fits.append(given == value.strip('"'))
        else:
            fits.append(
                given is not None
                and (given >= float(value) if how == ">=" else given < float(value))
            )
    return all(fits)


def test_areas_have_delongs_interval() -> None:
    """The interval of an area is that of DeLong on the group's rows alone, as for the whole."""
    rng = np.random.default_rng(2)
    table = inputs(rng)
    actual, scores = binary(rng)
    found = subpopulations(table, actual, type=BINARY, scores=scores, classes=CLASSES)
    evaluation = run(BINARY, actual, scores=scores, classes=CLASSES)
    assert found.metric == "roc_auc"
    assert found.whole is not None
    assert found.whole.interval is not None
    assert found.whole.value == pytest.approx(evaluation.metrics["roc_auc"])
    assert found.whole.interval.low == pytest.approx(evaluation.intervals["roc_auc"].low)
    clerks = found.slicings[0].subpopulations[0]
    assert clerks.group.value == "clerk"
    own = np.array(table.column("job").to_pylist()) == "clerk"
    again = run(BINARY, actual[own], scores=scores.take(np.flatnonzero(own)), classes=CLASSES)
    assert clerks.figure is not None
    assert clerks.figure.interval is not None
    assert clerks.figure.interval.low == pytest.approx(again.intervals["roc_auc"].low)
    assert clerks.figure.interval.high == pytest.approx(again.intervals["roc_auc"].high)


def test_difference_of_areas_is_delongs() -> None:
    """The variance of an area less that of the whole is that of the group and the rest, in part."""
    rng = np.random.default_rng(4)
    rows = 4_000
    actual, scores = binary(rng, rows)
    half = rng.random(rows) < 0.5
    table = pa.table({"half": half})
    found = subpopulations(table, actual, type=BINARY, scores=scores, classes=CLASSES)
    one = found.slicings[0].subpopulations[0]
    assert one.difference is not None
    assert one.difference.interval is not None
    width = one.difference.interval.high - one.difference.interval.low
    assert scores.probabilities is not None
    score, positive = scores.probabilities[:, 1], actual == "yes"
    apart = [delong.area(rank(positive[part], score[part])).variance for part in (half, ~half)]
    # The whole is made of the two halves, and of pairs across them.
    assert width == pytest.approx(2 * 1.96 * np.sqrt(sum(apart)) / 2, rel=0.03)


def worse_for_some(
    rng: np.random.Generator, rows: int, kind: PredictionType
) -> tuple[pa.Table, Array, Scores]:
    """Rows of which a quarter are answered worse."""
    small = rng.random(rows) < 0.25
    noise = np.where(small, 1.5, 1.0)
    table = pa.table({"small": small})
    if kind is REGRESSION:
        return table, np.zeros(rows), Scores(rng.normal(size=rows) * noise)
    positive = rng.random(rows) < 0.4
    chance = 1 / (1 + np.exp(-rng.normal(positive - 0.5, noise)))
    labels = np.where(chance >= 0.5, "yes", "no").astype(object)
    actual = np.where(positive, "yes", "no").astype(object)
    return table, actual, Scores(labels, np.column_stack([1 - chance, chance]), CLASSES)


COVERED = [
    *((BINARY, name) for name in ("roc_auc", "accuracy", "recall", "f1", "log_loss", "brier")),
    *((REGRESSION, name) for name in ("mae", "rmse", "mean_error")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), COVERED, ids=[name for _, name in COVERED])
def test_intervals_cover(kind: PredictionType, name: str) -> None:
    """The intervals of a group's figure and difference hold the true ones 93 to 97 times in 100."""

    def small(table: pa.Table, actual: Array, scores: Scores) -> Subpopulation:
        found = subpopulations(
            table,
            actual,
            type=kind,
            scores=scores,
            classes=scores.classes,
            slices=Slices(metric=name),
        )
        (one,) = [each for each in every(found) if each.group.value is True]
        return one

    rng = np.random.default_rng(5)
    # A sample that is large enough to be the truth.
    truth = small(*worse_for_some(rng, 2_000_000, kind))
    assert truth.figure is not None
    assert truth.difference is not None
    held = np.zeros(2)
    for _ in range(2_000):
        one = small(*worse_for_some(rng, 800, kind))
        for place, (made, true) in enumerate(
            ((one.figure, truth.figure), (one.difference, truth.difference))
        ):
            assert made is not None
            assert made.interval is not None
            held[place] += made.interval.low <= true.value <= made.interval.high
    assert ((held / 2_000 >= 0.93) & (held / 2_000 <= 0.97)).all(), held


def uniform(p_values: list[float]) -> None:
    """Assert that p-values are uniform, at their small end too."""
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
    for level in (0.1, 0.05, 0.01):
        expected = level * len(p_values)
        assert abs(sum(p <= level for p in p_values) - expected) <= 4 * np.sqrt(expected)


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (BINARY, "roc_auc"),
        (BINARY, "log_loss"),
        (BINARY, "f1"),
        (BINARY, "accuracy"),
        (REGRESSION, "rmse"),
        (REGRESSION, "mean_error"),
    ],
)
def test_p_values_are_uniform(kind: PredictionType, name: str, *, weighted: bool) -> None:
    """Where groups do not differ, their p-values are uniform: 2,000 draws of a small group."""
    rng = np.random.default_rng(6)
    p_values = []
    for _ in range(2_000):
        actual, scores = MADE[kind](rng, 400)
        found = subpopulations(
            pa.table({"group": rng.choice(["a", "b", "c"], 400, p=[0.2, 0.3, 0.5])}),
            actual,
            type=kind,
            scores=scores,
            classes=scores.classes,
            weights=rng.choice([0.5, 1.0, 2.0], 400) if weighted else None,
            slices=Slices(metric=name, min_rows=10),
        )
        (one,) = [each for each in every(found) if each.group.value == "a"]
        assert one.p_value is not None, one.reason
        p_values.append(one.p_value)
    uniform(p_values)


def test_no_difference_is_no_alarm() -> None:
    """On data without a difference nothing is notable; where one group is worse, it is."""
    rng = np.random.default_rng(7)
    rows = 3_000
    table = pa.table({f"x{each}": rng.normal(size=rows) for each in range(20)})
    table = table.append_column("job", [rng.choice(["clerk", "cook"], rows)])
    actual, scores = regression(rng, rows)
    found = subpopulations(table, actual, type=REGRESSION, scores=scores)
    assert found.metric == "mae"
    assert found.tests == len(every(found)) == 102
    assert found.notable() == ()
    cooks = np.array(table.column("job").to_pylist()) == "cook"
    error = scores.predictions.astype(np.float64) - actual
    worse = Scores(actual + error * np.where(cooks, 1.3, 1.0))
    found = subpopulations(table, actual, type=REGRESSION, scores=worse)
    assert {one.group.label for one in found.notable()} == {"cook", "clerk"}


@pytest.mark.parametrize("correction", list(Correction), ids=str)
def test_p_values_are_corrected_together(correction: Correction) -> None:
    """P-values are corrected over all groups of all columns at once."""
    rng = np.random.default_rng(8)
    table = inputs(rng)
    actual, scores = binary(rng)
    found = subpopulations(
        table,
        actual,
        type=BINARY,
        scores=scores,
        classes=CLASSES,
        slices=Slices(correction=correction, metric="accuracy"),
    )
    given = [one.p_value for one in every(found) if one.p_value is not None]
    raised = [one.p_corrected for one in every(found) if one.p_corrected is not None]
    assert len(given) == len(raised) == found.tests
    if correction is Correction.BENJAMINI_HOCHBERG:
        assert raised == pytest.approx(stats.false_discovery_control(given))
    assert all(one >= other for one, other in zip(raised, given, strict=True))


def test_small_groups_are_not_tested() -> None:
    """A group of few rows has a figure and an interval, but no p-value, and says why."""
    rng = np.random.default_rng(9)
    actual, scores = binary(rng, 200)
    table = pa.table({"x": ["a"] * 190 + ["b"] * 10})
    found = subpopulations(table, actual, type=BINARY, scores=scores, classes=CLASSES)
    one, other = every(found)
    assert one.reason == "not tested, because all others have fewer than 30 rows"
    assert other.reason == "not tested, because it has fewer than 30 rows"
    assert one.figure is not None
    assert found.tests == 0


def test_rows_without_a_label_are_left_out() -> None:
    """Rows without a label count nowhere, and groups that only they have are not there."""
    rng = np.random.default_rng(10)
    actual, scores = binary(rng, 200)
    actual[:50] = None
    table = pa.table({"x": ["gone"] * 50 + ["a"] * 70 + ["b"] * 80})
    found = subpopulations(table, actual, type=BINARY, scores=scores, classes=CLASSES)
    assert found.rows == 150
    assert [one.rows for one in every(found)] == [80, 70]


@pytest.mark.parametrize(
    ("kind", "metric", "actual", "scores", "why"),
    [
        (BINARY, "", ["no"] * 4, RANKED, "every row is of one class"),
        (BINARY, "log_loss", LABELS, UNRANKED, "the model gives no probabilities"),
        (BINARY, "r2", LABELS, RANKED, "a model of type binary has no metric 'r2'"),
        (BINARY, "", [None] * 4, RANKED, "no row of the data has a label"),
        (BINARY, "precision", LABELS, UNRANKED, "no row counts for this metric"),
        (REGRESSION, "mape", [0.0, 1, 2, 3], VALUES, "the target is 0 in some rows"),
        (REGRESSION, "", list("abcd"), VALUES, "not every value of the target is a number"),
        (REGRESSION, "", [1.0, 2, 3, 4], SEVERAL, "the model answers each row with 2 values"),
        (PredictionType.OTHER, "", [1.0, 2, 3, 4], VALUES, "the model is neither"),
    ],
)
def test_what_cannot_be_computed_has_a_reason(
    kind: PredictionType, metric: str, actual: list[Any], scores: Scores, why: str
) -> None:
    """What cannot be computed of any group is skipped, with the reason."""
    found = subpopulations(
        pa.table({"x": ["a", "a", "b", "b"]}),
        np.array(actual, dtype=object),
        type=kind,
        scores=scores,
        classes=CLASSES if kind is BINARY else (),
        slices=Slices(metric=metric),
    )
    assert found.skipped.startswith(f"skipped, because {why}")
    assert found.slicings == ()


def test_columns_that_are_not_cut() -> None:
    """A column that is not cut says why, also where a pair asks for it."""
    rng = np.random.default_rng(11)
    actual, scores = binary(rng, 100)
    table = pa.table({"one": [1] * 100, "two": ["a", "b"] * 50})
    found = subpopulations(
        table,
        actual,
        type=BINARY,
        scores=scores,
        classes=CLASSES,
        slices=Slices(columns=("two",), pairs=(("one", "two"),)),
    )
    assert [slicing.columns for slicing in found.slicings] == [("two",), ("one", "two")]
    assert found.slicings[1].skipped == "skipped, because one: every row has the same value"


def test_a_column_that_is_not_there() -> None:
    """A column that is asked for and is not there is refused, with the name that was meant."""
    actual, scores = binary(np.random.default_rng(12), 10)
    with pytest.raises(ColumnMissing, match="no column 'jobb', 'b'") as caught:
        subpopulations(
            pa.table({"job": ["a"] * 10}),
            actual,
            type=BINARY,
            scores=scores,
            classes=CLASSES,
            slices=Slices(columns=("jobb",), pairs=(("job", "b"),)),
        )
    assert caught.value.hint == "is 'jobb' meant to be 'job'?"


def test_the_record_is_json() -> None:
    """The record goes to JSON and back as it is, and no number in it is NaN."""
    rng = np.random.default_rng(13)
    table = inputs(rng).append_column("perfect", [["a"] * 300 + ["b"] * 300])
    actual, scores = binary(rng)
    for metric in METRICS[BINARY]:
        found = subpopulations(
            table, actual, type=BINARY, scores=scores, classes=CLASSES, slices=Slices(metric=metric)
        )
        payload = msgspec.json.encode(found)
        assert msgspec.json.decode(payload, type=Subpopulations) == found


def test_perfect_groups() -> None:
    """A group without an error has a figure, and no interval where its rows do not tell one."""
    actual = np.array(["yes", "no"] * 100, dtype=object)
    chance = np.where(actual == "yes", 0.9, 0.1)
    chance[:100] = np.tile([0.4, 0.6, 0.7, 0.3], 25)
    scores = Scores(
        np.where(chance > 0.5, "yes", "no").astype(object),
        np.column_stack([1 - chance, chance]),
        CLASSES,
    )
    table = pa.table({"x": ["a"] * 100 + ["b"] * 100})
    for metric in METRICS[BINARY]:
        found = subpopulations(
            table, actual, type=BINARY, scores=scores, classes=CLASSES, slices=Slices(metric=metric)
        )
        _, perfect = every(found)
        assert perfect.figure is not None
        assert perfect.difference is not None
        assert perfect.p_value is not None
        assert perfect.p_value < 1e-4
        assert perfect.figure.interval or perfect.figure.reason


def repeated(values: list[Any], kind: pa.DataType | None = None) -> pa.Array:
    return pa.array([values[each % len(values)] for each in range(60)], kind)


ODD = {
    "null": pa.nulls(60),
    "decimal": repeated([Decimal("1.1"), None, Decimal("2.2")]),
    "clock": repeated([dt.time(1, 2), None]),
    "duration": repeated([dt.timedelta(1), None]),
    "bytes": repeated([b"a", b"b", None]),
    "struct": repeated([{"a": 1}, None]),
    "long text": repeated(["a", "b"], pa.large_string()),
    "half": pa.array(np.arange(60).astype(np.float16)),
    "categories": repeated([1.5, None, 3]).dictionary_encode(),
    "infinite": repeated([np.inf, -np.inf, 1.0, np.nan, 2.0]),
    "unsigned": repeated([2**64 - 1, 0, 5], pa.uint64()),
    "beyond": repeated([2**62, 2**62 + 1, 2**62 + 2, 2**62 + 3, 4, 5, 6]),
    "tiny": repeated([1e-320, 2e-320, 3e-320, 4e-320, 5e-320, 6e-320, 7e-320]),
    "huge": repeated([1e308, -1e308, 1e307, 3e307, 5e306, -3e307, 4]),
    "nanoseconds": repeated([1, 2, None], pa.timestamp("ns", "America/New_York")),
    "quotes \" ' ` \\": repeated(['"', "'", "\\", "\n", "`"]),
}


@pytest.mark.parametrize("name", ODD, ids=lambda name: name.split(" ")[0])
def test_columns_of_any_type(name: str) -> None:
    """A column of any type is cut or skipped, and the rows of a group are those of its filter."""
    rng = np.random.default_rng(14)
    table = pa.table({name: ODD[name], "job": repeated(["a", "b"])})
    actual, scores = regression(rng, 60)
    found = subpopulations(
        table, actual, type=REGRESSION, scores=scores, slices=Slices(pairs=(("job", name),))
    )
    assert msgspec.json.decode(msgspec.json.encode(found), type=Subpopulations) == found
    assert all(slicing.subpopulations or slicing.skipped for slicing in found.slicings)
    for one in every(found):
        chosen = matching(Filter.parse(one.group.where), table)
        assert not isinstance(chosen, str), chosen
        assert np.count_nonzero(chosen) == one.rows
    evaluation = run(REGRESSION, actual, scores=scores)
    doubts = diagnose(table, actual, scores=scores, evaluation=evaluation, training=table)
    assert msgspec.json.decode(msgspec.json.encode(doubts), type=Diagnostics) == doubts
