from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from brinery.errors import NotAModel
from brinery.pickles import plain_yaml
from brinery.pickles.bounds import Broken
from brinery.pickles.scanner import scan
from brinery.records.scan import Verdict
from brinery.registry import mlflow_folder

LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{place}: &a{place} [{', '.join([f'*a{place - 1}'] * 10)}]\n" for place in range(1, 9)
)
HOSTILE = {
    "lists within lists": "a: " + "[" * 500_000,
    "mappings within mappings": "a: " + "{" * 500_000,
    "lists of lines": "- " * 300_000,
    "lists through names": "".join(
        f"a{place}: &a{place} [{f'*a{place - 1}' if place else 1}]\n" for place in range(100)
    ),
    "a billion laughs": LAUGHS,
    "a list within itself": "a: &a [*a]",
    "a merge": "a: &a {b: 1}\nc:\n  <<: *a",
    "a word as a boolean": "flavors: {a: !!bool maybe}",
    "nothing as a number": 'flavors: {a: !!int ""}',
    "nothing as a fraction": 'flavors: {a: !!float ""}',
    "a number to the base of sixty": "a: " + "1:" * 500_000 + "1",
    "the same, with its type": "a: !!int " + "1:" * 500_000 + "1",
    "a fraction to the base of sixty": "a: " + "1:" * 2_000 + "1.5",
    "the same fraction, with its type": "a: !!float " + "1:" * 2_000 + "1.5",
    "a number of no digit": "a: 0x_",
    "a date that is none": "a: 2001-99-99",
    "a type of Python": "a: !!python/object/apply:os.system [true]",
    "very many values": "a: [" + "1," * 250_000 + "]",
    "bytes that are no text": "a: \x00",
    "a list": "[1, 2]",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_yaml(tmp_path: Path, text: str) -> None:
    """YAML that crashes, hangs or confounds its reader is one sentence, in the scan and beyond."""
    (tmp_path / "MLmodel").write_text(text)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(1))
    report = scan(tmp_path)
    assert report.verdict is Verdict.MALFORMED
    assert report.problems[0].startswith("MLmodel: ")
    with pytest.raises(NotAModel):
        mlflow_folder.read(tmp_path)


def test_plain_values(tmp_path: Path) -> None:
    """What a program writes is read as the program meant it, types, dates and references too."""
    shared = {"conda": "conda.yaml", "ratio": 0.5}
    stated: dict[str, Any] = {
        "flavors": {"a": {"env": shared, "n": -3, "on": True, "none": None, "hex": 31}},
        "env": shared,
        "version": "3.10",
        "signature": '[{"name": "a"}]' * 20_000,
        "digits": "1" * 200 + " or so",
        "quoted": "1" * 200,
    }
    file = tmp_path / "MLmodel"
    file.write_text(yaml.safe_dump(stated))
    assert "*id001" in file.read_text()
    assert plain_yaml.read(file) == stated


def test_very_much_yaml(tmp_path: Path) -> None:
    """A file that is larger than any honest one is not parsed."""
    file = tmp_path / "MLmodel"
    file.write_bytes(b"a" * 10_000_001)
    with pytest.raises(Broken, match="larger than 10,000,000 bytes"):
        plain_yaml.read(file)
