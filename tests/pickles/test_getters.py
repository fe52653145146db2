"""The function that old numpy looks its own functions up with: safe in its one honest use only."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pickles.malicious import (
    BUILD,
    EMPTY_DICT,
    POP,
    REDUCE,
    call,
    listed,
    many,
    name,
    new,
    stacked,
    text,
    whole,
)

from brinery.pickles.scanner import scan
from brinery.records.scan import ScanReport, Verdict

GETTER = "numpy.core._ufunc_reconstruct"
WHERE = "numpy.core._multiarray_umath"
ASKED = name("numpy.core", "_ufunc_reconstruct")
PUT, GET, DUP = b"q\x07", b"h\x07", b"2"
HONEST = many(text(WHERE), text("log1p"))
HOSTILE = many(text("os"), text("system"))


def scanned(folder: Path, *opcodes: bytes) -> ScanReport:
    file = folder / "model.pkl"
    file.write_bytes(whole(*opcodes))
    return scan(file)


@pytest.mark.parametrize(
    "opcodes",
    [
        (ASKED, HONEST, REDUCE),
        (stacked("numpy.core", "_ufunc_reconstruct"), HONEST, REDUCE),
        # As numpy 1.19 writes two of them.
        (b"(", ASKED, PUT, HONEST, REDUCE, GET, many(text(WHERE), text("expm1")), REDUCE, b"t"),
    ],
    ids=["global", "stacked", "memo"],
)
def test_honest(tmp_path: Path, opcodes: tuple[bytes, ...]) -> None:
    """A call that names a function of numpy's is that function, and no more."""
    report = scanned(tmp_path, *opcodes)
    assert report.verdict is Verdict.SAFE
    found = {str(one.name): one for one in report.findings}
    assert found[f"{WHERE}.log1p"].reached == ("BY NAME",)
    assert "REDUCE" in found[GETTER].reached


@pytest.mark.parametrize(
    "opcodes",
    [
        (ASKED, HOSTILE, REDUCE),
        (ASKED, many(text(WHERE), text("no_such")), REDUCE),
        (ASKED, many(text(WHERE)), REDUCE),
        (ASKED, many(text(WHERE), listed(text("log1p"))), REDUCE),
        # Beside an honest use: kept, copied, or used in another way.
        (b"(", ASKED, PUT, HONEST, REDUCE, GET, b"t"),
        (b"(", ASKED, PUT, HONEST, REDUCE, GET, HOSTILE, REDUCE, b"t"),
        (b"(", ASKED, DUP, HONEST, REDUCE, b"t"),
        (ASKED, DUP, HONEST, REDUCE, POP, HOSTILE, REDUCE),
        (b"(", ASKED, HONEST, REDUCE, ASKED, HOSTILE, b"\x81", b"t"),
        (b"(", ASKED, HONEST, REDUCE, ASKED, b"t"),
        (b"(", ASKED, PUT, HONEST, REDUCE, GET, EMPTY_DICT, BUILD, b"t"),
        (
            *(b"(", ASKED, PUT, HONEST, REDUCE),
            *(call(name("functools", "partial"), GET, text("os")), b"t"),
        ),
        (
            *(b"(", ASKED, PUT, HONEST, REDUCE),
            *(new(name("sklearn.preprocessing._function_transformer", "FunctionTransformer")),),
            *(b"}", text("func"), GET, b"s", BUILD, b"t"),
        ),
        # What is looked up is then called, or changed.
        (ASKED, HONEST, REDUCE, many(text("x")), REDUCE),
        (ASKED, HONEST, REDUCE, EMPTY_DICT, BUILD),
    ],
)
def test_any_other_use(tmp_path: Path, opcodes: tuple[bytes, ...]) -> None:
    """A name that is not known, a copy that is left over, or another way to use it is not safe."""
    assert scanned(tmp_path, *opcodes).verdict is not Verdict.SAFE


def test_a_pickle_within(tmp_path: Path) -> None:
    """An honest use in one part of a file does not excuse another in another part."""
    inner = whole(ASKED, HOSTILE, REDUCE)
    kept = b"C" + bytes([len(inner)]) + inner
    report = scanned(tmp_path, b"(", ASKED, HONEST, REDUCE, kept, b"t")
    assert report.verdict is Verdict.DANGEROUS
