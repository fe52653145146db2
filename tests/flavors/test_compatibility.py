from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from sklearn import __version__ as installed
from sklearn.linear_model import LogisticRegression

from brinery.errors import ClassNotImportable, LibraryMismatch, LibraryMissing, NotAModel
from brinery.flavors.compatibility import check, top_modules
from brinery.pickles.scan import scan
from brinery.records.scan import ScanReport

NEXT_PATCH = ".".join([*installed.split(".")[:2], "99"])


def report(folder: Path, content: bytes) -> ScanReport:
    """The scan of a file with this content."""
    file = folder / "model.pkl"
    file.write_bytes(content)
    return scan(file)


def written_by(version: str) -> bytes:
    """A model's pickle that says another version wrote it."""
    content = pickle.dumps(LogisticRegression(), protocol=0)
    stated = f"V{installed}\n".encode()
    assert content.count(stated) == 1
    return content.replace(stated, f"V{version}\n".encode())


def instance_of(module: str, name: str) -> bytes:
    """A pickle of an object of a class that need not exist."""
    return f"c{module}\n{name}\n)R.".encode()


def test_same_version(tmp_path: Path) -> None:
    """A model of the installed version is worth no note."""
    assert check(report(tmp_path, pickle.dumps(LogisticRegression())), "model.pkl") == []


def test_other_patch(tmp_path: Path) -> None:
    """Another patch of the same minor version is a note."""
    notes = check(report(tmp_path, written_by(NEXT_PATCH)), "model.pkl")
    assert notes == [f"written by scikit-learn {NEXT_PATCH}, loaded by {installed}"]


@pytest.mark.parametrize("version", ["0.24.2", "1.0", "2.0.dev0", "not a version"])
def test_other_minor(tmp_path: Path, version: str) -> None:
    """Another minor version is refused with the command that installs it."""
    with pytest.raises(LibraryMismatch, match=version) as caught:
        check(report(tmp_path, written_by(version)), "model.pkl")
    assert installed in caught.value.message
    assert caught.value.hint == f"pip install 'scikit-learn=={version}'"


@pytest.mark.parametrize(
    ("held", "what"),
    [
        ({"model": 1}, "a dict"),
        ([], "a list"),
        (1, "an int"),
        ({1}, "a set"),
        (LogisticRegression, "a type"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_built_in_types(tmp_path: Path, held: object, what: str, protocol: int) -> None:
    """A built-in type is no model, and is named."""
    content = pickle.dumps(held, protocol=protocol)
    with pytest.raises(NotAModel, match=f"holds {what}, which cannot predict"):
        check(report(tmp_path, content), "model.pkl")


def test_class_of_a_script(tmp_path: Path) -> None:
    """A class that was defined in a script or notebook is named, with the way out."""
    with pytest.raises(ClassNotImportable, match=r"__main__\.MyModel") as caught:
        check(report(tmp_path, instance_of("__main__", "MyModel")), "model.pkl")
    assert "move MyModel to a module" in caught.value.hint


def test_known_library(tmp_path: Path) -> None:
    """A library that is not installed is named with the command that installs it."""
    content = instance_of("catboost.core", "CatBoostClassifier")
    with pytest.raises(LibraryMissing, match="needs the module 'catboost'") as caught:
        check(report(tmp_path, content), "model.pkl")
    assert caught.value.hint == "pip install catboost"


def test_unknown_library(tmp_path: Path) -> None:
    """A module of which no distribution is known is named as it is."""
    with pytest.raises(LibraryMissing, match="needs the module 'nolib'") as caught:
        check(report(tmp_path, instance_of("nolib.x", "Y")), "model.pkl")
    assert "PYTHONPATH" in caught.value.hint


def test_distribution_of_another_name(tmp_path: Path) -> None:
    """The command names the distribution where the module's name is another."""
    content = instance_of("skopt.searchcv", "BayesSearchCV")
    with pytest.raises(LibraryMissing) as caught:
        check(report(tmp_path, content), "model.pkl")
    assert caught.value.hint == "pip install scikit-optimize"


@pytest.mark.parametrize("module", [" ", "a b", "a/b"])
def test_modules_that_cannot_be(tmp_path: Path, module: str) -> None:
    """A name that no module can have is a missing library, not a crash."""
    with pytest.raises(LibraryMissing):
        check(report(tmp_path, instance_of(module, "x")), "model.pkl")


def test_top_modules(tmp_path: Path) -> None:
    """The modules are the first parts of the names, each once, sorted."""
    found = top_modules(report(tmp_path, pickle.dumps([LogisticRegression(), Path()])))
    assert found == ("pathlib", "sklearn")
