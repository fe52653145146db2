"""The copy of a component that is taken when it is registered: its files, and their paths in it.

The copy is a component like any other, so that whoever plans a job reads both in the same way:
`component.yml` with the code, the includes, the conda file and the build context beside it, and
each component of a pipeline in a folder of its own, in which the same holds.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from brinery.errors import InvalidJob
from brinery.specs.addresses import Local, parse
from brinery.store.catalog import COMPONENT_FILE

_MOST_NESTED: Final = 20
_REQUIREMENTS: Final = ("-r ", "--requirement ", "--requirement=")

# Copies the folder of some code, without what its ignore file names.
CopyCode = Callable[[Path, Path], None]
# Returns the values of a component file that is named by its path.
ReadFile = Callable[[Path], dict[str, Any]]


class ComponentCopy:
    """Takes the copies of one component.

    Args:
        read: of component and environment files that it names.
        copy_code: of a folder.
        copy_inputs: whether data of this machine that steps name are copied, too; where they are
            not, they are read where they lie.
    """

    def __init__(self, *, read: ReadFile, copy_code: CopyCode, copy_inputs: bool = True) -> None:
        self._read = read
        self._copy_code = copy_code
        self._copy_inputs = copy_inputs

    def take(self, stated: dict[str, Any], folder: Path, *, into: Path, depth: int = 0) -> None:
        """Write the copy of a component.

        Args:
            stated: the values of its file.
            folder: absolute, that its relative paths begin in.
            into: folder of the copy, which is made.
            depth: how many pipelines it is in.

        Raises:
            InvalidJob: a file that it names is not there, or pipelines hold themselves.
        """
        if depth > _MOST_NESTED:
            raise InvalidJob(f"{folder} has pipelines that hold themselves")
        into.mkdir(parents=True)
        kept = self._part(stated, folder, into)
        if (component := _local(kept.get("component"), folder)) is not None:
            self.take(self._read(component), component.parent, into=into / "whole", depth=depth + 1)
            kept["component"] = f"./whole/{COMPONENT_FILE}"
        if isinstance(trial := kept.get("trial"), dict):
            kept["trial"] = self._part(trial, folder, into, below="trial/")
        nodes = kept.get("jobs")
        if isinstance(nodes, dict):
            kept["jobs"] = {
                name: self._node(node, folder, into, name=str(name), depth=depth)
                for name, node in nodes.items()
            }
        text = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
        (into / COMPONENT_FILE).write_text(text, encoding="utf-8")

    def _node(self, node: Any, folder: Path, into: Path, *, name: str, depth: int) -> Any:
        """Return a step whose files are in the copy."""
        if not isinstance(node, dict):
            return node
        kept = self._part(node, folder, into, below=f"steps/{name}/")
        for key in ("component", "trial"):
            inner, place = kept.get(key), into / "steps" / name / key
            if isinstance(inner, dict):
                self.take(inner, folder, into=place, depth=depth + 1)
            elif (file := _local(inner, folder)) is not None:
                self.take(self._read(file), file.parent, into=place, depth=depth + 1)
            else:
                continue
            kept[key] = f"./steps/{name}/{key}/{COMPONENT_FILE}"
        inputs = kept.get("inputs")
        if isinstance(inputs, dict):
            kept["inputs"] = {
                port: self._input(value, folder, into, place=f"steps/{name}/inputs/{port}")
                for port, value in inputs.items()
            }
        return kept

    def _part(
        self, stated: dict[str, Any], folder: Path, into: Path, *, below: str = ""
    ) -> dict[str, Any]:
        """Return what names code and an environment, with these in the copy."""
        kept = dict(stated)
        if (code := _local(kept.get("code"), folder)) is not None:
            kept["code"] = self._code(code, into, place=f"{below}code")
        if "environment" in kept:
            kept["environment"] = self._environment(
                kept["environment"], folder, into, place=f"{below}environment"
            )
        if isinstance(task := kept.get("task"), dict):
            kept["task"] = self._part(task, folder, into, below=f"{below}task/")
        if isinstance(includes := kept.get("additional_includes"), list):
            kept["additional_includes"] = [
                self._include(str(one), folder, into, place=f"{below}includes/{at}")
                for at, one in enumerate(includes)
            ]
        return kept

    def _code(self, code: Path, into: Path, *, place: str) -> str:
        if code.is_dir():
            self._copy_code(code, into / place)
            return f"./{place}"
        _copy(code, into / place / code.name)
        return f"./{place}/{code.name}"

    def _include(self, given: str, folder: Path, into: Path, *, place: str) -> str:
        source = folder / given
        if source.is_dir():
            self._copy_code(source, into / place / source.resolve().name)
        else:
            _copy(source, into / place / source.name)
        return f"./{place}/{source.resolve().name if source.is_dir() else source.name}"

    def _environment(self, stated: Any, folder: Path, into: Path, *, place: str) -> Any:
        """Return an environment whose conda file or build context is in the copy."""
        if (file := _local(stated, folder)) is not None and isinstance(stated, str):
            if not file.exists():
                # A name without `azureml:`, which is told of where it is read.
                return stated
            stated, folder = self._read(file), file.parent
        if not isinstance(stated, dict):
            return stated
        kept = dict(stated)
        if (conda := _local(kept.get("conda_file"), folder)) is not None:
            kept["conda_file"] = f"./{place}/{copy_conda(conda, into / place)}"
        build = kept.get("build")
        if isinstance(build, dict) and (path := _local(build.get("path"), folder)) is not None:
            self._copy_code(path, into / place / "context")
            kept["build"] = {**build, "path": f"./{place}/context"}
        return kept

    def _input(self, stated: Any, folder: Path, into: Path, *, place: str) -> Any:
        """Return an input whose data, where they are files of this machine, are in the copy."""
        if not isinstance(stated, dict) or "${{" in str(stated.get("path")):
            return stated
        source = _local(stated.get("path"), folder)
        if source is None:
            return stated
        if not self._copy_inputs:
            return {**stated, "path": str(source.resolve())}
        _copy(source, into / place / source.name)
        return {**stated, "path": f"./{place}/{source.name}"}


def copy_conda(conda: Path, into: Path) -> str:
    """Return the name of a conda file's copy; the requirements files that it names are beside it.

    Raises:
        InvalidJob: one of them is not there.
    """
    _copy(conda, into / conda.name)
    try:
        declared = yaml.safe_load(conda.read_bytes())
    except yaml.YAMLError as error:
        raise InvalidJob(f"{conda} is no YAML: {error}") from None
    entries = declared.get("dependencies") if isinstance(declared, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        lines = entry.get("pip") if isinstance(entry, dict) else None
        for line in lines if isinstance(lines, list) else ():
            prefix = next((one for one in _REQUIREMENTS if str(line).startswith(one)), "")
            named = str(line).removeprefix(prefix).strip()
            if prefix and (conda.parent / named).is_file():
                _copy(conda.parent / named, into / named)
    return conda.name


def _local(given: Any, folder: Path) -> Path | None:
    """Return the path of what is a file or a folder of this machine; None for all else."""
    if not isinstance(given, str) or not given or given.startswith("git+"):
        return None
    known = parse(given)
    return folder / known.path if isinstance(known, Local) else None


def _copy(source: Path, target: Path) -> None:
    try:
        if source.is_dir():
            shutil.copytree(source, target, copy_function=shutil.copyfile)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise InvalidJob(
            f"{source} cannot be copied: {error.strerror or error}", hint=f"ls {source.parent}"
        ) from None
