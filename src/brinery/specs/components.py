"""What components declare: ports, and a command, a function over mini-batches, or steps."""

from typing import Annotated, Any, Literal

from brinery.specs.job_parts import (
    CommandLimits,
    Distribution,
    Environment,
    Resources,
    Scalar,
    Variables,
    Version,
    Whole,
)
from brinery.specs.parts import Key, Part

_PortType = Literal[
    "uri_file",
    "uri_folder",
    "mltable",
    "mlflow_model",
    "custom_model",
    "triton_model",
    "path",
    "string",
    "number",
    "integer",
    "boolean",
]
PARAMETERS = ("string", "number", "integer", "boolean")


class InputPort(Part):
    """An input of a component: data, or a parameter.

    Attributes:
        type: what it takes.
        default: of a parameter.
        optional: whether it may be absent.
        min: the least that a number may be.
        max: the most.
        enum: all that a text may be.
        mode: how data are read.
    """

    needed = ("type",)
    lenient = True
    type: _PortType | None = None
    default: Scalar | None = None
    optional: bool | None = None
    description: str | None = None
    min: Scalar | None = None
    max: Scalar | None = None
    enum: list[str] | None = None
    mode: str | None = None
    path: Any = None

    @property
    def data(self) -> bool:
        """Return whether it takes files."""
        return self.type not in PARAMETERS


class OutputPort(Part):
    """An output of a component."""

    needed = ("type",)
    lenient = True
    type: _PortType | None = None
    description: str | None = None
    mode: str | None = None


class ComponentPart(Part):
    """What all components have.

    Attributes:
        declared_in: `$schema`, which says what a file is to an editor.
    """

    lenient = True
    declared_in: Annotated[str | None, Key("$schema")] = None
    name: str | None = None
    version: Version | None = None
    type: str | None = None
    display_name: str | None = None
    description: str | None = None
    tags: dict[str, Any] | None = None
    is_deterministic: bool | None = None
    inputs: dict[str, InputPort] | None = None
    outputs: dict[str, OutputPort] | None = None


class CommandComponent(ComponentPart):
    """A command with ports."""

    needed = ("command", "environment")
    command: str | None = None
    code: str | None = None
    environment: Environment | None = None
    environment_variables: Variables | None = None
    additional_includes: list[str] | None = None
    resources: Resources | None = None
    distribution: Distribution | None = None
    limits: CommandLimits | None = None
    properties: dict[str, Any] | None = None


class ParallelTask(Part):
    """What is run over mini-batches."""

    needed = ("type", "environment")
    lenient = True
    type: Literal["run_function", "function", "model"] | None = None
    code: str | None = None
    entry_script: str | None = None
    program_arguments: str | None = None
    append_row_to: str | None = None
    environment: Environment | None = None
    model: str | None = None


class Retries(Part):
    """How often a mini-batch is tried again, and how long it may take."""

    lenient = True
    timeout: Whole | None = None
    max_retries: Whole | None = None


class ParallelPart(Part):
    """What parallel steps and components have in common."""

    task: ParallelTask | None = None
    mini_batch_size: str | None = None
    partition_keys: list[str] | None = None
    input_data: str | None = None
    resources: Resources | None = None
    retry_settings: Retries | None = None
    max_concurrency_per_instance: Whole | None = None
    error_threshold: Whole | None = None
    mini_batch_error_threshold: Whole | None = None
    logging_level: Literal["DEBUG", "INFO", "WARNING"] | None = None
    environment_variables: Variables | None = None


class ParallelComponent(ParallelPart, ComponentPart):
    """A function over mini-batches, with ports."""

    needed = ("task",)
    lenient = True


class PipelineComponent(ComponentPart):
    """Steps, with ports."""

    needed = ("jobs",)
    jobs: dict[str, Any] | None = None
