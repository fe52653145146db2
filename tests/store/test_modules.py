"""The user's own modules: what is copied, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from brinery.errors import CodeUnusable
from brinery.store import modules


def write(folder: Path, *names: str) -> Path:
    """Return a folder with files of those names."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("X = 1\n", encoding="utf-8")
    return folder


def copied(into: Path) -> list[str]:
    """Return the files of a copy."""
    return sorted(str(path.relative_to(into)) for path in into.rglob("*") if path.is_file())


def test_only_modules_are_copied(tmp_path: Path) -> None:
    """Python files are copied with their folders; caches, environments, git and data are not."""
    source = write(
        tmp_path / "src",
        "churn/__init__.py",
        "churn/steps/scale.py",
        "single.py",
        "churn/__pycache__/scale.cpython-311.pyc",
        ".git/hooks/pre-commit.py",
        ".venv/lib/other.py",
        "my-env/lib/other.py",
        "my-env/pyvenv.cfg",
        "data/rows.csv",
    )
    assert modules.gather(source, tmp_path / "into") == ("churn", "single")
    assert copied(tmp_path / "into") == ["churn/__init__.py", "churn/steps/scale.py", "single.py"]


def test_a_package_keeps_its_name(tmp_path: Path) -> None:
    """A folder that is a package itself is importable under its own name."""
    source = write(tmp_path / "churn", "__init__.py", "rates.py")
    assert modules.gather(source, tmp_path / "into") == ("churn",)
    assert copied(tmp_path / "into") == ["churn/__init__.py", "churn/rates.py"]


def test_one_file(tmp_path: Path) -> None:
    """A single module may be given itself."""
    source = write(tmp_path, "scoring.py")
    assert modules.gather(source / "scoring.py", tmp_path / "into") == ("scoring",)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("sklearn/__init__.py",), "would hide the library"),
        (("json.py",), "would hide the library"),
        (("numpy.py", "churn.py"), "'numpy'"),
        (("rows.csv",), "holds no Python file"),
    ],
)
def test_what_is_refused(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    """Modules that would stand in a library's place, and folders without modules, are refused."""
    with pytest.raises(CodeUnusable) as raised:
        modules.gather(write(tmp_path / "src", *names), tmp_path / "into")
    assert said in raised.value.message


def test_compiled_modules_count(tmp_path: Path) -> None:
    """A compiled module of a library's name is one too."""
    folder = write(tmp_path / "src", "scipy.cpython-311-x86_64-linux-gnu.so", "churn.py")
    with pytest.raises(CodeUnusable):
        modules.top_level(folder)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A link is not followed: what it leads to may change."""
    source = write(tmp_path / "src", "churn.py")
    (source / "other.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(CodeUnusable) as raised:
        modules.gather(source, tmp_path / "into")
    assert "is a link" in raised.value.message


@pytest.mark.parametrize("name", ["nothing", "rows.csv"])
def test_no_folder(tmp_path: Path, name: str) -> None:
    """What is not there, or is no module, is said to be."""
    write(tmp_path, "rows.csv")
    with pytest.raises(CodeUnusable) as raised:
        modules.gather(tmp_path / name, tmp_path / "into")
    assert name in raised.value.message


def test_a_whole_disk_is_not_copied(tmp_path: Path) -> None:
    """Too much code is refused before anything is copied."""
    source = write(tmp_path / "src", "big.py")
    with (source / "big.py").open("wb") as stream:
        stream.truncate(60_000_000)
    with pytest.raises(CodeUnusable) as raised:
        modules.gather(source, tmp_path / "into")
    assert "more than" in raised.value.message
    assert copied(tmp_path / "into") == []
