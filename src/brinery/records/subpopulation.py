"""Where a model is better or worse than on the whole: one figure in many groups of rows."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.estimate import Estimate
from brinery.records.group import Group
from brinery.records.text_enum import TextEnum


class Correction(TextEnum):
    """How p-values are raised for there being many of them."""

    BENJAMINI_HOCHBERG = "benjamini-hochberg"
    HOLM = "holm"
    NONE = "none"


class Subpopulation(Struct, frozen=True, kw_only=True):
    """A figure in one group of rows, and how far it is from that of all rows.

    Attributes:
        group: which rows.
        rows: how many of them have a label.
        share: of the rows with a label, by weight; 0 to 1.
        figure: the metric in the group; None where it cannot be computed.
        difference: the figure less that of all rows; None where there is no figure.
        p_value: how likely a difference this large is where the group is like the rest of the
            rows, 0 to 1; None where it was not tested.
        p_corrected: the same, corrected for all tests of the record.
        reason: why there is no figure or no test; empty where there is nothing to say.
    """

    group: Group
    rows: int
    share: float
    figure: Optional[Estimate] = None
    difference: Optional[Estimate] = None
    p_value: Optional[float] = None
    p_corrected: Optional[float] = None
    reason: str = ""


class Slicing(Struct, frozen=True, kw_only=True):
    """The groups that one column, or two, cut the rows into.

    Attributes:
        columns: one, or two where their groups are crossed.
        subpopulations: numbers and dates in their order, categories the most frequent first.
        skipped: why the rows are not cut by it; empty where they are.
    """

    columns: tuple[str, ...]
    subpopulations: tuple[Subpopulation, ...] = ()
    skipped: str = ""


class Subpopulations(Struct, frozen=True, kw_only=True):
    """One metric in every group of rows.

    Attributes:
        metric: its name, as in `Evaluation.metrics`.
        higher_is_better: None where neither is, as for a mean error.
        rows: how many have a label.
        whole: the metric on all rows; None where it cannot be computed.
        slicings: one for each column, in the order of the data, then one for each pair.
        correction: how the p-values were corrected.
        tests: how many p-values there are.
        skipped: why there is nothing; empty where there is something.
    """

    metric: str
    higher_is_better: Optional[bool]
    rows: int
    whole: Optional[Estimate] = None
    slicings: tuple[Slicing, ...] = ()
    correction: Correction = Correction.BENJAMINI_HOCHBERG
    tests: int = 0
    skipped: str = ""

    def notable(self, level: float = 0.05) -> tuple[Subpopulation, ...]:
        """Return the groups that differ, those of which it is most certain first.

        Args:
            level: the corrected p-value up to which a difference counts, 0 to 1.
        """
        found = [
            (one.p_corrected, one.p_value or 0.0, one)
            for slicing in self.slicings
            for one in slicing.subpopulations
            if one.p_corrected is not None and one.p_corrected <= level
        ]
        return tuple(one for _, _, one in sorted(found, key=lambda each: each[:2]))
