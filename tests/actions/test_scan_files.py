from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

import brinery
from brinery import pickles
from brinery.actions.scan_files import Scanned, scan_files
from brinery.errors import ModelFileError, ModelFileMissing, NotAPickle
from brinery.records.scan import Verdict

SAFE = pickle.dumps({"a": 1})


def found(*paths: Path | str) -> list[tuple[str, Verdict]]:
    return [(Path(one.path).name, one.verdict) for one in scan_files(paths)]


def test_one_file(tmp_path: Path) -> None:
    """`brinery.scan` and `pickles.scan` give the same report, of a path as text or as a path."""
    (tmp_path / "a.pkl").write_bytes(SAFE)
    report = brinery.scan(str(tmp_path / "a.pkl"))
    assert report == pickles.scan(tmp_path / "a.pkl") == brinery.scan(tmp_path / "a.pkl")
    assert isinstance(report, brinery.ScanReport)
    with pytest.raises(ModelFileMissing):
        brinery.scan(tmp_path / "b.pkl")


def test_models_of_mlflow_within_a_folder(tmp_path: Path) -> None:
    """A folder with an MLmodel in it is one model, wherever it lies; its files are its own."""
    model = tmp_path / "runs" / "model"
    model.mkdir(parents=True)
    (model / "MLmodel").write_text("flavors: {sklearn: {pickled_model: model.pkl}}\n")
    (model / "model.pkl").write_bytes(SAFE)
    (tmp_path / "a.pkl").write_bytes(SAFE)
    assert found(tmp_path) == [("a.pkl", Verdict.SAFE), ("model", Verdict.SAFE)]
    assert found(model) == [("model", Verdict.SAFE)]


def test_what_is_no_model(tmp_path: Path) -> None:
    """A file that was named must be a model; one that a folder holds may be anything."""
    (tmp_path / "a.txt").write_text("text\n")
    (tmp_path / "b.txt").touch()
    (tmp_path / "c.pkl").write_bytes(SAFE)
    (tmp_path / "d.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    assert found(tmp_path) == [("c.pkl", Verdict.SAFE), ("d.7z", Verdict.MALFORMED)]
    (one,) = scan_files([tmp_path / "a.txt"])
    assert isinstance(one, Scanned)
    assert (one.verdict, one.report) == (Verdict.MALFORMED, None)
    assert one.refusal is not None
    assert (one.refusal.code, one.refusal.hint != "") == (NotAPickle.code, True)


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link within a folder is passed over: it may lead round in a circle."""
    (tmp_path / "a.pkl").write_bytes(SAFE)
    (tmp_path / "circle").symlink_to(tmp_path)
    assert found(tmp_path) == [("a.pkl", Verdict.SAFE)]


def test_patterns(tmp_path: Path) -> None:
    """A pattern is every file that it fits; a name with brackets that is there is that file."""
    for name in ("a.pkl", "b.pkl", "c[1].pkl"):
        (tmp_path / name).write_bytes(SAFE)
    assert [name for name, _ in found(str(tmp_path / "?.pkl"))] == ["a.pkl", "b.pkl"]
    assert [name for name, _ in found(tmp_path / "c[1].pkl")] == ["c[1].pkl"]
    with pytest.raises(ModelFileMissing):
        found(tmp_path / "x*.pkl")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A pipe is said to be none of a model, and is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    (one,) = scan_files([tmp_path / "pipe"])
    assert one.refusal is not None
    assert "device or a pipe" in one.refusal.message
    with pytest.raises(ModelFileError, match="name too long"):
        list(scan_files(["x" * 300]))


def test_folder_without_a_model(tmp_path: Path) -> None:
    """That nothing was scanned is an error, for it would pass as safe."""
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "notes.txt").write_text("no model")
    with pytest.raises(ModelFileMissing, match=r"no file in .* is a model") as caught:
        list(scan_files([tmp_path]))
    assert caught.value.hint.startswith(f"ls {tmp_path} ")
    (tmp_path / "a.pkl").write_bytes(SAFE)
    assert found(tmp_path / "deeper", tmp_path / "a.pkl") == [("a.pkl", Verdict.SAFE)]
