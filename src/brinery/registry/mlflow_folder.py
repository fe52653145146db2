"""An MLflow model directory, read: which flavors it states, what it needs. Nothing of it is run.

What it says is what its author says: a path in it is looked at only where it stays within, and no
list of trusted types that it carries is passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct

from brinery.errors import ModelFileError, NotAModel
from brinery.pickles import plain_yaml
from brinery.pickles.bounds import Broken

MLMODEL = "MLmodel"

_PYTHON_FUNCTION = "python_function"
_REQUIREMENT = re.compile(r"[A-Za-z0-9][^#]*")


class StatedInput(Struct, frozen=True, kw_only=True):
    """A column of the signature that a model was logged with.

    Attributes:
        name: of the column.
        type: in MLflow's words, such as `double` or `string`.
        required: whether it may not be left out.
    """

    name: str
    type: str
    required: bool = True


class MlflowFolder(Struct, frozen=True, kw_only=True):
    """What an MLmodel and the files beside it say.

    Attributes:
        path: of the folder.
        loader: module that loads it as a `python_function`; empty where it is none.
        data: what that module is given, within the folder; None where it is the folder.
        code: the folder of the author's modules within it; None where there is none.
        model_code: the script that makes the model, within the folder; None where it is pickled.
        model_config: what a `PythonModel` is configured with.
        files: framework's flavor, in MLflow's words, to its model file within the folder.
        requirements: as `pip` reads them, such as `scikit-learn==1.9.1`.
        python: the version that wrote it, such as `3.11.7`; empty where it does not say.
        inputs: its columns; none where it does not say, or they have no names.
        mlflow_version: that wrote it; empty where it does not say.
    """

    path: Path
    loader: str
    data: str | None
    code: str | None
    model_code: str | None
    model_config: dict[str, Any]
    files: dict[str, str]
    requirements: tuple[str, ...]
    python: str
    inputs: tuple[StatedInput, ...]
    mlflow_version: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of its inputs; none where it does not say."""
        return tuple(one.name for one in self.inputs)


def read(folder: Path) -> MlflowFolder:
    """Return what an MLflow model directory says of itself.

    Raises:
        NotAModel: its MLmodel is missing, or is none.
        ModelFileError: it names a file that is not within it.
    """
    stated = _yaml(folder / MLMODEL)
    flavors = _mapping(stated.get("flavors"))
    if not flavors:
        raise NotAModel(
            f"{folder / MLMODEL} states no flavor",
            hint="an MLflow model directory is what mlflow.<flavor>.save_model wrote",
        )
    function = _mapping(flavors.get(_PYTHON_FUNCTION))
    files = {}
    for name, said in flavors.items():
        inner = _mapping(said)
        file = inner.get("pickled_model") or inner.get("model_data") or inner.get("data")
        if name != _PYTHON_FUNCTION and isinstance(file, str):
            files[str(name)] = _within(folder, file)
    data = _text(function.get("data")) or _text(function.get("model_path"))
    code = _text(function.get("code"))
    # MLflow 2 wrote the absolute path of the machine it ran on; the script lies in the folder.
    script = PurePosixPath(_text(function.get("model_code_path")).replace("\\", "/")).name
    for said in flavors.values():
        code = code or _text(_mapping(said).get("code"))
    return MlflowFolder(
        path=folder,
        loader=_text(function.get("loader_module")),
        data=_within(folder, data) if data else None,
        code=_within(folder, code) if code else None,
        model_code=_within(folder, script) if script else None,
        model_config=dict(_mapping(function.get("config"))),
        files=files,
        requirements=_requirements(folder),
        python=_python(folder, function),
        inputs=_inputs(stated),
        mlflow_version=_text(stated.get("mlflow_version")),
    )


def _yaml(path: Path) -> Mapping[str, Any]:
    """Return a mapping that a YAML file holds.

    Raises:
        NotAModel: it is missing, too large, or holds something else than plain values.
    """
    try:
        return plain_yaml.read(path)
    except (OSError, Broken) as error:
        raise NotAModel(
            f"{path} cannot be read: {' '.join(str(error).split())[:200]}",
            hint="an MLflow model directory is what mlflow.<flavor>.save_model wrote",
        ) from None


def _within(folder: Path, name: str) -> str:
    """Return a path within a folder, normalised.

    Raises:
        ModelFileError: it leads elsewhere, or to nothing.
    """
    path = PurePosixPath(name)
    real = folder.resolve()
    there = (folder / path).resolve()
    if path.is_absolute() or not there.is_relative_to(real) or not there.exists():
        raise ModelFileError(
            f"{folder / MLMODEL} names {name!r}, which is not a file of that folder",
            hint="copy the whole folder again; mlflow artifacts download fetches one",
        )
    return str(path)


def _requirements(folder: Path) -> tuple[str, ...]:
    """Return the lines of requirements.txt; of conda.yaml, where there is no such file."""
    file = folder / "requirements.txt"
    if file.is_file():
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    elif (folder / "conda.yaml").is_file():
        parts = _yaml(folder / "conda.yaml").get("dependencies")
        lines = [
            str(line)
            for part in (parts if isinstance(parts, list) else ())
            for line in (_mapping(part).get("pip") or ())
        ]
    else:
        lines = []
    found = (_REQUIREMENT.match(line.strip()) for line in lines)
    return tuple(match.group().strip() for match in found if match)


def _python(folder: Path, function: Mapping[str, Any]) -> str:
    file = folder / "python_env.yaml"
    if file.is_file() and (said := _text(_yaml(file).get("python"))):
        return said
    return _text(function.get("python_version"))


def _inputs(stated: Mapping[str, Any]) -> tuple[StatedInput, ...]:
    """Return the inputs that the signature states; none unless each has a name."""
    inputs = _mapping(stated.get("signature")).get("inputs")
    try:
        columns = json.loads(inputs) if isinstance(inputs, str) else []
    except ValueError:
        return ()
    told = [_mapping(column) for column in columns] if isinstance(columns, list) else []
    if not all(_text(one.get("name")) for one in told):
        return ()
    return tuple(
        StatedInput(
            name=_text(one.get("name")),
            type=_text(one.get("type")),
            required=one.get("required") is not False,
        )
        for one in told
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) and value != "" else ""
