"""What skops calls, and gives a state, is judged as what a pickle calls is."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from datetime import timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import skops.io
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.utils import Bunch
from tests.pickles import stored
from tests.pickles.stored import archive, node, plain, several, table

from brinery.pickles.scanner import scan
from brinery.records.scan import ScanReport, Verdict

X = np.random.default_rng(0).normal(size=(60, 3))
Y = X[:, 0] > 0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.skops"


def scanned(file: Path, schema: dict[str, Any]) -> ScanReport:
    file.write_bytes(archive(schema))
    return scan(file)


SCHEMAS = {**stored.schemas("marker"), **stored.reached("")}


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_skops_would_do(file: Path, name: str) -> None:
    """What a node calls, and what it gives to what it makes, is judged and never safe."""
    assert scanned(file, SCHEMAS[name]).verdict is not Verdict.SAFE


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (plain(1, __id__=3), plain(2, __id__=3)),
        (several(__id__=3), several(kind="list", __id__=3)),
        (table({"a": plain(1)}, __id__=3), table({"b": plain(1)}, __id__=3)),
        (node("TypeNode", "builtins", "int", __id__=3), plain(1, __id__=3)),
    ],
)
def test_two_objects_of_one_number(
    file: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Of two nodes of one number skops reads the first it comes to: they are to be the same."""
    assert scanned(file, several(first, first)).verdict is Verdict.SAFE
    for pair in ((first, second), (second, first)):
        assert "have one number" in scanned(file, several(*pair)).problems[0]


def test_a_node_that_refers_to_one_before(file: Path) -> None:
    """What an older skops wrote once, and referred to afterwards, is that object."""
    cached = node("CachedNode", "builtins", "tuple", __id__=1)
    assert scanned(file, several(several(__id__=1), cached)).verdict is Verdict.SAFE


OBJECTS: dict[str, Any] = {
    "containers": [{"a": 1, 2: "b", 1.5: None}, (1, (2,)), {1, 2}, OrderedDict(a=1)],
    "defaults": defaultdict(list, a=[1]),
    "bunch": Bunch(a=1),
    "arrays": [X, np.float64(1.5), np.array(["a", None, 1], dtype=object), np.ma.array([1, 2])],
    "objects in rows": np.array([["a", None], [1, 2]], dtype=object),
    "random": [np.random.RandomState(1), np.random.default_rng(1)],
    "matrix": sparse.csr_matrix(X),
    "values": [Decimal("1.5"), timezone(timedelta(hours=1)), slice(1, 2), b"abc", bytearray(b"a")],
    "types": [np.dtype("f8"), int, np.float32, {np.int64(3): 1}],
    "twice": [same := {"a": [1, (2, 3)]}, same, same["a"]],
    "forest": RandomForestClassifier(3).fit(X, Y),
    "loss": SGDClassifier().fit(X, Y),
    "boosted": HistGradientBoostingRegressor(loss="poisson", max_iter=2).fit(X, Y),
    "lightgbm": lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(X, Y),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_what_skops_writes(file: Path, name: str) -> None:
    """What skops writes itself is safe."""
    skops.io.dump(OBJECTS[name], file)
    report = scan(file)
    assert (report.problems, report.verdict) == ((), Verdict.SAFE)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1], ("0", "1")),
        (["no", "yes"], ("no", "yes")),
        ([False, True], ("False", "True")),
        (np.array(["no", "yes"], dtype=object), ("no", "yes")),
        (np.array([3, 7], dtype=">i4"), ("3", "7")),
    ],
)
def test_labels(file: Path, labels: Any, expected: tuple[str, ...]) -> None:
    """The classes of a model are read out of the arrays that lie beside the schema."""
    kinds = np.asarray(labels)
    skops.io.dump(LogisticRegression().fit(X, kinds[Y.astype(int)]), file)
    assert scan(file).classes == expected
