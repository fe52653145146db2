from __future__ import annotations

from pathlib import Path

import pytest

from brinery.errors import SettingsError
from brinery.records.requirements import Requirements
from brinery.store.requirements import plain, read

REQUIREMENTS = """\
# python 3.10
scikit-learn==1.0.2 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
numpy>=1.21,<1.24  # for scikit-learn
pandas==1.5.3 ; python_version < "3.12"

"""

PYLOCK = """
lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "scikit-learn"
version = "1.0.2"
[[packages]]
name = "numpy"
version = "1.23.5"
marker = "python_version < '3.12'"
"""

CONDA = """
name: mlflow-env
channels: [conda-forge]
dependencies:
- python=3.10.13
- pip<=23
- pip:
  - scikit-learn==1.0.2
  - numpy==1.23.5
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_requirements(tmp_path: Path) -> None:
    """Hashes and comments are left out, and a comment may state the Python."""
    assert read(written(tmp_path, "requirements.txt", REQUIREMENTS)) == Requirements(
        packages=(
            "numpy<1.24,>=1.21",
            'pandas==1.5.3; python_version < "3.12"',
            "scikit-learn==1.0.2",
        ),
        python="3.10",
        python_exact=True,
    )


@pytest.mark.parametrize(
    ("comment", "python"),
    [
        ("# python 3.9", "3.9"),
        ("# Python: 3.10.13", "3.10.13"),
        ("# python==3.11", "3.11"),
        ("# python_version: 3.12", "3.12"),
        ("# this file needs care", ""),
    ],
)
def test_python_of_a_comment(comment: str, python: str) -> None:
    """The Python is stated in any of the ways people write it."""
    assert plain(f"{comment}\nsix\n", "x") == Requirements(
        packages=("six",), python=python, python_exact=bool(python)
    )


def test_pylock(tmp_path: Path) -> None:
    """A lock file states releases, some of them for some Pythons only."""
    found = read(written(tmp_path, "pylock.toml", PYLOCK))
    assert found.packages == ('numpy==1.23.5; python_version < "3.12"', "scikit-learn==1.0.2")
    assert found.python == ""


def test_conda(tmp_path: Path) -> None:
    """Of a conda environment the pip part is read, and the Python."""
    found = read(written(tmp_path, "conda.yaml", CONDA))
    assert found.packages == ("numpy==1.23.5", "scikit-learn==1.0.2")
    assert (found.python, found.python_exact) == ("3.10.13", True)


@pytest.mark.parametrize(
    "line",
    [
        "--find-links elsewhere",
        "-r other.txt",
        "-e .",
        "x @ file:x.whl",
        "./x.whl",
        "git+ssh:x",
        "two words",
    ],
)
def test_no_requirement(line: str) -> None:
    """What is no requirement of a release is refused, with its line."""
    with pytest.raises(SettingsError, match=r"requirements\.txt:3: '"):
        plain(f"six\n\n{line}\n", "requirements.txt")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("conda.yaml", "dependencies: [numpy=1.23]", "'numpy=1.23' is installed by conda"),
        ("conda.yaml", "just text", "has no list of dependencies"),
        ("conda.yaml", "a: [", "is not valid YAML"),
        ("pylock.toml", "packages = 1", "is no pylock.toml"),
        ("pylock.toml", "a = ", "is no pylock.toml"),
        ("pylock.toml", "[[packages]]\nname = 'x'", "is no pylock.toml"),
        ("pylock.toml", "packages = []", "names no package"),
        ("requirements.txt", "", "names no package"),
        ("requirements.txt", "# python 3.10\n", "names no package"),
        ("conda.yaml", "dependencies: [python=3.10, pip]", "names no package"),
    ],
)
def test_files_that_are_wrong(name: str, text: str, said: str, tmp_path: Path) -> None:
    """A file that is not what its name says is named, with what is wrong."""
    with pytest.raises(SettingsError) as caught:
        read(written(tmp_path, name, text))
    assert said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("name", ["nothing.txt", "folder"])
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    """A file that is not there is named, with the other choices."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        read(tmp_path / name)
    assert "--environment auto" in caught.value.hint
