"""What a file asks for is counted before it is made; what honest files ask for stays safe."""

from __future__ import annotations

import pickle
import re
from collections import Counter, OrderedDict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from tests.pickles import costly
from tests.pickles.costly import within
from tests.pickles.malicious import EMPTY_DICT, NONE, POP, Sample, whole

from brinery.pickles import costs
from brinery.pickles.bounds import Budget
from brinery.pickles.evidence import Evidence
from brinery.pickles.inert import Inert
from brinery.pickles.scanner import scan
from brinery.records.scan import Global, ScanReport, Verdict

SAMPLES = tuple(costly.samples())
RANGE = Global("builtins", "range")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.pkl"


def scanned(file: Path, content: bytes) -> ScanReport:
    file.write_bytes(content)
    return scan(file)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_what_takes_too_much_is_malformed(file: Path, sample: Sample) -> None:
    """What takes for ever, or all memory, is malformed, whoever vouches for its names."""
    report = scanned(file, sample.build(""))
    assert report.verdict is Verdict.MALFORMED
    assert report.problems


def test_ballast_before_a_bomb(file: Path) -> None:
    """A key of more objects than can be counted is refused, whatever comes after those."""
    many = b"(" + EMPTY_DICT * 2_100_000 + b"t"
    content = whole(EMPTY_DICT, b"(", many, within(60, twice=True), b"t", NONE, b"s", POP, NONE)
    assert "more objects than can be counted" in scanned(file, content).problems[0]


def test_one_tuple_as_a_key_of_very_many(file: Path) -> None:
    """A long tuple counts each time that it is hashed, as it is gone through each time."""
    content = b"\x80\x04(" + b"N" * 10_000 + b"t\x940" + b"}h\0Ns0" * 20_000 + b"N."
    assert "more than 12,000,000 opcodes" in scanned(file, content).problems[0]


HONEST: dict[str, Any] = {
    "fractions": [Fraction(1, 3), Fraction(-7), Fraction(10**50, 3)],
    "decimals": [Decimal(text) for text in ("1.5", "-1E+30", "Infinity", "NaN", "0", "1E-999")],
    "patterns": [re.compile(r"(?u)\b\w\w+\b"), re.compile("a" * 500, re.IGNORECASE)],
    "ranges": [range(10), range(10**6, 0, -1), range(5, 5), range(10**12, 10**12 + 3)],
    "sets": [{("a", ("b", 1)), ("a",)}, frozenset({frozenset({1}), ("x",) * 50})],
    "bytes": [b"", b"abc", bytearray(b"abc"), bytearray(10**6)],
    "counts": [Counter("abc"), OrderedDict(a=1), deque([1, 2], 5), complex(1, 2)],
    "keys": {(1, "a"): 1, (1, ("a", None)): 2, frozenset("ab"): 3, pd.Timestamp(0): 4},
    "arrays": [
        np.array([1, "a", None], dtype=object),
        np.array([[None, 1], ["x", 2.0]], dtype=object),
        np.array([], dtype=object),
        np.array(None, dtype=object),
        np.zeros(3, dtype=[("a", "O"), ("b", "f8")]),
        np.ma.array([1, 2], mask=[True, False]),
        np.ma.array([None, "x"], mask=[True, False], dtype=object),
        np.rec.array([(1, "a")]),
        np.float64(1.5),
        np.void(b"abc"),
    ],
    "frames": pd.DataFrame({"a": np.zeros(100_000, "i1")}),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", HONEST)
def test_what_honest_files_ask_for(file: Path, name: str, protocol: int) -> None:
    """Numbers, ranges, sets and arrays as Python, numpy and pandas pickle them have no problem."""
    assert scanned(file, pickle.dumps(HONEST[name], protocol=protocol)).problems == ()


@pytest.mark.parametrize("bounds", [(10,), (3, 10), (10, 3), (0, 10, 3), (10, 0, -3), (0, 9, 3)])
def test_how_long_a_range_is(bounds: tuple[int, ...]) -> None:
    """A range counts as many numbers as it gives, and pandas' as many."""
    assert costs.range_items(Inert(RANGE, bounds)) == len(range(*bounds))
    whole_range = range(*bounds)
    told = {"name": None, "start": whole_range.start, "stop": whole_range.stop}
    index = Inert(Global("pandas", "RangeIndex"), ({**told, "step": whole_range.step},))
    assert costs.range_items(index) == len(whole_range)


def test_a_frame_keeps_its_range() -> None:
    """A table of very many rows is no bomb: pandas keeps the range of its rows as it is."""
    evidence = Evidence(Budget())
    rows = Inert(RANGE, (200_000_000,))
    manager = Global("pandas.core.internals.managers", "BlockManager")
    costs.of_arguments(manager, ([rows],), evidence=evidence)
    assert evidence.budget.objects > 0


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("leaves", [2, 31])
def test_honest_trees(file: Path, leaves: int, *, linear: bool) -> None:
    """LightGBM's own text has as many numbers as it says, with categories and linear leaves."""
    data = np.random.default_rng(0).normal(size=(300, 2))
    data[:, 1] = np.arange(300) % 7
    options = {"verbose": -1, "num_leaves": leaves, "linear_tree": linear, "min_data_in_leaf": 2}
    options |= {"min_data_per_group": 1, "cat_smooth": 0, "max_cat_to_onehot": 1}
    rows = lightgbm.Dataset(data, data[:, 0] + data[:, 1] % 2, categorical_feature=[1])
    model = lightgbm.train(options, rows, 3)
    for protocol in (0, 2, 5):
        assert scanned(file, pickle.dumps(model, protocol=protocol)).problems == ()
    model.save_model(file)
    assert "num_cat=0" not in file.read_text() or leaves == 2
    assert scan(file).problems == ()


def test_a_model_in_a_long_line(file: Path) -> None:
    """Trees that protocol 0 writes as one line too long to be kept are not passed over."""
    text_ = "tree\nversion=v4\n\n" + "Tree=0\nnum_leaves=1\nleaf_value=1\n\n" * 40_000
    assert "too long to be read" in scanned(file, pickle.dumps(text_, protocol=0)).problems[0]
    assert scanned(file, pickle.dumps(text_, protocol=2)).problems == ()
