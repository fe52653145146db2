"""Python code that a pickle carries: which Python wrote it, and which names it asks for."""

from __future__ import annotations

from typing import Any

from brinery.pickles.evidence import Evidence
from brinery.records.scan import Global

TYPE = Global("types", "CodeType")

# How many arguments make a code object, the Pythons that take so many, and where its names and
# its instructions lie among them.
_FORMS = {
    15: ("3.6 or 3.7", 7, 5),
    16: ("3.8 to 3.10", 8, 6),
    18: ("≥ 3.11", 8, 6),
}

# The number of RESUME, which every function begins with since 3.11.
_RESUME = {151: "3.11 or 3.12", 149: "3.13", 128: "3.14"}
_FIRST_INSTRUCTIONS = 12
_MAX_NAME = 100
_MAX_NAMES = 1000

# How exactly the Python is told: by its version, by code, by the protocol.
EXACT, BY_CODE, BY_PROTOCOL = 0, 1, 2


def read(arguments: tuple[Any, ...], evidence: Evidence) -> None:
    """Note what a code object says of the Python that wrote it, and the names it asks for."""
    evidence.budget.spend_steps(len(arguments))
    if len(arguments) not in _FORMS or not isinstance(arguments[0], int):
        _names([one for one in arguments if isinstance(one, tuple)], evidence)
        return
    python, names, instructions = _FORMS[len(arguments)]
    body = arguments[instructions]
    if python.startswith("≥") and isinstance(body, bytes):
        told = [_RESUME[byte] for byte in body[:_FIRST_INSTRUCTIONS:2] if byte in _RESUME]
        python = told[0] if told else python
    evidence.python[BY_CODE] = python
    _names([arguments[names]], evidence)


def _names(tuples: list[Any], evidence: Evidence) -> None:
    """Note the names in tuples, which count as opcodes: one may be the names of many."""
    for asked in tuples:
        given = asked if isinstance(asked, tuple) else ()
        evidence.budget.spend_steps(len(given))
        for name in given:
            if len(evidence.code) >= _MAX_NAMES:
                return
            if isinstance(name, str) and len(name) <= _MAX_NAME and name.isprintable():
                evidence.code[name] = None
