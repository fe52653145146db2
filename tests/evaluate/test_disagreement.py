from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from brinery.evaluate import contender
from brinery.evaluate.contender import Answers, Truth
from brinery.evaluate.disagreement import EXAMPLES, PLACES, concordance, disagreement, kappa
from brinery.evaluate.moves import Floats
from brinery.records.comparison import Disagreement
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores

modest = settings(max_examples=60, deadline=None)
CLASSES = ("a", "b", "c")


def labelled(actual: list[int], *said: list[int]) -> tuple[Truth, list[Answers]]:
    """Return rows of three classes, and what versions without probabilities answer."""
    truth = Truth(
        type=PredictionType.MULTICLASS,
        codes=np.array(actual),
        values=np.zeros(0),
        weights=np.ones(len(actual)),
        classes=CLASSES,
    )
    found = []
    for codes in said:
        scores = Scores(np.array([CLASSES[code] for code in codes]))
        rows = np.ones(len(actual), np.bool_)
        each = contender.answers(scores, truth, rows=rows, classes=CLASSES)
        assert isinstance(each, Answers)
        found.append(each)
    return truth, found


code = st.integers(0, 2)


@given(rows=st.lists(st.tuples(code, code, code), min_size=1, max_size=60))
@modest
def test_who_is_right_is_counted(rows: list[tuple[int, int, int]]) -> None:
    """Counts, places and examples are those of the rows whose labels differ."""
    actual, one, other = (list(each) for each in zip(*rows, strict=True))
    truth, (base, two) = labelled(actual, one, other)
    places = np.arange(len(rows)) * 10
    found = disagreement(truth, base=base, other=two, places=places)
    assert isinstance(found, Disagreement)
    differ = [row for row, (_, a, b) in enumerate(rows) if a != b]
    assert found.rows == len(differ)
    assert found.base_right == sum(rows[row][0] == rows[row][1] for row in differ)
    assert found.other_right == sum(rows[row][0] == rows[row][2] for row in differ)
    assert found.base_right + found.other_right + found.neither_right == found.rows
    assert found.places == tuple(10 * row for row in differ)
    assert len(found.examples) == min(EXAMPLES, len(differ))
    for each in found.examples:
        told = (each.actual, each.base, each.other)
        assert told == tuple(CLASSES[code] for code in rows[each.row // 10])
    assert found.share.interval is not None
    assert found.rule is None
    assert found.no_rule


@given(rows=st.lists(st.tuples(code, code), min_size=2, max_size=60))
@modest
def test_kappa_is_scikit_learns(rows: list[tuple[int, int]]) -> None:
    """Cohen's kappa of the two versions is scikit-learn's; of one class there is none."""
    one, other = (np.array(each, np.intp) for each in zip(*rows, strict=True))
    found = kappa(one, other)
    if len({*one.tolist(), *other.tolist()}) == 1:
        assert found is None
    else:
        assert found is not None
        assert found.value == pytest.approx(cohen_kappa_score(one, other))


def test_agreements_spread_as_their_intervals_say() -> None:
    """Kappa and concordance of drawn rows spread as wide as their intervals."""
    random = np.random.default_rng(0)
    rows = 500
    one = random.integers(0, 3, rows)
    other = np.where(random.random(rows) < 0.7, one, random.integers(0, 3, rows))
    value: Floats = random.normal(size=rows)
    near = value * 0.8 + random.normal(size=rows) * 0.5 + 0.2
    whole = kappa(one, other), concordance(value, near)
    drawn = [random.integers(0, rows, rows) for _ in range(1500)]
    spreads = []
    for figure, pair in ((kappa, (one, other)), (concordance, (value, near))):
        each = [figure(pair[0][taken], pair[1][taken]) for taken in drawn]  # type: ignore[arg-type]
        spreads.append(np.std([estimate.value for estimate in each if estimate is not None]))
    for estimate, spread in zip(whole, spreads, strict=True):
        assert estimate is not None
        assert estimate.interval is not None
        width = estimate.interval.high - estimate.interval.low
        assert width / 2 / 1.96 == pytest.approx(spread, rel=0.08)


def test_regressions_disagree_where_they_are_farthest_apart() -> None:
    """Of two regressions it is the tenth of the rows that they are farthest apart on."""
    random = np.random.default_rng(1)
    actual = random.normal(size=1000)
    far = np.arange(1000) < 100
    one, two = actual + 0.1, actual + np.where(far, 5.0, 0.2)
    truth = Truth(
        type=PredictionType.REGRESSION,
        codes=np.zeros(0, np.intp),
        values=actual,
        weights=np.ones(1000),
    )
    said = []
    for values in (one, two):
        rows = np.ones(1000, np.bool_)
        each = contender.answers(Scores(values), truth, rows=rows, classes=())
        assert isinstance(each, Answers)
        said.append(each)
    found = disagreement(
        truth,
        base=said[0],
        other=said[1],
        places=np.arange(1000),
        inputs=pa.table({"row": np.arange(1000)}),
    )
    assert isinstance(found, Disagreement)
    assert found.rows == found.base_right == 100
    assert found.rule is not None
    assert found.rule.conditions == ("row < 100",)
    assert found.agreement_of == "Lin's concordance"


def test_places_are_thinned_by_the_seed() -> None:
    """Of many rows a thousand places are kept, in order, the same ones for a seed."""
    rows = 5000
    truth, (base, other) = labelled([0] * rows, [0] * rows, [1] * rows)
    one, again = (
        disagreement(truth, base=base, other=other, places=np.arange(rows), seed=5)
        for _ in range(2)
    )
    assert isinstance(one, Disagreement)
    assert one == again
    assert len(one.places) == PLACES
    assert list(one.places) == sorted(set(one.places))


def test_versions_that_agree_have_nothing_to_tell() -> None:
    """Where every answer is the same, no row is disputed, and it says so."""
    truth, (base, other) = labelled([0, 1, 2], [0, 1, 1], [0, 1, 1])
    found = disagreement(truth, base=base, other=other, places=np.arange(3))
    assert isinstance(found, Disagreement)
    assert (found.rows, found.places, found.examples) == (0, (), ())
    assert found.no_rule == "they answer every row alike"
