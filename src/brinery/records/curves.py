"""What is drawn of an evaluation: curves, cuts, bins and samples, thinned to what a page shows."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.estimate import Estimate
from brinery.records.evaluation import PredictionType
from brinery.records.signature import Scalar
from brinery.records.threshold import Threshold


class Curve(Struct, frozen=True, kw_only=True):
    """A line through points that are in order; all (n_points,).

    Attributes:
        x: see where the curve is named.
        y: see where the curve is named.
        threshold: the score at and above which a row counts as positive; empty where a point is
            no cut. The first point of a ROC curve is above every score, and has 1 more than the
            highest.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    threshold: tuple[float, ...] = ()


class Calibration(Struct, frozen=True, kw_only=True):
    """How often what was predicted with some probability came true; all but `edges` (n_bins,).

    Attributes:
        edges: (n_bins + 1,) of the bins of the probability, from 0 to 1; of equal width.
        rows: weight of the rows in the bin, or their number without weights; a bin without rows
            is left out of all.
        predicted: mean probability of the bin's rows.
        observed: share of the bin's rows that are of the class.
        low: lower end of the 95 % interval of `observed` (Wilson).
        high: upper end.
        bin: which bin each of these is, from 0.
        error: the expected calibration error, with its interval; None where there is none.
    """

    edges: tuple[float, ...]
    rows: tuple[float, ...]
    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    bin: tuple[int, ...]
    error: Optional[Estimate] = None


class Density(Struct, frozen=True, kw_only=True):
    """How values are spread.

    Attributes:
        edges: (n_bins + 1,) of equal width, in the unit of the value.
        names: (n_series,) what is counted apart: the class and the rest; one for a regression.
        density: (n_series, n_bins) share of the series per unit; each integrates to 1, or is all
            0 where the series has no row.
    """

    edges: tuple[float, ...]
    names: tuple[Scalar, ...]
    density: tuple[tuple[float, ...], ...]


class Cuts(Struct, frozen=True, kw_only=True):
    """The per-cut table: what each threshold catches and what each figure is there.

    The rows are spread evenly over the rows of the data and over the range of the scores, so that
    neither a crowd nor a gap hides; the best cuts of each figure are among them.

    Attributes:
        threshold: (n_cuts,) ascending; a score at or above it counts as positive.
        true_positives: (n_cuts,) weight of the rows, or their number without weights; so are the
            next three.
        false_positives: (n_cuts,).
        false_negatives: (n_cuts,).
        true_negatives: (n_cuts,).
        metrics: name to (n_cuts,): accuracy, balanced accuracy, precision, recall, specificity,
            F1, F-beta, MCC, kappa, the lift, the share predicted positive, the net benefit
            (Vickers & Elkin 2006), and the gain per row where gains are given; None where one is
            undefined.
        total: how many distinct scores there are to cut at.
    """

    threshold: tuple[float, ...]
    true_positives: tuple[float, ...]
    false_positives: tuple[float, ...]
    false_negatives: tuple[float, ...]
    true_negatives: tuple[float, ...]
    metrics: dict[str, tuple[Optional[float], ...]]
    total: int


class Deciles(Struct, frozen=True, kw_only=True):
    """What the rows with the highest scores hold; all (10,).

    Attributes:
        share: of the rows, 0.1 to 1.
        lift: how many times more often a row of the share is positive than any row.
        gain: share of the positive rows that are in the share.
    """

    share: tuple[float, ...]
    lift: tuple[Estimate, ...]
    gain: tuple[Estimate, ...]


class ClassCurves(Struct, frozen=True, kw_only=True):
    """One class against the rest, by the score of that class.

    Attributes:
        label: the class; the positive one where there are two.
        rows: how many rows there are.
        positives: how many of them are of the class.
        roc: x the false positive rate, y the true positive rate.
        precision_recall: x the recall, y the precision.
        lift: x the share of rows taken, the highest scores first, y their lift.
        gain: x the same share, y the share of the positive rows among them.
        calibration: None where the scores are no probabilities.
        density: of the scores, of the class and of the rest.
        cuts: the per-cut table, which is the decision chart too.
        deciles: cumulative lift and gain.
        thresholds: of a binary model, the best cut for each figure, with its optimism.
        not_computed: name of one of these to the reason it is None.
    """

    label: Scalar
    rows: int
    positives: int
    roc: Optional[Curve] = None
    precision_recall: Optional[Curve] = None
    lift: Optional[Curve] = None
    gain: Optional[Curve] = None
    calibration: Optional[Calibration] = None
    density: Optional[Density] = None
    cuts: Optional[Cuts] = None
    deciles: Optional[Deciles] = None
    thresholds: tuple[Threshold, ...] = ()
    not_computed: dict[str, str] = {}


class Scatter(Struct, frozen=True, kw_only=True):
    """Rows of a regression, evenly sampled where there are many; all (n_shown,).

    Attributes:
        row: the row's place in the data, from 0.
        actual: the target.
        predicted: the model's answer.
        of: how many rows these were sampled from.
        seed: of the sample.
    """

    row: tuple[int, ...]
    actual: tuple[float, ...]
    predicted: tuple[float, ...]
    of: int
    seed: int = 0


class RegressionCurves(Struct, frozen=True, kw_only=True):
    """What is drawn of a regression; an error is prediction less target.

    Attributes:
        scatter: target and prediction of a sample of rows.
        errors: how the errors are spread, in the unit of the target. The outermost one per cent
            on each side is counted in the end bins.
        quantiles: x the quantile of a normal distribution with the errors' mean and deviation,
            y that of the errors (a QQ plot), both in the unit of the target.
        by_prediction: x the mean prediction of a group of equally many rows, y their mean error.
        by_prediction_low: (n_groups,) lower end of the 95 % interval of the mean error.
        by_prediction_high: (n_groups,) upper end.
    """

    scatter: Scatter
    errors: Density
    quantiles: Curve
    by_prediction: Curve
    by_prediction_low: tuple[float, ...]
    by_prediction_high: tuple[float, ...]


class Curves(Struct, frozen=True, kw_only=True):
    """All that is drawn of one model on one set of data.

    Attributes:
        type: which family this is.
        rows: how many rows were scored and counted.
        classes: one entry for a binary model, its positive class; one for each class of a
            multiclass model, or of the most frequent ones where there are very many.
        classes_left_out: how many classes have no entry for that reason.
        regression: None unless it is one.
        not_computed: why nothing is drawn, by the name of what is missing.
    """

    type: PredictionType
    rows: int
    classes: tuple[ClassCurves, ...] = ()
    classes_left_out: int = 0
    regression: Optional[RegressionCurves] = None
    not_computed: dict[str, str] = {}
