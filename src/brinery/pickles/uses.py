"""How a name is used, judged alike wherever a file has it called: in a pickle, or by skops."""

from __future__ import annotations

from typing import Any

from brinery.pickles import calls, costs, dtypes
from brinery.pickles.evidence import Evidence
from brinery.pickles.inert import Inert
from brinery.pickles.policy import listed
from brinery.records.scan import Global


def call(asked: Global, given: tuple[Any, ...], *, how: str, evidence: Evidence) -> Inert:
    """Return the stand-in for what a call of a name would make, having noted what is odd in it.

    Args:
        asked: the name.
        given: what it is called with.
        how: by which opcode, or what does the same.
        evidence: what is told of it.

    Raises:
        TooMuch: what is called takes more, all together, than in any honest file.
    """
    evidence.acted = True
    evidence.ask(asked, how)
    if listed(asked) is not None and (words := calls.strange(asked, given, how=how)):
        evidence.doubt(asked, words)
    origin, arguments = calls.made(asked, given)
    costs.of_arguments(asked, given, evidence=evidence)
    for name, taken in {asked: given, origin: arguments}.items():
        if words := costs.of_call(name, taken, evidence=evidence):
            evidence.problem(words)
    result = Inert(origin, arguments)
    dtypes.note_made(result, evidence)
    return result
