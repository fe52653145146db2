from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from brinery.evaluate.options import Options
from brinery.evaluate.ranking import Bools, Floats, rank
from brinery.evaluate.thresholds import separation, table, thresholds
from brinery.records.threshold import Aim, Gains

GAINS = Gains(true_positive=4, false_positive=-1.5, false_negative=-0.5, true_negative=0.25)
OPTIONS = Options(gains=GAINS, draws=30)
THEIRS: dict[Aim, Any] = {
    Aim.F1: metrics.f1_score,
    Aim.F_BETA: lambda a, p: metrics.fbeta_score(a, p, beta=2),
    Aim.ACCURACY: metrics.accuracy_score,
    Aim.BALANCED_ACCURACY: metrics.balanced_accuracy_score,
    Aim.MCC: metrics.matthews_corrcoef,
    Aim.KAPPA: metrics.cohen_kappa_score,
    Aim.GAIN: lambda a, p: float((metrics.confusion_matrix(a, p) * table(GAINS)).sum() / a.size),
}
score = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)


def made(n_rows: int, seed: int, away: float = 1.0) -> tuple[Bools, Floats]:
    """Return labels, and scores that tell them apart by so many deviations."""
    source = np.random.default_rng(seed)
    positive = source.random(n_rows) < 0.3
    return positive, 1 / (1 + np.exp(1 - source.normal(positive * away, 1)))


def test_every_aim_is_tried() -> None:
    """Each figure that a threshold can be chosen for is proved here."""
    assert set(THEIRS) == set(Aim)


@pytest.mark.parametrize("aim", Aim)
@given(
    positives=st.lists(score, min_size=1, max_size=15),
    negatives=st.lists(score, min_size=1, max_size=15),
)
@settings(max_examples=40, deadline=None)
def test_best_of_every_cut(aim: Aim, positives: list[float], negatives: list[float]) -> None:
    """No distinct score is a better threshold, and the figure there is scikit-learn's."""
    positive = np.repeat([True, False], [len(positives), len(negatives)])
    scores = np.array(positives + negatives)
    (found,) = thresholds(rank(positive, scores), (aim,), rows=positive.size, options=OPTIONS)
    every = {cut: THEIRS[aim](positive, scores >= cut) for cut in np.unique(scores)}
    assert found.naive == pytest.approx(max(every.values()), abs=1e-12)
    assert every[found.threshold] == pytest.approx(found.naive, abs=1e-12)
    assert found.optimism >= -1e-12
    assert found.corrected.value == pytest.approx(found.naive - found.optimism)


@pytest.mark.parametrize("aim", [Aim.F1, Aim.MCC, Aim.ACCURACY, Aim.GAIN])
def test_optimism_is_what_new_rows_take_away(aim: Aim) -> None:
    """Over many samples the corrected figure is nearer to that of new rows than the naive one."""
    new_positive, new_scores = made(100_000, 1)
    naive, corrected, new = [], [], []
    for seed in range(60):
        positive, scores = made(80, seed + 10)
        (found,) = thresholds(rank(positive, scores), (aim,), rows=80, options=OPTIONS)
        naive.append(found.naive)
        corrected.append(found.corrected.value)
        new.append(THEIRS[aim](new_positive, new_scores >= found.threshold))
    assert np.mean(naive) > np.mean(new)
    assert abs(np.mean(corrected) - np.mean(new)) < abs(np.mean(naive) - np.mean(new)) / 2


def test_a_large_sample_has_little_optimism() -> None:
    """A hundred thousand rows, drawn by groups, leave next to no optimism."""
    positive, scores = made(100_000, 0)
    (found,) = thresholds(rank(positive, scores), (Aim.F1,), rows=100_000, options=OPTIONS)
    assert 0 <= found.optimism < 0.002
    assert found.corrected.interval is not None
    assert found.corrected.interval.low < found.corrected.value < found.corrected.interval.high
    assert (found.method, found.draws, found.rows) == ("bootstrap optimism", 30, 100_000)


def test_a_seed_gives_the_same_threshold() -> None:
    """The same seed gives the same record, another one another optimism."""
    ranking = rank(*made(200, 0))
    one, again, other = (
        thresholds(ranking, (Aim.F1,), rows=200, options=Options(seed=seed, draws=30))
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one[0].optimism != other[0].optimism


def test_weights_are_drawn_too() -> None:
    """Weights of 1 give nearly the optimism of no weights; their number is told apart."""
    positive, scores = made(2000, 0)
    weights = np.full(2000, 2.0)
    plain = thresholds(rank(positive, scores), (Aim.F1,), rows=2000, options=OPTIONS)
    weighed = thresholds(
        rank(positive, scores, weights=weights), (Aim.F1,), rows=2000, options=OPTIONS
    )
    assert weighed[0].naive == pytest.approx(plain[0].naive)
    assert weighed[0].optimism == pytest.approx(plain[0].optimism)
    assert weighed[0].corrected.value == pytest.approx(plain[0].corrected.value)


@pytest.mark.parametrize("turned", [False, True])
def test_separation_of_a_turned_score(turned: bool) -> None:  # noqa: FBT001
    """The Kolmogorov-Smirnov distance and its interval do not depend on which way scores point."""
    positive, scores = made(300, 0)
    straight = separation(rank(positive, scores), options=OPTIONS)
    found = separation(rank(positive, 1 - scores if turned else scores), options=OPTIONS)
    assert found.value == pytest.approx(straight.value)
    assert found.interval is not None
    assert 0 < found.interval.low < found.value <= found.interval.high
