"""The job file and the conda file of a converted notebook, as text for people."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import yaml

from brinery.records.conversion import Package, Parameter, Port

# What a conda file is installed on where containers are; here, only the list of packages counts.
_IMAGE: Final = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the files of a job lie.

    Attributes:
        name: of the job.
        notebook: name of the file that it was made of.
        script: name of the script.
        code: folder or file of the code, relative to the job file.
        conda: name of the conda file, likewise.
        data: folder of the notebook, relative to the job file.
    """

    name: str
    notebook: str
    script: str
    code: str
    conda: str = "conda.yml"
    data: str = ".."


def job_text(
    layout: Layout,
    *,
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    parameters: Sequence[Parameter],
) -> str:
    """Return the text of a job file."""
    command = [f"python {layout.script}"]
    command += [_argument("inputs", name) for name in _names(inputs, parameters)]
    command += [_argument("outputs", one.name) for one in outputs]
    lines = [
        f"# Made of {layout.notebook} by `brinery notebook convert`.",
        "# Run it: brinery job create -f job.yml",
        "type: command",
        f"display_name: {_scalar(layout.name)}",
        f"experiment_name: {_scalar(layout.name)}",
        f"code: {_scalar(layout.code)}",
        "command: >-",
        *(f"  {part}" for part in command),
    ]
    if inputs or parameters:
        lines.append("inputs:")
    for port in inputs:
        lines += [f"  {port.name}:", f"    type: {port.type.value}"]
        lines.append(f"    path: {_scalar(_moved(port.path, layout.data))}")
    lines += [f"  {one.name}: {_value(one)}" for one in parameters]
    lines += ["outputs:"] if outputs else []
    for port in outputs:
        lines += [f"  {port.name}:", f"    type: {port.type.value}"]
    lines += ["environment:", f"  image: {_IMAGE}", f"  conda_file: ./{layout.conda}"]
    return "\n".join(lines) + "\n"


def _names(inputs: Sequence[Port], parameters: Sequence[Parameter]) -> list[str]:
    return [one.name for one in inputs] + [one.name for one in parameters]


def _argument(kind: str, name: str) -> str:
    return f'--{name} "${{{{{kind}.{name}}}}}"'


def _moved(path: str, folder: str) -> str:
    """Return a path of the notebook's folder as one of the job file's."""
    if "://" in path or path.startswith("/"):
        return path
    moved = posixpath.normpath(posixpath.join(folder, path))
    return moved if moved.startswith(".") else f"./{moved}"


def _value(parameter: Parameter) -> str:
    return _scalar(parameter.value) if parameter.type == "str" else parameter.value


def _scalar(text: str) -> str:
    """Return a text as YAML has it, quoted where it would be read as something else."""
    written: str = yaml.safe_dump(text, width=1_000_000, allow_unicode=True)
    return written.removesuffix("\n").removesuffix("\n...")


def conda_text(
    name: str, packages: Iterable[Package], *, python: str, channels: Sequence[str] = ()
) -> str:
    """Return the text of a conda file.

    Args:
        name: of the environment.
        packages: that pip installs.
        python: version, as `3.11`; empty for any.
        channels: of conda; the community's where there are none.
    """
    lines = [f"name: {_scalar(name)}", "channels:"]
    lines += [f"  - {_scalar(one)}" for one in channels or ("conda-forge",)]
    lines += ["dependencies:", f"  - python={python}" if python else "  - python", "  - pip"]
    wanted = [_scalar(one.requirement) for one in packages]
    lines += ["  - pip:", *(f"      - {one}" for one in wanted)] if wanted else []
    return "\n".join(lines) + "\n"
