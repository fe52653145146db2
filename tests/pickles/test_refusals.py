from __future__ import annotations

import pytest

from brinery.errors import ModelConfined, PredictionRefused
from brinery.pickles.refusals import explained, reason


@pytest.mark.parametrize("said", ["Permission denied", "Operation not permitted"])
def test_refusal_in_words(said: str) -> None:
    """An error of native code that has the system's words for a refusal is one."""
    told = explained(RuntimeError(f'open "/a": {said}\nStack trace:\n  [bt] 0x1'), ())
    assert isinstance(told, ModelConfined)
    assert told.message == (
        f'the model was refused by the system: RuntimeError: open "/a": {said}: '
        "its sandbox forbids it"
    )
    known = explained(RuntimeError(said), ("open /a",))
    assert known is not None
    assert known.message == "the model tried to open /a: its sandbox forbids it"


def test_refusal_beneath_our_own_words() -> None:
    """What the model raised is told, not what we made of it."""
    raised = RuntimeError("Permission denied")
    refused = PredictionRefused(f"the model raised {reason(raised)}")
    refused.__context__ = raised
    told = explained(refused, ())
    assert told is not None
    assert told.message.startswith("the model was refused by the system: RuntimeError: Perm")


def test_another_error() -> None:
    """What has nothing to do with the sandbox is left as it is, and what else was tried is said."""
    assert explained(ValueError("no permission to be negative"), ()) is None
    assert explained(FileNotFoundError(2, "No such file", "/a/data.csv"), ()) is None
    told = explained(PredictionRefused("the model raised", hint="look"), ("open /a",))
    assert isinstance(told, PredictionRefused)
    assert told.hint == "look; it also tried to open /a, and was kept from it"
    asked = explained(PredictionRefused("it raised"), ("look for ~/.ssh",))
    assert asked is not None
    assert asked.hint == "it also looked for ~/.ssh, which is no business of a model's"


def test_reason() -> None:
    """An exception is one line, without the stack of native code, and not too long."""
    assert reason(ValueError("a\n b")) == "ValueError: a b"
    assert reason(RuntimeError("failed Stack trace: [bt] (0) lib.so")) == "RuntimeError: failed"
    assert len(reason(ValueError("x" * 1000))) < 320
