"""How versions differ that answered the same rows, and how sure that is."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.curves import Curves
from brinery.records.estimate import Estimate
from brinery.records.evaluation import PredictionType
from brinery.records.group import Group
from brinery.records.leaderboard import Leaderboard
from brinery.records.signature import Scalar
from brinery.records.text_enum import TextEnum


class Verdict(TextEnum):
    """What a difference comes to, at the level of its interval."""

    BETTER = "better"
    WORSE = "worse"
    ALIKE = "not distinguishable"
    UNKNOWN = "unknown"


class MetricDifference(Struct, frozen=True, kw_only=True):
    """One metric of two versions on the same rows.

    Attributes:
        metric: its name.
        higher_is_better: whether a higher value is the better one.
        base: the value of the version that is compared with.
        other: the value of the other version.
        difference: `other - base`, with its paired interval, or the reason why there is none.
        p_value: two-sided: how often chance alone makes a difference at least as large, 0 to 1;
            None where it cannot be told.
        p_better: how often chance alone makes the other look this good or better, where it is no
            better; small is evidence that it is better.
        p_worse: the same for worse.
        p_corrected: the two-sided p-value, corrected by Holm for all metrics of the pair.
        test: what the p-values are of: `DeLong`, `McNemar, exact`, `paired bootstrap` and so on.
        verdict: of the other version: better or worse where `p_value` is below 1 - level.
    """

    metric: str
    higher_is_better: bool
    base: float
    other: float
    difference: Estimate
    p_value: Optional[float] = None
    p_better: Optional[float] = None
    p_worse: Optional[float] = None
    p_corrected: Optional[float] = None
    test: str = ""
    verdict: Verdict = Verdict.UNKNOWN


class SubpopulationDifference(Struct, frozen=True, kw_only=True):
    """How much better or worse the other version is on some of the rows.

    Attributes:
        group: which rows.
        rows: count.
        share: of all rows, by weight; 0 to 1.
        base: mean loss of the version that is compared with, in `Pairing.loss`.
        other: mean loss of the other version.
        gain: `base - other`, above 0 where the other is better, with its paired interval.
        p_value: two-sided, that the gain is none; None where it cannot be told.
        p_corrected: corrected for all subpopulations of the pair (Benjamini & Hochberg).
        verdict: better or worse where `p_corrected` is below 1 - level.
    """

    group: Group
    rows: int
    share: float
    base: float
    other: float
    gain: Estimate
    p_value: Optional[float] = None
    p_corrected: Optional[float] = None
    verdict: Verdict = Verdict.UNKNOWN


class Rule(Struct, frozen=True, kw_only=True):
    """Where two versions disagree, in words over the inputs.

    Attributes:
        conditions: all of them hold, such as `age > 60` and `job is retired or student`.
        precision: of the rows that the rule chooses, the share that is disagreed on, 0 to 1.
        recall: of the rows that are disagreed on, the share that the rule chooses.
        rows: how many the rule chooses.
        share_elsewhere: of the rows that it does not choose, the share that is disagreed on.
        measured_on: rows that precision, recall and rows were counted on; the rule was found on
            others.
    """

    conditions: tuple[str, ...]
    precision: float
    recall: float
    rows: int
    share_elsewhere: float
    measured_on: int


class Disputed(Struct, frozen=True, kw_only=True):
    """A row that two versions disagree on.

    Attributes:
        row: its place in the data, from 0.
        actual: its label or value.
        base: the answer of the version that is compared with.
        other: the answer of the other version.
        base_probability: of the positive class, or of the version's own answer where there are
            more than two; None where it gives none.
        other_probability: likewise.
    """

    row: int
    actual: Scalar
    base: Scalar
    other: Scalar
    base_probability: Optional[float] = None
    other_probability: Optional[float] = None


class Disagreement(Struct, frozen=True, kw_only=True):
    """Where two versions answer otherwise, and who is right there.

    Attributes:
        meaning: which rows count, in a few words.
        rows: how many.
        share: of all rows, 0 to 1, with its interval.
        base_right: rows on which only the version that is compared with is right; of a regression,
            on which it is nearer.
        other_right: likewise for the other version.
        neither_right: rows on which both are wrong; of a regression, equally near.
        agreement: kappa of their labels (1 is the same answers, 0 is what chance makes), or of a
            regression the concordance of their values; None where it is undefined.
        agreement_of: `Cohen's kappa` or `Lin's concordance`.
        places: some of the rows, from 0, in order: at most 1,000, drawn by the seed.
        examples: the rows that they are farthest apart on, the farthest first.
        rule: what describes these rows best; None where nothing does.
        no_rule: why there is no rule; empty where there is one.
    """

    meaning: str
    rows: int
    share: Estimate
    base_right: int
    other_right: int
    neither_right: int
    agreement: Optional[Estimate] = None
    agreement_of: str = ""
    places: tuple[int, ...] = ()
    examples: tuple[Disputed, ...] = ()
    rule: Optional[Rule] = None
    no_rule: str = ""


class Footprint(Struct, frozen=True, kw_only=True):
    """What a version costs.

    Attributes:
        size_bytes: of the model's stored file or folder.
        answered_by: `scorer` or `library`.
        latency_s: median seconds for one row, answered in a process.
        latency_rows: how many single rows were timed.
        rows_per_s: rows in a second where all are scored at once.
    """

    size_bytes: int
    answered_by: str
    latency_s: float
    latency_rows: int
    rows_per_s: float


class Contender(Struct, frozen=True, kw_only=True):
    """One version of a comparison, by itself.

    Attributes:
        name: such as `bank@3`.
        metrics: name to finite value.
        not_computed: name of a metric to the reason why it is absent.
        curves: to be drawn over those of the others, without their per-cut tables; None where
            nothing is drawn.
        footprint: what it costs; None where that was not measured.
    """

    name: str
    metrics: dict[str, float] = {}
    not_computed: dict[str, str] = {}
    curves: Optional[Curves] = None
    footprint: Optional[Footprint] = None


class Pairing(Struct, frozen=True, kw_only=True):
    """One version beside the base, on the same rows.

    Attributes:
        base: name of the version that is compared with.
        other: name of the other one.
        differences: one for each metric that both have.
        not_compared: name of a metric to the reason why its difference is absent.
        loss: what subpopulations are compared by: `Brier score`, `error rate` or `absolute error`.
        subpopulations: the smallest p-value first.
        subpopulations_left_out: column to the reason why it makes none.
        disagreement: where they answer otherwise.
    """

    base: str
    other: str
    differences: tuple[MetricDifference, ...] = ()
    not_compared: dict[str, str] = {}
    loss: str = ""
    subpopulations: tuple[SubpopulationDifference, ...] = ()
    subpopulations_left_out: dict[str, str] = {}
    disagreement: Optional[Disagreement] = None

    def difference(self, metric: str) -> Optional[MetricDifference]:
        """Return the difference of a metric; None where there is none."""
        return next((each for each in self.differences if each.metric == metric), None)


class Comparison(Struct, frozen=True, kw_only=True):
    """Versions that answered the same rows, each beside the base.

    Attributes:
        type: what they predict.
        base: name of the version that the others are compared with.
        rows: how many rows were compared.
        rows_left_out: rows whose label was missing.
        weighted: whether rows count by a weight.
        level: of the intervals, 0 to 1.
        seed: of what is drawn.
        classes: of the models, in the order of the base; empty for a regression.
        positive: the class that counts as positive; None unless binary.
        data: what the rows are called, such as `test.csv`; empty where that is not known.
        contenders: every version, the base first.
        pairs: every version that could be compared but the base.
        not_compared: name of a version to the reason why it could not be compared.
        leaderboard: the versions in order.
    """

    type: PredictionType
    base: str
    rows: int
    rows_left_out: int = 0
    weighted: bool = False
    level: float = 0.95
    seed: int = 0
    classes: tuple[Scalar, ...] = ()
    positive: Optional[Scalar] = None
    data: str = ""
    contenders: tuple[Contender, ...] = ()
    pairs: tuple[Pairing, ...] = ()
    not_compared: dict[str, str] = {}
    leaderboard: Optional[Leaderboard] = None
