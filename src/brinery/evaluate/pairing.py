"""Two versions on the same rows: the difference of each of their figures, tested by what it is.

The area under the ROC curve by DeLong, the share of right labels by McNemar, what is counted from
labels by a paired bootstrap, and the rest by how each row moves it. The module must not know how
many versions there are, nor which figures it is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import msgspec
import numpy as np

from brinery.evaluate import contender, corrections, delong, margins, moves, paired
from brinery.evaluate.contender import HIGHER_IS_BETTER, Answers, Truth
from brinery.evaluate.margins import Margins
from brinery.evaluate.moves import Moved
from brinery.evaluate.paired import Tested
from brinery.records.comparison import MetricDifference, Verdict
from brinery.records.estimate import Estimate
from brinery.records.evaluation import PredictionType

ACCURACY: Final = "accuracy"
_AREA: Final = "roc_auc"
# What is left of a variance of a difference that is none, in floating-point numbers.
_NO_VARIANCE: Final = 1e-14


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How differences are tested.

    Attributes:
        level: of the intervals, 0 to 1.
        draws: of a bootstrap.
        seed: of the draws.
        beta: of F-beta.
    """

    level: float = 0.95
    draws: int = 2000
    seed: int = 0
    beta: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A version and its figures.

    Attributes:
        name: of the version.
        said: its answers.
        moved: the figures that each row moves in a known way; or why one is absent.
        counted: the figures of its labels; or why one is absent.
    """

    name: str
    said: Answers
    moved: dict[str, Moved | str]
    counted: dict[str, float | str]

    @classmethod
    def of(cls, name: str, truth: Truth, *, said: Answers, beta: float) -> Entrant:
        """Return a version with its figures.

        Args:
            name: of the version.
            truth: the rows.
            said: its answers to them.
            beta: of F-beta.
        """
        figures = contender.counted(truth, beta=beta)
        right: dict[str, Moved | str] = {}
        if truth.type is not PredictionType.REGRESSION:
            wrong = contender.error(truth, said)
            right[ACCURACY] = (
                wrong if isinstance(wrong, str) else moves.mean(1 - wrong[1], truth.weights)
            )
        labels = said.labels
        counted: dict[str, float | str] = {}
        if isinstance(labels, str):
            counted = dict.fromkeys(figures, labels)
        elif figures:
            count = len(truth.classes)
            sums = margins.tally(truth.codes, labels, weights=truth.weights, n_classes=count)
            counted = {
                name: _undefined(name, truth) or float(figure(sums))
                for name, figure in figures.items()
            }
        moved = {**right, **contender.moved(truth, said)}
        return cls(name=name, said=said, moved=moved, counted=counted)

    @property
    def figures(self) -> dict[str, float | str]:
        """Return every figure, or why it is absent, in the order they are shown."""
        known = {
            name: each if isinstance(each, str) else each.value for name, each in self.moved.items()
        }
        return {**known, **self.counted}


@dataclass(frozen=True)
class Pair:
    """Two versions, and how their figures differ.

    Attributes:
        truth: the rows.
        base: the version that is compared with.
        other: the other one.
        terms: how.
    """

    truth: Truth
    base: Entrant
    other: Entrant
    terms: Terms = field(default_factory=Terms)

    def tested(self, metric: str) -> Tested | str:
        """Return the difference of a figure; or why there is none."""
        for each in (self.base, self.other):
            value = each.figures.get(metric, "it is not computed")
            if isinstance(value, str):
                return f"{each.name}: {value}"
        if metric in self.base.counted:
            return self._counted(metric)
        if metric == ACCURACY and not self.truth.weighted:
            return self._right()
        if metric == _AREA:
            return self._area()
        return self._moved(metric)

    def differences(self) -> tuple[tuple[MetricDifference, ...], dict[str, str]]:
        """Return the difference of every figure, and why one is absent."""
        told = {name: self.tested(name) for name in self.base.figures}
        found = [
            self._told(name, tested) for name, tested in told.items() if not isinstance(tested, str)
        ]
        absent = {name: tested for name, tested in told.items() if isinstance(tested, str)}
        return tuple(_corrected(found)), absent

    def _told(self, metric: str, tested: Tested) -> MetricDifference:
        """Return a tested difference in the direction that is better."""
        higher = HIGHER_IS_BETTER.get(metric, True)
        value = tested.difference.value
        verdict = Verdict.UNKNOWN
        if tested.p_value is not None:
            verdict = Verdict.ALIKE
            if tested.p_value < 1 - self.terms.level:
                verdict = Verdict.BETTER if (value > 0) is higher else Verdict.WORSE
        up, down = tested.p_above, tested.p_below
        base, other = self.base.figures[metric], self.other.figures[metric]
        return MetricDifference(
            metric=metric,
            higher_is_better=higher,
            base=float(base),
            other=float(other),
            difference=tested.difference,
            p_value=tested.p_value,
            p_better=up if higher else down,
            p_worse=down if higher else up,
            test=tested.test,
            verdict=verdict,
        )

    def _counted(self, metric: str) -> Tested:
        figure = contender.counted(self.truth, beta=self.terms.beta)[metric]
        base, other = self._drawn
        draws = figure(other) - figure(base)
        difference = float(self.other.counted[metric]) - float(self.base.counted[metric])
        return paired.by_draws(difference, draws, level=self.terms.level)

    @cached_property
    def _drawn(self) -> tuple[Margins, Margins]:
        base, other = self.base.said.labels, self.other.said.labels
        assert not isinstance(base, str)  # noqa: S101 - for the type checker
        assert not isinstance(other, str)  # noqa: S101 - for the type checker
        return margins.draw(
            self.truth.codes,
            base=base,
            other=other,
            weights=self.truth.weights,
            n_classes=len(self.truth.classes),
            draws=self.terms.draws,
            random=np.random.default_rng(self.terms.seed),
        )

    def _right(self) -> Tested:
        actual, said = self.truth.codes, (self.base.said.labels, self.other.said.labels)
        base, other = (np.asarray(labels == actual) for labels in said)
        return paired.mcnemar(base, other, level=self.terms.level)

    def _area(self) -> Tested:
        """Return the difference of two areas under the ROC curve."""
        chances = [self.base.said.probabilities, self.other.said.probabilities]
        scores = [each[:, 1] for each in chances if not isinstance(each, str)]
        weights = self.truth.weights if self.truth.weighted else None
        found = delong.areas(self.truth.codes == 1, scores, weights=weights)
        parts = np.array([-1.0, 1.0])
        difference = float(parts @ found.values)
        variance = float(parts @ found.covariance @ parts)
        if not np.isfinite(variance):
            reason = "a class has a single row, which does not tell how far chance moves it"
            return Tested(Estimate(value=difference, reason=reason))
        none = variance <= _NO_VARIANCE * np.trace(found.covariance)
        deviation = 0.0 if none else float(np.sqrt(variance))
        return paired.by_deviation(difference, deviation, level=self.terms.level, test="DeLong")

    def _moved(self, metric: str) -> Tested:
        base, other = self.base.moved[metric], self.other.moved[metric]
        assert not isinstance(base, str)  # noqa: S101 - for the type checker
        assert not isinstance(other, str)  # noqa: S101 - for the type checker
        weights = self.truth.weights
        return paired.by_moves(base, other, weights=weights, level=self.terms.level)


def _corrected(found: list[MetricDifference]) -> Iterator[MetricDifference]:
    """Yield the differences with p-values corrected for their number."""
    tested = [each.p_value for each in found if each.p_value is not None]
    corrected = iter(corrections.holm(np.array(tested)).tolist())
    for each in found:
        if each.p_value is None:
            yield each
        else:
            yield msgspec.structs.replace(each, p_corrected=next(corrected))


def _undefined(metric: str, truth: Truth) -> str:
    """Return why a figure of labels says nothing where rows are of one class; empty elsewhere."""
    if truth.type is not PredictionType.BINARY or len(np.unique(truth.codes)) > 1:
        return ""
    negative, positive = truth.classes
    only = positive if truth.codes.any() else negative
    if metric == "specificity":
        return f"no row of the data is of class {negative!r}" if only == positive else ""
    if metric in margins.OF_BOTH:
        return f"every row of the data is of class {only!r}"
    return "" if only == positive else f"no row of the data is of the positive class {positive!r}"
