"""How often the same rows were looked at, and how sure a further look must be.

Rows that many versions are tested on wear out: with enough tries, a model that is no better passes
by chance. The k-th look may therefore err with a share of 6 / (pi k)^2 of the whole error, and
these shares sum to 1 however many looks follow: the chance that any look errs stays below the error
that was asked for. That holds for looks that depend on each other, and for versions that were made
after earlier ones were refused: until the first one passes, every answer was no.

Source: Bonferroni's inequality; DeMets & Lan 1994 for spending an error; Dwork et al. 2015 for why
rows wear out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from brinery.records.decision import Decision, DecisionData

_WORN: Final = 3


def share(look: int) -> float:
    """Return the share of the whole error that a look may take, 0 to 1.

    Args:
        look: which, from 1.
    """
    return 6 / (math.pi * look) ** 2


def level(confidence: float, look: int) -> float:
    """Return how sure the tests of a look must be, 0 to 1, for all looks to be as sure as asked.

    Args:
        confidence: of all looks together, 0 to 1.
        look: which, from 1.
    """
    return 1 - (1 - confidence) * share(look)


def spent(look: int) -> float:
    """Return the share of the whole error that this look and those before it take, 0 to 1.

    Args:
        look: which, from 1; 0 where there was none.
    """
    return sum(share(each) for each in range(1, look + 1))


def look_at(data: DecisionData, question: str, *, earlier: Sequence[Decision]) -> int:
    """Return which look at some rows a question is, from 1.

    A question that was asked before is the same look again: its answer is the same, too. The same
    rows in another order are no fresh ones, and asking about them is another question: groups of
    rows that are left out together are others then, and so may the answer be.

    Args:
        data: the rows.
        question: digest of what is asked.
        earlier: the decisions of the model.
    """
    looks = [each for each in earlier if each.looks and _on(each, data)]
    for each in looks:
        if each.question == question:
            return each.looks
    questions = {each.question for each in looks}
    return 1 + max(len(questions), max((each.looks for each in looks), default=0))


def wear(data: DecisionData, look: int, *, confidence: float) -> str:
    """Return how worn some rows are, in a sentence.

    Args:
        data: the rows.
        look: which look at them it was, from 1; 0 where nothing was tested on them.
        confidence: of all looks together, 0 to 1.
    """
    rows = f"the {data.rows:,} rows of {data.name}"
    if not look:
        return f"nothing was tested on {rows}, so that it is no look at them"
    error, asked = _percent(1 - confidence), _percent(level(confidence, look))
    told = (
        f"look {look:,} at {rows}: {100 * spent(look):.0f} % of the {error} chance of ever passing "
        f"a model that is no better is spent, and this look asked for {asked} instead of "
        f"{_percent(confidence)}"
    )
    return f"{told}; fresh rows ask for less: --data FILE" if look >= _WORN else told


def _on(decision: Decision, data: DecisionData) -> bool:
    return decision.data is not None and decision.data.same_rows(data)


def _percent(part: float) -> str:
    """Return a share in percent, with the digits that tell it from 100 %."""
    gap = min(part, 1 - part)
    digits = max(0, 1 - math.floor(math.log10(100 * gap))) if gap > 0 else 0
    return f"{100 * part:.{digits}f}".rstrip("0").rstrip(".") + " %"
