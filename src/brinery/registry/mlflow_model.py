"""A candidate in MLflow's terms: its model directory, its tags, parameters and figures."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brinery.records.evaluation import PredictionType
from brinery.records.signature import Column, ColumnType
from brinery.records.version import Candidate, DataFingerprint
from brinery.registry import mlflow_flavors, mlflow_folder
from brinery.registry.mlflow_flavors import CODE_FOLDER

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType

PASSPORT_FILE = "brinery.json"

_MAX_PARAM = 500
_PLAIN_TYPES = {
    # MLflow takes no integers for a double, and no missing value for a long: the type that the
    # data has is the one that its frames have too.
    ColumnType.INTEGER: "long",
    ColumnType.NUMBER: "double",
    ColumnType.STRING: "string",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.DATETIME: "datetime",
}
_DIGEST = 32


def tags(candidate: Candidate) -> dict[str, str]:
    """Return what is worth searching runs and versions by."""
    description = candidate.description
    found = {
        "brinery.type": description.type.value,
        "brinery.framework": f"{description.framework} {description.framework_version}",
    }
    if candidate.data:
        found["brinery.data"] = candidate.data.sha256
    if candidate.code:
        found["mlflow.source.git.commit"] = candidate.code.commit
    return found


def params(candidate: Candidate) -> dict[str, str]:
    """Return what MLflow's page shows beside the metrics."""
    description = candidate.description
    found = {
        "model": description.outline,
        "framework": f"{description.framework} {description.framework_version}",
        "type": description.type.value,
        "file": candidate.origin.file,
        "sha256": candidate.origin.sha256,
    }
    if description.unscored:
        found["not scored"] = description.unscored.reason
    if candidate.data:
        found |= {"data": candidate.data.name, "rows": str(candidate.data.rows)}
    if candidate.data and candidate.data.target:
        found["target"] = candidate.data.target
    return {key: value[:_MAX_PARAM] for key, value in found.items()}


def log_figures(client: MlflowClient, candidate: Candidate, *, run_id: str, model_id: str) -> None:
    """Log the data set and the metrics, to the run and to the model on that data."""
    from mlflow.entities import DatasetInput, InputTag, Metric, Param

    data = None if candidate.data is None else _dataset(candidate.data)
    if data is not None:
        client.log_inputs(run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "eval")])])
    metrics = candidate.evaluation.metrics if candidate.evaluation else {}
    now_ms = time.time_ns() // 1_000_000
    client.log_batch(
        run_id,
        metrics=[
            Metric(
                key,
                value,
                now_ms,
                0,
                model_id=model_id,
                dataset_name=data.name if data else None,
                dataset_digest=data.digest if data else None,
                run_id=run_id,
            )
            for key, value in metrics.items()
        ],
        params=[Param(key, value) for key, value in params(candidate).items()],
    )


def _dataset(data: DataFingerprint) -> Dataset:
    """Return the data set as MLflow's page shows it."""
    from mlflow.entities import Dataset

    source = {"file": data.name, "sha256": data.sha256}
    size = {"num_rows": data.rows, "num_elements": data.rows * len(data.columns)}
    return Dataset(
        data.name,
        data.sha256[:_DIGEST],
        "brinery",
        json.dumps(source),
        profile=json.dumps(size),
    )


def lay_out(candidate: Candidate, directory: Path, *, model: Path, code: Path | None) -> Path:
    """Return the directory, with copies of the model and of the user's modules in it."""
    stored = directory / candidate.artifact.file
    if model.is_dir():
        shutil.copytree(model, stored)
    else:
        shutil.copyfile(model, stored)
    if code is not None:
        shutil.copytree(code, directory / CODE_FOLDER)
    return directory


def write(
    candidate: Candidate, directory: Path, *, location: str, run_id: str, model_id: str
) -> None:
    """Write the files of an MLflow model directory around the model that lies in it.

    They say what the framework's own `save_model` would, so that `mlflow.pyfunc.load_model` and
    the flavor's `load_model` of any program find what they expect.
    """
    import mlflow
    from mlflow.models import Model

    model = Model(artifact_path=location, run_id=run_id, model_uuid=model_id, model_id=model_id)
    if candidate.description.unscored is None:
        model.signature = _signature(candidate)
    model.metadata = {"brinery.sha256": candidate.origin.sha256}
    model.model_size_bytes = sum(f.stat().st_size for f in directory.rglob("*") if f.is_file())
    entries = mlflow_flavors.entries(candidate, directory)
    if entries.loader:
        model.add_flavor(
            "python_function",
            loader_module=entries.loader,
            python_version=candidate.environment.python,
            env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            **entries.options,
        )
    for name, said in entries.native.items():
        model.add_flavor(name, **said)
    if entries.ours:
        (directory / mlflow_flavors.LOADER_FOLDER).mkdir()
        loader = f"{mlflow_flavors.LOADER_FOLDER}/{mlflow_flavors.LOADER_MODULE}.py"
        shutil.copyfile(mlflow_flavors.LOADER_SOURCE, directory / loader)
    model.save(str(directory / "MLmodel"))
    requirements = requirement_lines(candidate, mlflow.__version__, directory=directory)
    (directory / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements))
    python = candidate.environment.python
    _write_yaml(
        directory / "conda.yaml",
        {
            "channels": ["conda-forge"],
            "dependencies": [f"python={python}", "pip", {"pip": requirements}],
            "name": "mlflow-env",
        },
    )
    _write_yaml(
        directory / "python_env.yaml",
        {
            "python": python,
            "build_dependencies": ["pip", "setuptools", "wheel"],
            "dependencies": ["-r requirements.txt"],
        },
    )


def requirement_lines(candidate: Candidate, mlflow_version: str, *, directory: Path) -> list[str]:
    """Return the requirements of the model directory: MLflow, to load it, and what it uses.

    What an MLflow folder asks for itself, and was not seen to be used, is kept behind that.
    """
    packages = {"mlflow": mlflow_version, **candidate.environment.packages}
    lines = [f"{name}=={version}" for name, version in packages.items()]
    if candidate.artifact.format == mlflow_flavors.MODEL_FOLDER_FORMAT:
        known = {_normal(name) for name in packages}
        asked = mlflow_folder.read(directory / candidate.artifact.file).requirements
        lines += [line for line in asked if _normal(line) not in known]
    return lines


def _normal(requirement: str) -> str:
    """Return the name that a requirement begins with, as the index spells it."""
    name = re.match(r"[A-Za-z0-9._-]*", requirement)
    return re.sub(r"[-_.]+", "-", name.group() if name else "").lower()


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    import yaml

    path.write_text(yaml.safe_dump(content, sort_keys=False))


def _signature(candidate: Candidate) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    answers = _answer_type(candidate)
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(_PLAIN_TYPES[output.type], name=output.name)
        for output in candidate.signature.outputs
    ]
    if answers:
        outputs.append(ColSpec(answers))
    return ModelSignature(
        inputs=Schema(
            [
                ColSpec(_mlflow_type(column), name=column.name, required=column.required)
                for column in candidate.signature.columns
            ]
        ),
        outputs=Schema(outputs) if outputs else None,
    )


def _answer_type(candidate: Candidate) -> str | None:
    """Return the type of what `predict` answers, where it can be told."""
    if candidate.description.type is PredictionType.REGRESSION:
        return "double"
    if candidate.artifact.classes:
        return None  # the model itself answers with numbers, or with probabilities
    kinds = {type(label) for label in candidate.description.classes}
    names = {str: "string", bool: "boolean", int: "long", float: "double"}
    return names.get(kinds.pop()) if len(kinds) == 1 else None


def _mlflow_type(column: Column) -> str | AnyType:
    from mlflow.types.schema import AnyType

    if column.categorical:
        # MLflow takes a categorical of numbers neither as numbers nor as text.
        return AnyType()  # type: ignore[no-untyped-call]
    return _PLAIN_TYPES[column.type]
