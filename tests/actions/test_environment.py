from __future__ import annotations

from pathlib import Path

import pytest
from sklearn import __version__ as installed

from brinery.actions.environment import Question, choose, outline, settle
from brinery.errors import LibraryMismatch, LibraryMissing, NotAModel, SettingsError
from brinery.records.requirements import Requirements
from brinery.records.scan import Finding, Global, ScanReport, Verdict
from brinery.store.environments import Environments


def question(*names: str, version: str = "", outermost: str = "sklearn.svm.SVC") -> Question:
    """The question of a model that names these, written by a version of scikit-learn."""
    found = (Global(*name.rsplit(".", 1)) for name in names)
    report = ScanReport(
        format="pickle",
        protocol=4,
        compression=None,
        size_bytes=1,
        sha256="0" * 64,
        findings=tuple(Finding(name=name, verdict=Verdict.SAFE) for name in found),
        versions={"scikit-learn": (version,)} if version else {},
        outermost=outermost,
    )
    return Question(report=report, file="model.pkl")


@pytest.mark.parametrize("word", ["auto", "current"])
def test_it_fits(word: str) -> None:
    """Where the current environment fits, it is used, and nothing is built."""
    choice = choose(word, question("sklearn.svm.SVC", version=installed))
    assert choice.needed is None
    assert choice.differences == ()


def test_auto() -> None:
    """Where it does not fit, what wrote the model is needed, and why is said."""
    choice = choose("auto", question("sklearn.svm.SVC", version="1.0.2"))
    assert choice.needed is not None
    assert "scikit-learn==1.0.2" in choice.needed.packages
    assert [difference.written for difference in choice.differences] == ["1.0.2"]
    assert outline(choice.needed) == "scikit-learn==1.0.2"
    (difference,) = choice.differences
    wrote = f"written by scikit-learn 1.0.2, installed here is {installed}: "
    assert difference.elsewhere == wrote + difference.reason


def test_current() -> None:
    """Without leave to build, a model of another version is refused, with the way out."""
    with pytest.raises(LibraryMismatch) as caught:
        choose("current", question("sklearn.svm.SVC", version="1.0.2"))
    assert caught.value.hint.startswith("--environment auto")


@pytest.mark.parametrize("word", ["auto", "current"])
def test_no_environment_helps(word: str) -> None:
    """A module that no one knows, or an object that is no model, is refused at once."""
    with pytest.raises(LibraryMissing, match="'nolib'"):
        choose(word, question("nolib.x.Y", "sklearn.svm.SVC", version="1.0.2"))
    with pytest.raises(NotAModel):
        choose(word, question(outermost="dict"))


def test_auto_for_a_missing_library() -> None:
    """A known library that is not installed is one to build with."""
    choice = choose("auto", question("sksurv.ensemble.RandomSurvivalForest"))
    assert choice.needed is not None
    assert choice.needed.packages == ("scikit-survival",)


def test_file(tmp_path: Path) -> None:
    """A file states what is built, whatever the current environment is."""
    file = tmp_path / "requirements.txt"
    file.write_text("# python 3.10\nscikit-learn==1.0.2\n")
    choice = choose(str(file), question("sklearn.svm.SVC", version=installed))
    assert choice.needed == Requirements(
        packages=("scikit-learn==1.0.2",), python="3.10", python_exact=True
    )
    assert outline(choice.needed) == "Python 3.10, scikit-learn==1.0.2"
    with pytest.raises(SettingsError):
        choose(str(tmp_path / "nothing"), question("sklearn.svm.SVC"))


@pytest.mark.slow
def test_file_of_another_environment(tmp_path: Path) -> None:
    """A file that states what the model cannot be loaded in is refused once that is there."""
    asked = question("six.Iterator", "sklearn.svm.SVC", version="1.0.2")
    needed = Requirements(packages=("six==1.16.0",))
    environments = Environments(tmp_path)
    planned = environments.plan(needed)
    assert not environments.has(planned)
    with pytest.raises(LibraryMissing, match="'sklearn'"):
        settle(planned, asked, environments=environments)
    assert environments.has(planned)
    other = environments.plan(Requirements(packages=("six", "six==1.16.0")))
    assert other == planned
