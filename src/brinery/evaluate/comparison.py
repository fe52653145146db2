"""Versions on the same rows: each beside a base, figure by figure and row by row.

What cannot be compared is told, with its reason. This module joins what its siblings compute; it
does no arithmetic of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from brinery.evaluate import contender, leaderboard, margins, paired
from brinery.evaluate.contender import Truth
from brinery.evaluate.disagreement import disagreement
from brinery.evaluate.gains import gains
from brinery.evaluate.labels import codes, missing, refuse_unseen
from brinery.evaluate.moves import Moved
from brinery.evaluate.overlay import drawn
from brinery.evaluate.pairing import Entrant, Pair, Terms
from brinery.records.comparison import Comparison, Contender, Disagreement, Pairing
from brinery.records.estimate import Estimate
from brinery.records.evaluation import PredictionType
from brinery.records.leaderboard import Leaderboard
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

HEADLINES: Final[Mapping[PredictionType, str]] = {
    PredictionType.BINARY: "roc_auc",
    PredictionType.MULTICLASS: "f1_macro",
    PredictionType.REGRESSION: "r2",
}
# Ranked by, where a version has no headline, such as a classifier without probabilities.
_INSTEAD: Final[Mapping[PredictionType, str]] = {
    PredictionType.BINARY: "accuracy",
    PredictionType.MULTICLASS: "accuracy",
    PredictionType.REGRESSION: "mae",
}

_NO_ROWS: Final = "no row of the data has a label"
_OTHER: Final = "it is neither a classifier nor a regression"

_Rows = npt.NDArray[np.intp]


class ComparisonOptions(Struct, frozen=True, kw_only=True):
    """How versions are compared.

    Attributes:
        level: of the intervals, 0 to 1.
        seed: of what is drawn.
        draws: of a bootstrap.
        beta: of F-beta: how many times more recall counts than precision.
        metric: that the leaderboard is ranked by; the headline of the type when None.
        data: what the rows are called.
    """

    level: float = 0.95
    seed: int = 0
    draws: int = 2000
    beta: float = 2.0
    metric: str | None = None
    data: str = ""


def compare(
    actual: npt.NDArray[np.generic],
    scores: Mapping[str, Scores],
    *,
    type: PredictionType,  # noqa: A002 - the record's own word for it
    classes: Mapping[str, tuple[Scalar, ...]],
    inputs: pa.Table | None = None,
    weights: npt.NDArray[np.float64] | None = None,
    options: ComparisonOptions = ComparisonOptions(),  # noqa: B008 - it is frozen
) -> Comparison:
    """Return how versions differ that answered the same rows; the first is the base.

    Args:
        actual: (n_rows,) of any type; None and NaN are missing, and are left out.
        scores: name of a version to its answers, (n_rows,) each.
        type: what they predict.
        classes: name of a version to its classes, in the order of its probabilities; two where
            binary, of which the base's second is positive. Unused for a regression.
        inputs: (n_rows, n_features) what subpopulations and rules are told by; neither when None.
        weights: (n_rows,) finite, 0 and up; a row of weight 0 is left out. Every row counts 1 when
            None.
        options: how.

    Raises:
        UnseenClass: a label is none of the base's classes.
    """
    base = next(iter(scores))
    own = tuple(_plain(label) for label in classes.get(base, ()))
    kept = ~missing(actual) if weights is None else ~missing(actual) & (weights > 0)
    rows = np.flatnonzero(kept)
    classifies = type in {PredictionType.BINARY, PredictionType.MULTICLASS}
    if classifies:
        refuse_unseen(actual, own)
    blank = Comparison(
        type=type,
        base=base,
        rows=rows.size,
        rows_left_out=kept.size - rows.size,
        weighted=weights is not None,
        level=options.level,
        seed=options.seed,
        classes=own if classifies else (),
        positive=own[1] if type is PredictionType.BINARY else None,
        data=options.data,
    )
    if not rows.size or type is PredictionType.OTHER:
        why = _OTHER if rows.size else _NO_ROWS
        return replace(blank, not_compared=dict.fromkeys(scores, why))
    truth = truth_of(
        actual[rows], type, classes=own, weights=None if weights is None else weights[rows]
    )
    if isinstance(truth, str):
        return replace(blank, not_compared=dict.fromkeys(scores, truth))
    field = _Field(truth, rows=rows, inputs=inputs, options=options)
    for name, each in scores.items():
        field.enter(name, each, kept=kept, classes=classes.get(name, ()))
    return field.compared(blank)


class _Field:
    """The versions that are compared, as they enter."""

    def __init__(
        self, truth: Truth, *, rows: _Rows, inputs: pa.Table | None, options: ComparisonOptions
    ) -> None:
        self._truth, self._rows, self._options = truth, rows, options
        self._inputs = None
        if inputs is not None:
            whole = rows.size == inputs.num_rows
            self._inputs = inputs if whole else inputs.take(pa.array(rows))
        self._terms = Terms(
            level=options.level, draws=options.draws, seed=options.seed, beta=options.beta
        )
        self._entrants: dict[str, Entrant] = {}
        self._refused: dict[str, str] = {}

    def enter(
        self,
        name: str,
        scores: Scores,
        *,
        kept: npt.NDArray[np.bool_],
        classes: tuple[Scalar, ...],
    ) -> None:
        said = contender.answers(scores, self._truth, rows=kept, classes=classes)
        if isinstance(said, str):
            self._refused[name] = said
        else:
            beta = self._options.beta
            self._entrants[name] = Entrant.of(name, self._truth, said=said, beta=beta)

    def compared(self, blank: Comparison) -> Comparison:
        """Return the comparison of those that entered."""
        base = blank.base
        if base not in self._entrants:
            why = f"{base} cannot be compared with: {self._refused[base]}"
            told = {**self._refused, **dict.fromkeys(self._entrants, why)}
            return replace(blank, not_compared=told)
        others = [name for name in self._entrants if name != base]
        return replace(
            blank,
            contenders=tuple(self._contender(each) for each in self._entrants.values()),
            pairs=tuple(self._paired(base, other) for other in others),
            not_compared=self._refused,
            leaderboard=self._ranks(),
        )

    def _contender(self, entrant: Entrant) -> Contender:
        figures = entrant.figures
        return Contender(
            name=entrant.name,
            metrics={name: each for name, each in figures.items() if not isinstance(each, str)},
            not_computed={name: each for name, each in figures.items() if isinstance(each, str)},
            curves=drawn(self._truth, entrant.said, places=self._rows, seed=self._options.seed),
        )

    def _pair(self, base: str, other: str) -> Pair:
        return Pair(self._truth, self._entrants[base], self._entrants[other], self._terms)

    def _paired(self, base: str, other: str) -> Pairing:
        differences, absent = self._pair(base, other).differences()
        one, two = self._entrants[base].said, self._entrants[other].said
        options = self._options
        found = disagreement(
            self._truth,
            base=one,
            other=two,
            places=self._rows,
            inputs=self._inputs,
            level=options.level,
            seed=options.seed,
        )
        pairing = Pairing(
            base=base,
            other=other,
            differences=differences,
            not_compared=absent,
            disagreement=found if isinstance(found, Disagreement) else None,
        )
        return self._with_gains(pairing)

    def _with_gains(self, pairing: Pairing) -> Pairing:
        """Return a pairing with what groups of rows gain, where there is a loss of each row."""
        said = [self._entrants[name].said for name in (pairing.base, pairing.other)]
        losses = [contender.loss(self._truth, each) for each in said]
        if len({loss if isinstance(loss, str) else loss[0] for loss in losses}) > 1:
            losses = [contender.error(self._truth, each) for each in said]
        known = [loss for loss in losses if not isinstance(loss, str)]
        if self._inputs is None or len(known) != len(losses):
            return pairing
        (name, before), (_, after) = known
        found = gains(
            before,
            after,
            inputs=self._inputs,
            weights=self._truth.weights,
            level=self._options.level,
        )
        return replace(
            pairing,
            loss=name,
            subpopulations=found.found,
            subpopulations_left_out=found.left_out,
        )

    def _ranks(self) -> Leaderboard:
        """Return the versions in the order of the metric that was asked for, or of the headline."""
        metric = self._options.metric
        if metric is None:
            metric = HEADLINES[self._truth.type]
            if any(isinstance(e.figures[metric], str) for e in self._entrants.values()):
                metric = _INSTEAD[self._truth.type]
        return leaderboard.paired_ranks(
            {name: self._figure(entrant, metric) for name, entrant in self._entrants.items()},
            metric,
            tested=lambda first, other: self._pair(first, other).tested(metric),
            level=self._options.level,
        )

    def _figure(self, entrant: Entrant, metric: str) -> Estimate | str:
        """Return a figure with an interval of its own; or why it is absent."""
        value = entrant.figures.get(metric, f"there is no metric {metric}")
        if isinstance(value, str):
            return value
        level, truth, labels = self._options.level, self._truth, entrant.said.by_half
        moved = entrant.moved.get(metric)
        if isinstance(moved, Moved):
            none = Moved(0.0, np.zeros(truth.rows))
            test = "infinitesimal jackknife"
            return paired.by_moves(
                none, moved, weights=truth.weights, level=level, test=test
            ).difference
        assert not isinstance(labels, str)  # noqa: S101 - for the type checker
        drawn, _ = margins.draw(
            truth.codes,
            base=labels,
            other=labels,
            weights=truth.weights,
            n_classes=len(truth.classes),
            draws=self._options.draws,
            random=np.random.default_rng(self._options.seed),
        )
        figure = contender.counted(truth, beta=self._options.beta)[metric]
        return paired.by_draws(value, figure(drawn), level=level).difference


def truth_of(
    actual: npt.NDArray[np.generic],
    kind: PredictionType,
    *,
    classes: tuple[Scalar, ...],
    weights: npt.NDArray[np.float64] | None,
) -> Truth | str:
    """Return the rows with their labels; or why they cannot be compared on."""
    given = np.ones(actual.size) if weights is None else weights.astype(np.float64)
    none = np.zeros(0, np.intp)
    if kind is not PredictionType.REGRESSION:
        return Truth(
            type=kind,
            codes=codes(actual, classes),
            values=np.zeros(0),
            weights=given,
            classes=classes,
        )
    try:
        values = actual.astype(np.float64)
    except (TypeError, ValueError):
        return "not every value of the target is a number"
    off = int(np.count_nonzero(~np.isfinite(values)))
    if off:
        return f"{off:,} of the {values.size:,} values of the target are not finite"
    return Truth(type=kind, codes=none, values=values, weights=given)


def _plain(label: Scalar) -> Scalar:
    """Return a label as JSON knows it."""
    plain: Scalar = label.item() if isinstance(label, np.generic) else label
    return plain
