"""A version and the champion on the same rows: any figure of theirs, on any of the rows, tested.

A figure is asked for by its metric, the rows, and the threshold that makes labels of
probabilities. What cannot be told is the reason in words. The module must not know gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import structs

from brinery.errors import UnseenClass
from brinery.evaluate import contender, run, shifted
from brinery.evaluate.comparison import HEADLINES, truth_of
from brinery.evaluate.contender import HIGHER_IS_BETTER, Answers, Truth
from brinery.evaluate.filters import matching
from brinery.evaluate.grouping import Ungrouped, group
from brinery.evaluate.labels import missing, refuse_unseen
from brinery.evaluate.moves import Moved
from brinery.evaluate.pairing import Entrant
from brinery.evaluate.shifted import Shifted
from brinery.records.estimate import Estimate
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar
from brinery.specs.filters import Filter
from brinery.specs.metrics import HEADLINE, beta_of, is_of_labels
from brinery.specs.names import nearest

Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

_PARTS: Final = 30
_TWO: Final = 2
_BETA: Final = 2.0
# Of these names the figure is the share of right labels.
_ACCURACY: Final = frozenset({"accuracy", "precision_micro", "recall_micro", "f1_micro"})
_RANKED: Final = frozenset({"roc_auc", "average_precision", "ks", "lift_10"})
_PLAIN: Final[Mapping[PredictionType, str]] = {
    PredictionType.BINARY: "accuracy",
    PredictionType.MULTICLASS: "accuracy",
}


class Asked(NamedTuple):
    """Which figure.

    Attributes:
        metric: its name.
        threshold: of a binary model, from which probability on a row counts as positive; its own
            labels, or one half, when None.
        rows: (n_rows,) which rows of the duel; all when None.
    """

    metric: str
    threshold: float | None = None
    rows: Bools | None = None


class Figure(NamedTuple):
    """A figure of one or two versions.

    Attributes:
        metric: its name, where the headline was asked for the one it is.
        candidate: the version's.
        champion: the champion's; None where there is no champion.
        rows: that it is of.
        higher: whether a higher one is better.
    """

    metric: str
    candidate: float
    champion: float | None
    rows: int
    higher: bool


class Tested(NamedTuple):
    """A figure that was tested.

    Attributes:
        figure: of the version and, where it was compared, of the champion.
        estimate: of the figure, or of `candidate - champion`, with its interval and p-value.
    """

    figure: Figure
    estimate: Shifted


@dataclass(frozen=True, kw_only=True)
class Side:
    """One version's answers.

    Attributes:
        name: of the version.
        scores: (n_rows,) its answers.
        classes: its own, in the order of its probabilities.
    """

    name: str
    scores: Scores
    classes: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class _View:
    """Some rows, with what each version says to them."""

    truth: Truth
    candidate: Entrant
    champion: Entrant | None
    places: Rows


_Key = tuple[bytes, float | None, float]


class Duel:
    """The rows, and what one or two versions answered.

    Args:
        type: what they predict.
        actual: (n_rows,) of any type; None and NaN are missing, and are left out.
        candidate: the version that is judged.
        champion: the one it is held against; None where there is none.
        inputs: (n_rows, n_features) what filters and groups are told by.
        seed: of what is drawn.
    """

    def __init__(
        self,
        type: PredictionType,  # noqa: A002 - the record's own word for it
        actual: npt.NDArray[np.generic],
        *,
        candidate: Side,
        champion: Side | None,
        inputs: pa.Table,
        seed: int = 0,
    ) -> None:
        self._type, self._seed = type, seed
        self._candidate, self._champion = candidate, champion
        self._kept = ~missing(actual)
        base = champion or candidate
        self._classes = tuple(base.classes)
        self._actual = actual[self._kept]
        self._inputs = inputs if self._kept.all() else inputs.filter(pa.array(self._kept))
        self._truth = self._true(actual)
        self._said = self._answered()
        self._views: dict[_Key, _View] = {}
        # Of parts of the rows only the newest: there may be as many as groups.
        self._part: dict[_Key, _View] = {}

    @property
    def rows(self) -> int:
        """Return how many rows have a label."""
        return int(np.count_nonzero(self._kept))

    @property
    def fault(self) -> str:
        """Return why no figure can be told of these versions and rows; empty where some can."""
        for found in (self._truth, self._said):
            if isinstance(found, str):
                return found
        return ""

    def chosen(self, where: Filter) -> Bools | str:
        """Return which rows a filter chooses, or why it cannot be told."""
        return matching(where, self._inputs)

    def groups(self, column: str) -> list[tuple[str, Bools]] | str:
        """Return the groups of a column's values, each with its rows; or why there are none."""
        if column not in self._inputs.column_names:
            near = nearest(column, self._inputs.column_names)
            told = f": did you mean '{near}'?" if near else ""
            return f"the data has no column '{column}'{told}"
        found = group(self._inputs, column)
        if isinstance(found, Ungrouped):
            return f"column '{column}': {found.reason}"
        return [
            (one.where or one.label, found.codes == place) for place, one in enumerate(found.groups)
        ]

    def figure(self, asked: Asked) -> Figure | str:
        """Return a figure as measured; or why there is none."""
        view = self._view(asked)
        return view if isinstance(view, str) else self._figure(asked, view)

    def tested(self, asked: Asked, *, above: float, level: float) -> Tested | str:
        """Return whether the version is better than the champion by more than a margin; or why not.

        Args:
            asked: which figure.
            above: how much better, in the direction that is better; below 0 for how much worse.
            level: one-sided, of the interval's ends.
        """
        return self._test(asked, above=above, level=level, alone=False)

    def worse(self, asked: Asked, *, level: float) -> Tested | str:
        """Return whether the version is worse than the champion at all; or why that is not told.

        Args:
            asked: which figure.
            level: one-sided, of the interval's ends.
        """
        return self._test(asked, above=0.0, level=level, alone=False, better=False)

    def held(self, asked: Asked, *, bound: float, above: bool, level: float) -> Tested | str:
        """Return whether the version's own figure is above, or below, a bound; or why not.

        Args:
            asked: which figure.
            bound: that it is held to.
            above: whether it must be above the bound, or below.
            level: one-sided, of the interval's ends.
        """
        return self._test(asked, above=bound, level=level, alone=True, upward=above)

    def _test(
        self,
        asked: Asked,
        *,
        above: float,
        level: float,
        alone: bool,
        upward: bool | None = None,
        better: bool = True,
    ) -> Tested | str:
        view = self._view(asked)
        if isinstance(view, str):
            return view
        if alone:
            view = replace(view, champion=None)
        figure = self._figure(asked, view)
        if isinstance(figure, str):
            return figure
        if not alone and view.champion is None:
            return "there is no champion"
        # Everything is tested as a gain: a figure of which low is better is turned around.
        high = figure.higher if upward is None else upward
        sign = 1 if high is better else -1
        gain = sign * above if alone else above
        found = _by_kind(figure, view, sign=sign, above=gain, level=level)
        if found is None:
            found = self._left_out(figure, view, sign=sign, above=gain, level=level)
        if isinstance(found, str):
            return found
        return Tested(figure, found if sign > 0 else _turned(found))

    def _true(self, actual: npt.NDArray[np.generic]) -> Truth | str:
        if not self._kept.any():
            return "no row of the data has a label"
        if self._type is PredictionType.OTHER:
            return "it is neither a classifier nor a regression"
        if self._type is not PredictionType.REGRESSION:
            try:
                refuse_unseen(actual, self._classes)
            except UnseenClass as error:
                return error.message
        return truth_of(self._actual, self._type, classes=self._classes, weights=None)

    def _answered(self) -> dict[str, Answers] | str:
        if isinstance(self._truth, str):
            return self._truth
        found: dict[str, Answers] = {}
        for name, side in (("champion", self._champion), ("candidate", self._candidate)):
            if side is None:
                continue
            said = contender.answers(
                side.scores, self._truth, rows=self._kept, classes=tuple(side.classes)
            )
            if isinstance(said, str):
                return f"{side.name}: {said}"
            found[name] = said
        return found

    def _view(self, asked: Asked) -> _View | str:
        """Return the rows and the answers that a figure is of."""
        if isinstance(self._truth, str) or isinstance(self._said, str):
            return self.fault
        chosen = np.ones(self.rows, np.bool_) if asked.rows is None else asked.rows
        beta = beta_of(asked.metric) or _BETA
        key = (np.packbits(chosen).tobytes(), asked.threshold, beta)
        known = self._views if asked.rows is None else self._part
        if key in known:
            return known[key]
        if not chosen.any():
            return "no row is of that kind"
        truth = _part(self._truth, chosen)
        entrants: dict[str, Entrant] = {}
        for name, side in (("champion", self._champion), ("candidate", self._candidate)):
            if side is None:
                continue
            said = _cut(_some(self._said[name], chosen), asked.threshold)
            if isinstance(said, str):
                return f"{side.name}: {said}"
            entrants[name] = Entrant.of(side.name, truth, said=said, beta=beta)
        view = _View(truth, entrants["candidate"], entrants.get("champion"), np.flatnonzero(chosen))
        self._part.clear()
        known[key] = view
        return view

    def _figure(self, asked: Asked, view: _View) -> Figure | str:
        metric = self._named(asked.metric, view)
        if metric not in (*run.METRICS[self._type], *view.candidate.figures):
            return f"a {self._type} model has no {metric}"
        if asked.threshold is not None and not is_of_labels(metric):
            return f"{metric} is of no labels that a threshold decides"
        values: list[float] = []
        for entrant in (view.candidate, view.champion):
            if entrant is None:
                continue
            value = self._value(metric, view, entrant)
            if isinstance(value, str):
                return f"{entrant.name}: {value}"
            values.append(value)
        return Figure(
            metric=metric,
            candidate=values[0],
            champion=values[1] if len(values) > 1 else None,
            rows=view.truth.rows,
            higher=HIGHER_IS_BETTER.get(metric, True),
        )

    def _named(self, metric: str, view: _View) -> str:
        """Return which metric is meant: the headline of a model without probabilities is plain."""
        if metric != HEADLINE:
            return metric
        found = HEADLINES[self._type]
        entrants = [one for one in (view.candidate, view.champion) if one is not None]
        # The rows lack a class for each of them; what one lacks, both are asked without.
        silent = any(isinstance(one.said.probabilities, str) for one in entrants)
        return _PLAIN.get(self._type, found) if silent and found == "roc_auc" else found

    def _value(self, metric: str, view: _View, entrant: Entrant) -> float | str:
        known = entrant.figures.get("accuracy" if metric in _ACCURACY else metric)
        if known is not None:
            return known
        return self._whole(metric, view, entrant=entrant)

    def _whole(
        self, metric: str, view: _View, *, entrant: Entrant, weights: Rows | None = None
    ) -> float | str:
        """Return a figure that only a whole evaluation has."""
        found = run.run(
            self._type,
            self._actual[view.places],
            scores=self._as_base(entrant.said),
            classes=self._classes,
            weights=None if weights is None else weights.astype(np.float64),
        )
        return found.metrics.get(metric, found.not_computed.get(metric, "it is not computed"))

    def _as_base(self, said: Answers) -> Scores:
        """Return answers in the classes of the base, of which the second is positive."""
        if not isinstance(said.values, str):
            return Scores(said.values)
        chances = None if isinstance(said.probabilities, str) else said.probabilities
        names = np.empty(len(self._classes) + 1, object)
        names[:-1] = self._classes
        # A label that is among no classes is none of them here either.
        rows = 0 if chances is None else len(chances)
        labels = np.full(rows, -1) if isinstance(said.labels, str) else said.labels
        return Scores(names[labels], chances, self._classes)

    def _left_out(
        self, figure: Figure, view: _View, *, sign: int, above: float, level: float
    ) -> Shifted | str:
        """Return the test of a figure of a whole evaluation, leaving parts of the rows out.

        Source: Kott 2001, the delete-a-group jackknife.
        """
        rows = view.truth.rows
        parts = min(_PARTS, rows)
        part = np.random.default_rng(self._seed).permutation(rows) % parts
        found: list[float] = []
        for place in range(parts):
            weights = (part != place).astype(np.intp)
            values = [
                self._whole(figure.metric, view, entrant=one, weights=weights)
                for one in (view.candidate, view.champion)
                if one is not None
            ]
            told = [value for value in values if not isinstance(value, str)]
            if len(told) < len(values):
                return f"{figure.metric} hangs on a few rows: without them it is undefined"
            found.append(told[0] - (told[1] if len(told) > 1 else 0.0))
        return shifted.normal(
            sign * (figure.candidate - (figure.champion or 0.0)),
            float(np.sqrt((parts - 1) * np.var(found))),
            rows=parts,
            above=above,
            level=level,
            test=f"paired jackknife of {parts} parts",
        )


def _by_kind(
    figure: Figure, view: _View, *, sign: int, above: float, level: float
) -> Shifted | str | None:
    """Return the test of a gain by what it is of; None where its rows' moves are not known."""
    metric, truth = figure.metric, view.truth
    right = _right(metric, view.candidate, truth)
    if right is not None:
        theirs = None if view.champion is None else _right(metric, view.champion, truth)
        if theirs is not None:
            one, other = (theirs, right) if sign > 0 else (right, theirs)
            return shifted.shares(one, other, above=above, level=level)
        return _of_share(right, sign=sign, above=above, level=level)
    if metric == "roc_auc" and view.champion is not None:
        pair = (view.champion, view.candidate)[::sign]
        chances = [each.said.probabilities for each in pair]
        first, second = (each[:, 1] for each in chances if not isinstance(each, str))
        return shifted.areas(truth.codes == 1, base=first, other=second, above=above, level=level)
    own = _moves(metric, view.candidate, truth)
    base = None if view.champion is None else _moves(metric, view.champion, truth)
    for each in (own, base):
        if isinstance(each, str):
            return each
    if own is None or (view.champion is not None and base is None):
        return None
    assert not isinstance(own, str)  # noqa: S101 - for the type checker
    assert not isinstance(base, str)  # noqa: S101 - for the type checker
    return shifted.moved(
        None if base is None else _signed(base, sign),
        _signed(own, sign),
        above=above,
        level=level,
        rows=_telling(metric, truth),
    )


def _of_share(right: Bools, *, sign: int, above: float, level: float) -> Shifted:
    """Return the test of a share of rows; of its opposite where it must be below a bound."""
    if sign > 0:
        return shifted.share(right, above=above, level=level)
    found = shifted.share(~right, above=1 + above, level=level)
    value, interval = found.estimate.value - 1, found.estimate.interval
    assert interval is not None  # noqa: S101 - a share always has one
    ends = structs.replace(interval, low=interval.low - 1, high=interval.high - 1)
    return found._replace(estimate=Estimate(value=value, interval=ends))


def _right(metric: str, entrant: Entrant, truth: Truth) -> Bools | None:
    """Return which rows are right, where a figure is the share of these; else None."""
    labels, at_half = entrant.said.labels, entrant.said.by_half
    if truth.type is PredictionType.REGRESSION:
        return None
    if metric in _ACCURACY:
        return None if isinstance(labels, str) else np.asarray(labels == truth.codes)
    if truth.type is not PredictionType.BINARY or isinstance(at_half, str):
        return None
    if metric == "recall":
        return np.asarray(at_half[truth.codes == 1] == 1)
    return np.asarray(at_half[truth.codes == 0] == 0) if metric == "specificity" else None


def _moves(metric: str, entrant: Entrant, truth: Truth) -> Moved | str | None:
    """Return a figure with how each row moves it; None where that is not known."""
    if metric in entrant.moved:
        return entrant.moved[metric]
    figures = contender.counted(truth, beta=beta_of(metric) or _BETA)
    labels = entrant.said.by_half
    if metric not in figures or isinstance(labels, str):
        return None
    return shifted.by_labels(
        truth.codes, labels, n_classes=len(truth.classes), figure=figures[metric]
    )


def _telling(metric: str, truth: Truth) -> int | None:
    """Return how many rows tell how far chance moves a figure; None for those that move it."""
    if metric in _RANKED:
        return int(np.bincount(truth.codes, minlength=2).min())
    return None if truth.type is PredictionType.BINARY else truth.rows


def _signed(moved: Moved, sign: int) -> Moved:
    return Moved(sign * moved.value, sign * moved.slope)


def _turned(found: Shifted) -> Shifted:
    """Return the test of a gain as one of a figure of which low is better."""
    estimate, interval = found.estimate, found.estimate.interval
    if interval is not None:
        interval = structs.replace(interval, low=-interval.high, high=-interval.low)
    return found._replace(
        estimate=structs.replace(estimate, value=-estimate.value, interval=interval)
    )


def _part(truth: Truth, rows: Bools) -> Truth:
    """Return some of the rows."""
    regression = truth.type is PredictionType.REGRESSION
    return replace(
        truth,
        codes=truth.codes if regression else truth.codes[rows],
        values=truth.values[rows] if regression else truth.values,
        weights=truth.weights[rows],
    )


def _some(said: Answers, rows: Bools) -> Answers:
    return Answers(
        labels=said.labels if isinstance(said.labels, str) else said.labels[rows],
        at_half=said.at_half if isinstance(said.at_half, str) else said.at_half[rows],
        probabilities=said.probabilities
        if isinstance(said.probabilities, str)
        else said.probabilities[rows],
        values=said.values if isinstance(said.values, str) else said.values[rows],
    )


def _cut(said: Answers, threshold: float | None) -> Answers | str:
    """Return answers whose labels are those at a threshold; or why there are none."""
    if threshold is None:
        return said
    if isinstance(said.probabilities, str):
        return said.probabilities
    if said.probabilities.shape[1] != _TWO:
        return "it tells more than two classes apart, which no threshold decides"
    labels = (said.probabilities[:, 1] >= threshold).astype(np.intp)
    return replace(said, labels=labels, at_half=labels)
