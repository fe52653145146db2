"""Pickles one after another in a stream, and what may follow them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from brinery.pickles import facts
from brinery.pickles.bounds import PATIENCE_STEPS, Broken, Impatient
from brinery.pickles.evidence import Evidence
from brinery.pickles.streams import drain
from brinery.pickles.stubs import InertUnpickler, Look

# The first pickle of torch's format before zip archives, and how many come after it.
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_TORCH_PICKLES = 4
_PROTO = 0x80
_PROTOCOLS = range(16)  # those to come are told by their number


def is_avowed(head: bytes) -> bool:
    """Return whether bytes begin as every pickle since protocol 2 does."""
    return len(head) > 1 and head[0] == _PROTO and head[1] in _PROTOCOLS


def read(
    stream: Any,
    evidence: Evidence,
    *,
    look: Look,
    persistent: bool = False,
    plain: bool = False,
) -> str | None:
    """Return `pickle`, `joblib` or `torch`; None where the bytes are no pickle.

    Bytes that do not begin as a pickle are one all the same where a machine reads them to their
    end, where they ask for a name, or where something was done with one before they broke.

    Args:
        stream: with `peek`, at the first byte.
        evidence: what is told of it.
        look: is shown the values that may be parts of their own.
        persistent: whether it may ask for objects kept outside of it.
        plain: whether no joblib reads it, so that no array lies raw in it.
    """
    avowed = is_avowed(stream.peek(2)[:2])
    machine = InertUnpickler(stream, evidence, look=look, persistent=persistent, plain=plain)
    try:
        held = machine.load()
    except Broken as broken:
        if not avowed and not evidence.acted:
            return None
        evidence.problem(str(broken))
        evidence.saw_protocol(evidence.protocol or 0)
        return "joblib" if evidence.raw_arrays else "pickle"
    if not avowed and not evidence.names and stream.peek(1):
        return None  # text that begins as the pickle of None or of a number does
    facts.describe(held, evidence)
    if held == _TORCH_MAGIC:
        _torch(stream, evidence, look)
        return "torch"
    try:
        _rest(stream, evidence, look)
    except Broken as broken:
        evidence.problem(str(broken))
    return "joblib" if evidence.raw_arrays else "pickle"


def attempt(
    stream: Any,
    evidence: Evidence,
    *,
    look: Look,
    memo: Mapping[int, Any] | None = None,
    loaded: bool = False,
) -> bool:
    """Return whether bytes that may be noise are a pickle that asks for names.

    Args:
        stream: at the first byte.
        evidence: its own, to be adopted or dropped.
        look: is shown the values that may be parts of their own.
        memo: what it may refer to, where it goes on from another pickle.
        loaded: whether a reader takes them for a pickle; then what goes on and on without a name
            is one that hides what it asks for.
    """
    loaded = loaded or memo is not None
    machine = InertUnpickler(stream, evidence, look=look, patience=PATIENCE_STEPS, memo=memo)
    avowed = is_avowed(stream.peek(2)[:2])
    try:
        machine.load()
    except Impatient as broken:
        if loaded:
            evidence.problem(f"{broken}, though its opcodes go on for long")
            return True
    except Broken as broken:
        if not avowed and not evidence.acted:
            return False
        evidence.problem(str(broken))
    return evidence.plausible


def _rest(stream: Any, evidence: Evidence, look: Look) -> None:
    """Note what follows the pickle, which is all that `pickle.load` reads."""
    number = 1
    while stream.peek(1):
        head = stream.peek(2)[:2]
        evidence.trailing = True
        if number == 1:
            evidence.problem("bytes follow the end of its pickle, which pickle.load does not read")
        number += 1
        part = evidence.inner(f"pickle {number}")
        try:
            InertUnpickler(stream, part, look=look).load()
        except Broken as broken:
            if is_avowed(head) or part.acted:
                part.problem(str(broken))
                evidence.adopt(part)
            drain(stream)
            return
        evidence.adopt(part)


def _torch(stream: BinaryIO, evidence: Evidence, look: Look) -> None:
    """Read the pickles of a torch file that is no archive; numbers follow them."""
    try:
        for _ in range(_TORCH_PICKLES):
            held = InertUnpickler(stream, evidence, look=look, persistent=True).load()
            evidence.outermost = ""
            facts.describe(held, evidence)
    except Broken as broken:
        evidence.problem(str(broken))
    drain(stream)
