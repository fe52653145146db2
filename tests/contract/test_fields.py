"""Every field that a job file may have: it changes the plan, or a line says what it means here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from tests.contract import job_yaml_cases as cases

from brinery.errors import InvalidJob
from brinery.pipeline.planning import plan
from brinery.specs import components, job_kinds, job_parts, job_yaml, sweep_kinds, sweep_parts
from brinery.specs.parts import Part

# For those who read the file, or an editor; nothing is to be done about them.
READERS = {"declared_in", "description", "comment", "tags", "display_name", "name", "version"}
ENVIRONMENT = {"image": "python:3.11"}
COMMAND = {"command": "echo ${{inputs.x}} > ${{outputs.o}}", "environment": ENVIRONMENT}
PORTS = {"inputs": {"x": {"path": "data"}}, "outputs": {"o": {}}}
STEP = {**COMMAND, **PORTS}
TASK = {"type": "run_function", "code": "src", "entry_script": "entry.py"}
PARALLEL = {
    "type": "parallel",
    "inputs": {"x": {"path": "data"}},
    "outputs": {"o": {"type": "uri_file"}},
    "input_data": "${{inputs.x}}",
    "task": {**TASK, "environment": ENVIRONMENT},
}
SWEEP = {
    "sampling_algorithm": {"type": "random"},
    "search_space": {"rate": {"type": "uniform", "min_value": 0, "max_value": 1}},
    "objective": {"goal": "minimize", "primary_metric": "loss"},
    "limits": {"max_total_trials": 4},
}
COMPONENT = {
    "name": "own",
    "type": "command",
    "inputs": {"x": {"type": "uri_folder"}, "n": {"type": "integer", "default": 3}},
    "outputs": {"o": {"type": "uri_folder"}},
    "command": "echo ${{inputs.x}} ${{inputs.n}} ${{outputs.o}}",
    "environment": ENVIRONMENT,
}
OF_COMPONENT = {"component": COMPONENT, "inputs": {"x": {"path": "data"}}}
TRIAL = {**COMPONENT, "inputs": {**COMPONENT["inputs"], "rate": {"type": "number"}}}  # type: ignore[dict-item] # both are


def _pipeline(step: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"type": "pipeline", "jobs": {"a": step}, **more}


class Held(NamedTuple):
    """Where a kind of declaration stands in a file that is right, and an example of each field."""

    model: type[Part]
    job: dict[str, Any]
    place: tuple[str, ...]
    fields: dict[str, Any]


_META = {
    "declared_in": "https://example.org/commandJob.schema.json",
    "name": "mine",
    "display_name": "Mine",
    "description": "What it does.",
    "experiment_name": "trial",
    "tags": {"a": "b"},
    "properties": {"a": "b"},
    "compute": "azureml:serverless",
    "identity": {"type": "user_identity"},
    "services": {"s": {"type": "ssh"}},
}
_RUN = {
    "code": "src",
    "environment_variables": {"A": 1, "B": None},
    "resources": {"instance_count": 2},
    "distribution": {"type": "pytorch", "process_count_per_instance": 2},
    "queue_settings": {"job_tier": "spot"},
}
_MORE = {"inputs": {"x": {"path": "src"}}, "outputs": {"o": {"type": "uri_file"}}}
_STEP_META = {**{key: _META[key] for key in _META if key != "declared_in"}, "comment": "why"}
_BATCHES = {
    "mini_batch_size": "2",
    "partition_keys": ["x"],
    "input_data": "${{inputs.x}}",
    "resources": {"instance_count": 2},
    "retry_settings": {"max_retries": 1},
    "max_concurrency_per_instance": 3,
    "error_threshold": 4,
    "mini_batch_error_threshold": 5,
    "logging_level": "DEBUG",
    "environment_variables": {"A": 1},
}
_SEARCH = {
    "sampling_algorithm": "bayesian",
    "search_space": {"rate": {"type": "uniform", "min_value": 0, "max_value": 2}},
    "objective": {"goal": "maximize", "primary_metric": "loss"},
    "limits": {"max_total_trials": 5},
    "early_termination": {"type": "median_stopping"},
    "resources": {"instance_count": 2},
    "queue_settings": {"job_tier": "spot"},
}
_SWEPT_JOB = {
    "type": "sweep",
    "trial": {**COMMAND, "command": "echo ${{search_space.rate}} ${{inputs.x}} ${{outputs.o}}"},
    **PORTS,
    **SWEEP,
}
_SWEPT_STEP = _pipeline(
    {"type": "sweep", "trial": TRIAL, "inputs": {"x": {"path": "data"}}, **SWEEP}
)

HELD = {
    "command job": Held(
        job_kinds.CommandJob,
        {"type": "command", **STEP},
        (),
        {
            **_META,
            **_RUN,
            **_MORE,
            "type": "command",
            "command": "ls ${{inputs.x}} ${{outputs.o}}",
            "environment": {"image": "other"},
            "limits": {"timeout": 5},
            "parent_job_name": "other",
        },
    ),
    "pipeline job": Held(
        job_kinds.PipelineJob,
        _pipeline(STEP),
        (),
        {
            **_META,
            "declared_in": "https://example.org/pipelineJob.schema.json",
            "type": "pipeline",
            "inputs": {"unused": 3},
            "outputs": {"o": {"type": "uri_file"}},
            "jobs": {"b": STEP},
            "component": "./parts/plain.yml",
            "settings": {"force_rerun": True},
        },
    ),
    "settings": Held(
        job_kinds.Settings,
        _pipeline(STEP, settings={}),
        ("settings",),
        {
            "default_compute": "azureml:cpu",
            "default_datastore": "azureml:own",
            "continue_on_step_failure": True,
            "force_rerun": True,
            "on_init": "a",
            "on_finalize": "a",
        },
    ),
    "step": Held(
        job_kinds.CommandStep,
        _pipeline(STEP),
        ("jobs", "a"),
        {
            **_STEP_META,
            **_RUN,
            **_MORE,
            "type": "spark",
            "command": "ls ${{inputs.x}} ${{outputs.o}}",
            "environment": {"image": "other"},
            "limits": {"timeout": 5},
            "component": "./parts/plain.yml",
        },
    ),
    "parallel step": Held(
        job_kinds.ParallelStep,
        _pipeline(PARALLEL),
        ("jobs", "a"),
        {
            **_STEP_META,
            **_BATCHES,
            "type": "parallel",
            "component": "./parts/batches.yml",
            "inputs": {"x": {"path": "src"}},
            "outputs": {"o": {}},
            "input_data": "${{inputs.y}}",
            "task": {**TASK, "environment": {"image": "other"}},
        },
    ),
    "task": Held(
        components.ParallelTask,
        _pipeline(PARALLEL),
        ("jobs", "a", "task"),
        {
            "type": "function",
            "code": "data",
            "entry_script": "work.py",
            "program_arguments": "--n 3",
            "append_row_to": "${{outputs.o}}",
            "environment": {"image": "other"},
            "model": "azureml:m:1",
        },
    ),
    "retries": Held(
        components.Retries,
        _pipeline({**PARALLEL, "retry_settings": {}}),
        ("jobs", "a", "retry_settings"),
        {"timeout": 5, "max_retries": 7},
    ),
    "sweep job": Held(
        sweep_kinds.SweepJob,
        _SWEPT_JOB,
        (),
        {
            **_META,
            **_SEARCH,
            **_MORE,
            "declared_in": "https://example.org/sweepJob.schema.json",
            "type": "sweep",
            "trial": {**COMMAND, "command": "ls ${{inputs.x}} ${{outputs.o}}"},
        },
    ),
    "sweep step": Held(
        sweep_kinds.SweepStep,
        _SWEPT_STEP,
        ("jobs", "a"),
        {
            **_STEP_META,
            **_SEARCH,
            "type": "sweep",
            "trial": {**TRIAL, "environment": {"image": "other"}},
            "inputs": {"x": {"path": "src"}},
            "outputs": {"o": {"mode": "upload"}},
        },
    ),
    "limits of a sweep": Held(
        sweep_parts.SweepLimits,
        _SWEPT_JOB,
        ("limits",),
        {"max_total_trials": 5, "max_concurrent_trials": 2, "timeout": 6, "trial_timeout": 7},
    ),
    "sampling": Held(
        sweep_parts.Sampling,
        _SWEPT_JOB,
        ("sampling_algorithm",),
        {"type": "bayesian", "seed": 3, "rule": "sobol", "logbase": 10},
    ),
    "early termination": Held(
        sweep_parts.Termination,
        {**_SWEPT_JOB, "early_termination": {"type": "median_stopping"}},
        ("early_termination",),
        {
            "type": "bandit",
            "evaluation_interval": 3,
            "delay_evaluation": 4,
            "slack_factor": 0.1,
            "slack_amount": 0.1,
            "truncation_percentage": 20,
        },
    ),
    "component": Held(
        components.CommandComponent,
        _pipeline(OF_COMPONENT),
        ("jobs", "a", "component"),
        {
            **{key: _RUN[key] for key in _RUN if key != "queue_settings"},
            "declared_in": "https://example.org/commandComponent.schema.json",
            "name": "other",
            "version": 4,
            "type": "command",
            "display_name": "Own",
            "description": "What it does.",
            "tags": {"a": "b"},
            "is_deterministic": False,
            "inputs": {**COMPONENT["inputs"], "m": {"type": "integer", "default": 3}},  # type: ignore[dict-item] # it is
            "outputs": {"o": {"type": "uri_file"}},
            "command": "ls ${{inputs.x}} ${{inputs.n}} ${{outputs.o}}",
            "environment": {"image": "other"},
            "additional_includes": ["data"],
            "limits": {"timeout": 5},
            "properties": {"a": "b"},
        },
    ),
    "port": Held(
        components.InputPort,
        _pipeline(OF_COMPONENT),
        ("jobs", "a", "component", "inputs", "n"),
        {
            "type": "number",
            "default": 4,
            "optional": True,
            "description": "How many.",
            "min": 5,
            "max": 2,
            "enum": ["7"],
            "mode": "download",
            "path": "data",
        },
    ),
    "output port": Held(
        components.OutputPort,
        _pipeline(OF_COMPONENT),
        ("jobs", "a", "component", "outputs", "o"),
        {"type": "uri_file", "description": "What is left.", "mode": "upload"},
    ),
    "input": Held(
        job_parts.DataInput,
        {"type": "command", **STEP},
        ("inputs", "x"),
        {
            "type": "mltable",
            "path": "src",
            "mode": "download",
            "path_on_compute": "/data/x",
            "datastore": "azureml:own",
        },
    ),
    "output": Held(
        job_parts.DataOutput,
        {"type": "command", **STEP},
        ("outputs", "o"),
        {
            "type": "uri_file",
            "path": "azureml://datastores/workspaceblobstore/paths/x",
            "mode": "upload",
            "name": "rows",
            "version": "3",
        },
    ),
    "resources": Held(
        job_parts.Resources,
        {"type": "command", **STEP, "resources": {}},
        ("resources",),
        {
            "instance_count": 2,
            "instance_type": "large",
            "max_instance_count": 3,
            "properties": {"a": "b"},
            "locations": ["here"],
            "shm_size": "2g",
            "docker_args": "--x",
        },
    ),
    "distribution": Held(
        job_parts.Distribution,
        {"type": "command", **STEP, "distribution": {"type": "tensorflow"}},
        ("distribution",),
        {
            "type": "mpi",
            "process_count_per_instance": 2,
            "worker_count": 2,
            "parameter_server_count": 1,
        },
    ),
    "limits": Held(
        job_parts.CommandLimits,
        {"type": "command", **STEP, "limits": {}},
        ("limits",),
        {"timeout": 5},
    ),
    "environment": Held(
        job_parts.InlineEnvironment,
        {"type": "command", **STEP},
        ("environment",),
        {
            "name": "own",
            "version": 2,
            "image": "other",
            "conda_file": "conda.yaml",
            "build": {"path": "docker"},
            "inference_config": {"liveness_route": {"path": "/", "port": 80}},
            "os_type": "windows",
            "description": "What it holds.",
            "tags": {"a": "b"},
            "properties": {"a": "b"},
            "datastore": "azureml:own",
        },
    ),
}
FIELDS = [(kind, field) for kind, held in HELD.items() for field in held.model.fields]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that jobs name."""
    return cases.written(tmp_path_factory.mktemp("fields"))


def planned(folder: Path, job: dict[str, Any], name: str) -> tuple[Any, tuple[str, ...]]:
    """What a job comes to, but for where it stands, and its notes."""
    file = folder / name
    file.write_text(json.dumps(job))
    made = plan(job_yaml.read(file))
    told: Any = msgspec.to_builtins(made)
    return dict(_without_places(told)), made.notes


def _come_to(folder: Path, job: dict[str, Any], name: str) -> tuple[Any, tuple[str, ...], str]:
    """What a job comes to, its notes, and why it cannot be; None where it cannot."""
    try:
        return *planned(folder, job, name), ""
    except InvalidJob as error:
        return None, (), error.message


def _without_places(told: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in told.items():
        if key == "steps":
            yield key, [{**one, "place": ""} for one in value]
        elif key not in ("notes", "file"):
            yield key, value


@pytest.mark.parametrize("kind", HELD)
def test_a_file_without_more_is_right(folder: Path, kind: str) -> None:
    """What the fields are added to has no fault by itself."""
    planned(folder, HELD[kind].job, f"{kind}.yml".replace(" ", "_"))


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_every_field_is_honoured_noted_or_refused(folder: Path, kind: str, field: str) -> None:
    """It changes what the job comes to, or its line says what it means here or why it cannot be."""
    held = HELD[kind]
    job = deepcopy(held.job)
    place = job
    for key in held.place:
        place = place[key]
    told = held.model.fields[field].key
    if told in ("type", "entry_script") and place.get(told) == held.fields[field]:
        return
    place[told] = held.fields[field]
    name = f"{kind}-{field}.yml".replace(" ", "_")
    made, notes, refused = _come_to(folder, job, name)
    before, _, _ = _come_to(folder, held.job, name)
    assert (
        made not in (before, None)
        or any(told in note for note in (*notes, refused))
        or field in READERS
    )
    assert told in refused or made is not None
