from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.pickles import costly
from tests.pickles.hostile import samples
from tests.pickles.malicious import Sample

from brinery.errors import BrineryError
from brinery.pickles.scanner import scan
from brinery.records.scan import Verdict

SAMPLES = samples()
# Those that take too much are all malformed, as tests/pickles/test_costs.py shows one by one.
COSTLY = {sample.name for sample in costly.samples()}
CHEAP = tuple(sample for sample in SAMPLES if sample.name not in COSTLY)
LOADING = ROOT / "tests" / "pickles" / "loading.py"
LOAD_ALL_S = 1200

READ_ALL = """
import json, pathlib, sys
from brinery.errors import BrineryError
from brinery.pickles.scanner import scan
before = set(sys.modules)
for path in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    try:
        scan(pathlib.Path(path))
    except BrineryError:
        pass
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def written(folder: Path, chosen: tuple[Sample, ...]) -> dict[str, Path]:
    """The samples' files, by name, with a folder for their markers."""
    for name in ("samples", "markers", "here"):
        (folder / name).mkdir()
    return {
        sample.name: sample.write(
            folder / "samples" / sample.name, folder / "markers" / sample.name
        )
        for sample in chosen
    }


def marked(folder: Path) -> set[str]:
    """The names of the samples that did what they would."""
    return {path.name.removesuffix(".npy") for path in (folder / "markers").iterdir()}


def test_there_are_enough() -> None:
    """There are more than 150 samples, each with a name of its own, in ten families."""
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES) > 150
    families = Counter(sample.family for sample in SAMPLES)
    assert len(families) == 10
    assert min(families.values()) >= 10


@pytest.mark.parametrize("sample", CHEAP, ids=lambda sample: sample.name)
def test_none_is_called_safe(sample: Sample, tmp_path: Path) -> None:
    """No hostile file is called safe, and reading it leaves no mark."""
    (path,) = written(tmp_path, (sample,)).values()
    try:
        verdict = scan(path).verdict
    except BrineryError:
        verdict = Verdict.MALFORMED
    assert verdict is not Verdict.SAFE
    assert marked(tmp_path) == set()


def test_nothing_is_imported(tmp_path: Path) -> None:
    """A process that reads every hostile file imports nothing that they ask for."""
    paths = written(tmp_path, SAMPLES)
    (tmp_path / "paths.json").write_text(json.dumps([str(path) for path in paths.values()]))
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(tmp_path / "paths.json")],
        cwd=tmp_path / "here",
        capture_output=True,
        text=True,
        check=True,
    )
    asked = {"numpy", "pandas", "sklearn", "joblib", "scipy", "xgboost", "pty", "imaplib", "timeit"}
    asked |= {
        "cProfile",
        "pydoc",
        "runpy",
        "site-packages",
        "evil",
        "multiprocessing",
        "webbrowser",
    }
    assert asked.isdisjoint(json.loads(done.stdout))
    assert marked(tmp_path) == set()


@pytest.mark.slow
def test_they_are_no_straw_men(tmp_path: Path) -> None:
    """Loaded as their victims load files, the samples do what they say, but where that is said."""
    paths = written(tmp_path, SAMPLES)
    plan = [
        (str(paths[sample.name]), sample.loader)
        for sample in SAMPLES
        if sample.suffix != "/" and sample.loader
    ]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    done = subprocess.run(
        [sys.executable, str(LOADING), str(tmp_path / "plan.json")],
        cwd=tmp_path / "here",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LOAD_ALL_S,
        check=False,
    )
    harmed = marked(tmp_path)
    expected = {sample.name for sample in SAMPLES if not sample.refused}
    assert expected - harmed == set(), done.stderr
    assert harmed - expected == set()
    assert len(harmed) >= 120
