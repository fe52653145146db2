"""`--environment FILE`: the file that states what a model's environment is built of.

It is pip's `requirements.txt`, a `pylock.toml`, or conda's `conda.yaml` with its `pip` part, as
MLflow writes it beside a model.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from brinery.errors import SettingsError
from brinery.records.requirements import Requirements
from brinery.specs import conda_file

_PYTHON_COMMENT = re.compile(
    r"#\s*python(?:[_-]version)?\s*(?:==?|:)?\s*(\d+\.\d+(?:\.\d+)?)\b", re.IGNORECASE
)
_PYTHON = re.compile(r"python\s*={0,2}\s*(\d+\.\d+(?:\.\d+)?)\b")
_TOOL = re.compile(r"(?:pip|setuptools|wheel)\b")
_HASH = re.compile(r"\s--hash[= ]\S+")
_COMMENT = re.compile(r"(?:^|\s)#.*")


def read(path: Path) -> Requirements:
    """Return what a file states; a Python that it states is the one that will be used.

    Raises:
        SettingsError: it is not there, it names no package, or a line of it is no requirement.
    """
    stated = _read(path)
    if not stated.packages:
        raise SettingsError(
            f"--environment {path} names no package",
            hint="list what the model needs, such as scikit-learn==1.5.2, "
            "or say --environment auto",
        )
    return stated


def _read(path: Path) -> Requirements:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(
            f"--environment {path} cannot be read: {reason}",
            hint="say --environment auto, --environment current, or a requirements.txt",
        ) from None
    if path.suffix == ".toml":
        return _pylock(text, path)
    if path.suffix in {".yaml", ".yml"}:
        return _conda(text, path)
    return plain(text, str(path))


def plain(text: str, source: str) -> Requirements:
    """Return what the text of a `requirements.txt` states.

    Hashes are left out: the registry's own are checked. A comment such as `# python 3.10` states
    the Python.

    Args:
        text: of the file.
        source: its name, for the messages.

    Raises:
        SettingsError: a line is no requirement of a release in a registry.
    """
    comment = _PYTHON_COMMENT.search(text)
    lines = tuple(_requirement(line, f"{source}:{number}") for number, line in _lines(text))
    return _stated(lines, comment.group(1) if comment else "")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a `requirements.txt` that say something, continued ones as one."""
    waiting, began = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        began = began if waiting else number
        waiting += _COMMENT.sub("", raw)
        if waiting.endswith("\\"):
            waiting = waiting[:-1] + " "
            continue
        line = _HASH.sub("", f" {waiting}").strip()
        waiting = ""
        if line:
            yield began, line


def _requirement(line: str, where: str) -> str:
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        requirement = None
    if requirement is None or requirement.url is not None:
        raise SettingsError(
            f"{where}: '{line}' is no requirement of a released package",
            hint="write it as name==version; options and addresses belong in uv's own settings",
        )
    return str(requirement)


def _pylock(text: str, path: Path) -> Requirements:
    try:
        packages = tomllib.loads(text)["packages"]
        lines = [
            f"{package['name']}=={package['version']}"
            + (f" ; {package['marker']}" if "marker" in package else "")
            for package in packages
        ]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path} is no pylock.toml: {error}",
            hint="uv export --format pylock.toml writes one",
        ) from None
    return _stated([_requirement(line, str(path)) for line in lines])


def _conda(text: str, path: Path) -> Requirements:
    """Return the `pip` part of a conda environment."""
    python, packages = "", []
    for line in conda_file.lines(text, where=str(path)):
        if line.pip:
            packages.append(_requirement(line.text, str(path)))
        elif stated := _PYTHON.match(line.text):
            python = stated.group(1)
        elif not _TOOL.match(line.text):
            raise SettingsError(
                f"{path}: '{line.text}' is installed by conda, and Brinery installs wheels only",
                hint="list it under pip: as name==version",
            )
    return _stated(packages, python)


def _stated(lines: Iterable[str], python: str = "") -> Requirements:
    return Requirements(packages=tuple(sorted(lines)), python=python, python_exact=bool(python))
