from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brinery.errors import UnseenClass
from brinery.evaluate import run
from brinery.evaluate.comparison import HEADLINES, ComparisonOptions, compare
from brinery.evaluate.contender import metrics
from brinery.evaluate.moves import Floats
from brinery.records.comparison import Comparison, Verdict
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores

modest = settings(max_examples=40, deadline=None)
RANDOM = np.random.default_rng(0)
ROWS = 1_500
YES = RANDOM.random(ROWS) < 0.3
ACTUAL = np.where(YES, "yes", "no")
NO_YES = ("no", "yes")
INPUTS = pa.table(
    {"age": RANDOM.integers(18, 90, ROWS), "job": RANDOM.choice(["a", "b", "c"], ROWS)}
)
CLASSES = {"m@1": NO_YES, "m@2": NO_YES, "m@3": NO_YES}


def binary(strength: float, *, classes: tuple[str, str] = NO_YES) -> Scores:
    """Return the answers of a classifier that is right the more, the stronger it is."""
    logit = strength * (2 * YES - 1) + RANDOM.normal(size=ROWS)
    chance = 1 / (1 + np.exp(-logit))
    columns = [1 - chance, chance] if classes == NO_YES else [chance, 1 - chance]
    return Scores(np.where(chance >= 0.5, "yes", "no"), np.column_stack(columns), classes)


def compared(scores: dict[str, Scores], **given_: Any) -> Comparison:
    return compare(
        given_.pop("actual", ACTUAL),
        scores,
        type=given_.pop("type", PredictionType.BINARY),
        classes=given_.pop("classes", CLASSES),
        **given_,
    )


def multiclass() -> tuple[Any, dict[str, Scores]]:
    actual = RANDOM.integers(0, 3, ROWS)
    made = {}
    for name, strength in (("m@1", 0.5), ("m@2", 1.0)):
        weights = np.exp(RANDOM.normal(size=(ROWS, 3)) + strength * np.eye(3)[actual])
        chances = weights / weights.sum(axis=1, keepdims=True)
        made[name] = Scores(chances.argmax(axis=1), chances, (0, 1, 2))
    return actual, made


def regression() -> tuple[Floats, dict[str, Scores]]:
    actual = 10 + RANDOM.normal(size=ROWS)
    made = {
        name: Scores(actual + noise * RANDOM.normal(size=ROWS))
        for name, noise in (("m@1", 1.0), ("m@2", 0.5))
    }
    return actual, made


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "kind", [PredictionType.BINARY, PredictionType.MULTICLASS, PredictionType.REGRESSION]
)
def test_the_figures_are_those_of_an_evaluation(kind: PredictionType, *, weighted: bool) -> None:
    """Every figure that an evaluation of a version has, too, has the same value in a comparison."""
    actual: Any = ACTUAL
    scores = {"m@1": binary(0.5), "m@2": binary(1.0)}
    own: tuple[Any, ...] = NO_YES
    if kind is PredictionType.MULTICLASS:
        (actual, scores), own = multiclass(), (0, 1, 2)
    if kind is PredictionType.REGRESSION:
        (actual, scores), own = regression(), ()
    weights = RANDOM.gamma(2.0, size=ROWS) if weighted else None
    found = compared(
        scores, actual=actual, type=kind, classes=dict.fromkeys(scores, own), weights=weights
    )
    for one in found.contenders:
        alone = run.run(kind, actual, scores=scores[one.name], classes=own, weights=weights)
        shared = one.metrics.keys() & alone.metrics.keys()
        assert set(one.metrics) <= set(alone.metrics)
        assert HEADLINES[kind] in shared
        for name in shared:
            assert one.metrics[name] == pytest.approx(alone.metrics[name], abs=1e-9), name
    assert [each.metric for each in found.pairs[0].differences] == list(metrics(kind))
    assert found.pairs[0].difference(HEADLINES[kind]) is not None


def test_a_better_version_is_found_better() -> None:
    """The stronger of three is first, better than the base, and the base beside itself is not."""
    scores = {"m@1": binary(0.5), "m@2": binary(1.5), "m@3": binary(0.5)}
    found = compared(scores, inputs=INPUTS)
    assert found.base == "m@1"
    assert [pair.other for pair in found.pairs] == ["m@2", "m@3"]
    area = found.pairs[0].difference("roc_auc")
    assert area is not None
    assert area.verdict is Verdict.BETTER
    assert found.leaderboard is not None
    board = found.leaderboard.standings
    assert board[0].name == "m@2"
    assert [each.alike for each in board] == [True, False, False]
    assert found.leaderboard.paired


def test_a_comparison_is_json_and_back() -> None:
    """A comparison is JSON as it stands, and is read back the same; so it is for a seed."""
    scores = {"m@1": binary(0.5), "m@2": binary(0.7)}
    found = compared(scores, inputs=INPUTS)
    text = msgspec.json.encode(found)
    assert msgspec.json.decode(text, type=Comparison) == found
    assert b"NaN" not in text
    assert compared(scores, inputs=INPUTS) == found


def test_classes_in_another_order_are_the_same_classes() -> None:
    """A version that keeps its classes in another order is compared in that of the base."""
    first = binary(0.7)
    assert first.probabilities is not None
    turned = Scores(first.predictions, first.probabilities[:, ::-1], ("yes", "no"))
    found = compared({"m@1": first, "m@2": turned}, classes={"m@1": NO_YES, "m@2": ("yes", "no")})
    assert all(each.difference.value == 0 for each in found.pairs[0].differences)


def test_what_cannot_be_compared_is_told() -> None:
    """Other classes, other rows and several values each are a reason, and cost the rest nothing."""
    scores = {
        "m@1": binary(0.5),
        "m@2": binary(0.7),
        "other": Scores(np.array(["x"] * ROWS), None, ("x", "y")),
        "short": Scores(np.array(["no"] * 10), None, NO_YES),
        "wide": Scores(np.zeros((ROWS, 2))),
    }
    classes = {**CLASSES, "other": ("x", "y"), "short": NO_YES, "wide": ()}
    found = compared(scores, classes=classes)
    assert [pair.other for pair in found.pairs] == ["m@2"]
    assert found.not_compared == {
        "other": "it tells x, y apart, and the base no, yes",
        "short": "it answered 10 rows, and the data has 1,500",
        "wide": "it answers each row with 2 values",
    }


def test_a_version_without_probabilities_is_compared_by_its_labels() -> None:
    """What needs probabilities is told; labels, groups and ranks are compared all the same."""
    bare = Scores(binary(0.8).predictions, None, NO_YES)
    found = compared({"m@1": binary(0.5), "m@2": bare}, inputs=INPUTS)
    pair = found.pairs[0]
    assert pair.not_compared["roc_auc"] == "m@2: it gives no probabilities"
    assert pair.loss == "error rate"
    accuracy = pair.difference("accuracy")
    assert accuracy is not None
    assert accuracy.test == "McNemar, mid-p"
    assert found.leaderboard is not None
    assert found.leaderboard.metric == "accuracy"


def test_rows_without_a_label_or_a_weight_are_left_out() -> None:
    """Missing labels and weights of 0 are as if the rows were not there."""
    scores = {"m@1": binary(0.5), "m@2": binary(0.7)}
    actual = ACTUAL.astype(object)
    actual[:100] = None
    weights = np.ones(ROWS)
    weights[100:200] = 0.0
    found = compared(scores, actual=actual, weights=weights, inputs=INPUTS)
    assert (found.rows, found.rows_left_out) == (ROWS - 200, 200)
    rest = {name: each.part(200, ROWS) for name, each in scores.items()}
    alone = compared(rest, actual=ACTUAL[200:], weights=weights[200:], inputs=INPUTS[200:])
    assert found.pairs[0].differences == alone.pairs[0].differences
    assert found.pairs[0].disagreement is not None
    assert min(found.pairs[0].disagreement.places) >= 200


def test_nothing_to_compare_on_is_told() -> None:
    """Without a label, and of a model of another kind, every version has its reason."""
    scores = {"m@1": binary(0.5), "m@2": binary(0.7)}
    none = np.full(ROWS, None, dtype=object)
    found = compared(scores, actual=none)
    assert found.not_compared == dict.fromkeys(scores, "no row of the data has a label")
    other = compared(scores, type=PredictionType.OTHER)
    assert set(other.not_compared) == set(scores)
    text = compared(scores, type=PredictionType.REGRESSION)
    assert text.not_compared["m@1"] == "not every value of the target is a number"


def test_an_unseen_label_is_refused() -> None:
    """A label that is no class of the base is an error, as in an evaluation."""
    actual = ACTUAL.astype(object)
    actual[0] = "maybe"
    with pytest.raises(UnseenClass, match="maybe"):
        compared({"m@1": binary(0.5), "m@2": binary(0.7)}, actual=actual)


def test_a_metric_that_is_asked_for_ranks() -> None:
    """The leaderboard is in the order of the metric that is asked for."""
    scores = {"m@1": binary(0.5), "m@2": binary(1.5)}
    board = compared(scores, options=ComparisonOptions(metric="log_loss")).leaderboard
    assert board is not None
    assert not board.higher_is_better
    values = [each.value.value for each in board.standings]
    assert values == sorted(values)
    f1 = compared(scores, options=ComparisonOptions(metric="f1")).leaderboard
    assert f1 is not None
    assert f1.standings[0].value.interval is not None


chance = st.sampled_from([0.0, 0.2, 0.5, 0.5, 1.0])


@pytest.mark.parametrize("label", NO_YES)
def test_of_one_class_nothing_is_compared_that_an_evaluation_refuses(label: str) -> None:
    """A figure that says nothing of rows of one class is absent here as it is there."""
    actual = np.full(ROWS, label, dtype=object)
    scores = {"m@1": binary(0.5), "m@2": binary(1.0)}
    found = compared(scores, actual=actual)
    for one in found.contenders:
        alone = run.run(PredictionType.BINARY, actual, scores=scores[one.name], classes=NO_YES)
        assert alone.not_computed.keys() & set(metrics(PredictionType.BINARY))
        assert not one.metrics.keys() & alone.not_computed.keys()


@given(
    rows=st.lists(st.tuples(st.booleans(), chance, chance), min_size=1, max_size=12),
    weighted=st.booleans(),
)
@modest
def test_few_rows_one_class_and_ties_are_values(
    rows: list[tuple[bool, float, float]], *, weighted: bool
) -> None:
    """Of a row or two, of one class, of constant answers: every figure is a value or a reason."""
    yes, one, other = (np.array(each) for each in zip(*rows, strict=True))
    scores = {
        name: Scores(np.where(each >= 0.5, "yes", "no"), np.column_stack([1 - each, each]), NO_YES)
        for name, each in (("m@1", one), ("m@2", other))
    }
    weights = np.linspace(0.5, 2.0, yes.size) if weighted else None
    found = compared(
        scores,
        actual=np.where(yes, "yes", "no"),
        weights=weights,
        inputs=pa.table({"x": np.arange(yes.size)}),
        options=ComparisonOptions(draws=200),
    )
    pair = found.pairs[0]
    assert {each.metric for each in pair.differences} | set(pair.not_compared) == set(
        metrics(PredictionType.BINARY)
    )
    for each in pair.differences:
        assert math.isfinite(each.difference.value)
        interval = each.difference.interval
        assert (interval is None) is bool(each.difference.reason)
        if interval is not None:
            assert math.isfinite(interval.low)
            assert interval.low <= interval.high
        assert each.p_value is None or 0 <= each.p_value <= 1
    msgspec.json.decode(msgspec.json.encode(found), type=Comparison)
