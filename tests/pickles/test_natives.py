from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from onnx import helper

from brinery.pickles import onnx
from brinery.pickles.bounds import MAX_STEPS, Budget, TooMuch
from brinery.pickles.evidence import Evidence
from brinery.pickles.scanner import scan
from brinery.pickles.streams import buffered
from brinery.records.scan import ScanReport, Verdict


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.bin"


def scanned(file: Path, content: bytes) -> ScanReport:
    file.write_bytes(content)
    return scan(file)


def npy(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


@pytest.mark.parametrize(
    ("descr", "shape"),
    [
        ("'<f8'", "(1e999,)"),
        ("'<f8'", "('5',)"),
        ("'<f8'", "(-1,)"),
        ("'<f8'", "{5: 6}"),
        (f"'<f{'9' * 5000}'", "(1,)"),
        ("[('a', '<f8', (-1,))]", "(1,)"),
        ("'<f8'", "(" + "9" * 5000 + ",)"),
    ],
)
def test_npy_headers_of_no_size(file: Path, descr: str, shape: str) -> None:
    """A header of numpy whose numbers are none is malformed, and no error."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"
    report = scanned(file, npy(header))
    assert report.verdict is Verdict.MALFORMED
    assert "its numpy header" in report.problems[0]


@pytest.mark.parametrize("packed", [False, True])
def test_a_pickle_that_begins_as_safetensors(file: Path, *, packed: bool) -> None:
    """What is no safetensors file is not read on from its middle, where another pickle may lie."""
    evil = b"X\x10\0\0\0" + b"\0\0\0{" + b"a" * 12 + b"0cposix\nsystem\n(S'true'\ntR."
    length = int.from_bytes(evil[:8], "little")
    content = evil + b"N" * (8 + length - len(evil)) + pickle.dumps(1)
    report = scanned(file, gzip.compress(content) if packed else content)
    assert report.verdict >= Verdict.DANGEROUS or report.verdict is Verdict.MALFORMED
    assert report.problems


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b'{"a":{"dtype":"F","shape":[' + b"1," * 1_600_000 + b"1]}}", "more than 1,500,000"),
        (b'{"a":' + b" " * (65 << 20) + b"1}", "larger than 67,108,864 bytes"),
    ],
)
def test_safetensors_of_many_numbers(file: Path, header: bytes, problem: str) -> None:
    """A header of millions of values is not decoded."""
    report = scanned(file, struct.pack("<Q", len(header)) + header)
    assert report.verdict is Verdict.MALFORMED
    assert problem in report.problems[0]


def skops(schema: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", schema)
    return held.getvalue()


@pytest.mark.parametrize(
    ("filling", "problem"),
    [(b"[]," * 1_000_000, "more than 1,500,000"), (b" " * (65 << 20), "larger than 67,108,864")],
)
def test_a_schema_of_many_lists(file: Path, filling: bytes, problem: str) -> None:
    """JSON that takes gigabytes once it is decoded is not decoded."""
    schema = b'{"__loader__":"ListNode","_skops_version":"1","content":[' + filling + b"[]]}"
    report = scanned(file, skops(schema))
    assert report.verdict is Verdict.MALFORMED
    assert problem in report.problems[0]


def test_xgboost_of_many_columns(file: Path) -> None:
    """Columns of XGBoost's JSON are not decoded where there are millions; the rest is told."""
    columns = b'"",' * 1_600_000 + b'""'
    content = b'{"learner":{"objective":{"name":"x"},"feature_names":[' + columns
    report = scanned(file, content + b']},"version":[3,0,1]}')
    assert (report.format, report.feature_names) == ("xgboost-json", None)
    assert report.versions["xgboost"] == ("3.0.1",)


def test_xgboost_of_any_objective(file: Path) -> None:
    """What XGBoost writes under its keys stays as it lies there, whatever its type."""
    for objective in (b"{%s}" % b",".join(b'"%d":1' % place for place in range(99)), b"[1]", b"7"):
        content = b'{"version":[3,0,1],"learner":{"objective":' + objective + b"}}"
        assert scanned(file, content).format == "xgboost-json"


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_xgboost_of_its_own_hand(file: Path, form: str) -> None:
    """A model that XGBoost wrote tells its version and its columns."""
    data = xgboost.DMatrix(np.arange(20.0).reshape(10, 2), np.arange(10), feature_names=["a", "b"])
    booster = xgboost.train({}, data, num_boost_round=3)
    report = scanned(file, bytes(booster.save_raw(form)))
    assert (report.format, report.verdict) == (f"xgboost-{form}", Verdict.SAFE)
    assert report.feature_names == ("a", "b")
    assert report.versions["xgboost"] == (xgboost.__version__,)


def graph(domains: list[str], **more: Any) -> bytes:
    imports = [helper.make_opsetid(domain, 1) for domain in ["", *domains]]
    empty = helper.make_graph([], "g", [], [])
    content: bytes = helper.make_model(empty, opset_imports=imports, **more).SerializeToString()
    return content


def test_onnx_domains_are_kept_as_they_are_shown(file: Path) -> None:
    """Of a domain's name so much is kept as is shown, each once."""
    report = scanned(
        file, graph([f"{'a' * 9_000}{place}" for place in range(50)], producer_name="x")
    )
    assert report.asked(Verdict.NEEDS_TRUST) == (f"onnx.{'a' * 200}",)


def test_onnx_counts() -> None:
    """Fields of an ONNX model count as opcodes do, and its domains as names."""
    few = graph([f"d{place}" for place in range(100)], producer_name="x")
    budget = Budget()
    assert onnx.read(buffered(few), Evidence(budget))
    assert MAX_STEPS - budget.steps > 200
    with pytest.raises(TooMuch, match="opcodes"):
        onnx.read(buffered(few), Evidence(Budget(steps=100)))
    many = graph([f"d{place}" for place in range(10_001)], producer_name="x")
    with pytest.raises(TooMuch, match="10,000 names"):
        onnx.read(buffered(many), Evidence(Budget()))


def test_columns_of_a_signature(tmp_path: Path) -> None:
    """A signature of millions of values is not decoded, and the model is read all the same."""
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(1))
    stated = {
        "flavors": {"python_function": {"loader_module": "mlflow.sklearn"}},
        "signature": {"inputs": "[" + "[]," * 1_000_000 + "[]]"},
    }
    (tmp_path / "MLmodel").write_text(json.dumps(stated))
    assert scan(tmp_path).feature_names is None
