"""Everything that was found out about a version on some data: how good, why, where, what doubts."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from msgspec import Struct

from brinery.records.assertion import AssertionResult
from brinery.records.curves import Curves
from brinery.records.evaluation import Evaluation
from brinery.records.explanation import Explanation
from brinery.records.finding import Diagnostics
from brinery.records.subpopulation import Subpopulations
from brinery.records.text_enum import TextEnum
from brinery.records.version import DataFingerprint


class Stage(TextEnum):
    """The stages of a whole evaluation, in order."""

    SCORES = "scores"
    FIGURES = "figures"
    DIAGNOSTICS = "diagnostics"
    SUBPOPULATIONS = "subpopulations"
    ASSERTIONS = "assertions"
    EXPLANATION = "explanation"


class Appraisal(Struct, frozen=True, kw_only=True):
    """A whole evaluation.

    Attributes:
        reference: of the version.
        created: when it was made.
        data: on which data.
        weights: the column that says how much each row counts; empty where each counts once.
        scored_by: who answered: `scorer`, or `library`.
        seed: of everything random.
        evaluation: the figures; None where there is no target.
        curves: what is drawn of them; None where there is no target.
        explanation: why it answers so; None where that was not computed.
        subpopulations: where it does better or worse; None where that was not computed.
        diagnostics: what is doubtful; None where that was not looked for.
        assertions: what the user declared, in that order.
        not_done: stage to the reason why it is missing.
        times_s: stage to the seconds that it took.
    """

    reference: str
    created: datetime
    data: DataFingerprint
    weights: str = ""
    scored_by: str = ""
    seed: int = 0
    evaluation: Optional[Evaluation] = None
    curves: Optional[Curves] = None
    explanation: Optional[Explanation] = None
    subpopulations: Optional[Subpopulations] = None
    diagnostics: Optional[Diagnostics] = None
    assertions: tuple[AssertionResult, ...] = ()
    not_done: dict[str, str] = {}
    times_s: dict[str, float] = {}
