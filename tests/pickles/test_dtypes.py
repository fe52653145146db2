"""Types of arrays that are told otherwise than numpy tells them: they read what is not theirs."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from numpy._core.multiarray import _reconstruct
from tests.pickles.malicious import (
    BUILD,
    EMPTY_DICT,
    FALSE,
    NONE,
    POP,
    TRUE,
    call,
    many,
    number,
    raw,
    stacked,
    text,
    whole,
)

from brinery.pickles import dtypes
from brinery.pickles.scanner import scan
from brinery.records.scan import ScanReport, Verdict

FATAL = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGFPE}
ADDRESSES = b"A" * 32
FLOAT, OBJECT = np.dtype("<f8"), np.dtype("O")


class Forged:
    """Pickles as a call, and a state for what it gives."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def forged(spec: Any, *state: Any, held: Any = ADDRESSES) -> bytes:
    """Return a pickle of an array of four items, whose type has a state of its own."""
    dtype = Forged(np.dtype, (spec, False, True), (3, *state))
    made = Forged(_reconstruct, (np.ndarray, (0,), b"b"), (1, (4,), dtype, False, held))
    return pickle.dumps(made)


def void(fields: Any, flags: int = 0, *, names: Any = ("a",), size: int = 8, **more: Any) -> bytes:
    """Return a pickle of an array of structures."""
    return forged("V8", "|", None, names, fields, size, 1, flags, **more)


# Known classes only, and each ends the process that looks at the array.
FATAL_ARRAYS = {
    "objects that are said to be none": forged("O8", "|", None, None, None, -1, -1, 0),
    "a field of objects, said to be none": void({"a": (OBJECT, 0)}),
    "a field beyond its item": void({"a": (FLOAT, 1 << 30)}),
    "a field before its item": void({"a": (FLOAT, -(1 << 30))}),
    "objects beyond their item": void({"a": (OBJECT, 1 << 30)}, 63, held=[(1,)] * 4),
    "an address over an object": void(
        {"a": (OBJECT, 0), "b": (FLOAT, 0)}, 27, names=("a", "b"), held=[(1, 3.0)] * 4
    ),
    "an array of objects, said to be none": forged("V8", "|", (OBJECT, (1,)), None, None, 8, 1, 0),
    "a structure aligned to nothing": forged("V8", "|", None, ("a",), {"a": (FLOAT, 0)}, 8, 0, 128),
}
OTHERS = {
    "numbers that are said to be objects": forged("f8", "<", None, None, None, -1, -1, 63),
    "half characters": forged("U2", "<", None, None, None, 7, 4, 8),
    "items of less than nothing": forged("V8", "|", None, None, None, -8, 1, 0),
    "an array larger than its item": forged("V8", "|", (FLOAT, (9,)), None, None, 8, 1, 0),
    "a name without a field": void({"a": (FLOAT, 0)}, names=("a", "b")),
    "a field without a name": void({"a": (FLOAT, 0), "b": (FLOAT, 0)}),
    "a field of no type": void({"a": ("f8", 0)}),
    "a title of another field": void({"a": (FLOAT, 0, "t"), "t": (OBJECT, 0, "t")}),
    "one object in two fields": void(
        {"a": (OBJECT, 0), "b": (OBJECT, 0)}, 27, names=("a", "b"), held=[(1, 1)] * 4
    ),
    "a class that has objects": forged(dict, "|", None, None, None, -1, -1, 0),
    "a state of no parts": pickle.dumps(Forged(np.dtype, ("f8", False, True), (3, "<"))),
    "a type of a type": pickle.dumps(Forged(np.dtype, (FLOAT, False, False))),
}

LOOK = """
import pickle, sys
with open(sys.argv[1], "rb") as stream:
    array = pickle.load(stream)
repr(array.tolist())
for name in array.dtype.names or ():
    array[name].copy().tolist()
array.copy()
"""


def scanned(content: bytes, file: Path) -> ScanReport:
    file.write_bytes(content)
    return scan(file)


@pytest.mark.parametrize("name", FATAL_ARRAYS)
def test_a_type_that_ends_the_process(name: str, tmp_path: Path) -> None:
    """A type of known classes only that ends the process, once its array is read, is malformed."""
    file = tmp_path / "model.pkl"
    report = scanned(FATAL_ARRAYS[name], file)
    assert report.verdict is Verdict.MALFORMED
    assert report.problems == (dtypes.STATED,)
    looked = subprocess.run(
        [sys.executable, "-c", LOOK, str(file)], capture_output=True, check=False
    )
    assert looked.returncode in FATAL, looked.stderr


@pytest.mark.parametrize("name", OTHERS)
def test_a_type_that_contradicts_itself(name: str, tmp_path: Path) -> None:
    """A type that numpy would not write is malformed, whether numpy takes it or not."""
    assert scanned(OTHERS[name], tmp_path / "model.pkl").verdict is Verdict.MALFORMED


# The same in opcodes, where what comes when is the point. The memo has the type at 1, its fields
# at 2.
DTYPE = stacked("numpy", "dtype")
STATED = many(number(3), text("<"), NONE, NONE, NONE, number(-1), number(-1), number(0))
NUMBERS = call(DTYPE, text("f8"), FALSE, TRUE) + STATED + BUILD
EMPTY = call(stacked("numpy._core.multiarray", "_reconstruct"), stacked("numpy", "ndarray"),
             many(number(0)), raw(b"b"))  # fmt: skip
KEPT_1, KEPT_2, AGAIN_1, AGAIN_2 = b"q\x01", b"q\x02", b"h\x01", b"h\x02"


def array_state(dtype: bytes, size: int = 1) -> bytes:
    return many(number(1), many(number(size)), dtype, FALSE, raw(b"\0" * 8 * size))


def structure(fields: bytes) -> bytes:
    state = many(
        number(3), text("|"), NONE, many(text("a")), fields, number(8), number(1), number(16)
    )
    return call(DTYPE, text("V8"), FALSE, TRUE) + state + BUILD


def field(place: int) -> bytes:
    return b"(" + text("a") + many(NUMBERS, number(place)) + b"u"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (NUMBERS + KEPT_1 + STATED + BUILD, dtypes.TOLD_AGAIN),
        (
            call(DTYPE, text("f8"), FALSE, TRUE) + KEPT_1 + POP + EMPTY + array_state(AGAIN_1)
            + BUILD + POP + AGAIN_1 + STATED + BUILD,
            dtypes.TOLD_AGAIN,
        ),
        (
            structure(EMPTY_DICT + KEPT_2 + field(0)) + AGAIN_2 + field(1 << 30) + POP,
            dtypes.CHANGED,
        ),
        (EMPTY + array_state(NUMBERS) + BUILD + array_state(NUMBERS, 2) + BUILD, dtypes.TWICE),
    ],
    ids=["twice", "after its use", "changed since", "an array twice"],
)  # fmt: skip
def test_what_is_told_too_late(content: bytes, problem: str, tmp_path: Path) -> None:
    """What numpy took as it was is not told again: memory was laid out, and lent, by it."""
    file = tmp_path / "model.pkl"
    report = scanned(whole(content), file)
    assert report.verdict is Verdict.MALFORMED
    assert problem in report.problems
    pickle.loads(file.read_bytes())  # noqa: S301, TID251 - numpy minds none of it


HONEST: list[Any] = [
    *["O", "V8", "S3", "S0", "U2", "U0", "M8[s]", "m8", "f8", "?", "f16", "c16", "T"],
    *["<U3", ">f8", ">U3", ">M8[D]"],
    [("a", "O")],
    [("a", "U3"), ("b", "M8[D]"), ("c", "?")],
    [("a", "f8", (2, 3)), ("b", [("c", "O", (2,)), ("d", "i1")])],
    [(("title", "a"), "f8"), ("b", "O")],
    [],
    np.dtype([("a", "i1"), ("b", "f8")], align=True),
    np.dtype({"names": ["a"], "formats": ["f8"], "offsets": [8], "itemsize": 32}),
    np.dtype({"names": ["a", "b"], "formats": ["f8", "i4"], "offsets": [0, 4]}),
    np.dtype("f8", metadata={"a": 1}),
]


@pytest.mark.parametrize("protocol", range(6))
def test_what_numpy_writes(protocol: int, tmp_path: Path) -> None:
    """Arrays, records and items of every type are safe in every protocol, and of joblib too."""
    file = tmp_path / "model.pkl"
    for stated in HONEST:
        array = np.zeros(3, stated)
        made = [array, array.dtype]
        if array.dtype.names:
            made += [array.view(np.recarray), array[0]]
        for each in made:
            report = scanned(pickle.dumps(each, protocol), file)
            assert report.verdict is Verdict.SAFE, (stated, each, report.problems)
        if array.dtype.itemsize:
            joblib.dump(array, file, protocol=protocol)
            assert scan(file).verdict is Verdict.SAFE, stated
