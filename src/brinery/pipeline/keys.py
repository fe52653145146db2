"""What a step's key is made of: everything that decides what it leaves, by content, not by place.

Two steps with one key leave the same, whatever they are called and whichever job they are of.
Where something lies, how long it may take and what it is shown as are no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from blake3 import blake3

from brinery.records.job import Part
from brinery.records.plan import Step, Text

_ENCODER = msgspec.json.Encoder(order="sorted")


def parts_of(
    step: Step, *, code: str, inputs: Mapping[str, str], environment: str
) -> tuple[Part, ...]:
    """Return what the key of a step is made of, in order.

    Args:
        step: as it was planned.
        code: BLAKE3 of the tree that it runs in a copy of; empty where it has none.
        inputs: the text of each parameter, and the BLAKE3 of each input that is data.
        environment: what its provider says of it.
    """
    found = [Part(name="command", value=step.command)]
    if step.component:
        found.append(Part(name="component", value=step.component))
    found.append(Part(name="code", value=code))
    found.append(Part(name="environment", value=environment))
    found += [Part(name=f"variable {name}", value=step.variables[name]) for name in step.variables]
    for name in sorted(inputs):
        kind = "parameter" if isinstance(step.inputs[name], Text) else "input"
        found.append(Part(name=f"{kind} {name}", value=inputs[name]))
    for name in sorted(step.outputs):
        found.append(Part(name=f"output {name}", value=str(step.outputs[name].type)))
    for label, settings in (
        ("processes", None if step.spread == type(step.spread)() else step.spread),
        ("sweep", step.sweep),
        ("parallel", step.parallel),
    ):
        if settings is not None:
            found.append(Part(name=label, value=_ENCODER.encode(settings).decode()))
    return tuple(found)


def key_of(parts: tuple[Part, ...]) -> str:
    """Return the key that parts make, 64 hexadecimal digits."""
    return blake3(_ENCODER.encode(parts)).hexdigest()
