"""What a call of a known name is given: what honest pickles give stays safe."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tests.pickles.malicious import (
    BUILD,
    NONE,
    REDUCE,
    call,
    keyed,
    many,
    new,
    proto,
    stacked,
    system,
    text,
    whole,
)
from tests.pickles.misused import IDLE, LINEAR, PARTIAL

from brinery.pickles.scanner import scan
from brinery.records.scan import Verdict


def test_a_model_of_another_format_that_is_a_pickle(tmp_path: Path) -> None:
    """What a pickle machine reads on and on is told, though it begins as CatBoost's files do."""
    head = b"CBM1" + struct.pack("<I", 1000) + b"\0" * 60
    file = tmp_path / "model.cbm"
    file.write_bytes(head + IDLE + proto(4) + system(str(tmp_path / "marker")) + b".")
    report = scan(file)
    assert report.verdict is Verdict.MALFORMED
    assert "read as a pickle: it asks for no name, though its opcodes go on" in str(report.problems)


def test_what_honest_pickles_give(tmp_path: Path) -> None:
    """What pandas, numpy and the standard library give their own functions stays safe."""
    block = stacked("pandas.core.internals.blocks", "new_block")
    given = {
        "defaultdict": call(stacked("collections", "defaultdict"), stacked("builtins", "list")),
        "partial": call(call(PARTIAL, block), NONE),
        "bit generator": call(
            *(stacked("numpy.random._pickle", "__bit_generator_ctor"), text("MT19937"))
        ),
        "documented": new(LINEAR) + keyed(__doc__=text("words")) + BUILD,
        "scorer": new(stacked("sklearn.metrics._scorer", "_Scorer"))
        + keyed(_response_method=many(text("decision_function"), text("predict_proba")))
        + BUILD,
        "encoded": call(stacked("_codecs", "encode"), text("x"), text("latin1")),
        "method of text": stacked("builtins", "getattr")
        + many(stacked("builtins", "str"), text("split"))
        + REDUCE,
        "method of its own": stacked("builtins", "getattr")
        + many(new(stacked("scipy.stats._discrete_distns", "randint_gen")), text("_entropy"))
        + REDUCE,
    }
    file = tmp_path / "model.pkl"
    for name, pickled in given.items():
        file.write_bytes(whole(pickled))
        assert scan(file).verdict is Verdict.SAFE, name


@pytest.mark.parametrize(
    "asked",
    [
        many(stacked("builtins", "str"), text("format")),
        many(stacked("builtins", "dict"), text("split")),
        many(new(LINEAR), text("fit")),
        many(new(stacked("scipy.stats._discrete_distns", "randint_gen")), text("rvs")),
        many(LINEAR, text("__init__")),
    ],
)
def test_other_attributes(tmp_path: Path, asked: bytes) -> None:
    """Any other attribute that is looked up stays dangerous."""
    file = tmp_path / "model.pkl"
    file.write_bytes(whole(stacked("builtins", "getattr"), asked, REDUCE))
    assert scan(file).verdict is Verdict.DANGEROUS
